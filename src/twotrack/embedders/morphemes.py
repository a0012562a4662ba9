"""Korean morphemes for lexical search, where the analyser is installed (the extra `korean`)."""

from collections.abc import Sequence
from importlib.util import find_spec

from twotrack.embedders.process import ChildCalls

_AT_ONCE = 64


class Morphemes:
    """Kiwi in a child process of its own, which loads for some seconds at the first call."""

    def __init__(self, *, threads: int | None = None, idle_s: float | None = None) -> None:
        self._child = ChildCalls("kiwi", {"kind": "kiwi", "threads": threads}, idle_s=idle_s)

    @property
    def available(self) -> bool:
        return find_spec("kiwipiepy") is not None

    async def terms(self, texts: Sequence[str]) -> list[list[str]]:
        """The morphemes of each text that carry meaning, in their order: nouns, stems of verbs, numbers,
        foreign words in lower case.

        Raises:
            EmbedderDied
        """
        found: list[list[str]] = []
        for start in range(0, len(texts), _AT_ONCE):
            chosen = list(texts[start : start + _AT_ONCE])
            found.extend(await self._child.call({"op": "terms", "texts": chosen}))
        return found

    async def close(self) -> None:
        await self._child.close()
