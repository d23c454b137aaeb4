"""``hold-out-pairs``: a corpus without the contexts of some pairs, to be pretrained on.

So a pair is unseen although its entities, and what would have been written of it, are those of a co-mentioned one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from kgrel.data.artifact import Artifact, Kind, Manifest, create_artifact, open_artifact
from kgrel.data.errors import KgrelError
from kgrel.data.files import sha256_of
from kgrel.data.relations import read_relations, resolve_relations
from kgrel.text.contexts import CONTEXT_SCHEMA, SENTENCE_SCHEMA, RowWriter
from kgrel.text.corpus import CONTEXTS, SENTENCES, Corpus
from kgrel.text.writing import complete
from kgrel.train.batches import Stream, rng_of
from kgrel.train.matching import Cells, match_among
from kgrel.train.pair_data import Part, Rows, class_table, type_rows_of
from kgrel.train.settings import HoldOutSettings
from kgrel.train.splits import World, keys_of, labelled

HELD_OUT = "held_out.parquet"
"""Only in a corpus that holds pairs out."""


@dataclass(frozen=True)
class HeldOut:
    """Pairs without contexts: entity rows of the corpus and part of each (n,)."""

    heads: Rows
    tails: Rows
    parts: Rows


def read_held_out(corpus: Corpus) -> HeldOut | None:
    """The pairs that a corpus holds out; None where it is an ordinary one."""
    if HELD_OUT not in corpus.artifact.manifest.files:
        return None
    table = pq.read_table(corpus.artifact.file(HELD_OUT))
    return HeldOut(*(table.column(name).to_numpy().astype(np.int64) for name in ("head", "tail", "part")))


def hold_out_pairs(
    corpus: Corpus, relations: str | Path, out: str | Path, settings: HoldOutSettings, overwrite: bool = False
) -> Artifact:
    """Write a corpus without the contexts of some listed pairs and of as many unlisted ones like them.

    "Like" is: of the same types, and in the same deciles of both entities' remaining labels of the class. Sentences
    stay for the other pairs that they name; the summary counts them. Words and entities keep their rows.

    Raises:
        KgrelError: the corpus holds pairs out already, too few pairs are there, or ``out`` exists.
    """
    if read_held_out(corpus) is not None:
        raise KgrelError(f"{corpus.artifact.path} holds pairs out already; start from the whole corpus")
    chosen = choose(corpus, relations, settings)
    low = np.minimum(corpus.contexts.heads, corpus.contexts.tails).astype(np.int64)
    high, size = np.maximum(corpus.contexts.heads, corpus.contexts.tails), len(corpus.entities)
    gone = np.isin(low * size + high, keys_of(chosen.heads, chosen.tails, size))
    parents = {"corpus": corpus.artifact.hash, "relations": sha256_of(Path(relations))}
    origin = corpus.artifact.manifest
    manifest = Manifest(Kind.CORPUS, {**origin.settings, "held_out": asdict(settings)}, settings.seed, parents)
    with create_artifact(out, manifest, overwrite) as draft:
        write_without(corpus, gone, draft.path)
        columns = {"head": chosen.heads, "tail": chosen.tails, "part": chosen.parts}
        pq.write_table(pa.table(columns), draft.path / HELD_OUT)
        named = np.isin(corpus.contexts.sentences[gone], corpus.contexts.sentences[~gone])
        draft.summary |= {
            "contexts": int((~gone).sum()),
            "contexts_removed": int(gone.sum()),
            "contexts_removed_of_sentences_that_stay": int(named.sum()),
            "entities": size,
            "pairs_held_out": {part.name.lower(): int((chosen.parts == part).sum()) for part in Part if part},
        }
    return open_artifact(out, Kind.CORPUS, verify=False)


def choose(corpus: Corpus, relations: str | Path, settings: HoldOutSettings) -> HeldOut:
    """The pairs to hold out.

    Raises:
        KgrelError: fewer listed pairs are co-mentioned than are to be held out, or none like them are unlisted.
    """
    listed = resolve_relations(read_relations(relations), corpus.entities, settings.labels)
    types, type_rows = type_rows_of(corpus.entities)
    classes, size = class_table(listed, types, type_rows), len(corpus.entities)
    keys = corpus.pairs.heads.astype(np.int64) * size + corpus.pairs.tails
    listed_keys = keys_of(listed.heads, listed.tails, size)
    world = World(classes, type_rows, keys, corpus.pairs.counts, listed_keys, listed.classes)
    keys = keys[classes.possible(type_rows, keys // size, keys % size).any(axis=1)]
    rng = rng_of(settings.seed, Stream.SPLIT)
    positives = rng.permutation(np.intersect1d(keys, listed_keys))
    if len(positives) < 2 * settings.positives:
        raise KgrelError(
            f"only {len(positives)} listed pairs are co-mentioned; hold out at most half of them with --positives"
        )
    positives = positives[: settings.positives]
    first = round(settings.validation_share * len(positives))
    parts = np.full(len(keys), int(Part.TRAINING))
    for part, some in ((Part.VALIDATION, positives[:first]), (Part.TEST, positives[first:])):
        parts[np.searchsorted(keys, np.sort(some))] = part
    data = world.pairs(keys, parts)
    cells = Cells.of(classes, type_rows, data.label_degrees())
    for part in (Part.VALIDATION, Part.TEST):
        pool = np.flatnonzero((parts == Part.TRAINING) & ~data.positive)
        chosen = match_among(
            cells, labelled(data, np.flatnonzero(data.parts == part)), (data.heads[pool], data.tails[pool]), 1,
            data.possible(pool), rng_of(settings.seed, Stream.NEGATIVES, part),
        )  # fmt: skip
        parts[pool[chosen]] = part
    held_out = parts != Part.TRAINING
    return HeldOut(data.heads[held_out], data.tails[held_out], parts[held_out])


def write_without(corpus: Corpus, gone: npt.NDArray[np.bool_], out: Path) -> None:
    """The files of a corpus without some of its contexts (contexts,)."""
    with RowWriter(out / CONTEXTS, CONTEXT_SCHEMA) as contexts:
        start = 0
        for batch in corpus.contexts.batches:
            stays = pa.array(~gone[start : start + batch.num_rows])
            contexts.write_batch(batch.filter(stays))
            start += batch.num_rows
    with RowWriter(out / SENTENCES, SENTENCE_SCHEMA) as sentences:
        for batch in corpus.sentences.batches:
            sentences.write_batch(batch)
    complete(out, corpus.entities, corpus.vocabulary)
