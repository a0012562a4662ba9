"""Training over HTTP: /api/training."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from twotrack.core.access.roles import caller_of
from twotrack.core.language import Language, from_accept_language
from twotrack.learning.train import presets, service, sweep
from twotrack.learning.train.presets import Preset
from twotrack.learning.train.schemas import NewRun, NewSweep, Run, RunData

router = APIRouter(prefix="/api/training", tags=["training"])


@router.post("/runs", status_code=202)
async def start_run(request: Request, asked: NewRun) -> Run:
    """Start a training run; follow its job. What can be refused at once is refused here."""
    state = request.app.state
    # JSON can carry halves of surrogate pairs; the reading of the data then names their line.
    data = None if asked.data is None else asked.data.encode(errors="surrogatepass")
    run_id = await service.start_run(
        state.database,
        state.layout,
        recipe=asked.recipe,
        data=data,
        data_id=asked.data_id,
        held_out_id=asked.held_out_id,
        by=caller_of(request),
        force=asked.force,
    )
    return await service.get_run(state.database, state.layout, run_id, language=_language(request))


@router.post("/sweeps", status_code=202)
async def start_sweep(request: Request, asked: NewSweep) -> list[Run]:
    """Start several runs, one for each seed on each board; follow their jobs. All are checked before any is
    started; one that fails leaves the others alone."""
    state = request.app.state
    data = None if asked.data is None else asked.data.encode(errors="surrogatepass")
    started = await sweep.start_sweep(
        state.database,
        state.layout,
        sweep_id=asked.id,
        recipe=asked.recipe,
        seeds=asked.seeds,
        boards=asked.boards,
        data=data,
        data_id=asked.data_id,
        held_out_id=asked.held_out_id,
        by=caller_of(request),
        force=asked.force,
    )
    language = _language(request)
    return [await service.get_run(state.database, state.layout, one, language=language) for one in started]


@router.get("/sweeps/{sweep_id}")
async def get_sweep(request: Request, sweep_id: UUID) -> list[Run]:
    """The runs of a sweep in the order in which they were asked for, each with the course of its loss; a long
    one is thinned."""
    return await _sweep(request, sweep_id)


@router.post("/sweeps/{sweep_id}/cancel")
async def cancel_sweep(request: Request, sweep_id: UUID) -> list[Run]:
    """Cancel all runs of a sweep that wait or work; those that are over stay as they are."""
    state = request.app.state
    await sweep.cancel_sweep(state.database, state.layout, sweep_id, by=caller_of(request))
    return await _sweep(request, sweep_id)


@router.get("/runs")
async def list_runs(
    request: Request, before: UUID | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> list[Run]:
    """The newest first, without their histories; whoever is no admin sees their own. `before` is the id of a
    run: only older ones are listed."""
    state = request.app.state
    return await service.list_runs(
        state.database,
        state.layout,
        of=caller_of(request).confined_to,
        before=before,
        limit=limit,
        language=_language(request),
    )


@router.get("/runs/{run_id}")
async def get_run(request: Request, run_id: UUID) -> Run:
    """One run with the loss of each step so far."""
    state = request.app.state
    return await service.get_run(
        state.database,
        state.layout,
        run_id,
        of=caller_of(request).confined_to,
        language=_language(request),
    )


@router.post("/runs/{run_id}/pause")
async def pause_run(request: Request, run_id: UUID) -> Run:
    """Stop the run so that it can go on later; follow its job. A run that is over stays as it is."""
    state = request.app.state
    await service.pause_run(state.database, state.layout, run_id, by=caller_of(request))
    return await service.get_run(state.database, state.layout, run_id, language=_language(request))


@router.post("/runs/{run_id}/resume", status_code=202)
async def resume_run(request: Request, run_id: UUID) -> Run:
    """Go on with a run that was paused, or that failed and has left a checkpoint; follow its job. A run that
    waits or works stays as it is."""
    state = request.app.state
    await service.resume_run(state.database, state.layout, run_id, by=caller_of(request))
    return await service.get_run(state.database, state.layout, run_id, language=_language(request))


@router.delete("/runs/{run_id}/checkpoints")
async def discard_run(request: Request, run_id: UUID) -> Run:
    """Give up what a run that was paused, or failed, could go on from. Its data, recipe and history stay."""
    state = request.app.state
    await service.discard_run(state.database, state.layout, run_id, by=caller_of(request))
    return await service.get_run(state.database, state.layout, run_id, language=_language(request))


@router.get("/runs/{run_id}/data")
async def get_data(request: Request, run_id: UUID) -> RunData:
    """What the run learns from, to look at or to start another run with."""
    state = request.app.state
    of = caller_of(request).confined_to
    return RunData(data=await service.read_data(state.database, state.layout, run_id, of=of))


@router.get("/presets")
async def list_presets(request: Request) -> list[Preset]:
    """The recipes that ship, with what their comments say of each field."""
    return presets.list_presets(_language(request))


async def _sweep(request: Request, sweep_id: UUID) -> list[Run]:
    state = request.app.state
    of = caller_of(request).confined_to
    return await sweep.get_sweep(state.database, state.layout, sweep_id, of=of, language=_language(request))


def _language(request: Request) -> Language:
    return from_accept_language(request.headers.get("accept-language"))
