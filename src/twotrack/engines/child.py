"""The child side: loads one model and serves it to the studio over an inherited socket.

    python -m twotrack.engines.child <file descriptor of the socket>

Started by process.py, never by hand. The contract of what is served stands in body.py, the wire in
framing.py. The first frame is the EngineSpec; the end of the stream ends the process.
"""

import os
import resource
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple
from importlib import import_module
from pathlib import Path
from typing import Any

from twotrack.core.processes import watch_lifeline
from twotrack.engines.body import Cancelled, EngineBody
from twotrack.engines.framing import Decoder, encode
from twotrack.engines.port import AdapterFile, AdapterGain, EngineKind, EngineSpec, Request, Sampling, Token
from twotrack.equalizer.grid import Grid

BODIES: dict[EngineKind, str] = {
    "llama_cpp": "twotrack.engines.llama_cpp",
    "transformers": "twotrack.engines.transformers",
}
"""Engine kind → the module whose `load(spec)` makes its body."""


class _Call:
    """One request in this child: the Stream of its body."""

    def __init__(self, number: int, send: Callable[[dict[str, Any]], None]) -> None:
        self.number = number
        self.cancelled = False
        self._send = send

    def emit(self, token: Token) -> None:
        if self.cancelled:
            return
        short = token.logprob is None and not token.top
        self._send({"id": self.number, "t": [token.id] if short else [token.id, token.logprob, token.top]})


class _Server:
    def __init__(self, channel: socket.socket, body: EngineBody, parallel: int) -> None:
        self._channel = channel
        self._body = body
        self._writing = threading.Lock()
        self._calls: dict[int, _Call] = {}
        self._pool = ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="request")

    def send(self, message: dict[str, Any]) -> None:
        frame = encode(message)
        try:
            with self._writing:
                self._channel.sendall(frame)
        except OSError:
            # The studio is gone, and nobody is left to serve.
            os._exit(0)

    def receive(self, message: dict[str, Any]) -> None:
        number = message["id"]
        match message["op"]:
            case "cancel":
                if call := self._calls.get(number):
                    call.cancelled = True
            case "ping":
                self.send({"id": number, "result": True})
            case "generate" | "score" as operation:
                self._calls[number] = _Call(number, self.send)
                self._pool.submit(self._run, operation, self._calls[number], message)
            case unknown:
                raise ValueError(f"unknown operation {unknown!r}")

    def _run(self, operation: str, call: _Call, message: dict[str, Any]) -> None:
        try:
            if call.cancelled:
                answer: dict[str, Any] = {"end": ["cancelled", 0, 0, 0, None]}
            elif operation == "generate":
                sampling = Sampling(
                    **{**message["sampling"], "stop_ids": frozenset(message["sampling"]["stop_ids"])}
                )
                end = self._body.generate(Request(message["prompt"], sampling, _gains(message)), call)
                answer = {"end": astuple(end)}
            else:
                answer = {
                    "result": self._body.score(
                        message["tokens"], message["start"], _gains(message), lambda: call.cancelled
                    )
                }
        except Cancelled:
            answer = {"error": "cancelled"}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        del self._calls[call.number]
        self.send({"id": call.number, **answer})


def spec_from(message: dict[str, Any]) -> EngineSpec:
    """The EngineSpec of `process.spec_message`."""
    adapters = tuple(AdapterFile(one["id"], Path(one["path"])) for one in message["adapters"])
    grid = message["grid"]
    return EngineSpec(
        **{
            **message,
            "model": Path(message["model"]),
            "adapters": adapters,
            "grid": grid and Grid(grid[0], tuple(grid[1]), grid[2]),
            "kinds": tuple(map(tuple, message["kinds"])),
        }
    )


def _gains(message: dict[str, Any]) -> dict[str, AdapterGain]:
    return {
        name: tuple(map(tuple, gain)) if isinstance(gain, list) else gain
        for name, gain in message["gains"].items()
    }


def _prefer_to_be_killed() -> None:
    """When memory runs out, the kernel shall end an engine before the studio or its database."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def main() -> None:
    watch_lifeline()
    # A crash would otherwise write gigabytes of model to the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prefer_to_be_killed()
    channel = socket.socket(fileno=int(sys.argv[1]))
    decoder = Decoder()
    server: _Server | None = None
    while data := channel.recv(1 << 16):
        for message in decoder.feed(data):
            if server is not None:
                server.receive(message)
                continue
            spec = spec_from(message)
            try:
                body: EngineBody = import_module(BODIES[spec.kind]).load(spec)
            except Exception as error:
                channel.sendall(encode({"failed": f"{type(error).__name__}: {error}"}))
                raise
            server = _Server(channel, body, spec.parallel)
            loaded = body.loaded
            server.send(
                {
                    "ready": {
                        "precision": loaded.precision,
                        "context_length": loaded.context_length,
                        "vocabulary_size": loaded.vocabulary_size,
                    }
                }
            )
    # Threads may still be inside the engine's native code: leave without waiting for them.
    os._exit(0)


if __name__ == "__main__":
    main()
