"""What of a session's history goes into the prompt: as much as the context holds, the newest turns first."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from twotrack.engines.port import PromptTooLong
from twotrack.serving.answering import Served, chat_prompt
from twotrack.serving.chat.tables import KeptMessage

# Room that is kept for the answer, as a part of the context, where max_tokens asks for more.
_ROOM_FOR_ANSWER = 0.25
# Leaving out one turn more at every question would cost the whole cached prefix each time. So, once turns
# have to go, the history is cut to this part of its room, and then stays as it is for some turns.
_CUT_TO = 0.7


@dataclass(frozen=True)
class Prompt:
    ids: list[int]
    left_out: int = 0
    """Messages of the session, oldest first, that did not fit."""
    begins_at: int | None = None
    """Position of the first message that did."""


def usable_messages(messages: Sequence[KeptMessage]) -> list[KeptMessage]:
    """Without the answers that were cut off before their first word, and their questions.

    Many templates refuse two questions in a row.
    """
    kept: list[KeptMessage] = []
    for message in messages:
        if message.role == "assistant" and not message.content.strip():
            if kept and kept[-1].role == "user":
                kept.pop()
        else:
            kept.append(message)
    return kept


async def fit_history(
    served: Served, system: str, history: Sequence[KeptMessage], question: str, max_tokens: int
) -> Prompt:
    """The prompt for `question`, with as much of `history` before it as fits; the system prompt always.

    Raises:
        PromptTooLong: the question alone, with the system prompt, leaves no room.
    """
    head = [{"role": "system", "content": system}] if system else []
    tail = [{"role": "user", "content": question}]
    usable = usable_messages(history)
    if not usable:
        return Prompt(await chat_prompt(served, head + tail))
    turns = [{"role": message.role, "content": message.content} for message in usable]
    alone = len(await chat_prompt(served, head + tail))
    room = served.context_length - min(max_tokens, int(served.context_length * _ROOM_FOR_ANSWER)) - alone
    costs = await _costs_from(served, turns, await _frame_cost(served, head, tail, alone), room)
    start = _earlier_start(usable, served.base.id)
    while start < len(turns):
        if costs[start] <= room:
            try:
                ids = await chat_prompt(served, head + turns[start:] + tail)
            except PromptTooLong:
                ids = None
            # The costs were estimates: tokens at the seams may be others.
            if ids is not None and len(ids) - alone <= room:
                return Prompt(ids, history[0].position + start, usable[start].position)
        start = _cut(turns, costs, start, int(room * _CUT_TO))
    return Prompt(await chat_prompt(served, head + tail), history[0].position + len(turns))


async def _costs_from(
    served: Served, turns: Sequence[dict[str, str]], frame: int, room: int
) -> Sequence[float]:
    """For each turn the tokens of it and all after it; infinite where a later one needs more than `room`.

    Not counted further back than that: a long session would cost more with every question.
    """
    costs = [inf] * len(turns)
    total = 0
    for index in reversed(range(len(turns))):
        total += frame + len(await served.codec.text_ids(turns[index]["content"]))
        costs[index] = total
        if total > room:
            break
    return costs


async def _frame_cost(
    served: Served, head: Sequence[dict[str, str]], tail: Sequence[dict[str, str]], alone: int
) -> int:
    """Tokens that the template puts around one message."""
    pair = [{"role": "user", "content": "1"}, {"role": "assistant", "content": "1"}]
    try:
        together = len(await chat_prompt(served, [*head, *pair, *tail]))
    except PromptTooLong:
        return 0
    return max(0, -(-(together - alone - 2 * len(await served.codec.text_ids("1"))) // 2))


def _earlier_start(messages: Sequence[KeptMessage], base_id: str) -> int:
    """Where the prompt of the newest answer began: this one then shares its prefix."""
    answers = [message for message in messages if message.role == "assistant"]
    if not answers or answers[-1].details.get("by", {}).get("base_id") != base_id:
        return 0
    begins_at = answers[-1].details.get("begins_at")
    return next((i for i, message in enumerate(messages) if message.position == begins_at), 0)


def _cut(turns: Sequence[dict[str, str]], costs: Sequence[float], start: int, room: int) -> int:
    """The next start after `start` from which the rest fits into `room` and begins with a question."""
    start += 1
    while start < len(turns) and (turns[start]["role"] != "user" or costs[start] > room):
        start += 1
    return start
