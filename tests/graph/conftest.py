"""Graphs from lines, without files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from kgrel.data.entities import EntityTable
from kgrel.graph.graph import EdgeType, Graph

Triple = tuple[str, str, str]


def graph_of(triples: Sequence[Triple]) -> Graph:
    """A graph of (head, relation, tail), nodes spelled ``TYPE:id``; each triple once."""
    nodes = sorted({tuple(node.split(":")) for head, _, tail in triples for node in (head, tail)})
    rows = {":".join(node): row for row, node in enumerate(nodes)}
    kinds, ids = [kind for kind, _ in nodes], [id_ for _, id_ in nodes]
    sorted_ = sorted({(h.split(":")[0], r, t.split(":")[0], rows[h], rows[t]) for h, r, t in triples})
    names = sorted({line[:3] for line in sorted_})
    begins = [next(i for i, line in enumerate(sorted_) if line[:3] == name) for name in names] + [len(sorted_)]
    types = [EdgeType(*name, b, e) for name, b, e in zip(names, begins, begins[1:], strict=False)]
    ends = np.array([line[3:] for line in sorted_], np.int64).reshape(-1, 2).T.copy()
    return Graph(EntityTable(kinds, ids, [f"name of {i}" for i in ids], [[] for _ in ids]), ends, types)


@pytest.fixture
def random_graph() -> Graph:
    """Thirty genes, eight diseases, three relations; parallel and reversed edges, loops, a hub."""
    rng = np.random.default_rng(5)
    genes, diseases = [f"GENE:{n}" for n in range(30)], [f"DISEASE:{n}" for n in range(8)]
    triples = [(*rng.choice(genes, 2).tolist(), "GiG") for _ in range(90)]
    triples += [(*rng.choice(genes, 2).tolist(), "Gr>G") for _ in range(60)]
    lines = [(head, relation, tail) for head, tail, relation in triples]
    lines += [(str(rng.choice(diseases)), "DaG", str(rng.choice(genes))) for _ in range(60)]
    lines += [("GENE:0", "GiG", gene) for gene in genes[1:]]
    return graph_of(lines)
