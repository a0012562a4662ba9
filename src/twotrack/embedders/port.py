"""The embedder port: texts in, vectors of unit length out."""

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text

Kind = Literal["query", "passage"]
"""Many models were trained with a prefix for each: which one goes before a text is the embedder's affair."""

Vectors = NDArray[np.float32]


def unit_rows(vectors: Vectors) -> Vectors:
    """Each row divided by its length; a row of zeros stays one."""
    scaled: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return scaled


class Embedder(Protocol):
    """One model of embeddings. All methods may be called from many tasks at once."""

    @property
    def id(self) -> str:
        """Embedders of one id give the same vectors, up to rounding: cosine ≥ 0.999."""
        ...

    @property
    def dimensions(self) -> int: ...

    @property
    def longest(self) -> int:
        """Tokens of one text at most, prefix included: what is beyond is cut off."""
        ...

    async def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        """Shape [len(texts), dimensions], each row of unit length.

        Raises:
            EmbedderDied, EmbedderFailed
        """
        ...

    async def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without prefix and the marks at both ends."""
        ...

    async def close(self) -> None:
        """End what runs for it and give all its memory back."""
        ...


@runtime_checkable
class TokenEmbedder(Embedder, Protocol):
    """An embedder that can be asked for more than one vector of a text: those of its tokens."""

    async def match(self, question: str, passages: Sequence[str]) -> list[float]:
        """How well each passage matches the question, token by token: the mean over the question's tokens of
        the highest cosine that any token of the passage has with it, −1 to 1. Costs what embedding the
        passages costs, the first time.

        MaxSim of Khattab and Zaharia, "ColBERT", SIGIR 2020, section 3.3, over the vectors of a model that
        was trained for one vector a text.

        Raises:
            EmbedderDied, EmbedderFailed
        """
        ...


class EmbedderUnknown(TwotrackError):
    status = 422
    detail = Text("{name!r} is no embedder: {why}", "쓸 수 없는 임베더입니다({name!r}): {why}")
    remedy = Text(
        "Embedders are: multilingual-e5-small, folder:/path/of/a/sentence-transformers/model, "
        "or openai:http://host:port/v1#model.",
        "쓸 수 있는 임베더: multilingual-e5-small, folder:/sentence-transformers/모델/경로, "
        "openai:http://호스트:포트/v1#모델.",
    )


class EmbedderDied(TwotrackError):
    status = 503
    detail = Text(
        "The embedder {name} ended in the middle of this request: {why}",
        "요청을 처리하던 중 임베더가 종료되었습니다({name}): {why}",
    )
    remedy = Text("Try again: it starts anew by itself.", "다시 시도하세요. 임베더는 새로 시작됩니다.")


class EmbedderFailed(TwotrackError):
    status = 502
    detail = Text(
        "The embedder {name} gave no vectors: {why}", "임베더가 벡터를 내놓지 못했습니다({name}): {why}"
    )
    remedy = Text(
        "Set it right, then start again: what is done already is not done anew.",
        "임베더를 바로잡은 뒤 다시 시작하세요. 이미 끝난 부분은 다시 하지 않습니다.",
    )


class EmbedderAway(TwotrackError):
    status = 503
    detail = Text(
        "The embedder's server does not answer ({name}): {why}",
        "임베더 서버가 응답하지 않습니다({name}): {why}",
    )
    remedy = Text(
        "Start it or correct its address, then start again: what is done already is not done anew.",
        "서버를 시작하거나 주소를 고친 뒤 다시 시작하세요. 이미 끝난 부분은 다시 하지 않습니다.",
    )
