"""An embedder behind an OpenAI-compatible server: POST /v1/embeddings."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np

from twotrack.core.language import Text
from twotrack.embedders.port import EmbedderAway, EmbedderFailed, Kind, Vectors, unit_rows

_AT_ONCE = 64
_PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))

_NOT_A_NUMBER = Text("a vector holds what is no number", "벡터에 숫자가 아닌 값이 있습니다")
_ZERO = Text("a vector is all zeros, which is near to nothing", "모든 값이 0인 벡터는 비교할 수 없습니다")
_NO_VECTORS = Text(
    "its answer is no list of vectors, as OpenAI's interface gives them",
    "응답이 OpenAI 형식의 벡터 목록이 아닙니다",
)
_NO_CONNECTION = Text("no connection", "연결되지 않습니다")


@dataclass(frozen=True)
class Patience:
    """In seconds: how long one answer may take, and the pauses before further tries with a server that is
    busy or away for the moment."""

    answer: float
    pauses: tuple[float, ...]


BULK = Patience(60.0, (1.0, 4.0, 15.0))
AT_ONCE = Patience(20.0, (0.5,))
"""Where somebody waits for the answer to a question."""


class RemoteEmbedder:
    """See port.Embedder. The server's tokens cannot be counted here: they are estimated, rather too many."""

    longest = 8192

    def __init__(
        self, name: str, dimensions: int, client: httpx.AsyncClient, model: str, patience: Patience
    ) -> None:
        self.id = name
        self.dimensions = dimensions
        self._client = client
        self._model = model
        self._patience = patience

    @classmethod
    async def connect(
        cls, url: str, model: str, *, key: str | None, patience: Patience = BULK
    ) -> "RemoteEmbedder":
        """Ask the server for one vector, to know how long its vectors are.

        Raises:
            EmbedderAway, EmbedderFailed
        """
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # A proxy of the environment has no business with a team's documents.
        client = httpx.AsyncClient(
            base_url=url.rstrip("/") + "/", headers=headers, timeout=patience.answer, trust_env=False
        )
        made = cls(f"openai:{url}#{model}", 0, client, model, patience)
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
                raise EmbedderFailed(name=self.id, why=_other_length(vectors.shape[1], self.dimensions))
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
        response = await self._post(body)
        try:
            entries = sorted(response.json()["data"], key=lambda entry: entry["index"])
            vectors = np.array([entry["embedding"] for entry in entries], dtype=np.float32)
        except (ValueError, KeyError, TypeError) as error:
            raise EmbedderFailed(name=self.id, why=_NO_VECTORS) from error
        if len(vectors) != len(texts):
            raise EmbedderFailed(name=self.id, why=_other_number(len(vectors), len(texts)))
        if vectors.ndim != 2:
            raise EmbedderFailed(name=self.id, why=_NO_VECTORS)
        if not np.isfinite(vectors).all():
            raise EmbedderFailed(name=self.id, why=_NOT_A_NUMBER)
        if not vectors.any(axis=1).all():
            raise EmbedderFailed(name=self.id, why=_ZERO)
        return unit_rows(vectors)

    async def _post(self, body: dict[str, Any]) -> httpx.Response:
        for pause in (*self._patience.pauses, None):
            try:
                response = await self._client.post("embeddings", json=body)
            except httpx.TimeoutException as error:
                why: Text | str = _too_slow(self._patience.answer)
                cause: Exception | None = error
            except httpx.HTTPError as error:
                why, cause = str(error) or _NO_CONNECTION, error
            else:
                if response.status_code == 200:
                    return response
                said = " ".join(response.text[:200].split())
                why, cause = f"HTTP {response.status_code}: {said}", None
                if response.status_code not in _PASSING:
                    raise EmbedderFailed(name=self.id, why=why)
            if pause is not None:
                await asyncio.sleep(pause)
        raise EmbedderAway(name=self.id, why=why) from cause


def _other_length(found: int, expected: int) -> Text:
    return Text(
        f"its vectors have {found} numbers now and had {expected} before",
        f"벡터가 {expected}차원이었는데 이제 {found}차원입니다",
    )


def _other_number(found: int, expected: int) -> Text:
    return Text(f"{expected} texts gave {found} vectors", f"글 {expected}개에 벡터 {found}개를 보냈습니다")


def _too_slow(seconds: float) -> Text:
    return Text(f"no answer within {seconds:g} seconds", f"{seconds:g}초 안에 답이 없습니다")
