"""What held-out pairs share with training: refused where it is the pair itself, reported where it is less."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from kgrel.data.errors import KgrelError
from kgrel.text.corpus import Corpus
from kgrel.train.pair_data import Flags, PairData, Part, Rows

BLOCK = 65_536
JOINED = "joined.parquet"
"""Only in a corpus of paths: the pairs that an edge of the walked graph joins, in rows of the corpus."""


def refuse_shared_pairs(heads: Rows, tails: Rows, parts: npt.ArrayLike) -> None:
    """A pair, in either order, stands once and in one part.

    Raises:
        KgrelError: tells how many do not, and how many of them stand there reversed.
    """
    columns = np.minimum(heads, tails), np.maximum(heads, tails), np.asarray(parts), heads > tails
    low, high, part, turned = (column[np.lexsort(columns[1::-1])] for column in columns)
    again = (low[1:] == low[:-1]) & (high[1:] == high[:-1])
    if again.any():
        apart, reversed_ = again & (part[1:] != part[:-1]), again & (turned[1:] != turned[:-1])
        raise KgrelError(
            f"{again.sum()} pairs stand twice, {apart.sum()} of them on both sides of the split and {reversed_.sum()} "
            "in reversed order; every unordered pair may stand once"
        )


def leakage_report(data: PairData, corpus: Corpus, rows_of_corpus: Rows) -> dict[str, Any]:
    """What validation and test pairs share with training pairs.

    Args:
        rows_of_corpus: row in the data of each entity of the corpus, −1 where it is not there.

    Returns:
        For validation and test: ``pairs``; ``pairs_in_training`` (0, or the split is refused); how many of them have
        ``both``, ``one`` or ``no`` entities with a training label of any class; ``contexts``; how many of these stand
        in a sentence that is a context of a training pair too; and how many are word for word, mentions aside, a
        context of a training pair. Where contexts are paths of a graph, also ``pairs_joined_in_the_graph``: those whose
        edges were not taken out of it, so that paths of other pairs may use them.

    Raises:
        KgrelError: a pair stands on both sides, in either order.
    """
    refuse_shared_pairs(data.heads, data.tails, data.parts)
    parts = parts_of_contexts(data, corpus, rows_of_corpus)
    keys = np.minimum(data.heads, data.tails) * len(data.type_rows) + np.maximum(data.heads, data.tails)
    labelled: Flags = np.any(data.label_degrees(), axis=1)
    training, hashes = parts == Part.TRAINING, context_hashes(corpus)
    sentences, linked = corpus.contexts.sentences, joined_pairs(corpus, rows_of_corpus, len(data.type_rows))
    report = {}
    for part in (Part.VALIDATION, Part.TEST):
        rows, contexts = data.rows(part), parts == part
        ends = labelled[data.heads[rows]].astype(np.int64) + labelled[data.tails[rows]]
        report[part.name.lower()] = {
            "pairs": len(rows),
            "pairs_in_training": int(np.isin(keys[rows], keys[data.rows(Part.TRAINING)]).sum()),
            "entities_with_training_label": {
                name: int((ends == number).sum()) for number, name in ((2, "both"), (1, "one"), (0, "none"))
            },
            **({} if linked is None else {"pairs_joined_in_the_graph": int(np.isin(keys[rows], linked).sum())}),
            "contexts": int(contexts.sum()),
            "contexts_in_sentences_of_training_pairs": int(np.isin(sentences[contexts], sentences[training]).sum()),
            "contexts_word_for_word_in_training": int(np.isin(hashes[contexts], hashes[training]).sum()),
        }
    return report


def joined_pairs(corpus: Corpus, rows_of_corpus: Rows, size: int) -> Rows | None:
    """Keys head · size + tail, head < tail, of the pairs that an edge of the walked graph joins; None without graph."""
    if JOINED not in corpus.artifact.manifest.files:
        return None
    table = pq.read_table(corpus.artifact.file(JOINED))
    heads, tails = (rows_of_corpus[table.column(name).to_numpy()] for name in ("head", "tail"))
    known = (heads >= 0) & (tails >= 0)
    keys: Rows = (np.minimum(heads, tails) * size + np.maximum(heads, tails))[known]
    return keys


def parts_of_contexts(data: PairData, corpus: Corpus, rows_of_corpus: Rows) -> Rows:
    """The part of each context's pair (contexts,), −1 where it is not among the pairs."""
    heads, tails = rows_of_corpus[corpus.contexts.heads], rows_of_corpus[corpus.contexts.tails]
    size = len(data.type_rows)
    keys = data.heads * size + data.tails
    order = np.argsort(keys)
    wanted = np.where((heads < 0) | (tails < 0), -1, np.minimum(heads, tails) * size + np.maximum(heads, tails))
    places = order[np.searchsorted(keys, wanted, sorter=order).clip(max=max(0, len(keys) - 1))]
    return np.where(keys[places] == wanted, data.parts[places].astype(np.int64), -1)


def context_hashes(corpus: Corpus) -> npt.NDArray[np.uint64]:
    """A number for each context that two contexts share if their tokens are the same (contexts,)."""
    store, found = corpus.contexts, np.zeros(len(corpus.contexts), dtype=np.uint64)
    longest = int(store.lengths.max(initial=0))
    weights = np.random.default_rng(0).integers(1, 2**63, longest, dtype=np.uint64) | np.uint64(1)
    for start in range(0, len(store), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(store)))
        tokens = store.gather(rows).astype(np.uint64)
        found[rows] = (tokens * weights[: tokens.shape[1]]).sum(axis=1, dtype=np.uint64)
    return found
