"""The one thread that owns the model and serves every request from it.

It goes round: one portion of the prompts that are still being read, then one token for every request that is
being answered. So a long prompt delays the others' tokens by one portion, never by its whole length, and
nobody waits for a neighbour to finish.
"""

import contextlib
import os
import queue
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from twotrack.engines.body import Cancelled, Stream
from twotrack.engines.port import AdapterGain, End, Request
from twotrack.engines.sampling import Chooser
from twotrack.engines.transformers.forward import Forward, Segment, State
from twotrack.engines.transformers.prefixes import Gains, Prefixes, Remembered

# Bytes of fp32 logits that one pass may hold: a 256,000-token vocabulary would take 1 MB for each position.
_LOGITS_BYTES = 128 << 20


class Task(Protocol):
    """A request in the scheduler's hands."""

    tokens: list[int]
    """Everything to go through the model, in order; a generation appends what it chose."""
    first_wanted: int
    """The position from which on logits are wanted."""
    gains: Gains
    state: State
    finished: bool

    @property
    def cancelled(self) -> bool: ...

    @property
    def reusable(self) -> int:
        """How many of the tokens may come from the prefix cache."""
        ...

    def begin(self, state: State) -> None: ...

    def computed(self, began: float) -> None:
        """A pass with tokens of it began then, in seconds of `time.monotonic()`."""
        ...

    def receive(self, logits: Any) -> None:
        """fp32 logits [n, vocabulary] of the next n wanted positions."""
        ...

    def cancel(self) -> None: ...

    def fail(self, error: BaseException) -> None: ...


class Generation:
    """Tokens chosen one by one, until a stop id, the limit, or nobody listens any more."""

    def __init__(self, request: Request, gains: Gains, stream: Stream) -> None:
        self.tokens = list(request.prompt)
        self.first_wanted = len(self.tokens) - 1
        self.gains = gains
        self.finished = False
        self.end: Future[End] = Future()
        self._stream = stream
        self._chooser = Chooser(request.sampling)
        self._stop_ids = request.sampling.stop_ids
        self._max_tokens = request.sampling.max_tokens
        self._prompt_tokens = len(self.tokens)
        self._cached_tokens = 0
        self._began: float | None = None

    @property
    def cancelled(self) -> bool:
        return self._stream.cancelled

    @property
    def reusable(self) -> int:
        return self._prompt_tokens - 1

    def begin(self, state: State) -> None:
        self.state = state
        self._cached_tokens = state.length

    def computed(self, began: float) -> None:
        self._began = began if self._began is None else self._began

    def receive(self, logits: Any) -> None:
        token = self._chooser.choose(logits[-1].cpu().numpy())
        if token.id in self._stop_ids:
            self._finish("stop")
            return
        self.tokens.append(token.id)
        self._stream.emit(token)
        if len(self.tokens) - self._prompt_tokens >= self._max_tokens:
            self._finish("length")

    def _finish(self, reason: Any) -> None:
        self.finished = True
        completion_tokens = len(self.tokens) - self._prompt_tokens
        self.end.set_result(
            End(reason, self._prompt_tokens, self._cached_tokens, completion_tokens, self._began)
        )

    def cancel(self) -> None:
        self._finish("cancelled")

    def fail(self, error: BaseException) -> None:
        self.finished = True
        self.end.set_exception(error)


class Scoring:
    """Log-probabilities of given tokens."""

    def __init__(
        self, tokens: Sequence[int], start: int, gains: Gains, cancelled: Callable[[], bool]
    ) -> None:
        # Nothing follows the last token: it is looked up in the logits, but never read by the model.
        self.tokens = list(tokens[:-1])
        self.first_wanted = start - 1
        self.gains = gains
        self.finished = False
        self.logprobs: Future[list[float]] = Future()
        self._targets = list(tokens[start:])
        self._found: list[float] = []
        self._cancelled = cancelled

    @property
    def cancelled(self) -> bool:
        return self._cancelled()

    @property
    def reusable(self) -> int:
        return self.first_wanted

    def begin(self, state: State) -> None:
        self.state = state

    def computed(self, began: float) -> None:
        pass

    def receive(self, logits: Any) -> None:
        import torch

        targets = self._targets[len(self._found) : len(self._found) + logits.shape[0]]
        index = torch.tensor(targets, device=logits.device)[:, None]
        values = logits.gather(1, index)[:, 0] - logits.logsumexp(-1)
        self._found += values.tolist()
        if len(self._found) == len(self._targets):
            self.finished = True
            self.logprobs.set_result(self._found)

    def cancel(self) -> None:
        self.fail(Cancelled())

    def fail(self, error: BaseException) -> None:
        self.finished = True
        self.logprobs.set_exception(error)


class Scheduler:
    """Runs tasks in a thread of its own, `portion` prompt tokens in one pass at most."""

    def __init__(self, forward: Forward, prefixes: Prefixes, *, portion: int, vocabulary_size: int) -> None:
        self._forward = forward
        self._prefixes = prefixes
        self._portion = portion
        self._most_kept = max(1, min(portion, _LOGITS_BYTES // (4 * vocabulary_size)))
        self._inbox: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._running: list[Task] = []
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)
        self._thread.start()

    def submit(self, task: Task) -> None:
        self._inbox.put(task)

    def close(self) -> None:
        """End the thread once its tasks are done."""
        self._inbox.put(None)
        self._thread.join()

    def _run(self) -> None:
        import torch

        try:
            # Of this thread only: it would not hold for the model if entered elsewhere.
            with torch.inference_mode():
                while self._admit():
                    for task in self._running:
                        if task.cancelled:
                            task.cancel()
                    self._retire()
                    self._step(self._next_portion())
                    self._retire()
                    self._step([(task, 1) for task in self._running if _left(task) == 1])
                    self._retire()
        except BaseException:
            # Without this thread every request would wait for ever: the parent starts the engine anew.
            traceback.print_exc()
            os._exit(1)

    def _admit(self) -> bool:
        """Take in what arrived, waiting for it when there is nothing else to do; False at the end."""
        with contextlib.suppress(queue.Empty):
            while self._running or not self._closing:
                task = self._inbox.get(block=not self._running)
                if task is None:
                    self._closing = True
                    continue
                try:
                    task.begin(self._remembered(task) or self._forward.start())
                    self._running.append(task)
                except Exception as error:
                    task.fail(error)
        return bool(self._running) or not self._closing

    def _remembered(self, task: Task) -> State | None:
        running = [Remembered(one.gains, one.tokens, one.state) for one in self._running]
        return self._prefixes.find(task.gains, task.tokens[: task.reusable], running)

    def _next_portion(self) -> list[tuple[Task, int]]:
        """Which prompts are read on in this round, and how many tokens of each."""
        waiting = [task for task in self._running if _left(task) > 1]
        if waiting:
            # Who was first comes last in the next round: a short prompt does not wait for a long one's end.
            self._running.remove(waiting[0])
            self._running.append(waiting[0])
        chosen: list[tuple[Task, int]] = []
        room, kept_room = self._portion, self._most_kept
        for task in waiting if self._forward.together else waiting[:1]:
            # A portion depends on its own request alone: where a prompt is cut moves the last bits of what
            # is computed, and neighbours must not.
            unwanted = max(0, task.first_wanted - task.state.length)
            count = min(_left(task), self._portion, unwanted + self._most_kept)
            kept = max(0, count - unwanted)
            if count <= room and kept <= kept_room:
                chosen.append((task, count))
                room, kept_room = room - count, kept_room - kept
        return chosen

    def _step(self, chosen: Sequence[tuple[Task, int]]) -> None:
        if not chosen:
            return
        segments = []
        for task, count in chosen:
            length = task.state.length
            keep = min(count, max(0, length + count - task.first_wanted))
            segments.append(Segment(task.state, task.tokens[length : length + count], task.gains, keep))
        try:
            results = self._forward.run(segments)
        except Exception as error:
            _leave_if_broken(error)
            # Most likely out of memory: what is only remembered goes first.
            self._prefixes.clear()
            for task, _ in chosen:
                task.fail(error)
            return
        for (task, _), logits in zip(chosen, results, strict=True):
            task.computed(self._forward.began)
            if logits.shape[0]:
                try:
                    task.receive(logits)
                except Exception as error:
                    task.fail(error)

    def _retire(self) -> None:
        for task in [one for one in self._running if one.finished]:
            self._running.remove(task)
            if isinstance(task, Generation) and task.state.length and task.end.exception() is None:
                self._prefixes.keep(Remembered(task.gains, task.tokens, task.state))


def _leave_if_broken(error: Exception) -> None:
    """End the process after an error of the GPU itself: no later pass could work."""
    import torch

    if isinstance(error, torch.AcceleratorError) and not isinstance(error, torch.OutOfMemoryError):
        traceback.print_exception(error)
        os._exit(1)


def _left(task: Task) -> int:
    return len(task.tokens) - task.state.length


def ordered(gains: Mapping[str, AdapterGain], ids: Sequence[str]) -> Gains:
    """Gains in the adapters' order, 0 for those not named."""
    return tuple(gains.get(one, 0.0) for one in ids)
