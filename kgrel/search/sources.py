"""Where the pairs of an index come from: a list, the co-mentions of a corpus, or the edges of a graph."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import triu

from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError
from kgrel.data.files import sha256_of
from kgrel.data.relations import CLASS_COLUMNS, read_relations, resolve_relations
from kgrel.data.tables import TableReader
from kgrel.score.candidates import Resolver, find_columns, refuse_types
from kgrel.score.graph import read_graph
from kgrel.search.pair_table import PairTable, listed_names
from kgrel.text.corpus import Corpus
from kgrel.train.pair_data import rows_in

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PairSource:
    """Pairs in the entity rows of a representation, each unordered pair once.

    Attributes:
        parents: hashes of what the pairs were read from, for the manifest.
        counts: what became of the rows that were read.
    """

    heads: Rows
    tails: Rows
    parents: dict[str, str]
    counts: dict[str, int] = field(default_factory=dict)

    def table(
        self, entities: EntityTable, corpus: Corpus | None, relations: str | Path | None, column: str = ""
    ) -> PairTable:
        """The pairs with what a relations table lists and how often a corpus mentions them.

        Args:
            column: names the relation of a row; empty = class, relation or label.

        Raises:
            InputError, KgrelError: the relations cannot be read, or name no entity of the representation.
        """
        size = len(self.heads)
        names: list[str | None] = [None] * size
        if relations is not None:
            columns = (column,) if column else CLASS_COLUMNS
            resolved = resolve_relations(read_relations(relations, class_columns=columns), entities)
            names = listed_names(resolved, self.heads, self.tails, len(entities))
        contexts = np.full(size, -1, dtype=np.int64)
        if corpus is not None:
            rows = rows_in(corpus.entities, entities)
            contexts = corpus.pairs.lookup(rows[self.heads], rows[self.tails])
        return PairTable(self.heads, self.tails, names, contexts, np.zeros(size, np.bool_))


def pairs_of_file(path: str | Path, entities: EntityTable) -> PairSource:
    """The pairs of a candidate list (csv, tsv, jsonl, parquet), in its order; rows without a pair are counted.

    Raises:
        InputError: the list cannot be read.
        KgrelError: no row names two known entities.
    """
    status: Counter[str] = Counter()
    heads, tails = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    resolver = Resolver(entities)
    with TableReader(path) as reader:
        columns = find_columns(reader.columns, str(path))
        refuse_types(reader.schema, columns, str(path))
        for table in reader:
            found = resolver.resolve(table, columns)
            status.update(found.status.tolist())
            heads.append(found.heads[found.ok])
            tails.append(found.tails[found.ok])
    if not status["ok"]:
        said = ", ".join(f"{count:,} {name}" for name, count in sorted(status.items())) or "no rows"
        raise KgrelError(f"{path}: no row names a pair of known entities ({said}); use known identifiers")
    return distinct_pairs(np.concatenate(heads), np.concatenate(tails), {"pairs": sha256_of(Path(path))}, status)


def pairs_of_corpus(corpus: Corpus, entities: EntityTable, min_contexts: int = 1) -> PairSource:
    """The pairs that stand together in at least so many contexts of a corpus.

    Raises:
        KgrelError: there is none of entities of the representation.
    """
    rows = rows_in(entities, corpus.entities)
    often = corpus.pairs.counts >= min_contexts
    heads, tails = rows[corpus.pairs.heads[often]], rows[corpus.pairs.tails[often]]
    known = (heads >= 0) & (tails >= 0)
    if not known.any():
        raise KgrelError(
            f"{corpus.artifact.path}: no pair of entities of the representation stands in {min_contexts} contexts"
        )
    counts = Counter({"ok": int(known.sum()), "unknown": int((~known).sum()), "rare": int((~often).sum())})
    return distinct_pairs(heads[known], tails[known], {"corpus": corpus.artifact.hash}, counts)


def pairs_of_graph(path: str | Path, entities: EntityTable) -> PairSource:
    """The pairs that an edge table joins, in either direction, by an edge of any kind.

    Raises:
        InputError: the table cannot be read, or names no entity of the representation.
        KgrelError: no edge joins two of them.
    """
    matrix = triu(read_graph(path, entities)[: len(entities), : len(entities)], k=1).tocoo()
    if not matrix.nnz:
        raise KgrelError(f"{path}: no edge joins two entities of the representation")
    heads, tails = matrix.row.astype(np.int64), matrix.col.astype(np.int64)
    return distinct_pairs(heads, tails, {"graph": sha256_of(Path(path))}, Counter({"ok": len(heads)}))


def distinct_pairs(heads: Rows, tails: Rows, parents: dict[str, str], status: Counter[str]) -> PairSource:
    """Each unordered pair once, where and as it first stands."""
    low, high = np.minimum(heads, tails), np.maximum(heads, tails)
    _, first = np.unique(low * (high.max() + 1) + high, return_index=True)
    rows = np.sort(first)
    counts = dict(sorted(status.items())) | {"duplicates": len(heads) - len(rows)}
    return PairSource(heads[rows], tails[rows], parents, counts)
