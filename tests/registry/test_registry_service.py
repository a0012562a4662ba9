"""Adapters and variants: made, renamed, removed, and never without what they stand on."""

import json
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.errors import InvalidInput
from twotrack.equalizer.board import Board
from twotrack.registry import service, tables
from twotrack.registry.errors import (
    AdapterUnusable,
    InUse,
    ModelNotFound,
    NameTaken,
    NoOwnBoard,
    NothingSet,
)
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Adapter, Base, Removed, Variant
from twotrack.registry.sources.local import Local

PullFrom = Callable[..., Coroutine[Any, Any, Base]]
Write = Callable[[dict[str, bytes]], Path]
Train = Callable[..., Awaitable[tuple[Adapter, Variant]]]


@pytest.fixture
async def base(pull_from: PullFrom, write_files: Write, gguf: bytes) -> Base:
    return await pull_from(Local(write_files({"tiny.gguf": gguf})))


def peft_files(seed: int = 0, **changes: Any) -> dict[str, bytes]:
    from safetensors.numpy import save

    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["v_proj", "q_proj"]}
    weights = {"base_model.model.q_proj.lora_A.weight": np.full((4, 8), seed, np.float32)}
    return {
        "adapter_config.json": json.dumps(config | changes).encode(),
        "adapter_model.safetensors": save(weights),
        "training_args.bin": b"\x80\x04 a pickle that trainers leave behind",
    }


@pytest.fixture
def train(database: Database, layout: Layout, base: Base, write_files: Write) -> Train:
    """`await train(name, …)`: register what a training run would hand over."""

    async def run(name: str, folder: Path | None = None, **options: Any) -> tuple[Adapter, Variant]:
        folder = folder or write_files(peft_files(seed=hash(name) % 1000))
        async with database.transaction() as connection:
            return await service.register_adapter(
                connection,
                layout,
                name=name,
                base_id=options.pop("base_id", base.id),
                folder=folder,
                template_hash="t",
                data_fingerprint="d",
                recipe={"epochs": 3},
                **options,
            )

    return run


async def test_an_adapter_becomes_a_variant_of_the_same_name_at_gain_one(
    train: Train, layout: Layout, base: Base
) -> None:
    adapter, variant = await train("튜닝-1")
    assert (adapter.rank, adapter.alpha, adapter.target_modules) == (4, 8.0, ("q_proj", "v_proj"))
    assert (variant.name, variant.base_id) == ("튜닝-1", base.id)
    assert [(part.adapter_id, part.gain) for part in variant.adapters] == [(adapter.id, 1.0)]
    folder = layout.adapter(adapter.id)
    assert {file.name for file in folder.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    assert all(file.stat().st_mode & 0o222 == 0 for file in (folder, *folder.iterdir()))


async def test_registering_the_adapter_of_a_job_again_changes_nothing(
    train: Train, database: Database, write_files: Write, left_in_staging: Callable[[], list[str]]
) -> None:
    job_id = await jobs.enqueue(database, "train", {})
    folder = write_files(peft_files())
    first = await train("mine", folder, job_id=job_id)
    assert await train("mine", folder, job_id=job_id) == first
    assert left_in_staging() == []


async def test_an_adapter_in_place_without_a_row_is_taken_over(
    train: Train, database: Database, layout: Layout, write_files: Write
) -> None:
    job_id = await jobs.enqueue(database, "train", {})
    folder = write_files(peft_files())
    adapter, variant = await train("mine", folder, job_id=job_id)
    async with database.transaction() as connection:
        await tables.delete_variant(connection, variant.id)
        await tables.delete_adapter(connection, adapter.id)
    again, _ = await train("mine", folder, job_id=job_id)
    assert again.id == adapter.id
    assert layout.adapter(again.id).is_dir()


@pytest.mark.parametrize(
    "changes", [{"use_dora": True}, {"peft_type": "IA3"}, {"target_modules": "all-linear"}, {"r": 0}]
)
async def test_an_adapter_that_has_no_board_is_refused(
    train: Train, write_files: Write, changes: dict[str, Any], left_in_staging: Callable[[], list[str]]
) -> None:
    with pytest.raises(AdapterUnusable, match="mine"):
        await train("mine", write_files(peft_files(**changes)))
    assert left_in_staging() == []


@pytest.mark.parametrize("name", ["adapter_config.json", "adapter_model.safetensors"])
async def test_an_adapter_folder_that_is_not_whole_is_refused(
    train: Train, write_files: Write, name: str
) -> None:
    files = peft_files()
    with pytest.raises(AdapterUnusable):
        await train("mine", write_files({n: content for n, content in files.items() if n != name}))
    with pytest.raises(AdapterUnusable):
        await train("mine", write_files(files | {name: files[name][:-3]}))


async def test_an_adapter_for_a_base_that_is_not_there_is_refused(train: Train) -> None:
    with pytest.raises(ModelNotFound):
        await train("mine", base_id="0" * 64)


async def test_a_variant_mixes_adapters_of_its_base_with_gains(
    train: Train, database: Database, base: Base
) -> None:
    one, _ = await train("one")
    other, _ = await train("other")
    async with database.transaction() as connection:
        mix = await service.create_variant(
            connection, name="mix", base=base.name, adapters=[("one", 0.5), (str(other.id), -1)]
        )
        assert await tables.get_variant(connection, mix.id) == await tables.get_variant(connection, "mix")
    assert [(part.adapter_id, part.gain) for part in mix.adapters] == [(one.id, 0.5), (other.id, -1.0)]


@pytest.mark.parametrize(
    ("name", "adapters", "error"),
    [
        ("mix", [("one", 2.5)], InvalidInput),
        ("mix", [("one", float("nan"))], InvalidInput),
        ("mix", [("one", True)], InvalidInput),
        ("mix", [("one", 1), ("one", 1)], AdapterUnusable),
        ("mix", [], NothingSet),
        ("mix", [("nobody", 1)], ModelNotFound),
        ("one", [("one", 1)], NameTaken),
        ("no good", [("one", 1)], InvalidInput),
    ],
)
async def test_a_variant_that_makes_no_sense_is_refused(
    train: Train, database: Database, base: Base, name: str, adapters: Any, error: type[Exception]
) -> None:
    await train("one")
    with pytest.raises(error):
        async with database.transaction() as connection:
            await service.create_variant(connection, name=name, base=base.id, adapters=adapters)


OWN = ((1, 0.5), (1, 1), (0.75, 1), (1, 1))


async def test_a_base_board_makes_variants_beside_the_base(
    database: Database, layout: Layout, starter_base: Base
) -> None:
    async with database.transaction() as connection:
        made = [
            await service.create_variant(
                connection, name=name, base=starter_base.id, adapters=[], base_board=OWN
            )
            for name in ("softer", "softer-too")
        ]
        even = await service.create_variant(
            connection, name="even", base=starter_base.id, adapters=[], base_board=0.5
        )
        zero = await tables.get_variant(connection, starter_base.name)
        found = await tables.get_variant(connection, "softer")
    assert zero.is_base
    assert not any(one.is_base for one in (*made, even))
    assert found == made[0]
    assert found.base_board == Board(cells=OWN)
    assert even.base_board == Board(cells=((0.5, 0.5),) * 4)
    # The base stands under them: it is not removed, nor renamed, with one of them.
    async with database.transaction() as connection:
        await service.rename_variant(connection, "softer", "gentler")
        assert (await tables.get_base(connection, starter_base.id)).name == starter_base.name
    assert await service.remove_variant(database, layout, "gentler") == Removed(
        variants=("gentler",), adapters=(), bases=()
    )
    with pytest.raises(InUse, match="softer-too"):
        await service.remove_variant(database, layout, starter_base.name)


@pytest.mark.parametrize(
    ("board", "error"),
    [
        (1, NothingSet),
        ([[1, 1]] * 4, NothingSet),
        ([[1, 1]] * 3, InvalidInput),
        ([[1, 1, 1, 1]] * 4, InvalidInput),
        ([[1, float("nan")]] * 4, InvalidInput),
        (1e9, InvalidInput),
        ("soft", InvalidInput),
    ],
)
async def test_a_base_board_that_makes_no_variant_is_refused(
    database: Database, starter_base: Base, board: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        async with database.transaction() as connection:
            await service.create_variant(
                connection, name="odd", base=starter_base.id, adapters=[], base_board=board
            )


async def test_a_base_whose_layers_are_unknown_has_no_board_of_its_own(
    database: Database, base: Base
) -> None:
    with pytest.raises(NoOwnBoard, match=base.name):
        async with database.transaction() as connection:
            await service.create_variant(
                connection, name="odd", base=base.id, adapters=[], base_board=[[1, 0.5]]
            )


async def test_an_adapter_of_another_base_is_refused(
    train: Train, database: Database, pull_from: PullFrom, write_files: Write, gguf: bytes
) -> None:
    await train("one")
    other = await pull_from(Local(write_files({"other.gguf": gguf})))
    with pytest.raises(AdapterUnusable, match="not trained on other"):
        async with database.transaction() as connection:
            await service.create_variant(connection, name="mix", base=other.id, adapters=[("one", 1)])


async def test_a_renamed_base_and_its_variant_keep_one_name(database: Database, base: Base) -> None:
    async with database.transaction() as connection:
        await service.rename_variant(connection, base.name, "원본")
        assert (await tables.get_base(connection, base.id)).name == "원본"
        assert (await tables.get_variant(connection, "원본")).base_id == base.id


async def test_a_renamed_variant_takes_its_adapter_along(train: Train, database: Database) -> None:
    adapter, _ = await train("before")
    async with database.transaction() as connection:
        await service.rename_variant(connection, "before", "after")
        assert (await tables.get_adapter(connection, "after")).id == adapter.id
    await train("before")


async def test_no_two_variants_have_one_name(train: Train, database: Database, base: Base) -> None:
    await train("one")
    with pytest.raises(NameTaken):
        await train("one")
    with pytest.raises(NameTaken):
        await train(base.name)
    async with database.transaction() as connection:
        with pytest.raises(NameTaken):
            await service.rename_variant(connection, "one", base.name)
        # The transaction goes on: only the renaming was taken back.
        assert (await tables.get_variant(connection, "one")).name == "one"


async def test_a_removed_variant_takes_adapters_along_that_nobody_else_uses(
    train: Train, database: Database, layout: Layout, base: Base, left_in_staging: Callable[[], list[str]]
) -> None:
    one, _ = await train("one")
    async with database.transaction() as connection:
        await service.create_variant(connection, name="half", base=base.id, adapters=[("one", 0.5)])
    layout.derived_adapter(one.id).mkdir(parents=True)
    first = await service.remove_variant(database, layout, "one")
    assert (first.variants, first.adapters, first.bases) == (("one",), (), ())
    assert layout.adapter(one.id).is_dir()
    second = await service.remove_variant(database, layout, "half")
    assert second.adapters == ("one",)
    assert not layout.adapter(one.id).exists()
    assert not layout.derived_adapter(one.id).exists()
    assert layout.base(base.id).is_dir()
    assert left_in_staging() == []


async def test_a_base_with_variants_on_it_is_removed_only_with_all_of_them(
    train: Train, database: Database, layout: Layout, base: Base
) -> None:
    adapter, _ = await train("one")
    with pytest.raises(InUse, match="one"):
        await service.remove_variant(database, layout, base.name)
    assert layout.base(base.id).is_dir()
    removed = await service.remove_variant(database, layout, base.name, cascade=True)
    assert set(removed.variants) == {"one", base.name}
    assert (removed.adapters, removed.bases) == (("one",), (base.name,))
    assert not layout.base(base.id).exists()
    assert not layout.adapter(adapter.id).exists()
    async with database.transaction() as connection:
        assert await tables.list_bases(connection) == []


async def test_what_is_not_there_cannot_be_removed(database: Database, layout: Layout) -> None:
    with pytest.raises(ModelNotFound, match="nobody"):
        await service.remove_variant(database, layout, "nobody")
    with pytest.raises(ModelNotFound):
        await service.remove_variant(database, layout, str(uuid4()))
