"""Embedders behind an OpenAI-compatible server: whatever it answers, no wrong vector comes of it."""

import json
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest

from twotrack.core.errors import TwotrackError
from twotrack.embedders.port import EmbedderAway, EmbedderFailed, EmbedderUnknown
from twotrack.embedders.remote import Patience, RemoteEmbedder
from twotrack.embedders.service import Embedders
from twotrack.registry.layout import Layout

_PATIENCE = Patience(answer=0.5, pauses=(0.01, 0.01))

Connect = Callable[..., Awaitable[RemoteEmbedder]]


class Server:
    """Answers as `model` says, but for the first question, which only asks how long its vectors are."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.refuse = 0
        self.stop = Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.asked.append(body)
                outer.keys.append(self.headers["authorization"])
                status, text = outer.answer(body)
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        self._thread = Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()

    def answer(self, body: dict[str, Any]) -> tuple[int, str]:
        vectors = [[float(len(text)), 1.0, 0.0] for text in body["input"]]
        if len(self.asked) > 1:
            if self.refuse:
                self.refuse -= 1
                return 503, "busy"
            match body["model"]:
                case "slow":
                    self.stop.wait(5)
                case "longer":
                    vectors = [[*vector, 1.0] for vector in vectors]
                case "nan":
                    vectors[-1][0] = float("nan")
                case "zero":
                    vectors[-1] = [0.0, 0.0, 0.0]
                case "fewer":
                    vectors.pop()
                case "ragged":
                    vectors[-1].append(1.0)
                case "page":
                    return 200, "<html>Welcome</html>"
                case "refuses":
                    return 400, "input is too long"
        entries = [{"index": index, "embedding": vector} for index, vector in enumerate(vectors)]
        # In any order: the index says which is whose.
        return 200, json.dumps({"data": entries[::-1]})

    def close(self) -> None:
        self.stop.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
async def connect(server: Server) -> Any:
    opened = []

    async def make(model: str, key: str | None = None) -> RemoteEmbedder:
        opened.append(await RemoteEmbedder.connect(server.url, model, key=key, patience=_PATIENCE))
        return opened[-1]

    yield make
    for one in opened:
        await one.close()


async def test_vectors_come_in_the_order_of_their_texts(server: Server, connect: Connect) -> None:
    embedder = await connect("good", key="k-1")
    assert (embedder.id, embedder.dimensions) == (f"openai:{server.url}#good", 3)
    vectors = await embedder.embed(["abc", "", *["x" * 9] * 100], kind="passage")
    assert vectors.shape == (102, 3)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert vectors[0][0] == pytest.approx(3 / 10**0.5)
    assert server.asked[1]["input"][1] == " ", "many servers refuse an empty text"
    assert set(server.keys) == {"Bearer k-1"}


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("longer", "its vectors have 4 numbers now and had 3 before"),
        ("nan", "a vector holds what is no number"),
        ("zero", "a vector is all zeros"),
        ("fewer", "2 texts gave 1 vectors"),
        ("ragged", "no list of vectors"),
        ("page", "no list of vectors"),
        ("refuses", "HTTP 400: input is too long"),
    ],
)
async def test_a_wrong_answer_is_refused_with_its_reason(connect: Connect, model: str, why: str) -> None:
    embedder = await connect(model)
    with pytest.raises(EmbedderFailed, match=why) as refused:
        await embedder.embed(["a", "b"], kind="passage")
    assert_told(refused.value)


async def test_a_server_that_is_busy_for_a_moment_is_asked_again(server: Server, connect: Connect) -> None:
    embedder = await connect("good")
    server.refuse = 2
    assert (await embedder.embed(["a"], kind="query")).shape == (1, 3)
    server.refuse = 3
    with pytest.raises(EmbedderAway, match="HTTP 503: busy") as refused:
        await embedder.embed(["a"], kind="query")
    assert_told(refused.value)


async def test_a_server_that_does_not_answer_is_not_waited_for_without_end(connect: Connect) -> None:
    embedder = await connect("slow")
    with pytest.raises(EmbedderAway, match=r"no answer within 0\.5 seconds"):
        await embedder.embed(["a"], kind="query")


async def test_a_server_that_is_away_is_told(server: Server, layout: Layout) -> None:
    embedders = Embedders(layout)
    with pytest.raises(EmbedderAway) as refused:
        # A port that nobody listens on.
        await embedders.get("openai:http://127.0.0.1:1/v1#any")
    assert_told(refused.value)
    for address in ("openai:http://127.0.0.1:1/v1", "openai:ftp://x/v1#any", "elsewhere:x", ""):
        with pytest.raises(EmbedderUnknown):
            await embedders.get(address)
    await embedders.close()


def assert_told(error: TwotrackError) -> None:
    assert error.advise("en")
    assert error.advise("ko")
    assert error.explain("en") != error.explain("ko")
