"""``build-index``: sample every pair's vectors, then make a FAISS index of them. Interrupted, it goes on."""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kgrel.data.artifact import Artifact, Kind, Manifest, create_artifact, open_artifact, refuse_foreign
from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.data.files import canonical_json, refuse_existing, sha256_of
from kgrel.data.parts import Parts
from kgrel.data.progress import Progress, Silent
from kgrel.data.settings import to_json
from kgrel.model.representation import Representation
from kgrel.search.fill import chosen_factory, fill_index, measured_recall
from kgrel.search.library import faiss_library, make_index, read_index
from kgrel.search.pair_table import PairTable
from kgrel.search.sampler import PairSampler
from kgrel.search.settings import IndexSettings
from kgrel.search.sources import PairSource
from kgrel.search.vector_file import Shape, open_vectors, write_vectors
from kgrel.text.corpus import Corpus
from kgrel.train.devices import resolve_device

VECTORS, FAISS, PAIRS, LAYOUT = "vectors.f16", "index.faiss", "index-pairs.parquet", "layout.json"


@dataclass(frozen=True)
class Layout:
    """How the vectors lie in their file, and what made them."""

    pairs: int
    orders: int
    """1 or 2."""
    vectors_per_order: int
    width: int
    """Dimensions of z."""
    factory: str
    """The FAISS factory that was used."""
    posterior: str
    """How the representation was pretrained: with ``recogniser``, a sentence can be a query."""

    @property
    def shape(self) -> Shape:
        """Of the file of vectors."""
        return self.pairs, self.orders, self.vectors_per_order, self.width


def build_index(
    representation: Representation,
    source: PairSource,
    out: str | Path,
    settings: IndexSettings | None = None,
    *,
    corpus: Corpus | None = None,
    relations: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Artifact:
    """Make an INDEX artifact of pairs.

    Memory holds the pairs (about 30 bytes each), one chunk of vectors, and the FAISS index. Killed and started again
    with the same arguments, it goes on behind the last chunk of vectors.

    Args:
        source: see :mod:`kgrel.search.sources`.
        corpus: tells how often each pair is mentioned.
        relations: table of known relations, which tells what each pair is listed with.

    Raises:
        KgrelError: no FAISS; a factory that it refuses; a representation of types; ``out`` exists.
        NonFiniteError: a vector is not finite.
    """
    settings, progress, out = settings or IndexSettings(), progress or Silent(), Path(out)
    faiss_library()
    representation.require_identifiers("build-index")
    refuse_existing(out, overwrite)
    refuse_foreign(out)
    representation.model.to(resolve_device(settings.device))
    sampler = PairSampler(representation.model, settings)
    table = source.table(representation.entities, corpus, relations, settings.relation_column)
    layout = layout_of(representation, sampler, len(table), settings)
    make_index(layout.factory, layout.width, settings.metric)  # refused now, not after hours of sampling
    if not out.parent.is_dir():
        raise KgrelError(f"{out.parent} is no directory; make it first")
    parts = Parts(out, identity(representation, source, settings, relations, corpus))
    kept = sample_pairs(parts.directory / VECTORS, layout, sampler, table, progress)
    parents = {"representation": hash_of(representation)} | source.parents
    if relations is not None:
        parents["relations"] = sha256_of(Path(relations))
    if corpus is not None:
        parents["corpus"] = corpus.artifact.hash
    manifest = Manifest(Kind.INDEX, to_json(settings), settings.seed, parents)
    artifact = assemble(
        out, manifest, representation, table, layout, parts.directory, source.counts, overwrite, progress
    )
    if kept:
        progress.say(f"build-index: {kept:,} pairs had been sampled by an earlier run")
    parts.delete()
    return artifact


def layout_of(representation: Representation, sampler: PairSampler, pairs: int, settings: IndexSettings) -> Layout:
    """How an index of so many pairs will lie."""
    orders = 1 + (settings.order == "both")
    factory = chosen_factory(settings, pairs * orders * sampler.vectors_per_order)
    return Layout(pairs, orders, sampler.vectors_per_order, sampler.width, factory, posterior_of(representation))


def posterior_of(representation: Representation) -> str:
    """Whether the recogniser was trained: ``recogniser``, else ``prior``."""
    pretraining = representation.artifact.manifest.settings if representation.artifact else {}
    return str(pretraining.get("posterior", "prior"))


def hash_of(representation: Representation) -> str:
    """The hash that an index pins; an index keeps that of the representation it was made from."""
    if representation.artifact is None:
        raise KgrelError("an index is made of a representation that is an artifact on disk; pretrain one")
    return representation.artifact.hash


def identity(
    representation: Representation,
    source: PairSource,
    settings: IndexSettings,
    relations: str | Path | None,
    corpus: Corpus | None,
) -> dict[str, Any]:
    """Everything that an index depends on."""
    pairs = hashlib.sha256(np.stack([source.heads, source.tails]).tobytes()).hexdigest()
    return {
        "representation": hash_of(representation),
        "pairs": pairs,
        "settings": to_json(settings),
        "relations": sha256_of(Path(relations)) if relations is not None else None,
        "corpus": corpus.artifact.hash if corpus is not None else None,
    }


def sample_pairs(path: Path, layout: Layout, sampler: PairSampler, table: PairTable, progress: Progress) -> int:
    """Write the vectors of all pairs of a table; returns how many were there already."""
    progress.start("sample pairs", len(table))
    return write_vectors(
        path,
        layout.shape,
        sampler.settings.chunk_pairs,
        lambda start, stop: sampler(table.heads[start:stop], table.tails[start:stop]),
        progress.advance,
    )


def assemble(
    out: Path,
    manifest: Manifest,
    representation: Representation,
    table: PairTable,
    layout: Layout,
    work: Path,
    counts: dict[str, int],
    overwrite: bool,
    progress: Progress,
) -> Artifact:
    """Put an INDEX together: the vectors and, if it is there already, the FAISS index are taken from ``work``.

    Raises:
        KgrelError: FAISS refuses the factory, or there are too few vectors to train it.
    """
    settings = IndexSettings(**manifest.settings)
    vectors = open_vectors(work / VECTORS, layout.shape)
    if not (work / FAISS).exists():
        fill_index(vectors, settings, layout.factory, work / FAISS, progress)
    index = read_index(work / FAISS)
    progress.start("measure recall", None)
    with create_artifact(out, manifest, overwrite) as draft:
        for name in (VECTORS, FAISS):
            os.link(work / name, draft.path / name)
        table.write(draft.path / PAIRS, representation.entities)
        representation.write(draft.path)
        (draft.path / LAYOUT).write_text(canonical_json(asdict(layout)), encoding="utf-8")
        draft.summary = {
            "pairs": table.live,
            "removed": int(table.removed.sum()),
            "listed": sum(name is not None for name in table.relations),
            "vectors": int(np.prod(layout.shape[:3])),
            "dimensions": layout.width,
            "factory": layout.factory,
            "recall_at_10": measured_recall(index, vectors, settings),
            "megabytes": {name: round((work / name).stat().st_size / 1e6, 1) for name in (VECTORS, FAISS)},
            "rows": counts,
        }
    return open_artifact(out, Kind.INDEX, verify=False)


def read_layout(values: dict[str, Any], path: Path) -> Layout:
    """The layout of an opened artifact.

    Raises:
        ArtifactError: it is damaged.
    """
    try:
        return Layout(**values)
    except TypeError as error:
        raise ArtifactError(f"{path}: {LAYOUT} is damaged ({error})") from None
