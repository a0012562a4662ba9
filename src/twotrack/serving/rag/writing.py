"""Answers that a model writes from passages: the chain, run with the studio's own parts.

Imports langchain-core; service.py imports this module when it is first needed.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

from langsmith import tracing_context

from twotrack.serving.answering import Final, Models, Options, Piece, Served, chat_prompt, stream_answer
from twotrack.serving.chat.branches import Place
from twotrack.serving.rag.answers import Item, Rag, find_for, started, whole_answer
from twotrack.serving.rag.chain import (
    Messages,
    PassageRetriever,
    StudioChatModel,
    answering_chain,
    history_messages,
    rewriting_chain,
)
from twotrack.serving.rag.citing import Cited, cite
from twotrack.serving.rag.prompts import ABSTAINED, NOT_FOUND, SYSTEM, language_of
from twotrack.serving.rag.retrieving import Found
from twotrack.serving.rag.schemas import RagQuestion
from twotrack.stores.schemas import Passage

# Room for the answer, as a part of the context at most; a passage that does not fit beside it stays out.
_ROOM_FOR_ANSWER = 0.25
# Tokens that the marks around a passage and the template take.
_FRAME = 48


def chat_model(
    models: Models, served: Served, options: Options, ended: Callable[[Final], None] = lambda final: None
) -> StudioChatModel:
    """A variant as a chat model of LangChain; the caller has a slot in the queue. `ended` hears how each of
    its answers did."""

    async def pieces(messages: Messages) -> AsyncGenerator[Piece | Final, None]:
        ids = await chat_prompt(served, messages)
        async with aclosing(stream_answer(models.engines, served, ids, options)) as items:
            async for item in items:
                if isinstance(item, Final):
                    ended(item)
                yield item

    return StudioChatModel(generate_pieces=pieces, variant=served.variant.name)


async def written(
    rag: Rag,
    served: Served,
    options: Options,
    question: RagQuestion,
    place: Place,
    turns: Sequence[tuple[str, str]],
) -> AsyncGenerator[Item, None]:
    finals: list[Final] = []
    model = chat_model(rag.models, served, options, finals.append)
    history = history_messages(turns)
    searched = place.message
    found: Found | None = None

    async def search(query: str) -> Sequence[Passage]:
        nonlocal found
        found = await find_for(rag.library, question, query)
        if found.confidence < question.min_confidence:
            return ()
        return await _fitting(served, options, found.passages, [place.message, *(t for _, t in turns)])

    # An environment with a key of LangSmith in it would send every question and passage there.
    with tracing_context(enabled=False):
        if turns:
            asked = {"question": place.message, "history": history}
            rewritten = await rewriting_chain(model).ainvoke(asked)
            searched = " ".join(rewritten.split())[:1000] or place.message
        chain = answering_chain(PassageRetriever(search=search), model)
        given = {"question": place.message, "search": searched, "history": history}
        text, held = "", ""
        finals.clear()
        async with aclosing(_astream(chain, given)) as chunks:
            async for chunk in chunks:
                if "documents" in chunk:
                    assert found is not None
                    yield started(found, "write", served.variant.name, searched)
                held += chunk.get("answer", "")
                # Held back while it may still turn out to be the words for: it is not there.
                if held and not NOT_FOUND.startswith(held.strip().upper()[: len(NOT_FOUND)]):
                    text += held
                    yield Piece(held)
                    held = ""
    declined = not text
    if declined:
        text = ABSTAINED.show(language_of(place.message))
        yield Piece(text)
    assert found is not None
    cited = Cited([], []) if declined else await cite(rag.library, found, text, found.passages)
    whole = whole_answer(text, cited, found, "write", served.variant.name, searched, abstained=declined)
    yield whole.model_copy(update={"finish_reason": finals[-1].reason if finals else None})


async def _astream(chain: Any, given: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    stream = chain.astream(given)
    try:
        async for chunk in stream:
            yield chunk
    finally:
        await stream.aclose()


async def _fitting(
    served: Served, options: Options, passages: Sequence[Passage], others: Sequence[str]
) -> list[Passage]:
    """The first of the passages, as many as the context holds beside everything else; one at least."""
    room = served.context_length - min(options.max_tokens, int(served.context_length * _ROOM_FOR_ANSWER))
    for text in (SYSTEM, *others):
        room -= len(await served.codec.text_ids(text)) + _FRAME
    kept: list[Passage] = []
    for passage in passages:
        room -= len(await served.codec.text_ids(f"{passage.title} {passage.heading} {passage.text}")) + _FRAME
        if room < 0 and kept:
            break
        kept.append(passage)
    return kept
