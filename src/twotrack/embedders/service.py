"""Which embedder an address means, and the running ones, each started at its first use."""

import asyncio
from pathlib import Path

from twotrack.core.language import Text
from twotrack.embedders import e5_file, e5_wheel, local
from twotrack.embedders.morphemes import Morphemes
from twotrack.embedders.port import Embedder, EmbedderUnknown
from twotrack.embedders.remote import AT_ONCE, BULK, RemoteEmbedder
from twotrack.registry.layout import Layout

_OTHER_WEIGHTS = Text(
    "the weights in that folder are others by now", "그 폴더의 가중치가 그사이 바뀌었습니다"
)
_UNKNOWN_FORM = Text("its form is not known", "알 수 없는 형식입니다")

DEFAULT = e5_wheel.NAME
DEFAULT_DIMENSIONS = e5_wheel.DIMENSIONS
DEFAULT_LONGEST = e5_file.LONGEST


class Embedders:
    """The embedders of one process. `bulk` is for a worker: torch where it is installed, and children that
    end when nothing came for a while; otherwise small children that stay, for single questions."""

    def __init__(
        self,
        layout: Layout,
        *,
        bulk: bool = False,
        threads: int | None = None,
        key: str | None = None,
        idle_s: float | None = None,
    ) -> None:
        self._layout = layout
        self._bulk = bulk
        self._threads = threads
        self._key = key
        self._idle_s = idle_s
        self._running: dict[str, Embedder] = {}
        self._starting = asyncio.Lock()
        self.morphemes = Morphemes(threads=threads, idle_s=idle_s)

    async def get(self, address: str = DEFAULT) -> Embedder:
        """By an address (see EmbedderUnknown's remedy) or the id that an embedder gave itself.

        Raises:
            EmbedderUnknown, EmbedderFailed; WheelNotFetched and its like at the first use of the default.
        """
        async with self._starting:
            if known := self._running.get(address):
                return known
            made = await self._make(address)
            self._running[address] = self._running[made.id] = made
            return made

    async def close(self) -> None:
        for embedder in set(self._running.values()):
            await embedder.close()
        self._running.clear()
        await self.morphemes.close()

    async def _make(self, address: str) -> Embedder:
        kind, _, rest = address.partition(":")
        if address == DEFAULT:
            return await local.default_embedder(
                self._layout, bulk=self._bulk, threads=self._threads, idle_s=self._idle_s
            )
        if kind == "folder" and rest:
            path, _, expected = rest.partition("#")
            made = await local.folder_embedder(
                address, Path(path), threads=self._threads, idle_s=self._idle_s
            )
            if expected and made.id != address:
                raise EmbedderUnknown(name=address, why=_OTHER_WEIGHTS)
            return made
        url, _, model = rest.partition("#")
        if kind == "openai" and model and url.startswith(("http://", "https://")):
            patience = BULK if self._bulk else AT_ONCE
            return await RemoteEmbedder.connect(url, model, key=self._key, patience=patience)
        raise EmbedderUnknown(name=address, why=_UNKNOWN_FORM)
