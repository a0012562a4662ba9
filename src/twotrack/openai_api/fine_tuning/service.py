"""What clients do with fine-tuning jobs. Each is a training run, and the run's own tables hold the truth."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid4

from twotrack.core import events
from twotrack.core.access.caller import Caller
from twotrack.core.database import Connection, Database
from twotrack.core.errors import InvalidInput, NotFound, TwotrackError
from twotrack.core.language import Language, Text
from twotrack.learning.data import tables as data_sets
from twotrack.learning.train import service
from twotrack.learning.train.errors import NothingToResume
from twotrack.learning.train.job import read_held_out, read_history
from twotrack.learning.train.plan import RunFolder
from twotrack.openai_api.files import page_of
from twotrack.openai_api.fine_tuning import describing, tables
from twotrack.openai_api.fine_tuning.schemas import NewTuningJob
from twotrack.openai_api.fine_tuning.tables import TuningRow
from twotrack.openai_api.ids import read_id
from twotrack.registry import tables as models
from twotrack.registry.layout import Layout
from twotrack.registry.names import LONGEST, check_name
from twotrack.registry.schemas import Adapter, Variant
from twotrack.registry.storage import in_thread

# As many as that API keeps, the last one included.
_CHECKPOINTS = 3
_JOB = Text("fine-tuning job", "파인튜닝 작업")


class TuningJobNotFound(NotFound):
    pass


class TuningJobOver(TwotrackError):
    """`state` is what it is, `wanted` a Text: what cannot be done with it."""

    status = 400
    detail = Text(
        "Fine-tuning job {job} is {state} and cannot be {wanted}.", "{wanted} 수 없습니다: {job}({state})."
    )


@dataclass(frozen=True)
class Tuning:
    """The jobs that a caller may see, in a studio."""

    database: Database
    layout: Layout
    by: Caller
    language: Language = "en"

    async def create(self, asked: NewTuningJob) -> dict[str, Any]:
        """
        Raises:
            UnsupportedParameter, InvalidInput, ModelNotFound, NotTrainable
            What is wrong with the files: see learning/data/errors.py.
        """
        chosen = asked.settled()
        training = await self._file(asked.training_file, "training_file")
        validation = None
        if asked.validation_file is not None:
            validation = await self._file(asked.validation_file, "validation_file")
            if validation == training:
                why = Text("it is the training file", "training_file과 같습니다")
                raise InvalidInput(what="validation_file", value=asked.validation_file, why=why)
        base = await service.trainable(self.database, asked.model)
        job_id = uuid4()
        recipe: dict[str, Any] = {
            "base": base.name,
            "name": _model_name(base.name, asked.suffix, job_id),
            "data_id": training,
            "held_out_id": validation,
            "seed": secrets.randbelow(2**31) if asked.seed is None else asked.seed,
        }
        if chosen.n_epochs is not None:
            recipe["epochs"] = chosen.n_epochs
        if chosen.batch_size is not None:
            recipe["batch_size"] = chosen.batch_size
        if chosen.learning_rate_multiplier is not None:
            rate = chosen.learning_rate_multiplier * describing.LEARNING_RATE
            recipe["learning_rate"] = min(rate, 1.0)
        recipe["checkpoints"] = _CHECKPOINTS - 1

        async def also(connection: Connection) -> None:
            await tables.insert(
                connection,
                job_id,
                training_file=training,
                validation_file=validation,
                suffix=asked.suffix,
                metadata=asked.metadata,
            )

        await service.start_run(
            self.database, self.layout, recipe=recipe, by=self.by, job_id=job_id, also=also
        )
        return await self.describe(job_id)

    async def _file(self, given: str, what: Literal["training_file", "validation_file"]) -> UUID:
        data_id = read_id("file", given)
        if data_id is not None:
            async with self.database.transaction() as connection:
                if await data_sets.find(connection, data_id, of=self.by.confined_to) is not None:
                    return data_id
        why = Text("there is no such file", "그런 파일이 없습니다")
        raise InvalidInput(what=what, value=given[:200], why=why)

    async def list_jobs(
        self, *, after: str | None, limit: int, metadata: Mapping[str, str], without_metadata: bool
    ) -> dict[str, Any]:
        """
        Raises:
            TuningJobNotFound: `after` is no job of theirs.
        """
        cursor = None if after is None else await self.find(after)
        async with self.database.transaction() as connection:
            rows = await tables.list_all(
                connection,
                of=self.by.confined_to,
                before=cursor,
                limit=limit + 1,
                metadata=metadata,
                without_metadata=without_metadata,
            )
        return page_of([await self._object(row) for row in rows[:limit]], has_more=len(rows) > limit)

    async def find(self, given: str) -> TuningRow:
        """
        Raises:
            TuningJobNotFound: there is none, or it is somebody else's.
        """
        job_id = read_id("ftjob", given)
        if job_id is not None:
            async with self.database.transaction() as connection:
                if (row := await tables.find(connection, job_id, of=self.by.confined_to)) is not None:
                    return row
        raise TuningJobNotFound(what=_JOB, name=given[:200])

    async def describe(self, job_id: UUID) -> dict[str, Any]:
        async with self.database.transaction() as connection:
            row = await tables.find(connection, job_id, of=None)
        assert row is not None
        return await self._object(row)

    async def retrieve(self, given: str) -> dict[str, Any]:
        return await self._object(await self.find(given))

    async def cancel(self, given: str) -> dict[str, Any]:
        """
        Raises:
            TuningJobNotFound, TuningJobOver
        """
        row = await self.find(given)
        if row.state in ("succeeded", "failed") or (row.state == "cancelled" and not self._is_paused(row)):
            raise self._over(row, given, Text("cancelled", "취소할"))
        await service.cancel_run(self.database, self.layout, row.job_id, by=self.by)
        return await self.describe(row.job_id)

    async def pause(self, given: str) -> dict[str, Any]:
        """One that runs is paused as soon as its worker has heard; until then it is "running".

        Raises:
            TuningJobNotFound, TuningJobOver
        """
        row = await self.find(given)
        if row.state in ("succeeded", "failed") or (row.state == "cancelled" and not self._is_paused(row)):
            raise self._over(row, given, Text("paused", "일시 중지할"))
        await service.pause_run(self.database, self.layout, row.job_id, by=self.by)
        return await self.describe(row.job_id)

    async def resume(self, given: str) -> dict[str, Any]:
        """Also one that failed and has left a checkpoint; one that waits or runs stays as it is.

        Raises:
            TuningJobNotFound, TuningJobOver
        """
        row = await self.find(given)
        try:
            await service.resume_run(self.database, self.layout, row.job_id, by=self.by)
        except NothingToResume:
            raise self._over(row, given, Text("resumed", "이어서 할")) from None
        return await self.describe(row.job_id)

    async def list_events(self, given: str, *, after: str | None, limit: int) -> dict[str, Any]:
        """
        Raises:
            TuningJobNotFound
            InvalidInput: `after` is no event of the job.
        """
        row = await self.find(given)
        folder = RunFolder(self.layout.job(row.job_id))
        found = describing.event_objects(
            row,
            await events.list_of_job(self.database, row.job_id),
            await in_thread(read_history, folder),
            await in_thread(read_held_out, folder),
            await self._models(row.job_id),
            paused=self._is_paused(row),
            language=self.language,
        )
        return _page(found, after=after, limit=limit)

    async def list_checkpoints(self, given: str, *, after: str | None, limit: int) -> dict[str, Any]:
        """Models that answer: a checkpoint whose variant was removed is none any more.

        Raises:
            TuningJobNotFound
            InvalidInput: `after` is no checkpoint of the job.
        """
        row = await self.find(given)
        folder = RunFolder(self.layout.job(row.job_id))
        found: list[dict[str, Any]] = []
        if row.result is not None:
            found = describing.checkpoint_objects(
                row.job_id,
                await self._models(row.job_id),
                await in_thread(read_history, folder),
                await in_thread(read_held_out, folder),
                row.result.steps,
            )
        return _page(found, after=after, limit=limit)

    async def _object(self, row: TuningRow) -> dict[str, Any]:
        tuned = None
        if row.state == "succeeded" and row.result is not None:
            names = [
                variant.name for adapter, variant in await self._models(row.job_id) if adapter.step is None
            ]
            # Its name now, if it was given another.
            tuned = names[0] if names else row.result.name
        return describing.job_object(row, paused=self._is_paused(row), tuned=tuned, language=self.language)

    async def _models(self, job_id: UUID) -> list[tuple[Adapter, Variant]]:
        """What the run left and is still there."""
        async with self.database.transaction() as connection:
            adapters = await models.list_adapters_of_job(connection, job_id)
            variants = await models.find_variants_of_adapters(connection, [one.id for one in adapters])
        return [(one, variants[one.id]) for one in adapters if one.id in variants]

    def _is_paused(self, row: TuningRow) -> bool:
        return row.state == "cancelled" and RunFolder(self.layout.job(row.job_id)).paused.exists()

    def _over(self, row: TuningRow, given: str, wanted: Text) -> TuningJobOver:
        state = describing.status_of(row, paused=self._is_paused(row))
        return TuningJobOver(job=given, state=state, wanted=wanted)


def _model_name(base: str, suffix: str | None, job_id: UUID) -> str:
    """As that API names them: ft:<base>:<organization>:<suffix>:<id>, the base shortened where it has to be.

    Raises:
        InvalidInput: a suffix that no name can have.
    """
    rest = f"::{suffix or ''}:{job_id.hex[:8]}"
    name = f"ft:{base[: LONGEST - len(rest) - 3]}{rest}"
    try:
        return check_name(name)
    except InvalidInput as error:
        raise InvalidInput(what="suffix", value=suffix, why=error.values["why"]) from None


def _page(found: list[dict[str, Any]], *, after: str | None, limit: int) -> dict[str, Any]:
    start = 0
    if after is not None:
        ids = [one["id"] for one in found]
        if after not in ids:
            why = Text("it is no id of this list", "이 목록에 없는 id입니다")
            raise InvalidInput(what="after", value=after[:200], why=why)
        start = ids.index(after) + 1
    return page_of(found[start : start + limit], has_more=len(found) > start + limit)
