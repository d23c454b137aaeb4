"""Reading compressed text line by line; writing files whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, NoReturn, cast

import pyarrow as pa

from kgrel.data.claims import claim, exchange, release, rename_new, staging_of, sweep
from kgrel.data.errors import InputError, KgrelError

COMPRESSED = (".gz", ".zst")
"""Endings of the compressions that :func:`open_input` reads, in any case."""
LONGEST_LINE = 1 << 26
"""Bytes of the longest line that is read, 64 MiB: what a file says of itself must not fill the memory."""
LONGEST_READ = 1 << 18
"""Bytes that are decompressed at once."""
MOST_EXPANDED = 200
"""How many times its size a compressed file may become, if that is more than :data:`LONGEST_LINE`; text becomes 3 to 50
times its size, what is made to fill the memory a thousand times or more."""
_DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)


def compression_of(path: str | Path) -> str:
    """Which of :data:`COMPRESSED` a path ends in; empty if none."""
    return next((ending for ending in COMPRESSED if str(path).lower().endswith(ending)), "")


def without_compression(path: str | Path) -> str:
    """The path without the ending of a compression, so that the ending before it tells the format.

    Examples:
        >>> without_compression("world/Edges.SIF.gz")
        'world/Edges.SIF'
    """
    return str(path)[: len(str(path)) - len(compression_of(path))]


@contextmanager
def open_input(path: str | Path) -> Iterator[BinaryIO]:
    """Open ``path`` for reading bytes; ``.gz`` and ``.zst`` are decompressed, ``-`` is standard input.

    Raises:
        InputError: the file is missing, a directory, a pipe, unreadable, or its compressed stream is damaged.
    """
    if str(path) == "-":
        yield sys.stdin.buffer
        return
    path = Path(path)
    refuse_irregular(path)
    try:
        # Opened before the block, so that a failure of the caller's is not taken for one of this file.
        file = _open(path)
    except FileNotFoundError:
        raise InputError(path, "no such file") from None
    except PermissionError:
        raise InputError(path, "cannot be read (permission denied)") from None
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from None
    with file as stream:
        try:
            yield stream
        except _DAMAGED as error:
            refuse_damage(path, 0, error)


def refuse_irregular(path: Path) -> None:
    """Raise :class:`InputError` if something stands at ``path`` that is no file. A pipe would be waited for."""
    if path.is_dir():
        raise InputError(path, "is a directory; a file is needed")
    if path.exists() and not path.is_file():
        raise InputError(path, "is a pipe or a device; save it to a file, or pass - to read standard input")


def _open(path: Path) -> BinaryIO:
    file = path.open("rb")
    compression = compression_of(path)
    if compression == ".gz":
        return cast(BinaryIO, io.BufferedReader(_Expanded(path, file, gzip.GzipFile(fileobj=file)), LONGEST_READ))
    if compression == ".zst":
        stream = pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd")
        return cast(BinaryIO, io.BufferedReader(_Expanded(path, file, stream), LONGEST_READ))
    return file


class _Expanded(io.RawIOBase):
    """What a compressed file holds, up to :data:`MOST_EXPANDED` times its size; damage is told as of gzip.

    Raises:
        InputError: there is more.
    """

    def __init__(self, path: Path, file: BinaryIO, stream: Any) -> None:
        self._path, self._file, self._stream = path, file, stream
        self._left = max(LONGEST_LINE, MOST_EXPANDED * os.fstat(file.fileno()).st_size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            content = self._stream.read1(len(buffer))
        except OSError as error:
            if isinstance(error, gzip.BadGzipFile) or error.errno:
                raise
            raise EOFError(str(error)) from None  # Arrow has no error of its own for damage
        self._left -= len(content)
        if self._left < 0:
            message = (
                f"becomes more than {MOST_EXPANDED} times its size when decompressed; if that is right, decompress it"
            )
            raise InputError(self._path, message)
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._stream.close()
        self._file.close()
        super().close()


def read_block(path: str | Path, stream: BinaryIO, size: int, lines: int) -> bytes:
    """Up to ``size`` bytes of a stream from :func:`open_input`; empty at its end.

    Args:
        lines: how many lines were read before, for the message.

    Raises:
        InputError: the compressed stream is damaged or cut short.
    """
    try:
        return stream.read(size)
    except _DAMAGED as error:
        refuse_damage(path, lines, error)


def lines_of(path: str | Path) -> Iterator[tuple[int, bytes]]:
    """Yield ``(line number from 1, line without its end)`` of a file; see :func:`lines_in`."""
    with open_input(path) as stream:
        yield from lines_in(path, stream)


def lines_in(path: str | Path, stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield ``(line number from 1, line without its end)``.

    ``\\n`` and ``\\r\\n`` end a line; a byte-order mark at the start is dropped.

    Raises:
        InputError: the compressed stream is damaged or cut short, or a line is longer than :data:`LONGEST_LINE`.
    """
    number = 0
    try:
        for number, line in enumerate(iter(partial(stream.readline, LONGEST_LINE + 1), b""), start=1):
            if len(line) > LONGEST_LINE:
                refuse_length(path, number)
            if number == 1 and line.startswith(b"\xef\xbb\xbf"):
                line = line[3:]
            yield number, line.removesuffix(b"\n").removesuffix(b"\r")
    except _DAMAGED as error:
        refuse_damage(path, number, error)


def refuse_damage(path: str | Path, lines: int, error: Exception) -> NoReturn:
    """Say that a compressed file is damaged, and behind which line if one could be read."""
    message = f"the compressed file is damaged or cut short{' after this line' * bool(lines)} ({error})"
    raise InputError(path, message, lines or None) from None


def refuse_length(path: str | Path, line: int) -> NoReturn:
    """Say that a line is too long."""
    message = f"is longer than {LONGEST_LINE / 2**20:g} MiB; is this a text file, and are its lines ended?"
    raise InputError(path, message, line)


def decode_line(path: str | Path, number: int, line: bytes) -> str:
    """Decode one line as UTF-8.

    Raises:
        InputError: invalid UTF-8 or a NUL byte.
    """
    if b"\0" in line:
        raise InputError(path, "holds a NUL byte; is this a text file?", number)
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(path, f"is not valid UTF-8 (byte {error.start + 1} of the line)", number) from None


def header_columns(path: str | Path, line: str, required: dict[str, tuple[str, ...]]) -> dict[str, int]:
    """Find columns of a tab-separated header by name, case ignored.

    Args:
        required: for each wanted column, the names under which it is accepted.

    Returns:
        For each wanted column, its position.

    Raises:
        InputError: a wanted column is missing or stands twice.
    """
    names = [name.strip().lower() for name in line.split("\t")]
    positions = {}
    for column, accepted in required.items():
        found = [position for position, name in enumerate(names) if name in accepted]
        if not found:
            wanted = " or ".join(repr(name) for name in accepted)
            raise InputError(path, f"no column {wanted}; the header has {', '.join(map(repr, names))}", 1)
        if len(found) > 1 and names[found[0]] == names[found[1]]:
            raise InputError(path, f"the column {names[found[0]]!r} stands twice", 1)
        positions[column] = found[0]
    return positions


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes.

    Raises:
        InputError: it is a pipe or a device, which would be waited for.
    """
    refuse_irregular(path)
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and without NaN, so that equal values are equal bytes."""
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def sync(path: Path) -> None:
    """Force a file's or a directory's content to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Raise :class:`KgrelError` if ``path`` exists and may not be replaced."""
    if path.exists() and not overwrite:
        raise KgrelError(f"{path} exists already; choose another output or pass --overwrite")


def refuse_place(path: Path, overwrite: bool) -> None:
    """Raise :class:`KgrelError` if no file can be written at ``path``; see :func:`atomic_file`."""
    refuse_existing(path, overwrite)
    if path.is_dir():
        raise KgrelError(f"{path} is a directory; a file name is needed")
    if path.exists() and not path.is_file():
        raise KgrelError(f"{path} is a pipe or a device, which would be replaced; pass - for standard output")
    if not path.parent.is_dir():
        raise KgrelError(f"{path.parent} is no directory; make it first")


@contextmanager
def atomic_file(path: str | Path, overwrite: bool = True) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; it takes the name of ``path`` only when the block ends well.

    Raises:
        KgrelError: ``path`` exists and ``overwrite`` is false, is a directory, a pipe or a device, or its
            directory does not exist.
    """
    path = Path(path)
    refuse_place(path, overwrite)
    sweep(path)
    staging = staging_of(path)
    try:
        staging.touch()
        claim(staging, path)
        yield staging
        sync(staging)
        release(staging)
        put(staging, path, overwrite)
        sync(path.parent)
    finally:
        release(staging)
        staging.unlink(missing_ok=True)


def put(staging: Path, path: Path, overwrite: bool) -> None:
    """Give a file that is written whole its name.

    Raises:
        KgrelError: the name is taken and ``overwrite`` is false.
    """
    if overwrite:
        os.replace(staging, path)
        return
    try:
        rename_new(staging, path)
    except FileExistsError:
        raise KgrelError(
            f"{path} was written by another process meanwhile, so it stays; choose another output or pass --overwrite"
        ) from None


def write_text(path: Path, text: str) -> None:
    """Write a small text file whole or not at all."""
    with atomic_file(path) as staging:
        staging.write_text(text, encoding="utf-8")


def empty_directory(path: Path) -> None:
    """Delete what a directory holds, but not itself, which may be claimed."""
    for entry in path.iterdir():
        if entry.is_dir():
            remove_tree(entry)
        else:
            entry.unlink()


def remove_tree(path: Path) -> None:
    """Delete a directory tree if it is there; of a link only the link."""
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def output_stream() -> IO[bytes]:
    """Standard output as bytes."""
    return sys.stdout.buffer


def move_into_place(staging: Path, path: Path, overwrite: bool = False) -> None:
    """Rename ``staging`` to ``path``; what stood there is deleted afterwards.

    Where the system can exchange two names, whoever opens ``path`` finds the old one or the new one at any moment.

    Raises:
        KgrelError: something stands at ``path`` that was not there before, and ``overwrite`` is false.
    """
    try:
        if not (overwrite and os.path.lexists(path)):
            rename_new(staging, path)
        elif not exchange(staging, path):
            _exchange_by_steps(staging, path)
    except FileExistsError:
        raise KgrelError(
            f"{path} was written by another process meanwhile, so it stays; choose another output or pass --overwrite"
        ) from None
    sync(path.parent)
    remove_tree(staging)


def _exchange_by_steps(staging: Path, path: Path) -> None:
    """What stands at ``path`` is set aside first, and put back if the new one cannot take its place."""
    aside = staging.with_suffix(".old")
    os.rename(path, aside)
    try:
        os.rename(staging, path)
    except OSError:
        os.rename(aside, path)
        raise
    os.rename(aside, staging)
