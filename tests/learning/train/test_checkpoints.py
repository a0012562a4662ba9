"""A checkpoint counts when it is whole."""

from pathlib import Path

from twotrack.learning.train.checkpoints import drop_from, has_whole, mark_whole, newest_whole


def _checkpoint(folder: Path, step: int, *, whole: bool) -> Path:
    made = folder / f"checkpoint-{step}"
    made.mkdir(parents=True)
    (made / "optimizer.pt").write_bytes(b"state")
    if whole:
        mark_whole(made)
    return made


def test_without_a_folder_there_is_none(tmp_path: Path) -> None:
    assert newest_whole(tmp_path / "none") is None


def test_the_newest_by_number_is_taken(tmp_path: Path) -> None:
    for step in (10, 9, 100, 20):
        _checkpoint(tmp_path, step, whole=True)
    assert newest_whole(tmp_path) == tmp_path / "checkpoint-100"


def test_a_broken_one_is_passed_over_and_removed(tmp_path: Path) -> None:
    older = _checkpoint(tmp_path, 1, whole=True)
    broken = _checkpoint(tmp_path, 2, whole=False)
    (tmp_path / "README.md").touch()
    assert newest_whole(tmp_path) == older
    assert not broken.exists()


def test_looking_for_one_removes_nothing(tmp_path: Path) -> None:
    assert not has_whole(tmp_path / "none")
    broken = _checkpoint(tmp_path, 2, whole=False)
    assert not has_whole(tmp_path)
    _checkpoint(tmp_path, 1, whole=True)
    assert has_whole(tmp_path)
    assert broken.exists()


def test_those_from_a_step_on_are_dropped(tmp_path: Path) -> None:
    for step in (9, 10, 11):
        _checkpoint(tmp_path, step, whole=True)
    drop_from(tmp_path, 10)
    assert newest_whole(tmp_path) == tmp_path / "checkpoint-9"
