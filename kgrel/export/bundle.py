"""Exports that are a directory of files: an artifact, whole or not there, with counts and checksums."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kgrel.data.artifact import Kind, Manifest, create_artifact
from kgrel.export.batch import NODE_ROWS, EdgeSource, groups
from kgrel.export.fragments import Content


@dataclass
class Bundle:
    """A directory that is being written."""

    path: Path
    counts: dict[str, Any] = field(default_factory=dict)
    """Nodes, edges, and what else is worth telling; goes into the manifest."""

    def lines(self, name: str, lines: Iterable[str]) -> None:
        """Write a file of many short lines, each with its end."""
        with (self.path / name).open("wb") as stream:
            for group in groups(lines, NODE_ROWS):
                stream.write("".join(group).encode())

    def blocks(self, name: str, blocks: Iterable[Content]) -> None:
        """Write a file of a few large pieces."""
        with (self.path / name).open("wb") as stream:
            for block in blocks:
                stream.write(block)

    def text(self, name: str, text: str, executable: bool = False) -> None:
        """Write a small file."""
        (self.path / name).write_text(text, encoding="utf-8")
        if executable:
            (self.path / name).chmod(0o755)


@contextmanager
def bundle(
    source: EdgeSource, format: str, out: Path, overwrite: bool, settings: dict[str, Any] | None = None
) -> Iterator[Bundle]:
    """Write an export beside its final place and move it there whole when the block ends well.

    Raises:
        KgrelError: ``out`` exists and ``overwrite`` is false, or is no export.
    """
    origin = source.origin
    manifest = Manifest(
        Kind.EXPORT, {"format": format, **origin["settings"], **(settings or {})}, parents=origin["parents"]
    )
    with create_artifact(out, manifest, overwrite) as draft:
        made = Bundle(draft.path, {"nodes": source.node_count, "edges": source.edge_count})
        yield made
        draft.summary |= made.counts
