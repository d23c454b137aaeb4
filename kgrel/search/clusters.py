"""The relations of one entity, sorted into clusters."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from kgrel.data.errors import KgrelError
from kgrel.search.answers import SCHEMA, answer_rows
from kgrel.search.index import Floats, Neighbours, RelationIndex, Rows, allowed_pairs
from kgrel.search.metric import prepared
from kgrel.search.settings import SearchSettings

MOST_CLUSTERS, MOST_PAIRS = 8, 5_000


def entity_clusters(index: RelationIndex, entity: str, settings: SearchSettings) -> tuple[pa.Table, dict[str, object]]:
    """The pairs of an entity in clusters of similar relations, by the means of their vectors.

    How many clusters, 2 to 8, is decided by the silhouette. Each shows its ``top`` pairs nearest to its centre; largest
    cluster first.

    Returns:
        The columns cluster, size and those of an answer; score = similarity to the cluster's centre. And a summary.

    Raises:
        KgrelError: the entity is not known, or no pair of the index is left of it.
    """
    row = index.entities.named(entity, "is known to the representation")
    allowed = allowed_pairs(index, settings, None)
    table = index.pairs
    orders = np.where(table.heads == row, 0, 1)  # seen from the entity, where both orders are indexed
    orders = np.minimum(orders, index.layout.orders - 1)
    mine = ((table.heads == row) | (table.tails == row)) & allowed[np.arange(len(table)), orders]
    pairs = np.flatnonzero(mine)
    if not len(pairs):
        raise KgrelError(f"no pair of the index has {entity!r} and passes the filters; add pairs, or loosen them")
    rng = np.random.default_rng(settings.seed)
    shown = pairs if len(pairs) <= MOST_PAIRS else np.sort(rng.choice(pairs, MOST_PAIRS, replace=False))
    vectors = prepared(index.vectors[shown, orders[shown]], index.settings.metric).mean(axis=1)  # (n, Z)
    labels, silhouette = clustered(vectors, settings.seed)
    rows: list[dict[str, object]] = []
    sizes = np.bincount(labels)
    for place, label in enumerate(np.argsort(-sizes, kind="stable").tolist(), 1):
        members = np.flatnonzero(labels == label)
        found = nearest_to_centre(vectors[members], shown[members], orders, settings.top)
        rows += [{"cluster": place, "size": int(sizes[label])} | answer for answer in answer_rows(index, found)]
    schema = pa.schema([("cluster", pa.int64()), ("size", pa.int64()), *SCHEMA])
    summary: dict[str, object] = {"pairs": len(pairs), "clustered": len(shown), "clusters": len(sizes)}
    return pa.Table.from_pylist(rows, schema=schema), summary | {"silhouette": silhouette}


def clustered(vectors: Floats, seed: int) -> tuple[Rows, float | None]:
    """Cluster of each vector (n,), and the silhouette of the best number of clusters; one below four vectors."""
    best: tuple[Rows, float | None] = np.zeros(len(vectors), np.int64), None
    if len(vectors) < 4 or not np.ptp(vectors, axis=0).any():
        return best
    for count in range(2, min(MOST_CLUSTERS, len(vectors) - 1) + 1):
        labels = KMeans(count, n_init=4, random_state=seed).fit_predict(vectors).astype(np.int64)
        if len(np.unique(labels)) < 2:
            continue
        value = float(silhouette_score(vectors, labels, sample_size=min(len(vectors), 1_000), random_state=seed))
        if best[1] is None or value > best[1]:
            best = labels, value
    return best


def nearest_to_centre(vectors: Floats, pairs: Rows, orders: Rows, top: int) -> Neighbours:
    """The pairs of a cluster nearest to its centre, by the cosine."""
    centre = prepared(vectors.mean(axis=0), "cosine")
    scores = prepared(vectors, "cosine") @ centre
    first = np.lexsort((pairs, -scores))[:top]
    return Neighbours(pairs[first], orders[pairs[first]], scores[first])
