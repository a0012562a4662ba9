"""Training runs that are killed at random moments, as the worker runs them but without a worker.

Processes are forked from one that has imported the libraries: a run takes as long as its steps, and a kill is
a kill all the same.
"""

import hashlib
import multiprocessing
import os
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twotrack.core.folders import try_lock
from twotrack.learning.data.tokens import MASKED, Row
from twotrack.learning.train import child
from twotrack.learning.train.plan import AskedPrompt, Event, Plan, RunFolder, Sampling
from twotrack.learning.train.recipe import parse_recipe
from twotrack.learning.train.sampling import read_answers
from twotrack.learning.train.schemas import RunAnswer

STEPS = 12
_VOCABULARY = 64


class Runs:
    """Runs of one plan, each in a folder of its own; see `runs`."""

    def __init__(self, folder: Path, context: Any, plan: Plan) -> None:
        self._folder = folder
        self._context = context
        self._plan = plan
        self.answers: list[RunAnswer] = []
        """Of the last run that ended."""

    def unbroken(self, *, asks: bool = True) -> dict[str, str]:
        """Name → SHA-256 of each file of the adapter that comes out; with `asks`, the goal's prompts are
        answered on the way."""
        run = self._new("unbroken", asks=asks)
        process, _ = self._begun(run)
        process.join()
        return self._files(run)

    def killed(self, number: int, numbers: random.Random, most: int = 3) -> tuple[dict[str, str], list[str]]:
        """The same of a run that is killed up to `most` times, and the moments at which it was."""
        run = self._new(f"killed-{number}")
        moments = []
        for _ in range(numbers.randint(1, most)):
            process, events = self._begun(run)
            # Some events in, and then a little later: within a step, in a checkpoint, while it loads or ends.
            last = "start"
            for _ in range(numbers.randrange(STEPS)):
                try:
                    event = events.recv()
                except EOFError:
                    break
                last = f"{event['kind']} {event.get('step') or ''}".strip()
            process.join(numbers.uniform(0, 0.1))
            process.kill()
            process.join()
            moments.append(last if process.exitcode != 0 else "after the end")
        process, _ = self._begun(run)
        process.join()
        return self._files(run), moments

    def _new(self, name: str, *, asks: bool = True) -> RunFolder:
        run = RunFolder(self._folder / name)
        run.path.mkdir()
        plan = self._plan if asks else self._plan.model_copy(update={"sampling": None})
        run.plan.write_text(plan.model_dump_json())
        return run

    def _begun(self, run: RunFolder) -> tuple[Any, Any]:
        ours, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_train, args=(run.path, theirs))
        process.start()
        theirs.close()
        return process, ours

    def _files(self, run: RunFolder) -> dict[str, str]:
        if not run.adapter.is_dir():
            raise RuntimeError(f"no adapter came out: {run.log.read_text()}")
        self.answers = read_answers(run.answers)
        found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in run.adapter.iterdir()}
        shutil.rmtree(run.path)
        return found


def _train(folder: Path, events: Any) -> None:
    run = RunFolder(folder)
    log = os.open(run.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    assert try_lock(run.lock) is not None
    if run.adapter.exists():
        # As the worker sees it: nothing is left to do.
        return

    def say(event: Event) -> None:
        events.send(event.model_dump(include={"kind", "step"}))

    child.train(Plan.model_validate_json(run.plan.read_bytes()), run, say)


def _tokenizer(file: Path) -> Path:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    words = {f"w{number}": number for number in range(_VOCABULARY)}
    Tokenizer(WordLevel(words, unk_token="w0")).save(str(file))
    return file


@contextmanager
def runs(folder: Path, board: Any = None) -> Iterator[Runs]:
    """Runs of a tiny Llama with dropout, with a checkpoint after every step."""
    from transformers import LlamaConfig, LlamaForCausalLM, set_seed

    set_seed(7)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=_VOCABULARY,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            bos_token_id=1,
            eos_token_id=2,
        )
    )
    model.save_pretrained(folder / "base")
    numbers = random.Random(3)
    rows = []
    for line in range(8):
        ids = tuple(numbers.randrange(3, _VOCABULARY) for _ in range(numbers.randrange(6, 30)))
        rows.append(Row(line, ids, (*[MASKED] * 3, *ids[3:])))
    fields = {"base": "tiny", "name": "tiny", "epochs": 3, "batch_size": 2, "rank": 4, "dropout": 0.1}
    plan = Plan(
        recipe=parse_recipe({**fields, "precision": "fp32", "sample_every": 5, "board": board}),
        model=folder / "base",
        base_id="0" * 64,
        base_name="tiny",
        base_source="local",
        family="llama",
        kinds={"q_proj": "attn.qk", "v_proj": "attn.vo", "down_proj": "mlp.out"},
        columns=("attn.qk", "attn.vo", "mlp.out"),
        layers=2,
        template_hash="0" * 64,
        data_sha256="0" * 64,
        rows=tuple(rows),
        seconds_between_checkpoints=0.0,
        sampling=Sampling(
            prompts=(
                AskedPrompt(prompt="who", input_ids=(1, 5, 9)),
                AskedPrompt(prompt="what", input_ids=(1, 7)),
            ),
            stop_ids=(2,),
            tokenizer=_tokenizer(folder / "tokenizer.json"),
        ),
    )
    before = {name: os.environ.get(name) for name in child.ENVIRONMENT}
    os.environ.update(child.ENVIRONMENT)
    try:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["torch", "transformers", "trl", "peft", "datasets", __name__])
        yield Runs(folder, context, plan)
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
