"""What the data shares with the part that is held out to judge by."""

from array import array
from collections.abc import Iterable, Iterator, Sequence

from twotrack.core.language import Text
from twotrack.learning.data.canonical import answer_of, content_hash, question_of
from twotrack.learning.data.messages import Sample
from twotrack.learning.data.similarity import Index, normal, signatures

_BLOCK = 512


class HeldOut:
    """Compares questions: that a fact is trained in other words is what a held-out phrasing is for."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._index = Index()
        self._lines: list[int] = []
        self._answers: dict[int, set[int]] = {}
        self._questions: dict[int, int] = {}
        self._rows = array("q")
        self._exact: list[tuple[int, Text, int]] = []
        block: list[Sample] = []
        for sample in samples:
            block.append(sample)
            if len(block) == _BLOCK:
                self._take(block)
                block = []
        self._take(block)

    def close(self) -> None:
        self._index.close()

    def compare(self, rows: Sequence[int], samples: Sequence[Sample]) -> None:
        if not samples:
            return
        texts = [normal(_asked(sample)) for sample in samples]
        self._index.add(signatures(texts))
        self._rows.extend(rows)
        for row, sample, text in zip(rows, samples, texts, strict=True):
            if text and (line := self._questions.get(content_hash(text))) is not None:
                same = content_hash(normal(answer_of(sample))) in self._answers[line]
                self._exact.append((row, _BOTH if same else _QUESTION, line))

    def leaks(self) -> Iterator[tuple[int, Text, int]]:
        """(row, what of it is held out too, the held-out part's line)."""
        yield from self._exact
        known = {row for row, _, _ in self._exact}
        held = len(self._lines)
        for left, right in self._index.pairs():
            across = (left < held) != (right < held)
            for one, other in zip(left[across].tolist(), right[across].tolist(), strict=True):
                row = self._rows[max(one, other) - held]
                if row not in known:
                    known.add(row)
                    yield row, _NEARLY, self._lines[min(one, other)]

    def _take(self, samples: Sequence[Sample]) -> None:
        if not samples:
            return
        texts = [normal(_asked(sample)) for sample in samples]
        self._index.add(signatures(texts))
        for sample, text in zip(samples, texts, strict=True):
            self._lines.append(sample.line)
            line = self._questions.setdefault(content_hash(text), sample.line)
            self._answers.setdefault(line, set()).add(content_hash(normal(answer_of(sample))))


def given_away(samples: Iterable[Sample]) -> list[int]:
    """Lines of held-out questions that hold their own answer: whoever can read can answer them."""
    found = []
    for sample in samples:
        answer = normal(sample.key or answer_of(sample))
        if len(answer) > 1 and f" {answer} " in f" {normal(question_of(sample))} ":
            found.append(sample.line)
    return found


def _asked(sample: Sample) -> str:
    return sample.text if sample.text is not None else question_of(sample)


_QUESTION = Text("its question is held out as well", "질문이 평가용 데이터에도 있습니다")
_BOTH = Text("its question and answer are held out as well", "질문과 답변이 평가용 데이터에도 있습니다")
_NEARLY = Text("nearly the same question is held out", "거의 같은 질문이 평가용 데이터에 있습니다")
