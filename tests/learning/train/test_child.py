"""How the training child words what went wrong in a library."""

import errno
from pathlib import Path

import pytest

from twotrack.core.errors import DiskFull, TwotrackError
from twotrack.learning.train import child
from twotrack.learning.train.errors import LossDiverged, TrainingDied, TrainingOutOfMemory
from twotrack.learning.train.plan import RunFolder


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), DiskFull),
        (RuntimeError("I/O error: No space left on device (os error 28)"), DiskFull),
        (RuntimeError("[enforce fail] PytorchStreamWriter failed writing file data/3"), DiskFull),
        (RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0."), DiskFull),
        (MemoryError(), TrainingOutOfMemory),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), TrainingOutOfMemory),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), TrainingOutOfMemory),
        (ValueError("something else\nwith more lines"), TrainingDied),
        (KeyError(), TrainingDied),
    ],
)
def test_an_error_of_a_library_is_told_as_what_it_means(
    tmp_path: Path, error: Exception, told: type[TwotrackError]
) -> None:
    explained = child.explained(error, RunFolder(tmp_path))
    assert type(explained) is told
    assert "\n" not in explained.explain("en")
    assert explained.advise("ko")


def test_our_own_errors_pass_as_they_are(tmp_path: Path) -> None:
    error = LossDiverged(step=1, loss="nan", first="2", learning_rate="1")
    assert child.explained(error, RunFolder(tmp_path)) is error


@pytest.mark.parametrize("kind", child.ERRORS.values())
def test_every_error_that_the_child_may_send_is_one_that_is_shown(kind: type[TwotrackError]) -> None:
    assert kind.detail.ko != kind.detail.en
