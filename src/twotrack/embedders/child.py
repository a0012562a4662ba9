"""The child's side: `python -m twotrack.embedders.child N`, N being its end of the socket pair.

Parent → child   {"spec": {…Spec}} once, then {"id": n, "op": "embed" | "match" | "count" | "terms",
                 "texts": […], …}
Child → parent   {"ready": {"dimensions": n, "device": …}} or {"failed": "why"}, then {"id": n, "result": …}
                 or {"id": n, "error": "why"}. Vectors travel as base64 of float32, row by row.
"""

import base64
import os
import resource
import socket
import sys
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from twotrack.core.imports import TRANSFORMERS, import_large
from twotrack.core.processes import watch_lifeline
from twotrack.embedders.port import Vectors
from twotrack.engines.framing import Decoder, encode

# Passages whose tokens are kept: at 150 tokens of 384 numbers each, some 30 MB.
_KEPT = 256


class Body(Protocol):
    """One loaded model: token ids in, vectors of unit length out; one call at a time."""

    dimensions: int

    def embed(self, texts: Sequence[Sequence[int]]) -> Vectors: ...

    def tokens(self, texts: Sequence[Sequence[int]]) -> list[Vectors]:
        """Of each text a unit vector for each of its tokens."""
        ...


class _Embedding:
    def __init__(self, spec: dict[str, Any]) -> None:
        # Threads that spin while they wait take the cores from all others: beside the analyser of morphemes
        # or a busy engine an embedder did half as much a second. Read once, when OpenMP is loaded.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        if spec["kind"] != "llama":
            import_large(*TRANSFORMERS)
        from twotrack.embedders import llama_body, torch_body
        from twotrack.embedders.texts import Texts

        folder, threads = Path(spec["folder"]), spec["threads"]
        self.texts = Texts(folder, prefixes=spec["prefixes"], longest=spec["longest"])
        self.body: Body
        match spec["kind"]:
            case "llama":
                self.body = llama_body.load(folder, longest=spec["longest"], threads=threads)
            case "torch":
                self.body = torch_body.load_gguf(folder, threads=threads)
            case _:
                self.body = torch_body.load_folder(folder, threads=threads)
        self.ready = {"dimensions": self.body.dimensions}
        self._kept: OrderedDict[str, Any] = OrderedDict()

    def answer(self, message: dict[str, Any]) -> Any:
        texts = message["texts"]
        if message["op"] == "count":
            return self.texts.count(texts)
        if message["op"] == "match":
            return self._match(message["question"], texts)
        vectors = self.body.embed(self.texts.ids(texts, message["kind"]))
        return base64.b64encode(vectors.astype("<f4").tobytes()).decode()

    def _match(self, question: str, passages: list[str]) -> list[float]:
        """See port.TokenEmbedder.match."""
        (asked,) = self.body.tokens(self.texts.ids([question], "query"))
        told = asked[self.texts.told("query")]
        told = told if len(told) else asked
        return [float((told @ tokens.T).max(axis=1).mean()) for tokens in self._tokens(passages)]

    def _tokens(self, passages: list[str]) -> list[Vectors]:
        """Passages that one question finds the next one often finds too: the last ones' tokens are kept."""
        fresh = [one for one in dict.fromkeys(passages) if one not in self._kept]
        for one, tokens in zip(fresh, self.body.tokens(self.texts.ids(fresh, "passage")), strict=True):
            self._kept[one] = tokens.astype(np.float16)
        found = []
        for one in passages:
            self._kept.move_to_end(one)
            found.append(self._kept[one].astype(np.float32))
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found


class _Morphemes:
    def __init__(self, spec: dict[str, Any]) -> None:
        from twotrack.embedders.kiwi_body import KiwiBody

        self.body = KiwiBody(threads=spec["threads"])
        self.ready = {"dimensions": 0}

    def answer(self, message: dict[str, Any]) -> Any:
        return self.body.terms(message["texts"])


def main() -> None:
    watch_lifeline()
    # A crash would otherwise write the model to the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    channel = socket.socket(fileno=int(sys.argv[1]))
    decoder = Decoder()
    served: _Embedding | _Morphemes | None = None
    while data := channel.recv(1 << 16):
        for message in decoder.feed(data):
            if served is None:
                spec = message["spec"]
                try:
                    served = _Morphemes(spec) if spec["kind"] == "kiwi" else _Embedding(spec)
                except Exception as error:
                    channel.sendall(encode({"failed": f"{type(error).__name__}: {error}"}))
                    raise
                channel.sendall(encode({"ready": served.ready}))
                continue
            try:
                answer = {"result": served.answer(message)}
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            channel.sendall(encode({"id": message["id"], **answer}))
    os._exit(0)


if __name__ == "__main__":
    main()
