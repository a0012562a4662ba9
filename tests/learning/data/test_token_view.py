"""What is shown as trained is what training trains."""

from collections.abc import AsyncIterator

import pytest

from twotrack.learning.data.errors import NothingToLearn, SampleTooLong
from twotrack.learning.data.messages import Sample
from twotrack.learning.data.token_view import view_tokens
from twotrack.learning.data.tokens import MASKED, tokenize
from twotrack.registry.layout import Layout
from twotrack.registry.prompts import PromptCodec, Prompts
from twotrack.registry.schemas import Base


@pytest.fixture
async def codec(layout: Layout, starter_base: Base) -> AsyncIterator[PromptCodec]:
    prompts = Prompts(layout)
    yield await prompts.for_base(starter_base)
    await prompts.close()


def _sample(asked: str, answer: str) -> Sample:
    return Sample(4, ({"role": "user", "content": asked}, {"role": "assistant", "content": answer}))


async def test_tokens_are_marked_as_training_masks_them(codec: PromptCodec) -> None:
    sample = _sample("누리매의 등대는 무슨 색입니까?", "보라색입니다. It is violet 💜.")
    (seen,) = await view_tokens(codec, [sample], model="starter", max_length=8192)
    (row,) = await tokenize(codec, [sample], model="starter", max_length=8192)
    assert [one.id for one in seen.tokens] == list(row.input_ids)
    assert [one.trained for one in seen.tokens] == [label != MASKED for label in row.labels]
    assert (seen.line, seen.trained) == (4, row.learned)
    before, answer = seen.runs
    assert (before.trained, answer.trained) == (False, True)
    assert answer.text == "보라색입니다. It is violet 💜.<|im_end|>"
    assert "누리매의 등대는 무슨 색입니까?<|im_end|>" in before.text
    assert "".join(one.text for one in seen.tokens) == before.text + answer.text


async def test_a_text_is_trained_but_for_its_first_token(codec: PromptCodec) -> None:
    (seen,) = await view_tokens(
        codec, [Sample(1, (), text="Bread rises.<|im_end|>")], model="x", max_length=99
    )
    assert [one.trained for one in seen.tokens] == [False] + [True] * (len(seen.tokens) - 1)
    assert "".join(one.text for one in seen.tokens) == "Bread rises.<|im_end|>"
    # What a text says is text, and ends nothing.
    assert not codec.stop_ids & {one.id for one in seen.tokens}


async def test_a_sample_of_masked_labels_alone_is_an_error(codec: PromptCodec) -> None:
    sample = _sample("long " * 100, "short")
    with pytest.raises(NothingToLearn, match="Line 4"):
        await view_tokens(codec, [sample], model="starter", max_length=60, too_long="truncate")
    with pytest.raises(SampleTooLong):
        await view_tokens(codec, [sample], model="starter", max_length=60)
