"""Maps over HTTP: /api/models/{name}/map."""

from fastapi import APIRouter, Request

from twotrack.learning.mapping import service
from twotrack.learning.mapping.schemas import MappedModel
from twotrack.registry.map.schemas import MapNorms

router = APIRouter(prefix="/api/models", tags=["models"])


@router.get("/{name}/map")
async def show_map(request: Request, name: str) -> MappedModel:
    """Where the base of a model can be tuned, and what each place weighs; from its headers alone."""
    state = request.app.state
    return await service.map_of(state.database, state.layout, name)


@router.get("/{name}/map/norms")
async def show_norms(request: Request, name: str) -> MapNorms:
    """How large its weights are. The first time, all of them are read."""
    state = request.app.state
    return await service.norms_of(state.database, state.layout, name)
