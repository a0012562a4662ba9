"""How large a request's body may be, and how long it may take to arrive: checked while it is read.

Plain ASGI. The limit of FastAPI's own answers in plain text, which neither of our APIs promises.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text

# More text than any context holds, and still parsed in moments.
LARGEST_BODY = 16 * 2**20
LONGEST_SECONDS = 60.0


@dataclass(frozen=True)
class Allowance:
    """What one path takes more of than the others, in bytes and seconds."""

    largest: int
    seconds: float


class BodyTooLarge(TwotrackError):
    status = 413
    detail = Text(
        "A request may have {limit_mib} MiB at most.",
        "요청 본문은 최대 {limit_mib} MiB까지 보낼 수 있습니다.",
    )
    remedy = Text("Send less at once.", "나누어 보내세요.")


class BodyTooSlow(TwotrackError):
    status = 408
    detail = Text(
        "The request did not arrive whole within {seconds} seconds.",
        "요청 본문이 {seconds}초 안에 다 도착하지 않았습니다.",
    )

    def headers(self) -> dict[str, str]:
        # What still comes on this connection would be taken for the next request.
        return {"Connection": "close"}


class BodyRefused(HTTPException):
    """What reads the body lets no exception through but Starlette's own; `refusal` is what is meant."""

    def __init__(self, refusal: TwotrackError) -> None:
        super().__init__(refusal.status, refusal.explain("en"))
        self.refusal = refusal


class BodyLimit:
    """Refuses bodies of more than `largest` bytes, or that take longer than `seconds`.

    `refuse` renders an error as the path's API promises. `allowances` are by paths: those of routes that keep
    nothing of a body in memory.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        refuse: Callable[[Request, TwotrackError], Response],
        largest: int = LARGEST_BODY,
        seconds: float = LONGEST_SECONDS,
        allowances: Mapping[str, Allowance] | None = None,
    ) -> None:
        self.app = app
        self.refuse = refuse
        self.usual = Allowance(largest, seconds)
        self.allowances = allowances or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        allowed = self.allowances.get(scope.get("path", ""), self.usual)
        too_large = BodyTooLarge(limit_mib=allowed.largest // 2**20)
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > allowed.largest:
            await self.refuse(Request(scope), too_large)(scope, receive, send)
            return
        deadline = asyncio.get_running_loop().time() + allowed.seconds
        arrived = 0
        whole = False

        async def watched() -> Message:
            nonlocal arrived, whole
            if whole:
                # What comes next is that the client goes, which may take as long as it likes.
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise BodyRefused(BodyTooSlow(seconds=allowed.seconds)) from None
            arrived += len(message.get("body", b""))
            if arrived > allowed.largest:
                raise BodyRefused(too_large)
            whole = not message.get("more_body", False)
            return message

        await self.app(scope, watched, send)
