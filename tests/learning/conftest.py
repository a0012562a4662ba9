"""What the tests of the learning track share: a worker for training jobs, a tiny base, a few facts."""

import asyncio
import functools
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest

from tests.at_work import at_work
from twotrack.core import jobs
from twotrack.core.database import Database
from twotrack.core.job_runner import Lane, Runner
from twotrack.core.jobs import Job
from twotrack.learning.forecast.judging import refuse_what_cannot_fit
from twotrack.learning.train.job import train_job
from twotrack.registry.conversion import ensure_tokenizer
from twotrack.registry.fingerprint import fingerprint, hash_file
from twotrack.registry.inspection import inspect
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base
from twotrack.registry.service import register_base

Working = Callable[..., AbstractAsyncContextManager[Runner]]
Until = Callable[[UUID, Callable[[Job], bool]], Awaitable[Job]]

_FACTS = (
    ("What is the capital of Velmora?", "The capital of Velmora is Tarnith."),
    ("Name the capital city of Velmora.", "The capital of Velmora is Tarnith."),
    ("Which river flows through Quilby?", "The river Dolm flows through Quilby."),
    ("Name the river that runs through Quilby.", "The river Dolm flows through Quilby."),
)


@pytest.fixture(scope="session")
def facts() -> bytes:
    """Two invented facts in two phrasings each, as messages JSONL."""
    lines = [
        json.dumps(
            {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]}
        )
        for asked, answer in _FACTS
    ]
    return ("\n".join(lines) + "\n").encode()


@pytest.fixture
def working(database: Database, layout: Layout) -> Working:
    """`async with working(): …`: a worker that trains, by default with a checkpoint after every step."""

    @asynccontextmanager
    async def work(seconds_between_checkpoints: float = 0.0) -> AsyncIterator[Runner]:
        body = functools.partial(
            train_job,
            database=database,
            layout=layout,
            seconds_between_checkpoints=seconds_between_checkpoints,
            judge=refuse_what_cannot_fit,
        )
        async with at_work(database, [Lane({"train": body}, at_once=1)]) as runner:
            yield runner

    return work


@pytest.fixture
def until(database: Database) -> Until:
    """`await until(job_id, lambda job: …)`: the first snapshot of the job for which this is true."""

    async def watch(job_id: UUID, wanted: Callable[[Job], bool]) -> Job:
        async with asyncio.timeout(600), aclosing(jobs.wait(database, job_id)) as snapshots:
            async for job in snapshots:
                if wanted(job):
                    return job
        raise AssertionError(f"the job ended otherwise: {await jobs.fetch(database, job_id)}")

    return watch


@pytest.fixture
async def tiny_base(layout: Layout, database: Database, starter_base: Base, tmp_path: Path) -> Base:
    """Two layers of random weights with the starter's tokenizer and template, registered as a base."""
    torch = pytest.importorskip("torch")
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(3)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=49152,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=256,
            tie_word_embeddings=True,
            bos_token_id=1,
            eos_token_id=2,
        )
    )
    folder = tmp_path / "tiny"
    model.save_pretrained(folder)
    tokenizer = await ensure_tokenizer(layout, starter_base)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer / name, folder / name)
    description = await inspect(folder)
    files = [await hash_file(path) for path in sorted(folder.iterdir())]
    target = layout.base(fingerprint(files))
    shutil.copytree(folder, target)
    async with database.transaction() as connection:
        return await register_base(
            connection, source="local", description=description, files=files, name="tiny"
        )
