"""Samples as the rows of a recipe on a base: by its template and tokenizer, as long as it allows."""

from collections.abc import Awaitable, Callable, Sequence

from twotrack.learning.data.messages import Sample
from twotrack.learning.data.tokens import Row, tokenize
from twotrack.learning.train.recipe import Recipe
from twotrack.registry.layout import Layout
from twotrack.registry.prompts import Prompts
from twotrack.registry.schemas import Base


async def rows_of(
    layout: Layout,
    base: Base,
    recipe: Recipe,
    samples: Sequence[Sample],
    progress: Callable[[int], Awaitable[None]],
) -> tuple[list[Row], str]:
    """The rows, and the hash of the template that they were rendered with.

    Raises:
        BrokenLine, SampleTooLong, NothingToLearn, AnswerNotSeparable: see learning/data/errors.py.
    """
    prompts = Prompts(layout)
    try:
        codec = await prompts.for_base(base)
        rows = await tokenize(
            codec,
            samples,
            model=base.name,
            max_length=min(recipe.max_length or base.context_length, base.context_length),
            too_long=recipe.too_long,
            progress=progress,
        )
        return rows, codec.template_hash
    finally:
        await prompts.close()
