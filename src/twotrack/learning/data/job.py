"""The body of a job of the kind "data": a check, or new sets made of others, by a child that reads them."""

import shutil
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from twotrack.core.database import Database
from twotrack.core.jobs import Attempt
from twotrack.learning.data import tables
from twotrack.learning.data.process import run_child
from twotrack.learning.data.schemas import Checking, DataArgs, DataResult, DataSetEntry
from twotrack.learning.data.service import base_named, hash_and_sync, recognize
from twotrack.registry.conversion import ensure_tokenizer
from twotrack.registry.layout import Layout
from twotrack.registry.storage import in_thread, require_space

_STAGES = {"check": "checking", "shape": "shaping", "mix": "mixing", "split": "splitting"}


async def data_job(attempt: Attempt, *, database: Database, layout: Layout) -> dict[str, Any]:
    """Args: DataArgs; result: DataResult. A further attempt begins anew and makes the same sets.

    Raises:
        DataSetNotFound: it was deleted meanwhile.
        What reading the data raises: see learning/data/errors.py.
    """
    args = DataArgs.model_validate(attempt.args)
    stage = _STAGES[args.action]
    async with database.transaction() as connection:
        sets = [await tables.get(connection, one) for one in args.data_ids]
    target = layout.job(attempt.job_id) / "made"
    await in_thread(shutil.rmtree, target, ignore_errors=True)
    await attempt.report(stage, fraction=0.0)

    async def heard(rows: int, fraction: float) -> None:
        await attempt.report(stage, fraction=fraction, done=rows)

    try:
        asked = await _request(database, layout, args, sets, target)
        if args.action != "check":
            require_space(layout.home, sum(one.size for one in sets), "the data")
            target.mkdir(parents=True)
        found = await run_child(args.action, asked, name=sets[0].name, heard=heard)
        made = await _take_in(attempt, layout, target, found.get("files", []))
        async with attempt.transaction() as connection:
            if args.action == "check":
                checked = Checking(**{name: args.asked[name] for name in Checking.model_fields})
                await tables.set_report(connection, sets[0].id, found["report"], checked)
        return DataResult(made=made, report=found.get("report")).model_dump(mode="json")
    finally:
        await in_thread(shutil.rmtree, layout.job(attempt.job_id), ignore_errors=True)


async def _request(
    database: Database, layout: Layout, args: DataArgs, sets: list[DataSetEntry], target: Path
) -> dict[str, Any]:
    """What child.py is asked."""
    asked = args.asked

    def opened(data: DataSetEntry) -> dict[str, Any]:
        return {"path": str(tables.file_of(layout, data.id)), "columns": data.columns, "name": data.name}

    request: dict[str, Any] = {**asked, **opened(sets[0]), "target": str(target)}
    if args.action == "mix":
        # Two sets of one name are told apart.
        names = [data.name for data in sets]
        request["sets"] = [
            {
                **one,
                **opened(data),
                "name": data.name if names.count(data.name) == 1 else f"{data.name} {number}",
            }
            for number, (one, data) in enumerate(zip(asked["sets"], sets, strict=True), 1)
        ]
        request["new_name"] = asked["name"]
    elif args.action == "shape":
        request["new_name"] = asked["name"] or f"{sets[0].name}.shaped"
    if len(sets) > 1 and args.action in ("check", "shape"):
        request["held_out"] = opened(sets[1])
    if asked.get("base") is not None:
        base = await base_named(database, asked["base"])
        limit = min(asked["max_length"] or base.context_length, base.context_length)
        folder = await ensure_tokenizer(layout, base)
        request["base"] = {"name": base.name, "tokenizer": str(folder), "limit": limit}
    return request


async def _take_in(attempt: Attempt, layout: Layout, target: Path, files: list[dict[str, Any]]) -> list[UUID]:
    """Files in their places, then their rows, all in one transaction."""
    made = []
    for file in files:
        # The same in every attempt, so that one that was broken off leaves nothing behind.
        data_id = uuid5(attempt.job_id, file["file"])
        place = tables.file_of(layout, data_id)
        place.parent.mkdir(parents=True, exist_ok=True)
        (target / file["file"]).replace(place)
        sha256 = await in_thread(hash_and_sync, place)
        made.append((data_id, file, sha256, await recognize(place, file["name"], {})))
    async with attempt.transaction() as connection:
        for data_id, file, sha256, recognized in made:
            await tables.insert(
                connection,
                data_id,
                owner=attempt.by.key_id,
                name=file["name"][:200],
                size=tables.file_of(layout, data_id).stat().st_size,
                sha256=sha256,
                recognized=recognized,
                made=file["made"],
            )
    return [data_id for data_id, *_ in made]
