"""What would make a plan fit: each one computed to fit, none guessed.

One change alone comes first, in the order of what it costs the result; where none is enough, changes are put
on top of one another until it fits.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from twotrack.learning.forecast.schemas import Remedy
from twotrack.learning.train.recipe import Recipe

if TYPE_CHECKING:
    from twotrack.learning.forecast.forecast import Question

_SHORTEST = 64
_LENGTH_STEP = 32


def remedies(
    question: "Question", peak: Callable[["Question"], int], capacity: int, *, has_bf16: bool
) -> tuple[Remedy, ...]:
    """Empty where nothing that a recipe can say makes it fit: then only a smaller base does."""
    found = [
        remedy
        for change in _changes(question, has_bf16)
        if (remedy := _first(question, change, peak, capacity))
    ]
    if found:
        return tuple(found)
    # Together, and each as far as it has to go.
    made = question
    changes: dict[str, Any] = {}
    for change in _changes(question, has_bf16):
        if last := _first(made, change, peak, capacity):
            return (last.model_copy(update={"changes": {**changes, **last.changes}}),)
        *_, (values, further) = list(change(made)) or [({}, made)]
        made = further
        changes |= values
    return ()


_Change = Callable[["Question"], Iterator[tuple[dict[str, Any], "Question"]]]


def _changes(question: "Question", has_bf16: bool) -> Sequence[_Change]:
    changes: list[_Change] = []
    if has_bf16 and question.recipe.precision == "fp32":
        changes.append(_fields(precision="bf16"))
    if not question.recipe.gradient_checkpointing:
        changes.append(_fields(gradient_checkpointing=True))
    if question.recipe.method != "qlora":
        changes.append(_fields(method="qlora"))
    return [*changes, _smaller_rank, _smaller_batch, _shorter]


def _first(
    question: "Question", change: _Change, peak: Callable[["Question"], int], capacity: int
) -> Remedy | None:
    """The mildest form of a change that fits."""
    for values, changed in change(question):
        needed = peak(changed)
        if needed <= capacity:
            left_out = len(question.rows) - len(changed.rows)
            return Remedy(changes=values, peak_bytes=needed, rows_left_out=left_out)
    return None


def _fields(**values: Any) -> _Change:
    def change(question: "Question") -> Iterator[tuple[dict[str, Any], "Question"]]:
        yield values, question.changed(_with(question.recipe, **values))

    return change


def _smaller_rank(question: "Question") -> Iterator[tuple[dict[str, Any], "Question"]]:
    rank = question.recipe.rank
    while rank > 1:
        rank //= 2
        # What the change is scaled by stays as it was, or falls with the root.
        yield {"rank": rank}, question.changed(_with(question.recipe, rank=rank))


def _smaller_batch(question: "Question") -> Iterator[tuple[dict[str, Any], "Question"]]:
    batch_size = question.recipe.batch_size
    while batch_size > 1:
        batch_size //= 2
        yield (
            {"batch_size": batch_size},
            question.changed(_with(question.recipe, batch_size=batch_size)),
        )


def _shorter(question: "Question") -> Iterator[tuple[dict[str, Any], "Question"]]:
    """Rows cut off at a length, where an answer is left in all of them; else without the longer ones."""
    longest = max(row.tokens for row in question.rows) + 1
    length = (longest - 1) // _LENGTH_STEP * _LENGTH_STEP
    while length >= _SHORTEST:
        cut = [row.truncated(length) for row in question.rows]
        if all(row.learned for row in cut):
            values = {"max_length": length, "too_long": "truncate"}
            yield values, question.changed(_with(question.recipe, **values), cut)
        elif kept := [row for row in question.rows if row.tokens < length]:
            yield {"max_length": length}, question.changed(_with(question.recipe, max_length=length), kept)
        length -= max(_LENGTH_STEP, length // 8 // _LENGTH_STEP * _LENGTH_STEP)


def _with(recipe: Recipe, **values: Any) -> Recipe:
    return recipe.model_copy(update=values)
