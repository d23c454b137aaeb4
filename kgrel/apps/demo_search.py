"""The demo's searches: are the pairs nearest to a related pair planted with the same relation?

The index holds the pairs that stand together in a sentence. Asked are related pairs that no sentence mentions together,
and listed pairs of the index; neighbours are right if they are listed with a relation of the pair that was asked.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from kgrel.data.errors import KgrelError
from kgrel.data.progress import Progress
from kgrel.model.representation import Representation
from kgrel.score.candidates import Resolver, find_columns
from kgrel.search.build import build_index
from kgrel.search.index import RelationIndex
from kgrel.search.library import faiss_library
from kgrel.search.queries import of_rows
from kgrel.search.settings import IndexSettings, SearchSettings
from kgrel.search.sources import pairs_of_corpus
from kgrel.text.corpus import Corpus

QUERIES = 200
NEIGHBOURS = 10
Asked = list[tuple[int, int, set[str]]]
"""Entity rows of pairs, and the relations planted for each."""


def search_quality(
    directory: Path, files: dict[str, Path], seed: int, overwrite: bool, progress: Progress
) -> dict[str, object]:
    """Index the co-mentioned pairs and search for pairs related like unseen ones.

    Returns:
        ``unseen`` and ``seen``, each with ``queries``; ``purity_at_10``: share of the neighbours that are listed with a
        relation of the query; ``chance``: that share among all indexed pairs of the query's types. And
        ``recall_at_10`` of the index. Without FAISS ``skipped`` says so.
    """
    try:
        faiss_library()
    except KgrelError as error:
        return {"skipped": str(error)}
    representation, corpus = Representation.open(directory / "repr"), Corpus.open(directory / "corpus")
    settings = IndexSettings(relation_column="metaedge", seed=seed, device="cpu")
    artifact = build_index(
        representation,
        pairs_of_corpus(corpus, representation.entities),
        directory / "index",
        settings,
        corpus=corpus,
        relations=files["relations.tsv"],
        overwrite=overwrite,
        progress=progress,
    )
    index = RelationIndex.open(directory / "index", verify=False)
    return {
        "unseen": purity(index, unseen_queries(index, files["truth.tsv"])),
        "seen": purity(index, seen_queries(index, seed)),
        "recall_at_10": artifact.manifest.summary["recall_at_10"],
    }


def unseen_queries(index: RelationIndex, truth: Path) -> Asked:
    """Related pairs that no sentence mentions together, and their planted relations."""
    answers = pd.read_csv(truth, sep="\t", dtype=str, keep_default_na=False)
    related = answers[answers["related"] == "1"]
    table = pa.Table.from_pandas(related, preserve_index=False)
    resolved = Resolver(index.entities).resolve(table, find_columns(list(related.columns), str(truth)))
    rows = resolved.ok[:QUERIES]
    wanted = [set(related["metaedges"].iloc[row].split("|")) for row in rows.tolist()]
    return list(zip(resolved.heads[rows].tolist(), resolved.tails[rows].tolist(), wanted, strict=True))


def seen_queries(index: RelationIndex, seed: int) -> Asked:
    """Indexed pairs that are listed, drawn by the seed, and what they are listed with."""
    table = index.pairs
    listed = np.flatnonzero([name is not None for name in table.relations])
    rows = np.sort(np.random.default_rng(seed).permutation(listed)[:QUERIES]).tolist()
    return [(int(table.heads[row]), int(table.tails[row]), set(str(table.relations[row]).split("|"))) for row in rows]


def purity(index: RelationIndex, asked: Asked) -> dict[str, float]:
    """Share of ten neighbours that are listed with a relation of the pair asked, and what chance would give."""
    settings = SearchSettings(top=NEIGHBOURS)
    queries = [of_rows(index, head, tail, settings) for head, tail, _ in asked]
    types = types_of(index, index.pairs.heads, index.pairs.tails)
    hits, chances = [], []
    for (head, tail, planted), found in zip(asked, index.search(queries, settings), strict=True):
        right = listed_with_any(index, planted)
        hits.append(float(right[found.pairs].mean()))
        alike = types == types_of(index, np.array([head]), np.array([tail]))[0]
        chances.append(float(right[alike].mean()))
    return {"queries": len(queries), "purity_at_10": float(np.mean(hits)), "chance": float(np.mean(chances))}


def types_of(index: RelationIndex, heads: np.ndarray, tails: np.ndarray) -> np.ndarray:
    """The two types of each pair, in any order, as one number (n,)."""
    names = sorted(set(index.entities.types))
    numbers = np.array([names.index(type_) for type_ in index.entities.types])
    first, second = numbers[heads], numbers[tails]
    return np.asarray(np.minimum(first, second) * len(names) + np.maximum(first, second))


def listed_with_any(index: RelationIndex, names: set[str]) -> np.ndarray:
    """Which pairs of the index are listed with one of these relations (P,)."""
    return np.array([text is not None and bool(names & set(text.split("|"))) for text in index.pairs.relations])
