"""History in the prompt: as much as fits, the system prompt always, the newest turns first."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from twotrack.engines.port import PromptTooLong
from twotrack.serving.answering import Served
from twotrack.serving.chat.history import Prompt, fit_history, usable_messages
from twotrack.serving.chat.tables import KeptMessage

Model = Callable[..., Served]


def turns(*contents: str, details: dict[str, Any] | None = None) -> list[KeptMessage]:
    """Questions and answers in turn."""
    return [
        KeptMessage(
            id=uuid4(),
            parent_id=None,
            position=position,
            role="assistant" if position % 2 else "user",
            content=content,
            state="complete",
            details=details or {},
            active=True,
        )
        for position, content in enumerate(contents)
    ]


async def fit(served: Served, history: list[KeptMessage], question: str = "?", system: str = "sys") -> str:
    prompt = await fit_history(served, system, history, question, 10)
    return bytes(prompt.ids).decode()


async def test_a_history_that_fits_is_whole(byte_model: Model) -> None:
    assert await fit(byte_model(), turns("q", "a")) == "s:sys\nu:q\na:a\nu:?\n"


async def test_without_a_system_prompt_there_is_no_system_message(byte_model: Model) -> None:
    assert await fit(byte_model(), [], system="") == "u:?\n"


async def test_the_oldest_turns_are_left_out_and_counted(byte_model: Model) -> None:
    served = byte_model(context_length=60)
    history = turns(*("x" * 8 for _ in range(10)))
    prompt = await fit_history(served, "sys", history, "?", 10)
    kept = bytes(prompt.ids).decode()
    assert kept.startswith("s:sys\nu:x")
    assert kept.endswith("u:?\n")
    assert len(prompt.ids) <= 60 - 10
    assert prompt.left_out + kept.count("x" * 8) == 10
    assert prompt.left_out % 2 == 0
    assert prompt.begins_at == prompt.left_out


async def test_what_was_left_out_once_stays_out_so_that_the_prefix_is_shared(byte_model: Model) -> None:
    served = byte_model(context_length=200)
    contents = ["x" * 8] * 20
    first = await fit_history(served, "", turns(*contents), "?", 10)
    assert first.left_out
    details = {"begins_at": first.begins_at, "by": {"base_id": served.base.id}}
    second = await fit_history(served, "", turns(*contents, "?", "answer", details=details), "??", 10)
    assert second.left_out == first.left_out
    assert second.ids[: len(first.ids)] == first.ids


async def test_another_base_starts_from_the_whole_history_again(byte_model: Model) -> None:
    details = {"begins_at": 2, "by": {"base_id": "another"}}
    prompt: Prompt = await fit_history(byte_model(), "", turns("q", "a", "q", "a", details=details), "?", 10)
    assert prompt.left_out == 0


async def test_a_question_that_fits_only_alone_leaves_the_whole_history_out(byte_model: Model) -> None:
    served = byte_model(context_length=60)
    prompt = await fit_history(served, "", turns("q" * 20, "a" * 20), "?" * 50, 10)
    assert bytes(prompt.ids).decode() == "u:" + "?" * 50 + "\n"
    assert prompt.left_out == 2


async def test_a_question_that_does_not_fit_at_all_is_too_long(byte_model: Model) -> None:
    with pytest.raises(PromptTooLong):
        await fit_history(byte_model(context_length=60), "", turns("q", "a"), "?" * 60, 10)


def test_a_question_whose_answer_never_began_is_no_part_of_the_history() -> None:
    contents = [one.content for one in usable_messages(turns("q1", "a1", "q2", "", "q3", "a3"))]
    assert contents == ["q1", "a1", "q3", "a3"]


async def test_messages_before_what_was_read_count_as_left_out(byte_model: Model) -> None:
    prompt = await fit_history(byte_model(), "", turns("q", "a", "q", "a")[2:], "?", 10)
    assert prompt.left_out == 2
