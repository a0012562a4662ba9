"""The worker process: `python -m twotrack.worker`, started by the supervisor or by `twotrack worker`.

SIGTERM or Ctrl-C puts its running jobs back into the queue: the next worker resumes them.
"""

import asyncio
import functools
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from twotrack.core import processes
from twotrack.core.database import Database, DatabaseUnknown
from twotrack.core.job_runner import Lane, Runner
from twotrack.core.jobs import Attempt
from twotrack.core.language import from_environment
from twotrack.core.settings import Settings
from twotrack.embedders.service import Embedders
from twotrack.registry.layout import Layout
from twotrack.stores.choice import Stores

_GRACE_SECONDS = 5.0

_log = logging.getLogger(__name__)

LaneName = Literal["alone", "beside", "documents"]

# A job of documents seldom comes alone, and the next finds the embedder loaded.
_EMBEDDERS_IDLE_S = 120.0


@dataclass(frozen=True)
class Resources:
    """What bodies get besides their attempt."""

    database: Database
    layout: Layout
    embedders: Embedders
    stores: Stores


async def _pull(resources: Resources, attempt: Attempt) -> dict[str, Any]:
    from twotrack.registry.pull import pull_job

    return await pull_job(attempt, database=resources.database, layout=resources.layout)


async def _train(resources: Resources, attempt: Attempt) -> dict[str, Any]:
    from twotrack.learning.forecast.judging import refuse_what_cannot_fit
    from twotrack.learning.train.job import train_job

    return await train_job(
        attempt, database=resources.database, layout=resources.layout, judge=refuse_what_cannot_fit
    )


async def _estimate(resources: Resources, attempt: Attempt) -> dict[str, Any]:
    from twotrack.learning.forecast.service import estimate_job

    return await estimate_job(attempt, database=resources.database, layout=resources.layout)


async def _sensitivity(resources: Resources, attempt: Attempt) -> dict[str, Any]:
    from twotrack.learning.sensitivity.service import sensitivity_job

    return await sensitivity_job(attempt, database=resources.database, layout=resources.layout)


async def _data(resources: Resources, attempt: Attempt) -> dict[str, Any]:
    from twotrack.learning.data.job import data_job

    return await data_job(attempt, database=resources.database, layout=resources.layout)


async def _score(resources: Resources, attempt: Attempt) -> dict[str, Any]:
    from twotrack.evaluation.job import score_job

    return await score_job(attempt, database=resources.database, layout=resources.layout)


async def _effect(resources: Resources, attempt: Attempt) -> dict[str, Any]:
    from twotrack.evaluation.effect_job import effect_job

    return await effect_job(attempt, database=resources.database, layout=resources.layout)


async def _export(resources: Resources, attempt: Attempt) -> dict[str, Any]:
    from twotrack.release.job import export_job

    return await export_job(attempt, database=resources.database, layout=resources.layout)


async def _ingest(resources: Resources, attempt: Attempt) -> dict[str, Any]:
    from twotrack.learning.ingest.job import ingest_job

    return await ingest_job(
        attempt,
        database=resources.database,
        layout=resources.layout,
        embedders=resources.embedders,
        stores=resources.stores,
    )


async def _embed(resources: Resources, attempt: Attempt) -> dict[str, Any]:
    from twotrack.learning.ingest.reembedding import embed_job

    return await embed_job(
        attempt,
        database=resources.database,
        layout=resources.layout,
        embedders=resources.embedders,
        stores=resources.stores,
    )


_AT_ONCE: dict[LaneName, int] = {
    # These take all cores, or the whole GPU: two at a time would only be slower.
    "alone": 1,
    "beside": 3,
    # A training of hours is no reason to let a document wait.
    "documents": 1,
}

KINDS: dict[str, tuple[LaneName, Callable[[Resources, Attempt], Awaitable[dict[str, Any]]]]] = {
    "pull": ("beside", _pull),
    "train": ("alone", _train),
    "score": ("alone", _score),
    "effect": ("alone", _effect),
    "sensitivity": ("alone", _sensitivity),
    "export": ("alone", _export),
    # Asked before a run is started, so not to wait for the one that goes on.
    "estimate": ("beside", _estimate),
    "data": ("beside", _data),
    "ingest": ("documents", _ingest),
    "embed": ("documents", _embed),
}


def lanes(resources: Resources) -> list[Lane]:
    return [
        Lane(
            {
                kind: functools.partial(body, resources)
                for kind, (its_lane, body) in KINDS.items()
                if its_lane == lane
            },
            at_once,
        )
        for lane, at_once in _AT_ONCE.items()
    ]


async def serve(settings: Settings) -> None:
    """Run jobs until SIGTERM or SIGINT.

    Raises:
        DatabaseUnknown: the settings name no database.
    """
    from twotrack.learning.ingest.watching import Watch

    if not settings.database_url:
        raise DatabaseUnknown()
    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    database = Database(settings.database_url)
    await database.open()
    layout = Layout(settings.home)
    embedder_key = settings.embedder_key.get_secret_value() if settings.embedder_key else None
    embedders = Embedders(
        layout, bulk=True, threads=settings.threads, key=embedder_key, idle_s=_EMBEDDERS_IDLE_S
    )
    key = settings.qdrant_key.get_secret_value() if settings.qdrant_key else None
    stores = Stores(database, qdrant_url=settings.qdrant_url, qdrant_key=key)
    try:
        runner = Runner(database, lanes(Resources(database, layout, embedders, stores)))
        serving = asyncio.create_task(runner.serve(), name="serve jobs")
        watching = asyncio.create_task(Watch(database, layout).run(), name="watch the data folder")
        stopped = asyncio.create_task(told_to_stop.wait(), name="wait for a signal")
        await asyncio.wait([serving, stopped], return_when=asyncio.FIRST_COMPLETED)
        await runner.stop(_GRACE_SECONDS)
        stopped.cancel()
        serving.cancel()
        watching.cancel()
        await asyncio.wait([serving, watching])
        if not serving.cancelled():
            serving.result()
    finally:
        await embedders.close()
        await stores.close()
        await database.close()


async def _run() -> NoReturn:
    code = 0
    try:
        await serve(Settings())
    except DatabaseUnknown as error:
        language = from_environment()
        sys.stderr.write(f"{error.explain(language)} {error.advise(language)}\n")
        code = 2
    except Exception:
        _log.critical("the worker failed", exc_info=True)
        code = 1
    logging.shutdown()
    sys.stderr.flush()
    # A thread of an interrupted body (hashing, copying) would hold an ordinary exit for minutes.
    os._exit(code)


def main() -> None:
    processes.watch_lifeline()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # It tells of every delivery; what becomes of the jobs is told by us.
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    asyncio.run(_run())


if __name__ == "__main__":
    main()
