"""Finished chunks of a long job kept beside an output until it is whole, so that a killed run goes on where it was."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather

from kgrel.data.claims import claim, release
from kgrel.data.errors import KgrelError, PassingError
from kgrel.data.files import canonical_json, empty_directory, put, refuse_place, remove_tree, sync, write_text
from kgrel.data.json_values import parse_json

IDENTITY = "run.json"
WHOLE = "whole"


class Parts:
    """The finished chunks of a run, by number; a part is there whole or not at all.

    Args:
        out: the output file or directory; the parts stand in a hidden directory beside it.
        identity: everything that the output depends on; parts of another run are deleted.

    Raises:
        KgrelError: another process is writing this output.
    """

    def __init__(self, out: Path, identity: dict[str, Any]) -> None:
        self.directory = out.with_name(f".{out.name}.parts")
        self.directory.mkdir(exist_ok=True)
        claim(self.directory, out)
        if self._stored_identity() != json.loads(canonical_json(identity)):
            empty_directory(self.directory)
            write_text(self.directory / IDENTITY, canonical_json(identity))

    @classmethod
    def join(cls, directory: Path) -> Parts:
        """The parts of a run that another process began.

        Raises:
            PassingError: the directory is not there; the machines share no disk.
        """
        if not (directory / IDENTITY).is_file():
            raise PassingError(
                f"{directory} is not to be seen from every machine; write --out to a disk that all share"
            )
        parts = cls.__new__(cls)
        parts.directory = directory
        return parts

    def _stored_identity(self) -> Any:
        try:
            return parse_json((self.directory / IDENTITY).read_bytes())
        except (OSError, ValueError):
            return None

    def _path(self, number: int) -> Path:
        return self.directory / f"{number:09d}.arrow"

    def __contains__(self, number: int) -> bool:
        return self._path(number).is_file()

    def write(self, number: int, table: pa.Table) -> None:
        """Keep a finished chunk."""
        # Two machines may write the same part where one was taken for dead: each to a name of its own.
        staging = self.directory / f"{number:09d}.{uuid.uuid4().hex}.partial"
        feather.write_feather(table, str(staging), compression="lz4")
        os.replace(staging, self._path(number))

    def read(self, number: int) -> pa.Table:
        """A finished chunk."""
        return feather.read_table(str(self._path(number)), memory_map=False)

    @contextmanager
    def whole(self, out: Path, overwrite: bool) -> Iterator[Path]:
        """A path to write the output to; the file there takes the name of ``out`` when the block ends well.

        It stands among the parts, so that what a killed run had written of it does not outlive the next one.

        Raises:
            PassingError: ``out`` came to be there meanwhile and ``overwrite`` is false, or cannot be written; see
                :func:`kgrel.data.files.refuse_place`.
        """
        for stale in self.directory.glob(f".{WHOLE}.*"):
            stale.unlink()
        yield self.directory / WHOLE
        try:
            refuse_place(out, overwrite)
            put(self.directory / WHOLE, out, overwrite)
        except KgrelError as error:
            raise PassingError(f"{error}; what was computed is kept for the same command with --overwrite") from None
        sync(out.parent)

    def delete(self) -> None:
        """Remove all parts."""
        release(self.directory)
        remove_tree(self.directory)
