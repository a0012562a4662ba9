"""The goal's prompts as a run asks them on the way: by the base's template, as a chat would send them."""

from twotrack.learning.train.plan import AskedPrompt, Sampling
from twotrack.learning.train.recipe import Recipe
from twotrack.learning.train.sampling import LONGEST_PROMPT, PROMPTS
from twotrack.registry.conversion import ensure_tokenizer
from twotrack.registry.layout import Layout
from twotrack.registry.prompts import Prompts
from twotrack.registry.sandbox import TemplateFailed
from twotrack.registry.schemas import Base


async def sampling_of(layout: Layout, base: Base, recipe: Recipe) -> Sampling | None:
    """None where nothing is to be asked, or nothing can be: too long, or no prompt for the template."""
    if recipe.goal is None or recipe.sample_every == 0:
        return None
    asked = []
    prompts = Prompts(layout)
    try:
        codec = await prompts.for_base(base)
        for prompt in recipe.goal.prompts[:PROMPTS]:
            try:
                ids = await codec.chat_ids([{"role": "user", "content": prompt}])
            except TemplateFailed:
                continue
            if len(ids) <= LONGEST_PROMPT:
                asked.append(AskedPrompt(prompt=prompt, input_ids=tuple(ids)))
        if not asked:
            return None
        tokenizer = await ensure_tokenizer(layout, base)
        return Sampling(
            prompts=tuple(asked),
            stop_ids=tuple(sorted(codec.stop_ids)),
            tokenizer=tokenizer / "tokenizer.json",
        )
    finally:
        await prompts.close()
