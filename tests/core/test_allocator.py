import platform
import subprocess
import sys

import psutil
import pytest

from twotrack.core.allocator import give_back_freed


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's alone can be asked")
def test_pages_between_what_is_in_use_are_given_back() -> None:
    process = psutil.Process()
    # Below the least size that is mapped by itself.
    blocks: list[bytearray | None] = [bytearray(b"x" * 100_000) for _ in range(1_000)]
    for index in range(len(blocks)):
        if index % 10:
            blocks[index] = None
    kept = process.memory_info().rss

    give_back_freed()

    assert process.memory_info().rss < kept - 50 * 2**20


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's alone can be asked")
def test_blocks_that_are_mapped_one_by_one_leave_no_holes() -> None:
    # In a process of its own: what is asked of the allocator is asked for good.
    asked = """
import psutil
from twotrack.core.allocator import map_blocks
map_blocks(2**20)
blocks = [bytearray(b"x" * 2**21) for _ in range(100)]
kept = psutil.Process().memory_info().rss
for index in range(len(blocks)):
    if index % 10:
        blocks[index] = None
print(kept - psutil.Process().memory_info().rss)
"""
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    assert int(told) > 170 * 2**20
