"""From text to the token ids that an embedder's model reads. Runs in the embedder's child."""

import json
from collections.abc import Sequence
from pathlib import Path

from twotrack.embedders.e5_file import CHARACTERS, TOKENIZER


class Texts:
    """The tokenizer of a model's folder, with the prefixes that it was trained with."""

    def __init__(self, folder: Path, *, prefixes: dict[str, str], longest: int) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.no_padding()
        # Cut here, not by the tokenizer: a second one for counting would take 200 MB of its own.
        self._tokenizer.no_truncation()
        self._longest = longest
        self._ends = len(self._tokenizer.encode("").ids) // 2
        characters = folder / CHARACTERS
        self._table = (
            {int(code): text for code, text in json.loads(characters.read_text()).items()}
            if characters.exists()
            else None
        )
        self._prefixes = prefixes

    def ids(self, texts: Sequence[str], kind: str) -> list[list[int]]:
        prefix = self._prefixes.get(kind, "")
        encoded = self._tokenizer.encode_batch([self._normal(prefix + text) for text in texts])
        return [self._cut(one.ids) for one in encoded]

    def count(self, texts: Sequence[str]) -> list[int]:
        encoded = self._tokenizer.encode_batch(
            [self._normal(text) for text in texts], add_special_tokens=False
        )
        return [len(one.ids) for one in encoded]

    def told(self, kind: str) -> slice:
        """Of the ids of a text of that kind its own: without the prefix and the marks at both ends."""
        prefix = self._tokenizer.encode(self._normal(self._prefixes.get(kind, "").rstrip())).ids
        return slice(len(prefix) - self._ends, -self._ends or None)

    def _cut(self, ids: list[int]) -> list[int]:
        """Too long a text loses its end, not the mark behind it."""
        if len(ids) <= self._longest:
            return ids
        return ids[: self._longest - self._ends] + ids[len(ids) - self._ends :]

    def _normal(self, text: str) -> str:
        # A tokenizer in Rust cannot be given half of a surrogate pair.
        text = text.encode("utf-8", "replace").decode()
        return text if self._table is None else text.translate(self._table)
