"""The socket that the studio listens on, bound once and handed to every API process in turn.

Whoever binds it first finds out first that the port is taken, and connections wait in its queue while an API
process is started again.
"""

import errno
import http.client
import ipaddress
import json
import os
import socket
from typing import Any

from twotrack.core.errors import InvalidInput, TwotrackError
from twotrack.core.language import Text

_VARIABLE = "TWOTRACK_LISTEN_FD"
BACKLOG = 512


class PortTaken(TwotrackError):
    status = 409
    detail = Text(
        "Port {port} of {host} is taken by another program.", "이미 사용 중인 포트입니다: {host}:{port}."
    )
    remedy = Text(
        "Choose another one with --port, or --port 0 for any free one.",
        "--port로 다른 포트를 고르거나 --port 0으로 빈 포트를 쓰세요.",
    )


class KeyMissing(TwotrackError):
    status = 403
    detail = Text(
        "{host} can be reached from other machines, and no key is set.",
        "다른 컴퓨터에서 접속할 수 있는 주소인데 키가 설정되어 있지 않습니다: {host}.",
    )
    remedy = Text(
        "Set TWOTRACK_API_KEY, or listen on 127.0.0.1.",
        "TWOTRACK_API_KEY를 설정하거나 127.0.0.1에서 실행하세요.",
    )


def listen(host: str, port: int, *, protected: bool) -> socket.socket:
    """A listening TCP socket; port 0 takes a free one. `protected` says that a key is asked for.

    Raises:
        InvalidInput: the host is not an address of this machine, or the port needs more rights.
        KeyMissing: others could reach it, and no key protects it.
        PortTaken: another program listens there.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise InvalidInput(what="host", value=host, why=str(error)) from error
    if not protected and not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
        raise KeyMissing(host=host)
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        if isinstance(error, PermissionError):
            raise InvalidInput(what="port", value=port, why=error.strerror) from error
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(host=host, port=port) from error
        raise InvalidInput(what="host", value=host, why=error.strerror) from error
    return listening


def local_url(listening: socket.socket) -> str:
    """The URL at which this machine reaches the socket."""
    address, port = listening.getsockname()[:2]
    if ipaddress.ip_address(address).is_unspecified:
        address = "::1" if listening.family == socket.AF_INET6 else "127.0.0.1"
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def handed_over(listening: socket.socket) -> tuple[dict[str, str], tuple[int, ...]]:
    """Environment and descriptors for a child that calls `inherited_socket`."""
    return {_VARIABLE: str(listening.fileno())}, (listening.fileno(),)


def inherited_socket() -> socket.socket | None:
    """The listening socket that the parent handed over, or None when there is none."""
    descriptor = os.environ.pop(_VARIABLE, None)
    if descriptor is None:
        return None
    listening = socket.socket(fileno=int(descriptor))
    listening.set_inheritable(False)
    return listening


def ask_health(url: str, *, timeout: float = 5.0) -> dict[str, Any] | None:
    """What /api/health of a studio on this machine answers, or None when it is not healthy (yet).

    http.client, since it knows no proxies and costs nothing to import.
    """
    host, _, port = url.removeprefix("http://").rpartition(":")
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=timeout)
    try:
        # Whatever address it listens on, it always answers to this name.
        connection.request("GET", "/api/health", headers={"Host": f"localhost:{port}"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        return answer if response.status == 200 and isinstance(answer, dict) else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
