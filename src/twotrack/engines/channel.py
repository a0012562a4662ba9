"""Our end of a child's socket pair, and how the child is started: what all children have in common."""

import asyncio
import logging
import re
import socket
import sys
from collections.abc import Callable
from typing import Any

from twotrack.core.processes import child_options
from twotrack.engines.framing import Decoder, FrameError, encode

_log = logging.getLogger(__name__)

_ENVIRONMENT = {
    "PYTHONUNBUFFERED": "1",
    # All of a model's files are here: an engine has no business on the network.
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}

# The child reads model files that others made, and needs none of these.
_SECRET = re.compile("KEY|TOKEN(?!IZERS)|SECRET|PASSWORD|CREDENTIAL|DATABASE_URL", re.IGNORECASE)


async def spawn(module: str) -> tuple[asyncio.subprocess.Process, socket.socket]:
    """Start `python -m module N`, N being its end of a socket pair that only it inherits; and our end.

    No port is open, and nothing that a library prints can get into the stream: stdout and stderr are one
    pipe of the process.
    """
    ours, theirs = socket.socketpair()
    options = child_options(_ENVIRONMENT, pass_fds=(theirs.fileno(),))
    options["env"] = {name: value for name, value in options["env"].items() if not _SECRET.search(name)}
    with theirs:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            # Without -P modules would be taken from the working directory first, whoever can write there.
            "-P",
            "-m",
            module,
            str(theirs.fileno()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            **options,
        )
    return process, ours


class Channel(asyncio.Protocol):
    """Whole messages in and out. `lost` is called once, when the child has closed its end or the stream
    cannot be read any more."""

    def __init__(self, receive: Callable[[dict[str, Any]], None], lost: Callable[[], None]) -> None:
        self._receive = receive
        self._lost = lost
        self._decoder = Decoder()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._decoder.feed(data):
                self._receive(message)
        except FrameError:
            _log.exception("a child's stream is out of step")
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._lost()

    def send(self, message: dict[str, Any]) -> None:
        """Into the void once the child has ended: whoever waits for an answer hears of that otherwise."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode(message))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
