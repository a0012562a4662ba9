import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from twotrack.core.imports import import_large

NAME = "large_one"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module that tells whether the collector ran while it was imported."""
    (tmp_path / f"{NAME}.py").write_text(
        "import gc\n"
        "before = sum(one['collections'] for one in gc.get_stats())\n"
        "made = [[] for _ in range(100_000)]\n"
        "collected = sum(one['collections'] for one in gc.get_stats()) - before\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield NAME
    sys.modules.pop(NAME, None)


def test_the_collector_rests_while_modules_are_imported(module: str) -> None:
    frozen = gc.get_freeze_count()
    import_large(module)
    assert sys.modules[module].collected == 0
    assert gc.isenabled()
    assert gc.get_freeze_count() > frozen + 100_000


def test_what_is_imported_already_freezes_nothing(module: str) -> None:
    import_large(module)
    frozen = gc.get_freeze_count()
    kept = [[number] for number in range(100_000)]
    import_large(module)
    assert gc.get_freeze_count() < frozen + len(kept)


def test_an_import_that_fails_leaves_the_collector_as_it_was() -> None:
    with pytest.raises(ImportError):
        import_large("twotrack.no_such_module")
    assert gc.isenabled()


def test_a_collector_that_was_at_rest_stays_so(module: str) -> None:
    gc.disable()
    try:
        import_large(module)
        assert not gc.isenabled()
    finally:
        gc.enable()
