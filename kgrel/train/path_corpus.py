"""``build-corpus --from-graph``: the paths between two entities as the contexts of their pair.

held-out pairs ─▶ GRAPH without their edges ─▶ paths of every asked pair ─▶ CORPUS
                                             contexts of a text corpus, if any ┘
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kgrel.data.artifact import Artifact, Kind, Manifest, create_artifact, open_artifact
from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError
from kgrel.data.files import refuse_existing
from kgrel.data.parts import Parts
from kgrel.data.progress import Progress, Silent
from kgrel.data.settings import to_json
from kgrel.graph.graph import Graph
from kgrel.graph.path_tokens import NO_PATH, PathTokens
from kgrel.graph.paths import PathDraws, Paths
from kgrel.graph.removal import joined, removal_report, without_pairs
from kgrel.graph.settings import PathSettings
from kgrel.graph.walks import Walks
from kgrel.text.corpus import Corpus
from kgrel.text.merge import by_class
from kgrel.text.tokens import END, ENT, SPECIAL_TOKENS
from kgrel.text.writing import AddedContexts, NewContexts
from kgrel.train.asked_pairs import AskedPairs, hash_of_pairs, pairs_of_graph, read_pairs
from kgrel.train.given_split import GivenSplit, write_given
from kgrel.train.leakage import JOINED
from kgrel.train.pair_data import Rows, rows_in

DOCUMENT = "GRAPH"
"""Identifier of the document that the contexts of a graph stand in."""


def build_path_corpus(
    graph: Graph,
    out: str | Path,
    settings: PathSettings | None = None,
    *,
    pairs: str | Path | None = None,
    held_out: str | Path | None = None,
    corpus: Corpus | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Artifact:
    """Write a CORPUS whose contexts are paths, behind those of a text corpus if one is given.

    Every asked pair has a context: one that says so where there is no path, or an entity is not in the graph. The
    edges between its own entities are in no path of a pair, those between held-out pairs in none at all. Killed at any
    time, the same command goes on with the paths that are not drawn; those that are wait in a directory beside ``out``.

    Args:
        pairs: what :func:`kgrel.train.asked_pairs.read_pairs` reads; None = the co-mentioned pairs of ``corpus``, or
            without one the joined pairs of the graph and as many others.
        held_out: the same; its held-out pairs lose their edges. None = those of ``pairs``, if it says any.
        corpus: a text corpus.

    Raises:
        KgrelError: ``out`` exists, an input cannot be used, or graph and pairs share no identifier.
    """
    settings, progress = settings or PathSettings(), progress or Silent()
    refuse_existing(Path(out), overwrite)
    assert graph.artifact is not None
    parents = {"graph": graph.artifact.hash} | ({"corpus": corpus.artifact.hash} if corpus is not None else {})
    sources = {"pairs": pairs, "held_out": held_out}
    parents |= {role: hash_of_pairs(path) for role, path in sources.items() if path is not None}
    asked = _asked(graph, settings, pairs, corpus)
    # Pairs of a file are all "held out" unless it says otherwise: as --pairs it then says which to walk, no more.
    held = read_pairs(held_out, graph.entities) if held_out else asked if pairs and Path(pairs).is_dir() else None
    rows = rows_in(graph.entities, asked.entities)
    _refuse_strangers(graph, asked, rows)
    report, walked = {}, graph
    if held is not None:
        ends = [rows_in(graph.entities, held.entities)[side[held.held_out]] for side in (held.heads, held.tails)]
        report, walked = removal_report(graph, *ends), without_pairs(graph, *ends)
    manifest = Manifest(Kind.CORPUS, to_json(settings), settings.seed, parents)
    parts = Parts(Path(out), {"settings": manifest.settings, "parents": parents})
    with create_artifact(out, manifest, overwrite) as draft:
        written = _write(walked, asked, rows, corpus, settings, draft.path, parts, progress)
        draft.summary |= written | {"held_out": report}
    parts.delete()
    return open_artifact(out, Kind.CORPUS, verify=False)


def _asked(graph: Graph, settings: PathSettings, pairs: str | Path | None, corpus: Corpus | None) -> AskedPairs:
    if pairs is not None:
        return read_pairs(pairs, graph.entities)
    return read_pairs(corpus.artifact.path, graph.entities) if corpus is not None else pairs_of_graph(graph, settings)


def _write(
    graph: Graph,
    asked: AskedPairs,
    rows: Rows,
    corpus: Corpus | None,
    settings: PathSettings,
    out: Path,
    parts: Parts,
    progress: Progress,
) -> dict[str, Any]:
    """The files of the corpus; returns its summary.

    Args:
        parts: where drawn paths are kept until all are there.
    """
    entities = _entities(asked, corpus)
    at = rows_in(entities, asked.entities)
    heads, tails = at[asked.heads], at[asked.tails]
    walks = Walks(graph, settings.damping)
    words = PathTokens(walks, settings.node_ids, first=len(SPECIAL_TOKENS), mention=ENT, end=END)
    given = rows_in(entities, corpus.entities) if corpus is not None else None
    writer = AddedContexts(out, entities, words.words, DOCUMENT, corpus, given)
    known = np.flatnonzero((rows[asked.heads] >= 0) & (rows[asked.tails] >= 0))
    walked_heads, walked_tails = rows[asked.heads[known]], rows[asked.tails[known]]
    without, rng = np.ones(len(heads), np.bool_), np.random.default_rng([settings.seed, 1])
    turned = rng.random(len(heads)) < 0.5  # which end of a pair its paths begin at: either, as in a text
    starts = np.where(turned[known], walked_tails, walked_heads), np.where(turned[known], walked_heads, walked_tails)
    progress.start("drawing paths", len(known))
    count = 0
    drawn = PathDraws(walks, *starts, settings.paths, settings.longest)
    for portion, pairs_of_portion in enumerate(drawn.portions):
        if portion in parts:
            paths = Paths.of_table(parts.read(portion))
        else:
            paths = drawn.draw(portion, np.random.default_rng([settings.seed, 2, portion]))
            parts.write(portion, paths.table())
        numbers = known[paths.pairs]
        first, last = np.where(turned, tails, heads)[numbers], np.where(turned, heads, tails)[numbers]
        lengths = [words.name_lengths[paths.nodes[:, side]] for side in (0, 3)]
        writer.add(NewContexts(first, last, words.texts(paths), lengths[0], lengths[1], words.tokens(paths)))
        without[numbers] = False
        count += len(paths)
        progress.advance(len(pairs_of_portion))
    missing = np.flatnonzero(without)
    writer.add(_no_paths(entities, heads[missing], tails[missing], words))
    found = writer.finish()
    linked = np.zeros(len(heads), np.bool_)
    linked[known] = joined(graph, walked_heads, walked_tails)
    pq.write_table(pa.table({"head": heads[linked], "tail": tails[linked]}), out / JOINED)
    if asked.parts is not None:
        write_given(out, GivenSplit(heads, tails, asked.parts))
    return {
        "contexts": int(found.counts.sum()),
        "paths": count,
        "pairs_asked": len(heads),
        "pairs_without_path": len(missing),
        "pairs_outside_the_graph": len(heads) - len(known),
        "pairs_joined": int(linked.sum()),
        "distinct_pairs": len(found),
        "entities": len(entities),
        **by_class(found, entities),
    }


def _no_paths(entities: EntityTable, heads: Rows, tails: Rows, words: PathTokens) -> NewContexts:
    names = pa.array([name or id_ for name, id_ in zip(entities.names, entities.ids, strict=True)], pa.string())
    one, other = names.take(pa.array(heads)), names.take(pa.array(tails))
    texts = pc.binary_join_element_wise(one, NO_PATH, other, " ")
    lengths = [pc.utf8_length(column).to_numpy().astype(np.int32) for column in (one, other)]
    return NewContexts(heads, tails, texts, lengths[0], lengths[1], words.no_path(len(heads)))


def _entities(asked: AskedPairs, corpus: Corpus | None) -> EntityTable:
    """The entities of the pairs and of the text, sorted by (type, id)."""
    used = np.union1d(asked.heads, asked.tails).tolist()
    tables = [(asked.entities, used)]
    if corpus is not None:
        tables.append((corpus.entities, list(range(len(corpus.entities)))))
    facts = {
        (table.types[row], table.ids[row]): (table.names[row], table.alternatives[row])
        for table, rows in tables
        for row in rows
    }
    keys = sorted(facts)
    return EntityTable([k for k, _ in keys], [i for _, i in keys], *map(list, zip(*map(facts.get, keys), strict=True)))


def _refuse_strangers(graph: Graph, asked: AskedPairs, rows: Rows) -> None:
    if not ((rows[asked.heads] >= 0) & (rows[asked.tails] >= 0)).any():
        assert graph.artifact is not None
        raise KgrelError(
            f"{graph.artifact.path}: no pair has both entities in this graph; its nodes are "
            f"{graph.entities.examples()}, the entities of the pairs {asked.entities.examples()}: use the same "
            "identifiers"
        )
