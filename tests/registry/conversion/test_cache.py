"""Derived files: whole or not at all, once, whatever happens meanwhile."""

import asyncio
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from twotrack.core.errors import DiskFull
from twotrack.registry.conversion import (
    ensure_adapter_parts,
    ensure_gguf,
    ensure_safetensors,
    ensure_tokenizer,
)
from twotrack.registry.conversion.cache import build
from twotrack.registry.conversion.model_files import retype_gguf
from twotrack.registry.conversion_errors import TokenizerUnsupported
from twotrack.registry.errors import BrokenModelFile, IncompleteModel
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base


def everything_below(folder: Path) -> list[str]:
    """All files but locks."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")


async def test_who_asks_for_what_is_being_made_waits_for_it(layout: Layout, starter_base: Base) -> None:
    folders = await asyncio.gather(*(ensure_tokenizer(layout, starter_base) for _ in range(3)))
    assert len(set(folders)) == 1
    assert {file.name for file in folders[0].iterdir()} == {
        "codec.json",
        "codec_tokenizer.json",
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert everything_below(layout.staging) == []


def test_two_builders_of_the_same_target_build_it_once(tmp_path: Path) -> None:
    written: list[int] = []

    def write(number: int, made: Path) -> None:
        written.append(number)
        made.write_bytes(b"x" * 1000)

    def run(number: int) -> None:
        build(tmp_path / "target", tmp_path / "staging", lambda made: write(number, made))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written) == 1
    assert (tmp_path / "target").stat().st_size == 1000


_HALF = """
import sys
from pathlib import Path
from twotrack.registry.conversion.cache import build
from twotrack.registry.conversion.model_files import retype_gguf
def write(made):
    made.mkdir()
    (made / "first").write_bytes(b"x" * 1000)
    print("half", flush=True)
    sys.stdin.read()
build(Path(sys.argv[1]) / "derived" / "target", Path(sys.argv[1]) / "staging", write)
"""


def test_a_killed_builder_leaves_nothing_visible_and_the_next_one_starts_afresh(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HALF, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as builder:
        assert builder.stdout is not None
        assert builder.stdout.readline() == b"half\n"
        os.kill(builder.pid, signal.SIGKILL)
    assert everything_below(tmp_path / "derived") == []

    def write(made: Path) -> None:
        made.mkdir()
        (made / "second").write_bytes(b"whole")

    build(tmp_path / "derived" / "target", tmp_path / "staging", write)
    assert everything_below(tmp_path) == ["second"]


_FULL = """
import resource, sys
from pathlib import Path
from twotrack.core.errors import DiskFull
from twotrack.registry.conversion.cache import build
from twotrack.registry.conversion.model_files import retype_gguf
# The kernel refuses to write on, as it does on a full disk.
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    folder = Path(sys.argv[1])
    build(folder / "target", folder / "staging", lambda made: made.write_bytes(b"x" * 200_000))
except DiskFull as error:
    print(error.explain("ko"))
"""


def test_a_disk_that_fills_up_is_named_and_nothing_stays_behind(tmp_path: Path) -> None:
    found = subprocess.run([sys.executable, "-c", _FULL, str(tmp_path)], stdout=subprocess.PIPE, check=True)
    assert "여유 공간" in found.stdout.decode()
    assert everything_below(tmp_path) == []


def test_a_model_larger_than_the_disk_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    # One tensor of 2 TiB in 16 bits: a file that is all hole, and would be 4 TiB in 32.
    shape = (2**20, 2**20)
    header = b"GGUF" + struct.pack("<IQQ", 3, 1, 1)
    header += text("general.architecture") + struct.pack("<I", 8) + text("llama")
    header += text("token_embd.weight") + struct.pack("<IQQIQ", 2, *shape, 1, 0)
    source = tmp_path / "huge.gguf"
    with source.open("wb") as file:
        file.write(header)
        file.truncate(2**41 + 4096)
    with pytest.raises(DiskFull, match="GGUF needs"):
        retype_gguf(source, "f32", tmp_path / "target.gguf")
    assert not (tmp_path / "target.gguf").exists()


async def test_a_cancelled_conversion_is_gone(layout: Layout, starter_base: Base) -> None:
    work = asyncio.create_task(ensure_safetensors(layout, starter_base))
    target = layout.derived(starter_base.id) / "safetensors-1"
    while not list(layout.staging.glob("conversion-*/result/model.safetensors")):
        assert not work.done()
        await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert not target.exists()


async def test_a_text_file_named_gguf_is_refused_in_both_languages(
    layout: Layout, place: Callable[..., Base]
) -> None:
    base = place({"model.gguf": b"Once upon a time\n" * 100}, "gguf")
    with pytest.raises(BrokenModelFile, match=r"model\.gguf") as refused:
        await ensure_tokenizer(layout, base)
    assert "온전하지" in refused.value.explain("ko")
    assert everything_below(layout.home / "derived") == []


async def test_a_checkpoint_without_a_tokenizer_is_refused(
    layout: Layout, place: Callable[..., Base]
) -> None:
    base = place({"config.json": b'{"architectures": ["LlamaForCausalLM"]}'})
    with pytest.raises(TokenizerUnsupported, match=r"tiny safetensors .* tokenizer\.json") as refused:
        await ensure_tokenizer(layout, base)
    assert "토크나이저" in refused.value.explain("ko")


async def test_a_base_that_runs_elsewhere_has_no_weights_to_convert(
    layout: Layout, place: Callable[..., Base], tmp_path: Path
) -> None:
    base = place({"remote.json": b"{}"}, "remote")
    for attempt in (
        ensure_safetensors(layout, base),
        ensure_gguf(layout, base, "f32"),
        ensure_adapter_parts(layout, base, uuid4(), tmp_path),
    ):
        with pytest.raises(IncompleteModel, match="another server"):
            await attempt


async def test_safetensors_are_their_own_form(layout: Layout, place: Callable[..., Base]) -> None:
    base = place({"config.json": b"{}"})
    assert await ensure_safetensors(layout, base) == layout.base(base.id)
