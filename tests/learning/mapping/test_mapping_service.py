"""Maps of registered bases; the norms of their weights are read once and kept."""

import pytest

from twotrack.core.database import Database
from twotrack.learning.mapping.service import map_of, norms_of
from twotrack.registry.errors import ModelNotFound
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base


async def test_a_registered_base_is_mapped_from_its_own_files(
    database: Database, layout: Layout, tiny_base: Base
) -> None:
    found = await map_of(database, layout, tiny_base.name)

    assert found.map.way == "headers"
    assert found.map.columns == ("attn.qk", "attn.vo", "mlp.in", "mlp.out")
    assert found.memory
    assert found.trainable_parameters > 0


async def test_norms_are_kept_once_they_were_read(
    database: Database, layout: Layout, tiny_base: Base
) -> None:
    found = await norms_of(database, layout, tiny_base.name)

    place = layout.derived(tiny_base.id) / "map" / "norms.json"
    assert {one.column for one in found.cells} == {"attn.qk", "attn.vo", "mlp.in", "mlp.out"}
    marked = found.model_copy(update={"cells": found.cells[:1]})
    place.write_text(marked.model_dump_json())
    assert await norms_of(database, layout, tiny_base.name) == marked
    # What a crash left of it is read anew.
    place.write_text("{")
    assert await norms_of(database, layout, tiny_base.name) == found


async def test_an_unknown_model_has_no_map(database: Database, layout: Layout) -> None:
    with pytest.raises(ModelNotFound):
        await map_of(database, layout, "nobody")
