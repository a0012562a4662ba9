"""The studio's socket: who may be listened to, and how it is handed on."""

import asyncio
import http.server
import json
import os
import socket
import subprocess
import sys
import threading

import pytest

from twotrack.core import listening
from twotrack.core.errors import InvalidInput

ACCEPT = """
from twotrack.core.listening import inherited_socket
connection, _ = inherited_socket().accept()
connection.sendall(connection.recv(100).upper())
"""


def _needs_ipv6(host: str) -> None:
    if ":" in host and not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")


def test_a_free_port_is_found_and_told() -> None:
    with listening.listen("127.0.0.1", 0, protected=False) as bound:
        assert listening.local_url(bound) == f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_without_a_key_only_this_machine_is_listened_to(host: str) -> None:
    _needs_ipv6(host)
    with pytest.raises(listening.KeyMissing, match="no key"):
        listening.listen(host, 0, protected=False)
    with listening.listen(host, 0, protected=True) as bound:
        assert listening.local_url(bound).startswith(("http://127.0.0.1:", "http://[::1]:"))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "::1"])
def test_loopback_in_any_spelling_needs_no_key(host: str) -> None:
    _needs_ipv6(host)
    listening.listen(host, 0, protected=False).close()


def test_a_taken_port_and_a_foreign_address_are_named() -> None:
    with listening.listen("127.0.0.1", 0, protected=False) as bound:
        port = bound.getsockname()[1]
        with pytest.raises(listening.PortTaken, match=str(port)):
            listening.listen("127.0.0.1", port, protected=False)
    with pytest.raises(InvalidInput, match=r"192\.0\.2\.1"):
        listening.listen("192.0.2.1", 0, protected=True)
    with pytest.raises(InvalidInput, match="host"):
        listening.listen("no.such.host.invalid", 0, protected=True)
    with pytest.raises(InvalidInput, match="host"):
        listening.listen("a" * 300, 0, protected=True)


def test_a_connection_made_before_the_child_started_is_answered_by_it() -> None:
    with listening.listen("127.0.0.1", 0, protected=False) as bound:
        with socket.create_connection(bound.getsockname(), timeout=60) as client:
            client.sendall(b"waiting")
            environment, descriptors = listening.handed_over(bound)
            subprocess.run(
                [sys.executable, "-c", ACCEPT],
                env={**os.environ, **environment},
                pass_fds=descriptors,
                check=True,
            )
            assert client.recv(100) == b"WAITING"


@pytest.mark.parametrize("handed_on", [False, True])
async def test_an_answer_in_two_writes_does_not_wait_for_the_client_to_acknowledge_the_first(
    handed_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would take 40 ms more: asyncio turns Nagle's algorithm off only where a socket says it is TCP."""
    undelayed = asyncio.get_running_loop().create_future()

    def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        undelayed.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    serving = listening.listen("127.0.0.1", 0, protected=False)
    address = serving.getsockname()
    if handed_on:
        environment, _ = listening.handed_over(serving)
        monkeypatch.setenv(*environment.popitem())
        inherited = listening.inherited_socket()
        assert inherited is not None
        serving.detach()
        serving = inherited
    async with await asyncio.start_server(accepted, sock=serving):
        with socket.create_connection(address, timeout=60):
            assert await undelayed


def test_no_socket_was_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWOTRACK_LISTEN_FD", raising=False)
    assert listening.inherited_socket() is None


class _Health(http.server.BaseHTTPRequestHandler):
    answer: tuple[int, bytes] = (200, b"")

    def do_GET(self) -> None:
        assert self.headers["Host"].startswith("localhost:")
        status, body = self.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None: ...


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((200, json.dumps({"status": "ok"}).encode()), {"status": "ok"}),
        ((503, json.dumps({"status": "down"}).encode()), None),
        ((200, b"<html>"), None),
        ((200, b"[]"), None),
    ],
)
def test_health_is_what_a_studio_answers_and_nothing_else(
    answer: tuple[int, bytes], expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    handler = type("Handler", (_Health,), {"answer": answer})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.handle_request)
        serving.start()
        assert listening.ask_health(f"http://127.0.0.1:{server.server_port}") == expected
        serving.join()


def test_nobody_there_is_not_healthy() -> None:
    with listening.listen("127.0.0.1", 0, protected=False) as bound:
        url = listening.local_url(bound)
    assert listening.ask_health(url) is None
