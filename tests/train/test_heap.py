"""Free memory is given back to the system."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import pytest

from kgrel.train.heap import trim_heap

BLOCK, BLOCKS = 100_000, 1_000
"""Bytes; below the size from which the C library maps every block apart."""


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library cannot trim"
)
def test_what_is_free_between_used_blocks_goes_back() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    blocks = [libc.malloc(BLOCK) for _ in range(BLOCKS)]
    for block in blocks:
        ctypes.memset(block, 1, BLOCK)
    for block in blocks[:-1]:  # the last one keeps the top of the heap in use
        libc.free(block)
    before = resident()
    trim_heap()
    assert before - resident() > BLOCK * BLOCKS // 2
    libc.free(blocks[-1])
