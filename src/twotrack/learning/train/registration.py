"""What a run leaves, made known: the adapter of its end, and those of the earlier steps that were kept."""

from dataclasses import dataclass
from pathlib import Path

from twotrack.core.jobs import Attempt
from twotrack.learning.train.plan import RunFolder
from twotrack.learning.train.schemas import Checkpoint, RunArgs
from twotrack.registry import tables
from twotrack.registry.errors import NameTaken
from twotrack.registry.layout import Layout
from twotrack.registry.names import LONGEST
from twotrack.registry.schemas import Adapter, Base, Variant
from twotrack.registry.service import register_adapter


@dataclass(frozen=True)
class Registered:
    adapter: Adapter
    variant: Variant
    checkpoints: list[Checkpoint]


async def register(
    attempt: Attempt, layout: Layout, base: Base, args: RunArgs, folder: RunFolder, template_hash: str
) -> Registered:
    """The last one last: an attempt that finds it has nothing left to do. Repeating it changes nothing."""
    await attempt.report("registering")
    for step in folder.kept_steps():
        await _register(attempt, layout, base, args, folder.kept_at(step), template_hash, step)
    adapter, variant = await _register(attempt, layout, base, args, folder.adapter, template_hash)
    return Registered(adapter, variant, await _checkpoints(attempt))


async def _checkpoints(attempt: Attempt) -> list[Checkpoint]:
    """Read back, for an earlier attempt may have registered them."""
    found = []
    async with attempt.transaction() as connection:
        for adapter in await tables.list_adapters_of_job(connection, attempt.job_id):
            variant = await tables.find_variant_of_adapter(connection, adapter.id)
            if adapter.step is not None and variant is not None:
                found.append(
                    Checkpoint(
                        step=adapter.step, adapter_id=adapter.id, variant_id=variant.id, name=variant.name
                    )
                )
    return found


async def _register(
    attempt: Attempt,
    layout: Layout,
    base: Base,
    args: RunArgs,
    adapter: Path,
    template_hash: str,
    step: int | None = None,
) -> tuple[Adapter, Variant]:
    """Under another name where somebody took this one while it was training."""
    ending = "" if step is None else f":ckpt-step-{step}"
    for again in ("", f"-{attempt.job_id.hex[:8]}"):
        last = again + ending
        name = f"{str(args.recipe['name'])[: LONGEST - len(last)]}{last}"
        try:
            async with attempt.transaction() as connection:
                return await register_adapter(
                    connection,
                    layout,
                    name=name,
                    base_id=base.id,
                    folder=adapter,
                    template_hash=template_hash,
                    data_fingerprint=args.data_sha256,
                    recipe=args.recipe,
                    job_id=attempt.job_id,
                    step=step,
                )
        except NameTaken:
            if again:
                raise
    raise AssertionError("unreachable")
