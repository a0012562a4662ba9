"""How processes share the tests (`make test`): the longest first, and the browser's by one process.

Else a long file that comes last keeps one process busy while the other has nothing left to do, and each
process brings up a Chromium and fills studios for it.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.scheduler.protocol import Scheduling

_BROWSER = "tests/browser/"

LONGEST = (
    _BROWSER,
    "tests/cli/test_demo.py",
    "tests/learning/train/test_training.py",
    "tests/release/test_export.py",
    "tests/evaluation/test_score_job.py",
    "tests/security/test_authorization.py",
    "tests/cli/test_documents.py",
    "tests/openai_api/test_fine_tuning.py",
    "tests/learning/train/test_data_sets.py",
    "tests/serving/rag/test_rag_api.py",
    "tests/embedders/test_local.py",
    "tests/learning/ingest/test_reembedding.py",
    "tests/learning/ingest/test_worker_killed.py",
    "tests/learning/train/test_killed.py",
    "tests/learning/sensitivity/test_sensitivity.py",
    "tests/lessons/test_learning.py",
)
"""What takes some twenty seconds or more, the longest first. The others follow by name."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        found = (number for number, one in enumerate(LONGEST) if item.nodeid.startswith(one))
        return next(found, len(LONGEST))

    items.sort(key=place)


class Sharing(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """A file is for one process, and all files of the browser are."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return _BROWSER if file.startswith(_BROWSER) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    # Where there are more processes, the browser's tests would be what all others wait for.
    if config.getvalue("dist") == "loadfile" and config.getvalue("numprocesses") in (1, 2):
        return Sharing(config, log)
    return None
