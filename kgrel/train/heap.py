"""Memory of the process that is free but not given back.

Batches of pretraining are of every length, so that the C library's heap fills with free blocks of sizes that do not
come again, and grows with every step. Trimming it every few steps costs little; letting each large block go back at
once (mallopt's mmap threshold) costs much more, since every block is then fresh memory.
"""

from __future__ import annotations

import ctypes
import sys

TRIM_EVERY = 10
"""Steps between two trims."""


def trim_heap() -> None:
    """Give free pages back to the system: glibc's ``malloc_trim``; elsewhere nothing."""
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # musl has none
        trim(0)
