"""Maps of registered bases; the norms of their weights, which are read once and kept."""

from pathlib import Path

from pydantic import ValidationError

from twotrack.core.database import Database
from twotrack.core.file_lock import file_lock
from twotrack.core.folders import write_whole
from twotrack.learning.mapping.memory import with_memory
from twotrack.learning.mapping.schemas import MappedModel
from twotrack.registry import tables
from twotrack.registry.layout import Layout
from twotrack.registry.map.norms import read_norms
from twotrack.registry.map.reading import map_model
from twotrack.registry.map.schemas import MapNorms
from twotrack.registry.schemas import Base
from twotrack.registry.storage import in_thread


async def map_of(database: Database, layout: Layout, name: str) -> MappedModel:
    """The map of a variant's base.

    Raises:
        ModelNotFound, and what map_model raises.
    """
    base = await _base(database, name)
    return with_memory(base.name, await map_model(layout.base(base.id), subject=base.name))


async def norms_of(database: Database, layout: Layout, name: str) -> MapNorms:
    """The norms of a base's weights.

    Raises:
        ModelNotFound, and what read_norms raises.
    """
    base = await _base(database, name)
    place = layout.derived(base.id) / "map" / "norms.json"
    if kept := await in_thread(_kept, place):
        return kept
    await in_thread(lambda: place.parent.mkdir(parents=True, exist_ok=True))
    # Two who ask at once read the weights once.
    async with file_lock(place.with_name("norms.lock")):
        if kept := await in_thread(_kept, place):
            return kept
        found = await read_norms(layout.base(base.id), subject=base.name)
        await in_thread(write_whole, place, found.model_dump_json())
    return found


async def _base(database: Database, name: str) -> Base:
    async with database.transaction() as connection:
        variant = await tables.get_variant(connection, name)
        return await tables.get_base(connection, variant.base_id)


def _kept(place: Path) -> MapNorms | None:
    try:
        return MapNorms.model_validate_json(place.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
