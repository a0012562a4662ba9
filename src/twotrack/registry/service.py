"""What people do with bases, adapters and variants."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

import psycopg

from twotrack.core import events
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Connection, Database
from twotrack.core.file_lock import file_lock
from twotrack.core.language import Text
from twotrack.equalizer.board import Board, check_gains, uniform
from twotrack.equalizer.expansion import is_one
from twotrack.equalizer.gains import check_gain
from twotrack.registry import tables
from twotrack.registry.boards import grid_of, own_grid_of
from twotrack.registry.errors import (
    AdapterUnusable,
    AlreadyThere,
    BrokenModelFile,
    InUse,
    ModelNotFound,
    NameTaken,
    NoOwnBoard,
    NothingSet,
)
from twotrack.registry.fingerprint import fingerprint, hash_file, verify_base
from twotrack.registry.layout import Layout
from twotrack.registry.names import check_name, suggest_name
from twotrack.registry.safetensors_header import read_safetensors_header
from twotrack.registry.schemas import (
    Adapter,
    Base,
    Description,
    ModelFile,
    Removed,
    Variant,
    VariantAdapter,
)
from twotrack.registry.storage import discard, disk_full_named, in_thread, put_in_place, require_space

__all__ = [
    "base_lock",
    "create_variant",
    "find_base",
    "register_adapter",
    "register_base",
    "remove_variant",
    "rename_variant",
    "verify_base",
]

# Makes an adapter's id from what it is and which job made it: a repeated registration finds the first one.
_ADAPTERS = UUID("6f0a3e0e-3f5e-4d0b-9a55-0d6f6b0f4c11")
_ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
# What it was trained on and how, for whoever gets the folder without this studio's database.
_PROVENANCE = "twotrack.json"


async def register_base(
    connection: Connection,
    *,
    source: str,
    description: Description,
    files: Sequence[ModelFile],
    license: str | None = None,
    name: str | None = None,
    suggestion: str = "model",
    by: Caller = OWNER,
) -> Base:
    """Make known a base whose files are in place, with its variant zero; one that is known stays as it is.

    Without a `name` it gets one after `suggestion`.

    Raises:
        NameTaken, AlreadyThere (under another name than `name`), InvalidInput
    """
    base_id = fingerprint(files)
    wanted = check_name(name) if name is not None else suggest_name(suggestion)
    for candidate in (wanted,) if name is not None else (wanted, f"{wanted}-{base_id[:8]}"):
        if known := await find_base(connection, base_id):
            if name is not None and known.name != wanted:
                raise AlreadyThere(name=known.name)
            return known
        base = Base(
            id=base_id,
            name=candidate,
            source=source,
            family=description.family,
            architecture=description.architecture,
            format=description.format,
            license=_printable(license or description.license),
            parameters=description.parameters,
            context_length=description.context_length,
            files=tuple(sorted(files, key=lambda file: file.path)),
            details=description.model_dump(
                mode="json", include={"config", "title", "has_chat_template", "dtypes", "modules", "remote"}
            ),
            created_at=datetime.now(UTC),
        )
        if await tables.is_name_taken(connection, candidate):
            continue
        if stored := await tables.insert_base(connection, base):
            if await tables.insert_variant(connection, candidate, base_id) is None:
                raise NameTaken(name=candidate)
            await events.append(
                connection, "model.pulled", by=by.details(), base=base_id, name=candidate, source=source
            )
            return stored
    raise NameTaken(name=wanted)


def _printable(text: str | None) -> str | None:
    """What somebody else wrote, fit for the database and a terminal."""
    return "".join(character for character in text if character.isprintable())[:200] if text else None


def base_lock(layout: Layout, base_id: str) -> Path:
    """Held by whoever puts a base's files in place or takes them away."""
    return layout.staging / "locks" / f"base-{base_id}"


async def find_base(connection: Connection, id_or_name: str) -> Base | None:
    try:
        return await tables.get_base(connection, id_or_name)
    except ModelNotFound:
        return None


async def register_adapter(
    connection: Connection,
    layout: Layout,
    *,
    name: str,
    base_id: str,
    folder: Path,
    template_hash: str,
    data_fingerprint: str,
    recipe: Mapping[str, Any],
    job_id: UUID | None = None,
    step: int | None = None,
) -> tuple[Adapter, Variant]:
    """Move a finished PEFT folder into place and make it known, with a variant of the same name at gain 1.

    Rank, alpha and modules are read from its adapter_config.json. Of `folder`, which lies below the data
    folder, only the configuration, the safetensors and twotrack.json are taken. Repeating it for the same job
    changes nothing; `step` is that of the run, for an adapter from before its end.

    Raises:
        AdapterUnusable: no LoRA in safetensors, or of a form that has no board.
        NameTaken, InvalidInput, ModelNotFound (the base)
    """
    name = check_name(name)
    await tables.lock_base(connection, base_id)
    if job_id is not None and (known := await tables.find_adapter_of_job(connection, job_id, step)):
        return known, await _variant_of(connection, known)
    staged = await in_thread(_stage_adapter, layout, name, folder)
    try:
        config = _lora_config(name, staged)
        files = tuple([await hash_file(file) for file in sorted(staged.iterdir())])
        adapter = Adapter(
            id=uuid4() if job_id is None else uuid5(_ADAPTERS, f"{job_id} {fingerprint(files)}"),
            name=name,
            base_id=base_id,
            rank=int(config["r"]),
            alpha=float(config["lora_alpha"]),
            target_modules=tuple(sorted(config["target_modules"])),
            template_hash=template_hash,
            data_fingerprint=data_fingerprint,
            recipe=dict(recipe),
            files=files,
            job_id=job_id,
            step=step,
            created_at=datetime.now(UTC),
        )
        stored = await tables.insert_adapter(connection, adapter)
        part = VariantAdapter(adapter_id=adapter.id)
        variant = await tables.insert_variant(connection, name, base_id, [part])
        if stored is None or variant is None:
            raise NameTaken(name=name)
        await events.append(connection, "adapter.registered", adapter=adapter.id, name=name, base=base_id)
        # A folder without a row is left over from a transaction that did not come to its end.
        discard(layout.adapter(adapter.id), layout.staging)
        await in_thread(put_in_place, staged, layout.adapter(adapter.id))
    finally:
        discard(staged, layout.staging)
    return stored, variant


def _stage_adapter(layout: Layout, name: str, folder: Path) -> Path:
    """A copy of the adapter's own files: `folder` stays for the job's next attempt, should this one fail."""
    for file in _ADAPTER_FILES:
        if (folder / file).is_symlink() or not (folder / file).is_file():
            why = Text(f"{file} is missing in {folder}", f"파일이 없습니다: {folder / file}")
            raise AdapterUnusable(name=name, why=why)
    provenance = folder / _PROVENANCE
    is_there = provenance.is_file() and not provenance.is_symlink()
    taken = (*_ADAPTER_FILES, _PROVENANCE) if is_there else _ADAPTER_FILES
    needed = sum((folder / file).stat().st_size for file in taken)
    require_space(layout.staging, needed, name)
    staged = layout.staging / f"adapter-{uuid4()}"
    staged.mkdir(parents=True)
    with disk_full_named(layout.staging, needed, name):
        for file in taken:
            shutil.copyfile(folder / file, staged / file)
    return staged


def _lora_config(name: str, folder: Path) -> dict[str, Any]:
    """The configuration of a plain LoRA whose weights are whole."""
    why = None
    config: dict[str, Any] = {}
    try:
        config = json.loads((folder / "adapter_config.json").read_bytes())
        tensors = read_safetensors_header(folder / "adapter_model.safetensors")
    except (ValueError, BrokenModelFile) as error:
        raise AdapterUnusable(name=name, why=Text(str(error), str(error))) from None
    if config.get("peft_type") != "LORA" or not isinstance(config.get("target_modules"), list):
        why = Text("it is no LoRA with named modules", "대상 모듈이 지정된 LoRA가 아닙니다")
    elif config.get("use_dora"):
        why = Text("DoRA is not linear in its gain", "DoRA는 게인에 대해 선형이 아닙니다")
    elif not tensors or not isinstance(config.get("r"), int) or config["r"] < 1:
        why = Text("it has no weights", "가중치가 없습니다")
    if why is not None:
        raise AdapterUnusable(name=name, why=why)
    return config


async def _variant_of(connection: Connection, adapter: Adapter) -> Variant:
    """The variant that came with an adapter; if that is gone, another one that uses it."""
    variants = [
        variant
        for variant in await tables.list_variants(connection, adapter.base_id)
        if any(part.adapter_id == adapter.id for part in variant.adapters)
    ]
    if not variants:
        raise ModelNotFound(what="variant", name=adapter.name)
    return min(variants, key=lambda one: (len(one.adapters), one.base_board is not None, one.created_at))


async def create_variant(
    connection: Connection,
    *,
    name: str,
    base: str,
    adapters: Sequence[tuple[str, object]],
    base_board: object = None,
    by: Caller = OWNER,
) -> Variant:
    """A variant of the base with the id or name `base`, from (adapter's id or name, gain or board) pairs, and
    what the base's own board is set to.

    Raises:
        AdapterUnusable: it belongs to another base, or comes twice.
        NothingSet: no adapter, and nothing on the base's own board.
        NoOwnBoard: the base has none.
        NameTaken, ModelNotFound
        InvalidInput: a name, a gain, or a board that does not fit the base's grid.
    """
    name = check_name(name)
    found = await tables.get_base(connection, base)
    await tables.lock_base(connection, found.id)
    grid = grid_of(found)
    parts: list[VariantAdapter] = []
    for given, gain in adapters:
        adapter = await tables.get_adapter(connection, given)
        if adapter.base_id != found.id:
            why = Text(f"it was not trained on {found.name}", f"{found.name}에서 학습한 것이 아닙니다")
            raise AdapterUnusable(name=adapter.name, why=why)
        if any(part.adapter_id == adapter.id for part in parts):
            raise AdapterUnusable(name=adapter.name, why=Text("it is named twice", "두 번 지정되었습니다"))
        gains = check_gain(gain) if grid is None else check_gains(gain, grid)
        if isinstance(gains, Board):
            parts.append(VariantAdapter(adapter_id=adapter.id, board=gains))
        else:
            parts.append(VariantAdapter(adapter_id=adapter.id, gain=gains))
    own = None if base_board is None else _own_board(name, found, base_board)
    if not parts and own is None:
        raise NothingSet(name=name)
    variant = await tables.insert_variant(connection, name, found.id, parts, own)
    if variant is None:
        raise NameTaken(name=name)
    await events.append(connection, "variant.created", by=by.details(), variant=variant.id, name=name)
    return variant


def _own_board(name: str, base: Base, asked: object) -> Board | None:
    """None where every gain is 1: that is the base as it is."""
    grid = own_grid_of(base)
    if grid is None:
        raise NoOwnBoard(name=base.name)
    gains = check_gains(asked, grid)
    if is_one(gains, grid):
        return None
    return gains if isinstance(gains, Board) else uniform(grid, gains)


async def rename_variant(
    connection: Connection, id_or_name: str, name: str, *, by: Caller = OWNER
) -> Variant:
    """
    Raises:
        NameTaken, InvalidInput, ModelNotFound
    """
    variant = await tables.get_variant(connection, id_or_name)
    name = check_name(name)
    if name == variant.name:
        return variant
    try:
        async with connection.transaction():
            for part in variant.adapters if len(variant.adapters) == 1 else ():
                adapter = await tables.get_adapter(connection, part.adapter_id)
                # Trained under this name: the adapter goes by the new one too.
                if adapter.name == variant.name:
                    await tables.rename_adapter(connection, adapter.id, name)
            renamed = await tables.rename_variant(connection, variant, name)
    except psycopg.errors.UniqueViolation:
        raise NameTaken(name=name) from None
    await events.append(
        connection, "model.renamed", by=by.details(), variant=variant.id, name=name, before=variant.name
    )
    return renamed


@dataclass(frozen=True)
class _Doomed:
    bases: tuple[Base, ...] = ()
    adapters: tuple[Adapter, ...] = ()
    variants: tuple[Variant, ...] = ()


async def remove_variant(
    database: Database, layout: Layout, id_or_name: str, *, cascade: bool = False, by: Caller = OWNER
) -> Removed:
    """Remove a variant, with the adapters that no other variant uses; variant zero goes with its base.

    The rows go first, then the files: what a crash leaves over is unknown to the studio, not half there.

    Raises:
        InUse: other variants stand on the base, and `cascade` is not set.
        ModelNotFound
    """
    async with database.transaction() as connection:
        base_id = (await tables.get_variant(connection, id_or_name)).base_id
    async with file_lock(base_lock(layout, base_id)):
        async with database.transaction() as connection:
            await tables.lock_base(connection, base_id)
            variant = await tables.get_variant(connection, id_or_name)
            doomed = await _what_goes(connection, variant, cascade)
            for gone in doomed.variants:
                await tables.delete_variant(connection, gone.id)
            for adapter in doomed.adapters:
                await tables.delete_adapter(connection, adapter.id)
            for base in doomed.bases:
                await tables.delete_base(connection, base.id)
            removed = Removed(
                variants=tuple(gone.name for gone in doomed.variants),
                adapters=tuple(adapter.name for adapter in doomed.adapters),
                bases=tuple(base.name for base in doomed.bases),
            )
            await events.append(
                connection, "model.removed", by=by.details(), name=variant.name, **removed.model_dump()
            )
        folders = [
            place(adapter.id)
            for adapter in doomed.adapters
            for place in (layout.adapter, layout.derived_adapter)
        ]
        folders += [place(base.id) for base in doomed.bases for place in (layout.base, layout.derived)]
        for folder in folders:
            await in_thread(discard, folder, layout.staging)
    return removed


async def _what_goes(connection: Connection, variant: Variant, cascade: bool) -> _Doomed:
    siblings = await tables.list_variants(connection, variant.base_id)
    adapters = await tables.list_adapters(connection, variant.base_id)
    if not variant.is_base:
        own = {part.adapter_id for part in variant.adapters}
        used = {part.adapter_id for one in siblings if one.id != variant.id for part in one.adapters}
        return _Doomed(adapters=tuple(a for a in adapters if a.id in own - used), variants=(variant,))
    users = [one.name for one in siblings if one.id != variant.id]
    users += [adapter.name for adapter in adapters if adapter.name not in users]
    if users and not cascade:
        raise InUse(name=variant.name, users=", ".join(users[:20]) + (" …" if len(users) > 20 else ""))
    base = await tables.get_base(connection, variant.base_id)
    return _Doomed((base,), tuple(adapters), tuple(siblings))
