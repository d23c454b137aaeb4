"""Being refused a file although one is root."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

_VERSION_3 = 0x20080522
_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2


@contextmanager
def of_a_common_user() -> Iterator[None]:
    """Let the modes of files count in this thread, as for anybody but root.

    Raises:
        OSError: the system has no capabilities that can be laid down.
    """
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    rights = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice 32 of them

    def call(name: str) -> None:
        if getattr(libc, name)(header, rights):
            raise OSError(ctypes.get_errno(), name)

    call("capget")
    before = rights[0]
    rights[0] = before & ~(1 << _DAC_OVERRIDE | 1 << _DAC_READ_SEARCH)
    call("capset")
    try:
        yield
    finally:
        rights[0] = before
        call("capset")
