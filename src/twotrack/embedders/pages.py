"""Memory that is never read, given back to the system."""

import ctypes
import mmap
import sys


def give_back(start: int, stop: int) -> None:
    """The whole pages between two addresses hold zeros from here on and cost nothing until they are written.

    Only for memory of this process whose content nobody needs. On Linux alone: elsewhere MADV_DONTNEED of
    madvise(2) drops nothing.
    """
    first = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
    last = stop // mmap.PAGESIZE * mmap.PAGESIZE
    if sys.platform != "linux" or first >= last:
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    madvise(first, last - first, mmap.MADV_DONTNEED)
