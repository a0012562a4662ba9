"""A gate before a tiny app, over a real database."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twotrack.core.access.gate import AccessGate
from twotrack.core.access.guard import Guard
from twotrack.core.access.keyring import Rules
from twotrack.core.database import Database
from twotrack.core.errors import TwotrackError

Gated = Callable[..., AbstractAsyncContextManager[tuple[httpx.AsyncClient, Guard]]]


@pytest.fixture
def gated(database: Database) -> Gated:
    """`async with gated(key=…, rules=…) as (client, guard)`; the app tells who it takes the caller for."""

    @asynccontextmanager
    async def make(
        *,
        key: str | None = None,
        rules: Rules = Rules(),  # noqa: B008  # frozen
        allowed_hosts: tuple[str, ...] = (),
        address: str = "127.0.0.1",
    ) -> AsyncIterator[tuple[httpx.AsyncClient, Guard]]:
        async def who(request: Request) -> Response:
            caller = request.scope.get("state", {}).get("caller")
            return JSONResponse(caller and {"key_id": str(caller.key_id), "name": caller.name})

        async def load_rules(_: Database) -> Rules:
            return rules

        def refuse(request: Request, error: TwotrackError) -> Response:
            return JSONResponse(error.problem("en"), status_code=error.status, headers=error.headers())

        methods = ["GET", "POST", "OPTIONS"]
        app = Starlette(
            routes=[
                Route("/api/chat", who, methods=methods),
                Route("/api/health", who),
                Route("/v1/models", who),
                Route("/chat", who),
            ]
        )
        guard = Guard(owner_key=key, load_rules=load_rules)
        gate = AccessGate(
            app,
            guard=guard,
            allowed_hosts=allowed_hosts,
            refuse=refuse,
            last_frame=lambda request, error: error.code.encode(),
        )
        await guard.open(database)
        transport = httpx.ASGITransport(gate, client=(address, 50000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8321") as client:
            yield client, guard
        await guard.close()

    return make
