"""What quoted and written answers share: what they are made with, and the forms they come in."""

from dataclasses import dataclass

from twotrack.serving.answering import Models, Piece
from twotrack.serving.chat.queue import AdmissionQueue
from twotrack.serving.rag.citing import Cited
from twotrack.serving.rag.retrieving import Found, Library, find
from twotrack.serving.rag.schemas import Mode, RagAnswer, RagQuestion, RagStarted

Item = RagStarted | Piece | RagAnswer


@dataclass(frozen=True)
class Rag:
    """All that answers from documents."""

    models: Models
    library: Library
    queue: AdmissionQueue


async def find_for(library: Library, question: RagQuestion, searched: str) -> Found:
    return await find(
        library, searched, collection=question.collection, k=question.k, filters=question.filters
    )


def started(found: Found, mode: Mode, variant: str | None, searched: str) -> RagStarted:
    return RagStarted(
        collection=found.collection.name,
        mode=mode,
        variant=variant,
        searched=searched,
        confidence=round(found.confidence, 4),
        passages=list(found.passages),
    )


def whole_answer(
    text: str, cited: Cited, found: Found, mode: Mode, variant: str | None, searched: str, *, abstained: bool
) -> RagAnswer:
    return RagAnswer(
        answer=text,
        citations=cited.citations,
        sentences=cited.sentences,
        abstained=abstained,
        confidence=round(found.confidence, 4),
        mode=mode,
        searched=searched,
        collection=found.collection.name,
        variant=variant,
        passages=list(found.passages),
    )
