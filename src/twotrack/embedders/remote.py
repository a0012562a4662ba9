"""An embedder behind an OpenAI-compatible server: POST /v1/embeddings."""

from collections.abc import Sequence

import httpx
import numpy as np

from twotrack.embedders.port import EmbedderFailed, Kind, Vectors, unit_rows

_AT_ONCE = 64
_SECONDS = 60.0


class RemoteEmbedder:
    """See port.Embedder. The server's tokens cannot be counted here: they are estimated, rather too many."""

    longest = 8192

    def __init__(self, name: str, dimensions: int, client: httpx.AsyncClient, model: str) -> None:
        self.id = name
        self.dimensions = dimensions
        self._client = client
        self._model = model

    @classmethod
    async def connect(cls, url: str, model: str, *, key: str | None) -> "RemoteEmbedder":
        """Ask the server for one vector, to know how long its vectors are.

        Raises:
            EmbedderFailed
        """
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        client = httpx.AsyncClient(base_url=url.rstrip("/") + "/", headers=headers, timeout=_SECONDS)
        made = cls(f"openai:{url}#{model}", 0, client, model)
        try:
            made.dimensions = (await made._ask(["."])).shape[1]
        except BaseException:
            await client.aclose()
            raise
        return made

    async def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        parts = [np.empty((0, self.dimensions), dtype=np.float32)]
        for start in range(0, len(texts), _AT_ONCE):
            vectors = await self._ask(texts[start : start + _AT_ONCE])
            if vectors.shape[1] != self.dimensions:
                raise EmbedderFailed(name=self.id, why=f"vectors of {vectors.shape[1]} numbers")
            parts.append(vectors)
        return np.concatenate(parts)

    async def count(self, texts: Sequence[str]) -> list[int]:
        # Half a token for a Latin letter's byte and one for a Hangul syllable's three err on the safe side.
        return [len(text.encode("utf-8", "replace")) // 3 + 1 for text in texts]

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, texts: Sequence[str]) -> Vectors:
        # An empty text is refused by many servers.
        body = {"model": self._model, "input": [text or " " for text in texts], "encoding_format": "float"}
        try:
            response = await self._client.post("embeddings", json=body)
            response.raise_for_status()
            entries = sorted(response.json()["data"], key=lambda entry: entry["index"])
            vectors = np.array([entry["embedding"] for entry in entries], dtype=np.float32)
        except httpx.HTTPStatusError as error:
            why = f"HTTP {error.response.status_code}: {error.response.text[:200]}"
            raise EmbedderFailed(name=self.id, why=why) from error
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise EmbedderFailed(name=self.id, why=f"{type(error).__name__}: {error}") from error
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            raise EmbedderFailed(name=self.id, why=f"{len(texts)} texts gave vectors of {vectors.shape}")
        return unit_rows(vectors)
