"""Candidate pairs worth scoring: of two types, each unordered pair once, listed ones left out.

Sources are taken block by block. What speaks for the pairs of a block is a block of a product of sparse matrices; no
matrix of all pairs is ever held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import csr_array

from kgrel.data.errors import KgrelError
from kgrel.data.progress import Progress, Silent
from kgrel.score.graph import symmetric
from kgrel.score.rank import rows_of_type
from kgrel.score.settings import Evidence, ProposeSettings
from kgrel.train.pair_artifact import PairArtifact

Rows = npt.NDArray[np.int64]
COUNTED = {"co-mentioned": "contexts", "neighbours": "shared_neighbours", "paths": "paths"}
"""What speaks for a pair, and the column with its number."""
BLOCK_CELLS = 4_000_000
"""Of a block of sources × all nodes, 32 MB each."""


@dataclass
class Proposed:
    """What was looked at so far."""

    sources: int = 0
    """Sources whose pairs were looked at."""
    pairs: int = 0
    """Pairs for which something speaks; with ``by="all"`` all of the two types."""
    known: int = 0
    """Of these, left out because the relations table lists them."""
    proposed: int = 0
    stopped: bool = False
    """Whether ``max_pairs`` ended it before all pairs were looked at."""


def schema_of(by: Evidence) -> pa.Schema:
    """Columns of a proposal; the number of contexts, shared neighbours or paths is the last."""
    names = ("source", "target", "source_type", "target_type")
    reason = [pa.field(COUNTED[by], pa.int64())] if by in COUNTED else []
    return pa.schema([*(pa.field(name, pa.string()) for name in names), *reason])


def propose_pairs(
    model: PairArtifact,
    types: tuple[str, str],
    settings: ProposeSettings | None = None,
    graph: csr_array | None = None,
    *,
    found: Proposed | None = None,
    progress: Progress | None = None,
) -> Iterator[pa.Table]:
    """Proposed pairs in tables of :func:`schema_of`, sources in the order of the entities, then targets.

    Sources are of the first type, targets of the second; with one type twice the earlier entity is the source. Memory
    does not depend on the number of pairs.

    Args:
        graph: see :func:`kgrel.score.graph.read_graph`; needed for ``neighbours`` and ``paths``.
        found: receives the counts as the tables come.

    Raises:
        KgrelError: an unknown type, types that no class relates, a graph that is missing or not needed.
    """
    settings, found, progress = settings or ProposeSettings(), found or Proposed(), progress or Silent()
    if settings.max_pairs < 0:
        raise KgrelError(f"--max-pairs must be 0 or more, not {settings.max_pairs}")
    sources, targets = (rows_of_type(model.entities, type_) for type_ in types)
    if not model.possible(sources[:1], targets[:1]).any():
        raise KgrelError(f"no class of the artifact relates {types[0]} and {types[1]}; such pairs cannot be scored")
    evidence = evidence_of(model, settings.by, graph)
    size = len(model.entities)
    heads, tails, _ = model.relations
    listed = symmetric(heads, tails, np.ones(len(heads), dtype=np.int64), size)
    return _proposals(model, sources, targets, settings, evidence, listed, found, progress)


def _proposals(
    model: PairArtifact,
    sources: Rows,
    targets: Rows,
    settings: ProposeSettings,
    evidence: Evidences,
    listed: csr_array,
    found: Proposed,
    progress: Progress,
) -> Iterator[pa.Table]:
    """See :func:`propose_pairs`."""
    schema, names = schema_of(settings.by), Names(model)
    block = max(1, BLOCK_CELLS // evidence.width)
    progress.start("propose-pairs", len(sources))
    for start in range(0, len(sources), block):
        if settings.max_pairs and found.proposed >= settings.max_pairs:
            found.stopped = True
            return
        heads = sources[start : start + block]
        counts = evidence.block(heads, targets)  # (heads, targets)
        # With one type on both sides a pair is taken where its earlier entity is the source; never a pair of itself.
        twice = np.isin(heads, targets)[:, None] & np.isin(targets, sources)[None, :]
        wanted = (counts > 0) & (heads[:, None] != targets[None, :]) & ~(twice & (heads[:, None] > targets[None, :]))
        found.pairs += int(wanted.sum())
        if not settings.include_known:
            known = listed[heads][:, targets].toarray() > 0
            found.known += int((wanted & known).sum())
            wanted &= ~known
        first, second = np.nonzero(wanted)
        if settings.max_pairs and found.proposed + len(first) > settings.max_pairs:
            kept = settings.max_pairs - found.proposed
            first, second, found.stopped = first[:kept], second[:kept], True
        found.sources += len(heads)
        found.proposed += len(first)
        if len(first):
            reason = [counts[first, second]] if settings.by in COUNTED else []
            columns = [*names.columns(heads[first], targets[second]), *map(pa.array, reason)]
            yield pa.table(columns, schema=schema)
        progress.advance(len(heads), f"{found.proposed:,} pairs")
        if found.stopped:
            return


class Names:
    """Entity rows as the columns of a proposal."""

    def __init__(self, model: PairArtifact) -> None:
        types, ids = model.entities.types, model.entities.ids
        self._types = pa.array(types, pa.string())
        self._full = pa.array([f"{type_}::{id_}" for type_, id_ in zip(types, ids, strict=True)], pa.string())

    def columns(self, heads: Rows, tails: Rows) -> list[pa.Array]:
        """source, target, source_type, target_type."""
        first, second = pa.array(heads), pa.array(tails)
        return [column.take(rows) for column in (self._full, self._types) for rows in (first, second)]


@dataclass(frozen=True)
class Evidences:
    """What speaks for pairs: a number for each of (heads, tails), and the width of the widest block it makes."""

    block: Callable[[Rows, Rows], Rows]
    width: int


def evidence_of(model: PairArtifact, by: Evidence, graph: csr_array | None) -> Evidences:
    """The numbers for ``by``.

    Raises:
        KgrelError: a graph is missing, or is given where nothing asks for it.
    """
    size = len(model.entities)
    if (by in ("neighbours", "paths")) != (graph is not None):
        state = "needs a graph; pass --graph" if graph is None else "looks at no graph; leave --graph out"
        raise KgrelError(f"--by {by} {state}")
    if graph is None:
        if by == "all":
            return Evidences(lambda heads, tails: np.ones((len(heads), len(tails)), dtype=np.int64), size)
        contexts = symmetric(*model.comentions, size)
        return Evidences(lambda heads, tails: contexts[heads][:, tails].toarray(), size)
    matrix = graph
    count = shared_neighbours if by == "neighbours" else short_paths
    return Evidences(lambda heads, tails: count(matrix, heads, tails), matrix.shape[0])


def shared_neighbours(graph: csr_array, heads: Rows, tails: Rows) -> Rows:
    """Number of nodes joined with both of each pair: (heads, tails) of the square of the adjacency matrix."""
    counts: Rows = (graph[heads] @ graph[:, tails]).toarray()
    return counts


def short_paths(graph: csr_array, heads: Rows, tails: Rows) -> Rows:
    """Number of simple paths of one to three edges between the two of each pair: (heads, tails).

    Of the A³ walks h–a–b–t, those with a = t or b = h come back to a node: deg h + deg t − 1 where h and t are
    joined, none elsewhere. A and A² have none between different nodes, as no node is joined with itself.
    """
    direct = graph[heads]
    degrees = np.diff(graph.indptr).astype(np.int64)
    joined = direct[:, tails].toarray()
    two = direct @ graph
    three: Rows = (two @ graph[:, tails]).toarray()
    back = degrees[heads][:, None] + degrees[tails][None, :] - 1
    counts: Rows = joined + two[:, tails].toarray() + three - joined * back
    return counts
