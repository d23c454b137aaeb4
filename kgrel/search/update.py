"""Changing an index: pairs are added and removed without a rebuild, and a rebuild needs no model.

An INDEX is immutable, so a changed one is written beside it and takes its name by a rename: who has the old one open
goes on reading it.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kgrel.data.artifact import Artifact, Manifest
from kgrel.data.errors import KgrelError
from kgrel.data.files import refuse_existing
from kgrel.data.parts import Parts
from kgrel.data.progress import Progress, Silent
from kgrel.data.settings import to_json
from kgrel.search.build import FAISS, VECTORS, assemble
from kgrel.search.fill import add_vectors, chosen_factory, write_faiss
from kgrel.search.index import RelationIndex
from kgrel.search.library import faiss_library, make_index
from kgrel.search.pair_table import PairTable
from kgrel.search.sources import PairSource
from kgrel.search.vector_file import write_vectors
from kgrel.text.corpus import Corpus

Rows = npt.NDArray[np.int64]


def update_index(
    index: RelationIndex,
    out: str | Path | None = None,
    *,
    add: PairSource | None = None,
    remove: PairSource | None = None,
    corpus: Corpus | None = None,
    relations: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Artifact:
    """Add pairs to an index, and remove some; those that are there, or are not, are counted and left.

    Removed pairs are no answers any more, and their vectors stay until ``rebuild-index``.

    Args:
        out: where the changed index goes; None = it takes the place of the old one.
        corpus, relations: tell contexts and listed classes of the added pairs.

    Raises:
        KgrelError: nothing to add or remove; ``out`` exists; the index tells what its pairs are listed with, and no
            relations tell it of the added ones.
    """
    progress = progress or Silent()
    if add is None and remove is None:
        raise KgrelError("nothing is to be done; give pairs to add or to remove")
    if add is not None and relations is None and index.knows_listed:
        raise KgrelError(
            f"{index.artifact.path}: tells what its pairs are listed with, and added ones would count as novel; give "
            "--relations"
        )
    target = place_of(index, out, overwrite)
    table, counts = index.pairs, {"added": 0, "present_already": 0, "removed": 0, "absent": 0}
    if remove is not None:
        numbers = numbers_of(table, remove)
        counts |= {"removed": int((numbers >= 0).sum()), "absent": int((numbers < 0).sum())}
        table = table.without(numbers[numbers >= 0])
    new = table.taken(np.zeros(0, np.int64))
    parents = dict(index.artifact.manifest.parents) | {"previous": index.artifact.hash}
    if add is not None:
        numbers = numbers_of(table, add)
        offered = add.table(index.entities, corpus, relations, index.settings.relation_column)
        new = offered.taken(np.flatnonzero(numbers < 0))
        counts |= {"added": len(new), "present_already": int((numbers >= 0).sum())}
    layout = dataclasses.replace(index.layout, pairs=len(table) + len(new))
    parts = Parts(target, {"previous": index.artifact.hash, "heads": new.heads.tolist(), "tails": new.tails.tolist()})
    work = parts.directory
    if not (work / FAISS).exists():
        shutil.copyfile(index.artifact.file(VECTORS), work / VECTORS)
        append(index, new, work, progress)
    manifest = Manifest(**manifest_values(index, to_json(index.settings), parents))
    artifact = assemble(target, manifest, index.representation, table.joined(new), layout, work, counts, True, progress)
    parts.delete()
    return artifact


def append(index: RelationIndex, new: PairTable, work: Path, progress: Progress) -> None:
    """Sample the vectors of new pairs behind the others in ``work``, and add them to a copy of the FAISS index."""
    faiss = faiss_library().read_index(str(index.artifact.file(FAISS)))
    progress.start("sample pairs", len(new))
    with (work / VECTORS).open("ab") as stream:
        for start in range(0, len(new), index.settings.chunk_pairs):
            rows = slice(start, start + index.settings.chunk_pairs)
            vectors = index.sampler(new.heads[rows], new.tails[rows])
            stream.write(vectors.astype("<f2").data)
            add_vectors(faiss, vectors, index.settings, Silent())
            progress.advance(len(vectors))
        stream.flush()
        os.fsync(stream.fileno())
    write_faiss(faiss, work / FAISS)


def rebuild_index(
    index: RelationIndex,
    out: str | Path | None = None,
    changes: dict[str, Any] | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Artifact:
    """Make the FAISS index anew from the stored vectors, those of removed pairs left out.

    Args:
        changes: settings in place of the old ones: ``factory``, ``metric``, ``train_vectors``, ``probes``,
            ``recall_queries``.

    Raises:
        KgrelError: FAISS refuses the factory; ``out`` exists; no pair is left.
    """
    progress = progress or Silent()
    settings = dataclasses.replace(index.settings, **(changes or {}))
    target = place_of(index, out, overwrite)
    rows = np.flatnonzero(~index.pairs.removed)
    if not len(rows):
        raise KgrelError(f"{index.artifact.path}: all its pairs are removed; add some first, or delete it")
    layout = dataclasses.replace(index.layout, pairs=len(rows))
    layout = dataclasses.replace(layout, factory=chosen_factory(settings, int(np.prod(layout.shape[:3]))))
    make_index(layout.factory, layout.width, settings.metric)
    parts = Parts(target, {"previous": index.artifact.hash, "settings": to_json(settings)})
    progress.start("copy vectors", len(rows))
    write_vectors(
        parts.directory / VECTORS,
        layout.shape,
        settings.chunk_pairs,
        lambda start, stop: np.asarray(index.vectors[rows[start:stop]]),
        progress.advance,
    )
    parents = dict(index.artifact.manifest.parents) | {"previous": index.artifact.hash}
    manifest = Manifest(**manifest_values(index, to_json(settings), parents))
    counts = {"kept": len(rows), "dropped": len(index.pairs) - len(rows)}
    artifact = assemble(
        target, manifest, index.representation, index.pairs.taken(rows), layout, parts.directory, counts, True, progress
    )
    parts.delete()
    return artifact


def place_of(index: RelationIndex, out: str | Path | None, overwrite: bool) -> Path:
    """Where the changed index goes."""
    if out is None:
        return index.artifact.path
    refuse_existing(Path(out), overwrite)
    return Path(out)


def manifest_values(index: RelationIndex, settings: dict[str, Any], parents: dict[str, str]) -> dict[str, Any]:
    """What a changed index's manifest says."""
    return {"kind": index.artifact.manifest.kind, "settings": settings, "seed": settings["seed"], "parents": parents}


def numbers_of(table: PairTable, pairs: PairSource) -> Rows:
    """The number in the index of each pair, in either order (n,); −1 where it is not there, or is removed."""
    size = int(max([*table.heads, *table.tails, *pairs.heads, *pairs.tails], default=0)) + 1
    live = np.flatnonzero(~table.removed)
    keys = np.minimum(table.heads, table.tails)[live] * size + np.maximum(table.heads, table.tails)[live]
    order = np.argsort(keys, kind="stable")
    wanted = np.minimum(pairs.heads, pairs.tails) * size + np.maximum(pairs.heads, pairs.tails)
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    place = np.searchsorted(keys[order], wanted).clip(max=len(keys) - 1)
    return np.where(keys[order][place] == wanted, live[order][place], -1)
