"""The llama.cpp body: one GGUF model, its requests decoded together on one thread of our own.

The thread alternates between blocks of prompts and decoding steps. A decoding step takes one token of every
running request with the same gains: llama.cpp applies one set of adapter scales to a whole batch, and
changing them costs a few milliseconds, so each gains setting keeps its turn for a moment. Nothing that a
request gets depends on its neighbours: every sequence has its own cache, and prompts never share a batch.
"""

import ctypes as c
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from twotrack.engines.body import Cancelled, EngineBody, Loaded, Stream
from twotrack.engines.llama_library import F32, FLASH_ATTENTION_OFF, Library, load_library
from twotrack.engines.llama_slots import BLOCK, Gains, Slot, place
from twotrack.engines.llama_threads import ThreadChoice
from twotrack.engines.machine import usable_threads
from twotrack.engines.port import AdapterFile, AdapterGain, End, EngineSpec, Request, Token
from twotrack.engines.sampling import Chooser, Logits, log_normalizer
from twotrack.equalizer.expansion import mean
from twotrack.equalizer.grid import Grid
from twotrack.registry.conversion.adapter_gguf import REST, WHOLE, part_name

_TURN_S = 0.05
"""How long one gains setting decodes before another one gets its turn."""


@dataclass(eq=False)
class _Task:
    """A generation, or (without `chooser`) a score, on its way through the decoding thread."""

    prompt: list[int]
    gains: Gains
    cancelled: Callable[[], bool]
    emit: Callable[[Token], None] = lambda _: None
    chooser: Chooser | None = None
    stop_ids: frozenset[int] = frozenset()
    max_tokens: int = 0
    score_from: int = 0
    slot: Slot | None = None
    computed: int = 0
    """How many tokens of the prompt are in the cache."""
    cached: int = 0
    began: float | None = None
    generated: int = 0
    last: int = -1
    """The newest token, chosen but not yet computed."""
    scores: list[float] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    outcome: End | Exception | None = None

    @property
    def prefilling(self) -> bool:
        return self.computed < len(self.prompt)


@dataclass(frozen=True)
class LoadedAdapter:
    """Pointers to what was loaded of one adapter's folder: llama.cpp takes one scale for each of them."""

    whole: int
    cells: Mapping[tuple[int, int], int]
    """(layer, column) → the part that lies there."""
    rest: int | None

    def at(self, gain: AdapterGain) -> list[tuple[int, float]]:
        """What acts, and how strongly; parts that do not act are left out of the computation."""
        if not isinstance(gain, tuple):
            return [(self.whole, gain)] if gain else []
        found = [(pointer, gain[layer][column]) for (layer, column), pointer in self.cells.items()]
        if self.rest is not None:
            found.append((self.rest, mean(gain)))
        return [(pointer, scale) for pointer, scale in found if scale]


class LlamaBody:
    """See body.EngineBody; made by `load`."""

    def __init__(
        self,
        library: Library,
        context: int,
        loaded: Loaded,
        adapters: Sequence["LoadedAdapter"],
        *,
        parallel: int,
        threads: int,
    ) -> None:
        self.loaded = loaded
        self._library = library
        self._context = context
        self._memory = library.llama_get_memory(context)
        self._adapters = adapters
        self._gains: Gains | None = None
        self._batch = library.llama_batch_init(max(BLOCK, parallel), 0, 1)
        self._slots = [Slot(number) for number in range(parallel)]
        self._threads = threads
        self._decoding_threads = [ThreadChoice(threads) for _ in range(parallel)]
        """For one request at a time, for two, …"""
        self._clock = 0
        self._inbox: deque[_Task] = deque()
        self._arrived = threading.Condition()
        self._tasks: list[_Task] = []
        threading.Thread(target=self._run, name="decode", daemon=True).start()

    def generate(self, request: Request, stream: Stream) -> End:
        sampling = request.sampling
        task = _Task(
            prompt=list(request.prompt),
            gains=tuple(request.gains.values()),
            cancelled=lambda: stream.cancelled,
            emit=stream.emit,
            chooser=Chooser(sampling),
            stop_ids=sampling.stop_ids,
            max_tokens=sampling.max_tokens,
        )
        outcome = self._perform(task)
        assert outcome is not None
        return outcome

    def score(
        self,
        tokens: Sequence[int],
        start: int,
        gains: Mapping[str, AdapterGain],
        cancelled: Callable[[], bool],
    ) -> list[float]:
        # The last token is only looked up, never computed.
        task = _Task(list(tokens[:-1]), tuple(gains.values()), cancelled, score_from=start)
        task.last = tokens[-1]
        self._perform(task)
        return task.scores

    def _perform(self, task: _Task) -> End | None:
        with self._arrived:
            self._inbox.append(task)
            self._arrived.notify()
        task.done.wait()
        if isinstance(task.outcome, Exception):
            raise task.outcome
        return task.outcome

    # Everything below runs on the decoding thread.

    def _run(self) -> None:
        # Seconds that decoding may take before the next block of a prompt: prompts and answers in progress
        # share the time evenly, so a long prompt slows the others down but does not stop them.
        owed = 0.0
        turn: Gains | None = None
        turn_ends = 0.0
        while True:
            self._admit()
            self._drop_cancelled()
            prefilling = [task for task in self._tasks if task.prefilling]
            decoding = [task for task in self._tasks if not task.prefilling]
            began = time.monotonic()
            if prefilling and (not decoding or owed <= 0):
                self._guarded(self._prefill, [prefilling[0]])
                # Prompts take turns, so that a short one need not wait for a long one.
                with suppress(ValueError):
                    self._tasks.remove(prefilling[0])
                    self._tasks.append(prefilling[0])
                owed = time.monotonic() - began
            elif decoding:
                settings = list(dict.fromkeys(task.gains for task in decoding))
                if turn not in settings or (len(settings) > 1 and began >= turn_ends):
                    after = settings.index(turn) + 1 if turn in settings else 0
                    turn = settings[after % len(settings)]
                    turn_ends = began + _TURN_S
                self._guarded(self._decode, [task for task in decoding if task.gains == turn])
                owed -= time.monotonic() - began

    def _admit(self) -> None:
        with self._arrived:
            while not self._inbox and not self._tasks:
                self._arrived.wait()
            while self._inbox:
                task = self._inbox[0]
                placement = place(self._slots, task.prompt, task.gains, reuse=task.chooser is not None)
                if placement is None:
                    break
                self._inbox.popleft()
                task.slot = slot = placement.slot
                slot.busy = True
                reused = placement.reused
                if placement.source is not None:
                    self._library.llama_memory_seq_rm(self._memory, slot.number, -1, -1)
                    self._library.llama_memory_seq_cp(
                        self._memory, placement.source.number, slot.number, -1, -1
                    )
                # Sliding-window and recurrent models cannot always go back to an earlier position.
                if not self._library.llama_memory_seq_rm(self._memory, slot.number, reused, -1):
                    self._library.llama_memory_seq_rm(self._memory, slot.number, -1, -1)
                    reused = 0
                slot.tokens = task.prompt[:reused]
                slot.gains = task.gains
                task.computed = task.cached = reused
                self._tasks.append(task)

    def _drop_cancelled(self) -> None:
        for task in [task for task in self._tasks if task.cancelled()]:
            self._finish(task, self._end(task, "cancelled") if task.chooser else Cancelled())

    def _guarded(self, step: Callable[[list[_Task]], None], tasks: list[_Task]) -> None:
        try:
            step(tasks)
        except Exception as error:
            for task in tasks:
                if task.outcome is None:
                    # What llama.cpp kept of a failed step is unknown: forget the slot's content.
                    assert task.slot is not None
                    self._library.llama_memory_seq_rm(self._memory, task.slot.number, -1, -1)
                    task.slot.tokens = []
                    self._finish(task, error)

    def _prefill(self, tasks: list[_Task]) -> None:
        (task,) = tasks
        assert task.slot is not None
        start = task.computed
        end = min((start // BLOCK + 1) * BLOCK, len(task.prompt))
        block = task.prompt[start:end]
        self._act(task.gains)
        task.began = task.began or time.monotonic()
        # Logits are wanted after each token whose successor is scored, or after the prompt's last one.
        first = len(task.prompt) - 1 if task.chooser else max(task.score_from - 1, start)
        self._compute(
            task.gains,
            [(token, start + i, task.slot.number, start + i >= first) for i, token in enumerate(block)],
            self._threads,
        )
        task.computed = end
        task.slot.tokens += block
        if task.chooser is None:
            self._note_scores(task, range(first, end), start)
            if not task.prefilling:
                self._finish(task, self._end(task, "stop"))
        elif not task.prefilling:
            self._advance(task, self._logits(end - start - 1))

    def _decode(self, tasks: list[_Task]) -> None:
        entries = []
        for task in tasks:
            assert task.slot is not None
            entries.append((task.last, len(task.slot.tokens), task.slot.number, True))
        threads = self._decoding_threads[len(tasks) - 1]
        began = time.monotonic()
        self._compute(tasks[0].gains, entries, threads.current)
        threads.took(time.monotonic() - began)
        for index, task in enumerate(tasks):
            assert task.slot is not None
            task.slot.tokens.append(task.last)
            self._guarded_advance(task, index)

    def _guarded_advance(self, task: _Task, index: int) -> None:
        # One request's failure (logits that are no numbers) is not its neighbours'.
        try:
            self._advance(task, self._logits(index))
        except Exception as error:
            self._finish(task, error)

    def _advance(self, task: _Task, logits: Logits) -> None:
        assert task.chooser is not None
        token = task.chooser.choose(logits)
        if token.id in task.stop_ids:
            self._finish(task, self._end(task, "stop"))
            return
        task.last = token.id
        task.generated += 1
        task.emit(token)
        if task.generated >= task.max_tokens:
            self._finish(task, self._end(task, "length"))

    def _note_scores(self, task: _Task, positions: range, block_start: int) -> None:
        for position in positions:
            logits = self._logits(position - block_start)
            following = task.prompt[position + 1] if position + 1 < len(task.prompt) else task.last
            task.scores.append(float(logits[following]) - float(log_normalizer(logits)))

    def _compute(self, gains: Gains, entries: Sequence[tuple[int, int, int, bool]], threads: int) -> None:
        """One call of llama_decode: (token, position, slot number, whether logits are wanted) each."""
        library, batch = self._library, self._batch
        self._act(gains)
        for i, (token, position, slot, wanted) in enumerate(entries):
            batch.token[i] = token
            batch.pos[i] = position
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = slot
            batch.logits[i] = wanted
        batch.n_tokens = len(entries)
        library.llama_set_n_threads(self._context, threads, threads)
        code = library.llama_decode(self._context, batch)
        if code != 0:
            last = library.errors[-1] if library.errors else "no message"
            raise RuntimeError(f"llama_decode returned {code}: {last}")

    def _act(self, gains: Gains) -> None:
        """What the next call computes with."""
        if gains == self._gains:
            return
        scaled = [
            one for adapter, gain in zip(self._adapters, gains, strict=True) for one in adapter.at(gain)
        ]
        pointers = (c.c_void_p * len(scaled))(*(pointer for pointer, _ in scaled))
        scales = (c.c_float * len(scaled))(*(scale for _, scale in scaled))
        self._library.llama_set_adapters_lora(self._context, pointers, len(scaled), scales)
        self._gains = gains

    def _logits(self, index: int) -> Logits:
        row = self._library.llama_get_logits_ith(self._context, index)
        return np.ctypeslib.as_array(row, (self.loaded.vocabulary_size,))

    def _end(self, task: _Task, reason: Any) -> End:
        return End(reason, len(task.prompt), task.cached, task.generated, task.began)

    def _finish(self, task: _Task, outcome: End | Exception) -> None:
        self._tasks.remove(task)
        if task.slot is not None:
            self._clock += 1
            task.slot.busy = False
            task.slot.last_used = self._clock
        task.outcome = outcome
        task.done.set()


def load(spec: EngineSpec) -> EngineBody:
    """Load the GGUF model and its adapters.

    Raises:
        RuntimeError: llama.cpp cannot read a file, or cannot run this kind of model.
    """
    # A waiting thread that spins takes the core from the one it waits for, as soon as anything else runs
    # beside it: decoding became up to 20 times slower. The library reads this when it is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    library = load_library()
    model = library.llama_model_load_from_file(str(spec.model).encode(), library.llama_model_default_params())
    if not model:
        raise RuntimeError(_reason(library, f"llama.cpp cannot load {spec.model.name}"))
    if library.llama_model_has_encoder(model) or library.llama_model_is_diffusion(model):
        raise RuntimeError(f"{spec.model.name} is no model that continues a text")
    # Adapters have to be there before the context is made.
    adapters = [_load_adapter(library, model, adapter, spec.grid) for adapter in spec.adapters]
    threads = spec.threads or usable_threads()
    trained_for = library.llama_model_n_ctx_train(model)
    context_length = min(spec.context_length, trained_for) if trained_for > 0 else spec.context_length
    params = library.llama_context_default_params()
    params.n_ctx = context_length * spec.parallel
    params.n_seq_max = spec.parallel
    params.n_batch = params.n_ubatch = params.n_outputs_max = max(BLOCK, spec.parallel)
    params.n_threads = params.n_threads_batch = threads
    params.no_perf = True
    # A slot's cache must be able to go back to any position, or no prefix could be reused.
    params.swa_full = True
    if spec.exact:
        params.type_k = params.type_v = F32
    # On a processor the plain attention decodes 1.7 times as fast at 1,000 tokens of context, and its sums do
    # not depend on the number of threads.
    if spec.exact or not library.llama_supports_gpu_offload():
        params.flash_attn_type = FLASH_ATTENTION_OFF
    context = library.llama_init_from_model(model, params)
    if not context:
        raise RuntimeError(_reason(library, f"llama.cpp cannot make a context of {context_length} tokens"))
    if library.llama_n_seq_max(context) != spec.parallel or library.llama_n_threads(context) != threads:
        raise RuntimeError("the installed xllamacpp reads its parameters otherwise than they were written")
    description = c.create_string_buffer(256)
    library.llama_model_desc(model, description, len(description))
    loaded = Loaded(
        precision=description.value.decode("utf-8", "replace").rpartition(" ")[2],
        context_length=min(context_length, library.llama_n_ctx_seq(context)),
        vocabulary_size=library.llama_vocab_n_tokens(library.llama_model_get_vocab(model)),
    )
    return LlamaBody(library, context, loaded, adapters, parallel=spec.parallel, threads=threads)


def _reason(library: Library, what: str) -> str:
    return ": ".join([what, *library.errors[-2:]])


def _load_adapter(library: Library, model: Any, adapter: AdapterFile, grid: Grid | None) -> LoadedAdapter:
    def loaded(name: str) -> int:
        pointer = library.llama_adapter_lora_init(model, str(adapter.path / name).encode())
        if not pointer:
            raise RuntimeError(_reason(library, f"llama.cpp cannot load the adapter {adapter.id}"))
        return int(pointer)

    cells = {}
    for layer in range(grid.layers if grid else 0):
        for column, kind in enumerate(grid.columns if grid else ()):
            if (adapter.path / part_name(layer, kind)).is_file():
                cells[layer, column] = loaded(part_name(layer, kind))
    rest = loaded(REST) if grid and (adapter.path / REST).is_file() else None
    return LoadedAdapter(loaded(WHOLE), cells, rest)
