import platform

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
