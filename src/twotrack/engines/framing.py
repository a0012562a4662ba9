"""The wire between the studio and an engine's child: frames of JSON over a Unix socket pair.

A frame is a 4-byte big-endian length and that many bytes of JSON (one object). JSON, since the parts of it
that a token needs are encoded and decoded in C within a few microseconds, and since a strange frame can be
read by people. Both ends are ours and of one version; NaN and Infinity pass as Python writes them.

Parent → child
    {"op": "generate", "id": n, "prompt": [ids], "sampling": {…}, "gains": {id or "base": gain or rows}}
    {"op": "score", "id": n, "tokens": [ids], "start": k, "gains": {…}}
    {"op": "cancel", "id": n}
    {"op": "ping", "id": n}
Child → parent
    {"ready": {…Loaded}}                        once, after the model is loaded
    {"failed": "why"}                           instead of it; the child then ends
    {"id": n, "t": [id]} or {"id": n, "t": [id, logprob, [[id, logprob], …]]}
    {"id": n, "end": ["stop", prompt_tokens, cached_tokens, completion_tokens]}
    {"id": n, "result": …}                      of score and ping
    {"id": n, "error": "why"}
"""

import json
import struct
from collections.abc import Iterator
from typing import Any

_LENGTH = struct.Struct(">I")

MAX_FRAME = 256 * 1024 * 1024
"""Bytes. Far beyond any context: a longer frame means that the stream is out of step."""

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


class FrameError(Exception):
    """The stream does not hold frames of this protocol."""


def encode(message: dict[str, Any]) -> bytes:
    """One frame, its length in front."""
    body = _encode(message).encode("utf-8", "replace")
    if len(body) > MAX_FRAME:
        raise FrameError(f"a frame of {len(body)} bytes; the limit is {MAX_FRAME}")
    return _LENGTH.pack(len(body)) + body


class Decoder:
    """Bytes as they arrive → whole messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """The messages that `data` completes, in order.

        Raises:
            FrameError: a length beyond MAX_FRAME, or a body that is no JSON object.
        """
        buffer = self._buffer
        buffer += data
        position = 0
        try:
            while len(buffer) - position >= _LENGTH.size:
                (length,) = _LENGTH.unpack_from(buffer, position)
                if length > MAX_FRAME:
                    raise FrameError(f"a frame of {length} bytes; the limit is {MAX_FRAME}")
                end = position + _LENGTH.size + length
                if len(buffer) < end:
                    break
                body = bytes(buffer[position + _LENGTH.size : end])
                position = end
                try:
                    message = json.loads(body)
                except ValueError as error:
                    raise FrameError(f"a frame that is no JSON: {body[:80]!r}") from error
                if not isinstance(message, dict):
                    raise FrameError(f"a frame that is no object: {body[:80]!r}")
                yield message
        finally:
            del buffer[:position]
