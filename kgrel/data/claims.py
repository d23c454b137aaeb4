"""One writer an output: a claim on a file or directory that ends with the process, however it ends.

A claim is a lock of the operating system (``flock``) on the file or directory itself, so that nothing is left behind
by a process that is killed, and what it had begun can be told from what is still being written. Where the file system
has no such locks, claims are not made and two writers are not told apart.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import sys
from pathlib import Path

from kgrel.data.errors import KgrelError

_held: dict[tuple[int, int], int] = {}
"""Device and inode of what this process has claimed → the descriptor that holds the lock."""
_NO_REPLACE, _EXCHANGE = 1, 2
_AT_CURRENT = -100
_UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}


def claim(path: Path, output: Path) -> None:
    """Claim an existing file or directory for this process, until :func:`release` or its end.

    Args:
        output: what it is for, for the message.

    Raises:
        KgrelError: another process has claimed it.
    """
    if not try_claim(path):
        raise KgrelError(f"{output} is being written by another process; wait for it, or choose another output")


def try_claim(path: Path) -> bool:
    """Claim a file or directory; False if another process has."""
    descriptor = os.open(path, os.O_RDONLY)
    key = _key(os.fstat(descriptor))
    if key in _held:
        os.close(descriptor)
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    except OSError:
        os.close(descriptor)
        return True
    _held[key] = descriptor
    return True


def release(path: Path) -> None:
    """Give up a claim, if there is one. Before a path is deleted, since its inode will be used again."""
    try:
        descriptor = _held.pop(_key(os.stat(path)), None)
    except OSError:
        return
    if descriptor is not None:
        os.close(descriptor)


def _key(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def staging_of(path: Path) -> Path:
    """Where this process writes what will be ``path``: beside it, hidden."""
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


def sweep(path: Path) -> None:
    """Delete what other processes, that were killed, had begun of ``path``; see :func:`staging_of`."""
    for stale in path.parent.glob(f".{_escaped(path.name)}.*.partial"):
        middle = stale.name[len(path.name) + 2 : -len(".partial")]
        if middle.isdigit() and not stale.is_symlink():
            _delete_unclaimed(stale)


def _escaped(name: str) -> str:
    """The name as a pattern that matches it alone."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)


def _delete_unclaimed(path: Path) -> None:
    try:
        if _key(path.stat()) in _held or not try_claim(path):
            return
        release(path)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    except FileNotFoundError:
        return  # another process was quicker


def rename_new(source: Path, target: Path) -> None:
    """Rename where nothing stands.

    Raises:
        FileExistsError: something stands at ``target``.
    """
    try:
        _rename(source, target, _NO_REPLACE)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        os.rename(source, target)


def exchange(one: Path, other: Path) -> bool:
    """Give each of two paths the name of the other in one step; False where the system cannot."""
    try:
        _rename(one, other, _EXCHANGE)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        return False
    return True


def _rename(source: Path, target: Path, flags: int) -> None:
    """renameat2(2), which Python does not offer."""
    sys.audit("os.rename", source, target, -1, -1)
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if function(_AT_CURRENT, os.fsencode(source), _AT_CURRENT, os.fsencode(target), ctypes.c_uint(flags)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(target))
