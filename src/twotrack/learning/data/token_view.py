"""A sample as training sees it: token by token, what is prompt and what is trained."""

from collections.abc import Sequence
from itertools import groupby

from pydantic import BaseModel

from twotrack.learning.data.messages import Sample
from twotrack.learning.data.tokens import MASKED, Row, TooLong, tokenize
from twotrack.registry.prompts import PromptCodec


class SeenToken(BaseModel):
    """`text` is empty where a character goes on in the next token."""

    id: int
    text: str
    trained: bool


class TokenRun(BaseModel):
    """Neighbouring tokens that are all trained, or none of them; special tokens stand by name."""

    text: str
    tokens: int
    trained: bool


class SeenRow(BaseModel):
    """One training sequence of a sample."""

    line: int
    tokens: list[SeenToken]
    runs: list[TokenRun]
    trained: int


async def view_tokens(
    codec: PromptCodec,
    samples: Sequence[Sample],
    *,
    model: str,
    max_length: int,
    too_long: TooLong = "refuse",
) -> list[SeenRow]:
    """The rows that training makes of the samples, by the same code.

    Raises:
        BrokenLine, SampleTooLong, AnswerNotSeparable
        NothingToLearn: every label is masked.
    """
    rows = await tokenize(codec, samples, model=model, max_length=max_length, too_long=too_long)
    return [_seen(codec, row) for row in rows]


def _seen(codec: PromptCodec, row: Row) -> SeenRow:
    decoder = codec.decoder()
    tokens: list[SeenToken] = []
    for number, (token, label) in enumerate(zip(row.input_ids, row.labels, strict=True)):
        text = decoder.push(token)
        if not codec.token_bytes(token):
            text += codec.token_text(token)
        # The first token of a sequence follows nothing, so that it is never predicted.
        tokens.append(SeenToken(id=token, text=text, trained=label != MASKED and number > 0))
    if tokens:
        tokens[-1].text += decoder.finish()
    runs = []
    for trained, found in groupby(tokens, key=lambda one: one.trained):
        run = list(found)
        runs.append(TokenRun(text="".join(one.text for one in run), tokens=len(run), trained=trained))
    return SeenRow(line=row.line, tokens=tokens, runs=runs, trained=row.learned)
