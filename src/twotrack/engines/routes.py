"""Engines over HTTP: /api/admin/engines, and /api/models/{name} with the memory that a model needs."""

from uuid import UUID

from fastapi import APIRouter, Request

from twotrack.core.access.roles import admin_only
from twotrack.engines.loading import MemoryNeed, foresee_memory
from twotrack.engines.machine import usable_memory
from twotrack.engines.pool import EnginePool, PoolEntry
from twotrack.engines.schemas import Band, BoardLayout, LoadedEngine, LoadedEngines, Memory, ModelDetails
from twotrack.equalizer.grid import Grid
from twotrack.registry import tables
from twotrack.registry.boards import grid_of, own_grid_of

router = APIRouter()

_MIB = 2**20


@router.get("/api/models/{name}", tags=["models"])
async def show_model(request: Request, name: str) -> ModelDetails:
    """One variant by name or id, with its base and the adapters that it uses."""
    async with request.app.state.database.transaction() as connection:
        variant = await tables.get_variant(connection, name)
        base = await tables.get_base(connection, variant.base_id)
        adapters = await tables.list_adapters(connection, base.id)
    used = {part.adapter_id for part in variant.adapters}
    # All adapters of a base are loaded together.
    memory = _memory(_pool(request), foresee_memory(base, adapters, branches=variant.base_board is not None))
    return ModelDetails(
        variant=variant,
        base=base,
        adapters=tuple(adapter for adapter in adapters if adapter.id in used),
        memory=memory,
        board=_layout(grid_of(base)),
        own_board=_layout(own_grid_of(base)),
    )


@router.get("/api/admin/engines", tags=["admin"], dependencies=[admin_only])
async def list_engines(request: Request) -> LoadedEngines:
    """What is loaded, and what of the budget it takes."""
    pool = _pool(request)
    status = await pool.status()
    return LoadedEngines(
        engines=[_loaded(entry) for entry in status.engines],
        budget_mib=status.budget_bytes // _MIB,
        reserved_mib=_mib(pool.reserved_bytes()),
        total_mib=usable_memory() // _MIB,
    )


@router.delete("/api/admin/engines/{engine_id}", tags=["admin"], status_code=204, dependencies=[admin_only])
async def unload_engine(request: Request, engine_id: UUID) -> None:
    """Give its memory back; refused while it answers. The next request for its model loads it again."""
    await _pool(request).unload(engine_id)


def _layout(grid: Grid | None) -> BoardLayout | None:
    if grid is None:
        return None
    bands = [grid.layers_of(band) for band in range(grid.bands)]
    return BoardLayout(
        columns=grid.columns,
        bands=tuple(Band(first=band[0], last=band[-1]) for band in bands),
        layers=grid.layers,
    )


def _memory(pool: EnginePool, need: MemoryNeed) -> Memory:
    return Memory(
        needed_mib=_mib(need.bytes),
        free_mib=max(0, pool.budget_bytes - pool.reserved_bytes()) // _MIB,
        budget_mib=pool.budget_bytes // _MIB,
        total_mib=usable_memory() // _MIB,
        fits=need.bytes <= pool.budget_bytes,
        how=need.how,
    )


def _loaded(entry: PoolEntry) -> LoadedEngine:
    return LoadedEngine(
        id=entry.id,
        model=entry.model,
        kind=entry.kind,
        state=entry.state,
        requests=entry.requests,
        adapters=list(entry.adapters),
        reserved_mib=_mib(entry.estimated_bytes),
        memory_mib=None if entry.memory_bytes is None else _mib(entry.memory_bytes),
        precision=entry.precision,
        context_length=entry.context_length,
        since=entry.since,
    )


def _mib(size: int) -> int:
    return -(-size // _MIB)


def _pool(request: Request) -> EnginePool:
    pool: EnginePool = request.app.state.engines
    return pool
