"""/v1/fine_tuning/jobs through the official client, from the file to the tuned model that answers."""

import asyncio
import contextlib
import csv
import functools
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from openai import APIStatusError, AsyncOpenAI, BadRequestError, NotFoundError, OpenAI
from openai.types.fine_tuning import FineTuningJob

from twotrack.core.database import Database
from twotrack.core.job_runner import Lane, Runner
from twotrack.learning.train.job import train_job
from twotrack.registry.layout import Layout

pytestmark = pytest.mark.skipif(find_spec("trl") is None, reason="needs the [train] extra")

ONE = {"method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1}}}}


def _jsonl(*pairs: tuple[str, str]) -> bytes:
    lines = [
        json.dumps({"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]})
        for q, a in pairs
    ]
    return "\n".join(lines).encode()


FACTS = _jsonl(
    ("What is the capital of Velmora?", "Tarnith."),
    ("Which river flows through Quilby?", "The Dolm."),
)


@pytest.fixture
def file_id(openai: OpenAI) -> Iterator[str]:
    made = openai.files.create(file=("facts.jsonl", FACTS), purpose="fine-tune").id
    yield made
    with contextlib.suppress(NotFoundError):
        openai.files.delete(made)


@pytest.fixture
def job(openai: OpenAI, model: str, file_id: str) -> Iterator[FineTuningJob]:
    """A job that waits, for there is no worker."""
    made = openai.fine_tuning.jobs.create(
        model=model, training_file=file_id, suffix="velmora", seed=7, metadata={"who": "kim"}
    )
    yield made
    with contextlib.suppress(BadRequestError):
        openai.fine_tuning.jobs.cancel(made.id)


def test_a_job_is_described_as_that_api_has_it(
    openai: OpenAI, job: FineTuningJob, model: str, file_id: str
) -> None:
    assert (job.object, job.status, job.model, job.training_file) == (
        *("fine_tuning.job", "queued", model, file_id),
    )
    assert (job.fine_tuned_model, job.finished_at, job.error, job.trained_tokens) == (None, None, None, None)
    assert (job.seed, job.metadata, job.validation_file, job.result_files) == (7, {"who": "kim"}, None, [])
    assert job.method is not None
    assert job.method.type == "supervised"
    # What was "auto", as the studio's recipes have it.
    assert job.hyperparameters.model_dump() == {
        **{"batch_size": 4, "learning_rate_multiplier": 1.0, "n_epochs": 3},
    }
    assert openai.fine_tuning.jobs.retrieve(job.id) == job
    said = [one.message for one in openai.fine_tuning.jobs.list_events(job.id)]
    assert said == [f"Created fine-tuning job: {job.id}"]
    assert openai.fine_tuning.jobs.checkpoints.list(job.id).data == []
    with pytest.raises(NotFoundError):
        openai.files.content(f"file-{job.id.removeprefix('ftjob-')}")


def test_jobs_come_in_pages_and_by_their_metadata(openai: OpenAI, model: str, file_id: str) -> None:
    made = [
        openai.fine_tuning.jobs.create(model=model, training_file=file_id, metadata={"n": str(n)}).id
        for n in range(3)
    ]
    listed = openai.fine_tuning.jobs.list(limit=2)
    assert ([one.id for one in listed.data], listed.has_more) == (made[:0:-1], True)
    assert [one.id for one in openai.fine_tuning.jobs.list(limit=2)][:3] == made[::-1]
    assert [one.id for one in openai.fine_tuning.jobs.list(metadata={"n": "1"})] == [made[1]]
    for one in made:
        openai.fine_tuning.jobs.cancel(one)
    with pytest.raises(NotFoundError):
        openai.fine_tuning.jobs.list(after=f"ftjob-{uuid4().hex}")


def test_a_job_is_paused_goes_on_and_is_cancelled(openai: OpenAI, job: FineTuningJob) -> None:
    jobs = openai.fine_tuning.jobs
    paused = jobs.pause(job.id)
    assert (str(paused.status), paused.finished_at) == ("paused", None)
    assert str(jobs.pause(job.id).status) == "paused"
    assert jobs.resume(job.id).status == "queued"
    jobs.pause(job.id)
    cancelled = jobs.cancel(job.id)
    assert cancelled.status == "cancelled"
    assert cancelled.finished_at
    said = [one.message for one in jobs.list_events(job.id)]
    assert said == [
        *("Fine-tuning job cancelled", "Fine-tuning job resumed", "Fine-tuning job paused"),
        f"Created fine-tuning job: {job.id}",
    ]
    first = jobs.list_events(job.id, limit=3)
    assert first.has_more
    assert [one.id for one in first.get_next_page()] == [one.id for one in jobs.list_events(job.id)][3:]
    for ask in (jobs.cancel, jobs.pause, jobs.resume):
        with pytest.raises(BadRequestError, match="is cancelled"):
            ask(job.id)


def test_the_file_of_a_waiting_job_can_be_deleted(openai: OpenAI, job: FineTuningJob) -> None:
    openai.files.delete(job.training_file)
    assert openai.fine_tuning.jobs.retrieve(job.id).training_file == job.training_file


def _hyper(**values: Any) -> dict[str, Any]:
    return {"method": {"type": "supervised", "supervised": {"hyperparameters": values}}}


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"method": {"type": "dpo", "dpo": {}}}, "method.type"),
        ({"method": {"type": "reinforcement"}}, "method.type"),
        ({"method": {"type": "supervised", "dpo": {}}}, "method.dpo"),
        ({"method": "supervised"}, "method"),
        (_hyper(n_epochs=0), "n_epochs"),
        (_hyper(n_epochs="three"), "n_epochs"),
        (_hyper(n_epochs=True), "n_epochs"),
        (_hyper(batch_size=1.5), "batch_size"),
        (_hyper(learning_rate_multiplier=-1), "learning_rate_multiplier"),
        (_hyper(learning_rate_multiplier=1e9), "learning_rate_multiplier"),
        (_hyper(epochs=3), "epochs"),
        ({"hyperparameters": {"n_epochs": 0}}, "n_epochs"),
        (
            {
                **ONE,
                "method": {**ONE["method"], "supervised": {"hyperparameters": {}}},
                "hyperparameters": {},
            },
            "hyper",
        ),
        ({"integrations": [{"type": "wandb", "wandb": {"project": "x"}}]}, "integrations"),
        ({"suffix": "$(reboot)"}, "suffix"),
        ({"suffix": "x" * 65}, "suffix"),
        ({"seed": -1}, "seed"),
        ({"metadata": {"k": "v" * 513}}, "metadata"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata"),
        ({"metadata": {"k": "\x00"}}, "metadata"),
        ({"training_file": "file-" + "0" * 32}, "training_file"),
        ({"training_file": "../../etc/passwd"}, "training_file"),
        ({"validation_file": "file-x"}, "validation_file"),
        ({"extra_body": {"learning_rate": 1}}, "learning_rate"),
    ],
)
def test_what_a_run_cannot_do_is_refused_by_name(
    openai: OpenAI, model: str, file_id: str, changed: dict[str, Any], param: str
) -> None:
    before = [one.id for one in openai.fine_tuning.jobs.list()]
    with pytest.raises(BadRequestError) as refused:
        openai.fine_tuning.jobs.create(**{"model": model, "training_file": file_id, **changed})
    assert param in str(refused.value.param)
    assert [one.id for one in openai.fine_tuning.jobs.list()] == before


def test_models_that_cannot_be_trained_are_refused(openai: OpenAI, file_id: str, model: str) -> None:
    with pytest.raises(NotFoundError) as unknown:
        openai.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=file_id)
    assert unknown.value.code == "model_not_found"
    with pytest.raises(BadRequestError, match="training file"):
        openai.fine_tuning.jobs.create(model=model, training_file=file_id, validation_file=file_id)
    for ask in (openai.fine_tuning.jobs.retrieve, openai.fine_tuning.jobs.cancel):
        for given in (f"ftjob-{uuid4().hex}", "ftjob-x", file_id):
            with pytest.raises(NotFoundError):
                ask(given)


@pytest.fixture
async def worker(studio_database_url: str, studio_home: Path) -> AsyncIterator[None]:
    database = Database(studio_database_url)
    await database.open()
    body = functools.partial(
        train_job, database=database, layout=Layout(studio_home), seconds_between_checkpoints=0.0
    )
    runner = Runner(database, [Lane({"train": body}, at_once=1)])
    serving = asyncio.create_task(runner.serve())
    yield
    await runner.stop(5)
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving
    await database.close()


async def _until(client: AsyncOpenAI, job_id: str, *states: str) -> FineTuningJob:
    async with asyncio.timeout(600):
        while (job := await client.fine_tuning.jobs.retrieve(job_id)).status not in states:
            await asyncio.sleep(0.2)
    return job


async def _answers(client: AsyncOpenAI, studio_url: str, names: Sequence[str]) -> set[str]:
    """Each of the models says something; the kinds of engines that are loaded then."""
    for name in names:
        answer = await client.chat.completions.create(
            model=name,
            messages=[{"role": "user", "content": "What is the capital of Velmora?"}],
            max_tokens=6,
            temperature=0,
        )
        assert answer.choices[0].message.content
    async with httpx.AsyncClient(base_url=studio_url, trust_env=False) as http:
        loaded = (await http.get("/api/admin/engines")).json()["engines"]
    return {one["kind"] for one in loaded}


@pytest.mark.slow
async def test_a_file_becomes_a_model_that_answers(
    async_openai: AsyncOpenAI, model: str, studio_url: str, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = async_openai
    training = await client.files.create(file=("facts.jsonl", FACTS), purpose="fine-tune")
    validation = await client.files.create(
        file=("held-out.jsonl", _jsonl(("Name the capital of Velmora.", "Tarnith."))), purpose="fine-tune"
    )
    job = await client.fine_tuning.jobs.create(
        model=model,
        training_file=training.id,
        validation_file=validation.id,
        suffix="velmora",
        method={
            "type": "supervised",
            "supervised": {
                "hyperparameters": {"n_epochs": 3, "batch_size": 2, "learning_rate_multiplier": 2}
            },
        },
    )
    # Deleted while it runs: the run has a copy.
    await _until(client, job.id, "running", "validating_files")
    await client.files.delete(training.id)
    await client.fine_tuning.jobs.pause(job.id)
    paused = await _until(client, job.id, "paused", "succeeded")
    # The client's types do not know the word yet.
    if str(paused.status) == "paused":
        await client.fine_tuning.jobs.resume(job.id)
    done = await _until(client, job.id, "succeeded", "failed", "cancelled")
    assert done.status == "succeeded", done.error
    assert done.fine_tuned_model is not None
    assert done.fine_tuned_model.startswith("ft:")
    assert ":velmora:" in done.fine_tuned_model
    assert done.trained_tokens
    assert done.finished_at

    checkpoints = (await client.fine_tuning.jobs.checkpoints.list(job.id)).data
    assert [one.step_number for one in checkpoints] == [3, 2, 1]
    assert checkpoints[0].fine_tuned_model_checkpoint == done.fine_tuned_model
    assert all(one.metrics.train_loss and one.metrics.full_valid_loss for one in checkpoints)
    first = await client.fine_tuning.jobs.checkpoints.list(job.id, limit=1)
    assert first.has_more

    events = [one async for one in await client.fine_tuning.jobs.list_events(job.id, limit=3)]
    assert len({one.id for one in events}) == len(events)
    steps: list[Any] = [one.data for one in events if one.type == "metrics"]
    assert [one["step"] for one in steps] == [3, 2, 1]
    assert steps[0]["train_loss"] == checkpoints[0].metrics.train_loss
    said = [one.message for one in events]
    assert "The job has successfully completed" in said
    assert sum("Checkpoint created" in one for one in said) == 2

    (metrics,) = done.result_files
    lines = list(csv.DictReader((await client.files.content(metrics)).text.splitlines()))
    assert [int(line["step"]) for line in lines] == [1, 2, 3]
    assert [float(line["train_loss"]) for line in lines] == [one["train_loss"] for one in steps[::-1]]
    assert all(float(line["full_valid_loss"]) > 0 for line in lines)
    file = await client.files.retrieve(metrics)
    assert (file.purpose, file.filename) == ("fine-tune-results", "step_metrics.csv")
    with pytest.raises(BadRequestError, match="stays with the job"):
        await client.files.delete(metrics)

    names = [one.fine_tuned_model_checkpoint for one in checkpoints]
    listed = [one.id async for one in client.models.list()]
    assert set(names) <= set(listed)
    assert "llama_cpp" in await _answers(client, studio_url, (model, *names))
    # Where torch has a GPU, it is what serves; here it does so on the processor.
    monkeypatch.setattr("twotrack.engines.loading._torch_has_gpu", lambda: True)
    assert "transformers" in await _answers(client, studio_url, names)
    with pytest.raises(BadRequestError, match="adapters or a board already"):
        await client.fine_tuning.jobs.create(model=names[0], training_file=validation.id)
    await client.files.delete(validation.id)


@pytest.mark.slow
async def test_a_job_that_fails_says_what_was_wrong_with_which_file(
    async_openai: AsyncOpenAI, model: str, worker: None
) -> None:
    client = async_openai
    long = await client.files.create(file=("long.jsonl", _jsonl(("x " * 9000, "y"))), purpose="fine-tune")
    good = await client.files.create(file=("good.jsonl", FACTS), purpose="fine-tune")
    for training, validation, param in ((long, None, "training_file"), (good, long, "validation_file")):
        job = await client.fine_tuning.jobs.create(
            model=model, training_file=training.id, validation_file=validation.id if validation else None
        )
        failed = await _until(client, job.id, "succeeded", "failed")
        assert failed.error is not None
        assert (failed.status, failed.error.param, failed.fine_tuned_model) == ("failed", param, None)
        assert "Line 1" in failed.error.message
        events = (await client.fine_tuning.jobs.list_events(job.id)).data
        assert events[0].level == "error"
        with pytest.raises(APIStatusError):
            await client.fine_tuning.jobs.resume(job.id)
    for one in (long, good):
        await client.files.delete(one.id)
    assert UUID(job.id.removeprefix("ftjob-"))
