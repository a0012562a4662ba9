"""A studio in a thread that does not end says so, instead of holding the tests up."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from tests import served
from twotrack.core.settings import Settings


def test_a_studio_that_does_not_end_says_what_it_waits_for(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        yield
        await wait_for_ever()

    async def wait_for_ever() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(served, "create_app", lambda settings, url: FastAPI(lifespan=lifespan))
    monkeypatch.setattr(served, "PATIENCE_S", 1)
    with (
        pytest.raises(AssertionError, match=r"(?s)does not end.*test_served\.py:\d+ wait_for_ever"),
        served.served(Settings(home=home), "") as url,
    ):
        assert httpx.get(f"{url}/nowhere", trust_env=False).status_code == 404
