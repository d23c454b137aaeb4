"""Second pass: from shards with provisional numbers to the files of a CORPUS artifact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kgrel.data.entities import EntityTable, class_of_types
from kgrel.data.progress import Progress
from kgrel.text import shards
from kgrel.text.contexts import CONTEXT_SCHEMA, SENTENCE_SCHEMA, RowWriter, open_batches
from kgrel.text.corpus import CONTEXTS, SENTENCES
from kgrel.text.lexicon import Lexicon
from kgrel.text.pairs import PairCounts
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.shards import Shard
from kgrel.text.tokens import SPECIAL_TOKENS, UNK, Vocabulary
from kgrel.text.writing import complete, renumbered

FREQUENT_NAMES = 40

Key = tuple[str, str]
Rows = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Totals:
    """What all shards together hold.

    Attributes:
        counts: sums of the tallies.
        words: occurrences of each word.
        names: mentions by folded name, type and identifier.
        given: (type, id) → name of the entities that only the input names.
        contexts: number of contexts.
    """

    counts: dict[str, int]
    words: Counter[str]
    names: Counter[tuple[str, str, str]]
    given: dict[Key, str]
    contexts: int


def total(paths: Sequence[Path], lexicon: Lexicon) -> Totals:
    """Add up the shards."""
    totals = Totals({}, Counter(), Counter(), {}, 0)
    contexts = 0
    for path in paths:
        shard = Shard.read(path)
        for name, count in shard.counts.items():
            totals.counts[name] = totals.counts.get(name, 0) + count
        totals.words.update(dict(zip(shard.words, shard.word_counts, strict=True)))
        for kind, identifier, name in shard.given:
            totals.given.setdefault((kind, identifier), name)
        for name, entity, count in shard.names:
            totals.names[(name, *_key(lexicon, shard, entity))] += count
        contexts += sum(batch.num_rows for batch in open_batches(path / shards.CONTEXTS, CONTEXT_SCHEMA))
    return Totals(totals.counts, totals.words, totals.names, totals.given, contexts)


def _key(lexicon: Lexicon, shard: Shard, entity: int) -> Key:
    if entity < len(lexicon.terms):
        return lexicon.terms[entity].type, lexicon.terms[entity].id
    return shard.given[entity - len(lexicon.terms)][:2]


def merge(
    paths: Sequence[Path],
    totals: Totals,
    lexicon: Lexicon,
    settings: BuildCorpusSettings,
    out: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Choose words and entities, renumber the contexts, write the files of the artifact into ``out``.

    Returns:
        The summary of what was written.
    """
    entities = _entities(paths, totals, lexicon)
    rows = {key: row for row, key in enumerate(zip(entities.types, entities.ids, strict=True))}
    vocabulary = Vocabulary.of_counts(totals.words, settings.vocabulary_size, settings.min_count, totals.contexts)
    progress.start("writing contexts", totals.contexts)
    unknown = 0
    with (
        RowWriter(out / SENTENCES, SENTENCE_SCHEMA) as sentences,
        RowWriter(out / CONTEXTS, CONTEXT_SCHEMA) as contexts,
    ):
        for path in paths:
            shard = Shard.read(path)
            entity_rows, word_rows = _entity_rows(shard, lexicon, rows), _word_rows(shard, vocabulary)
            for batch in open_batches(path / shards.CONTEXTS, CONTEXT_SCHEMA):
                batch = renumbered(batch, entity_rows, word_rows, sentences.count)
                unknown += int(np.count_nonzero(batch.column("tokens").values.to_numpy() == UNK))
                contexts.write_batch(batch)
                progress.advance(batch.num_rows)
            for batch in open_batches(path / shards.SENTENCES, SENTENCE_SCHEMA):
                sentences.write_batch(batch)
    pairs = complete(out, entities, vocabulary)
    summary = {
        "contexts": contexts.count,
        "distinct_pairs": len(pairs),
        "entities": len(entities),
        "words": len(vocabulary),
        "unknown_word_rate": round(unknown / totals.counts["tokens"], 6),
    }
    return summary | by_class(pairs, entities)


def _used(path: Path) -> npt.NDArray[np.int32]:
    """Provisional numbers of the entities in the contexts of a shard."""
    found = np.empty(0, np.int32)
    for batch in open_batches(path / shards.CONTEXTS, CONTEXT_SCHEMA):
        for name in ("head", "tail"):
            found = np.union1d(found, batch.column(name).to_numpy())
    return found


def _entities(paths: Sequence[Path], totals: Totals, lexicon: Lexicon) -> EntityTable:
    """The entities that occur in contexts, sorted by (type, id)."""
    used: set[Key] = set()
    for path in paths:
        shard = Shard.read(path)
        used.update(_key(lexicon, shard, entity) for entity in _used(path).tolist())
    keys = sorted(used)
    terms = {key: lexicon.terms[place] for key in keys if (place := lexicon.place.get(key)) is not None}
    return EntityTable(
        [kind for kind, _ in keys],
        [identifier for _, identifier in keys],
        [terms[key].label if key in terms else totals.given[key] for key in keys],
        [list(terms[key].alternatives) if key in terms else [] for key in keys],
    )


def _entity_rows(shard: Shard, lexicon: Lexicon, rows: dict[Key, int]) -> Rows:
    """Provisional number of an entity → its row; 0 for those in no context."""
    found = np.zeros(len(lexicon.terms) + len(shard.given), np.int32)
    for entity in _used(shard.path).tolist():
        found[entity] = rows[_key(lexicon, shard, entity)]
    return found


def _word_rows(shard: Shard, vocabulary: Vocabulary) -> Rows:
    """Provisional number of a word → its row in the word table."""
    return np.array([*range(len(SPECIAL_TOKENS)), *map(vocabulary.row, shard.words)], np.int32)


def by_class(pairs: PairCounts, entities: EntityTable) -> dict[str, dict[str, int]]:
    """Contexts and distinct pairs of each class of types."""
    kinds, kind_of = np.unique(np.array(entities.types, str), return_inverse=True)
    classes = kind_of[pairs.heads] * len(kinds) + kind_of[pairs.tails]
    contexts: dict[str, int] = {}
    distinct: dict[str, int] = {}
    for code in np.unique(classes):
        members = classes == code
        name = class_of_types(str(kinds[code // len(kinds)]), str(kinds[code % len(kinds)]))
        contexts[name] = contexts.get(name, 0) + int(pairs.counts[members].sum())
        distinct[name] = distinct.get(name, 0) + int(members.sum())
    return {"contexts_by_class": contexts, "pairs_by_class": distinct}


def frequent_names(totals: Totals) -> list[list[str | int]]:
    """The most frequent names: folded name, type, identifier, mentions."""
    ranked = sorted(totals.names.items(), key=lambda item: (-item[1], item[0]))[:FREQUENT_NAMES]
    return [[*names, count] for names, count in ranked]
