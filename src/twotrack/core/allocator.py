"""What the C library's allocator keeps of memory that was freed."""

import ctypes
from contextlib import suppress

# <malloc.h>
_M_MMAP_THRESHOLD = -3


def give_back_freed() -> None:
    """Hand freed pages back to the system, those between what is still in use too.

    `malloc_trim(3)` of glibc; other C libraries have none and keep what they keep. The pages come back,
    zeroed, as they are touched again: some 0.3 s of processor time a GiB.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def map_blocks(least: int) -> None:
    """Map blocks of `least` bytes or more one by one, so that each goes back to the system when it is freed.

    `mallopt(3)` of glibc, which else raises the limit to 32 MiB as it goes and keeps what is below for later.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, least)
