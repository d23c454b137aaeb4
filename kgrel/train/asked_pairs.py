"""Which pairs get paths: those of a graph, a corpus, labelled pairs or a file; and which of them are held out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kgrel.data.artifact import Kind, kind_of, open_artifact
from kgrel.data.entities import EntityTable, canonical_type, parse_entity
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.files import sha256_of
from kgrel.data.relations import SOURCE_COLUMNS, TARGET_COLUMNS
from kgrel.data.tables import TableReader, find_column, optional_column
from kgrel.graph.graph import Graph
from kgrel.graph.removal import joined, pair_keys
from kgrel.graph.settings import PathSettings
from kgrel.text.corpus import Corpus
from kgrel.train.pair_artifact import read_parts
from kgrel.train.pair_data import Part, Rows
from kgrel.train.splits import keys_of

PART_COLUMNS = ("part", "split")
TRAINING_PARTS = ("train", "training")


@dataclass(frozen=True)
class AskedPairs:
    """Unordered pairs, each once.

    Attributes:
        entities: in whose rows they are given.
        heads, tails: rows, head < tail, sorted (n,).
        held_out: which of them validate or test (n,).
        parts: the part of each (n,), where they are those of a split.
    """

    entities: EntityTable
    heads: Rows
    tails: Rows
    held_out: np.ndarray
    parts: Rows | None = None


def read_pairs(path: str | Path, known: EntityTable) -> AskedPairs:
    """Pairs of an artifact or a file.

    Args:
        path: a CORPUS: its co-mentioned pairs, none held out. An artifact with labelled pairs (PAIRS, a baseline):
            these, validation and test pairs held out. A file: pairs with the columns source_id (or source, head),
            target_id (target, tail), optionally their types and ``part``, where all but ``training`` are held out;
            without such a column all are.
        known: where identifiers without type are looked up.

    Raises:
        InputError: a column is missing, an identifier is empty or without type; with its line.
        ArtifactError: the directory is no such artifact.
    """
    if not Path(path).is_dir():
        return _read_file(path, known)
    kind = Kind(kind_of(path, "corpus"))
    if kind == Kind.CORPUS:
        corpus = Corpus.open(path)
        pairs = corpus.pairs
        heads, tails = pairs.heads.astype(np.int64), pairs.tails.astype(np.int64)
        return AskedPairs(corpus.entities, heads, tails, np.zeros(len(pairs), np.bool_))
    if kind in (Kind.GRAPH, Kind.REPRESENTATION, Kind.TYPING, Kind.MENTIONS, Kind.EXPORT, Kind.INDEX, Kind.INDUCTIVE):
        raise KgrelError(f"{path} is a {kind} artifact and holds no pairs; give a CORPUS, PAIRS, a baseline or a file")
    parts = read_parts(open_artifact(path, kind))
    data = parts["data"]
    order = np.lexsort((data.tails, data.heads))
    parts_of = data.parts[order].astype(np.int64)
    heads, tails = data.heads[order], data.tails[order]
    return AskedPairs(parts["entities"], heads, tails, parts_of != Part.TRAINING, parts_of)


def hash_of_pairs(path: str | Path) -> str:
    """Hash of what :func:`read_pairs` reads."""
    if Path(path).is_dir():
        return open_artifact(path, Kind(kind_of(path, "corpus")), verify=False).hash
    return sha256_of(Path(path))


def _read_file(path: str | Path, known: EntityTable) -> AskedPairs:
    keys: dict[tuple[str, str], int] = {}
    pairs: dict[tuple[int, int], bool] = {}
    with TableReader(path) as reader:
        try:
            sides = find_column(reader.columns, SOURCE_COLUMNS), find_column(reader.columns, TARGET_COLUMNS)
        except KgrelError as error:
            raise InputError(path, str(error), 1) from None
        types = [optional_column(reader.columns, [name]) for name in ("source_type", "target_type")]
        part = optional_column(reader.columns, PART_COLUMNS)
        for lines, table in reader.numbered():
            columns = [_texts(table, name) for name in (*sides, *types, part)]
            for line, *texts, kind, other, of in zip(lines.tolist(), *columns, strict=True):
                ends = [
                    keys.setdefault(_key(path, line, text, type_, known), len(keys))
                    for text, type_ in zip(texts, (kind, other), strict=True)
                ]
                held_out = of is None or of.strip().lower() not in TRAINING_PARTS
                key = (min(ends), max(ends))
                pairs[key] = pairs.get(key, False) or held_out
    if not pairs:
        raise InputError(path, "has no rows; at least one pair is needed")
    ordered = sorted(keys)
    rows = np.empty(len(keys), np.int64)
    rows[[keys[key] for key in ordered]] = np.arange(len(ordered))
    table = _table(ordered, known)
    heads, tails = rows[np.array(list(pairs))].T
    low, high = np.minimum(heads, tails), np.maximum(heads, tails)
    order = np.lexsort((high, low))
    return AskedPairs(table, low[order], high[order], np.array(list(pairs.values()))[order])


def _texts(table: pa.Table, name: str | None) -> list[str | None]:
    return [None] * table.num_rows if name is None else pc.cast(table.column(name), pa.string()).to_pylist()


def _key(path: str | Path, line: int, text: str | None, type_: str | None, known: EntityTable) -> tuple[str, str]:
    if not (text or "").strip():
        raise InputError(path, "an identifier is empty; every row needs two", line)
    entity = parse_entity(text or "", type_)
    row, status = known.find(entity)
    if status == "ok":
        return known.types[row], known.ids[row]
    if entity.type is None:
        raise InputError(
            path, f"the type of {text!r} is not known; write it as TYPE::id or add source_type and target_type", line
        )
    return canonical_type(entity.type), entity.id


def _table(keys: list[tuple[str, str]], known: EntityTable) -> EntityTable:
    rows = [known.find(parse_entity(id_, type_))[0] for type_, id_ in keys]
    names = [known.names[row] if row >= 0 else id_ for row, (_, id_) in zip(rows, keys, strict=True)]
    return EntityTable([type_ for type_, _ in keys], [id_ for _, id_ in keys], names, [[] for _ in keys])


def pairs_of_graph(graph: Graph, settings: PathSettings) -> AskedPairs:
    """The joined pairs of a graph and, of the same two types, random ones without edge; none held out."""
    rng, size = np.random.default_rng([settings.seed, 0]), len(graph.entities)
    keys = np.unique(pair_keys(graph, *graph.ends[:, graph.ends[0] != graph.ends[1]]))
    kinds, ranges = np.zeros(size, np.int64), list(graph.node_types.values())
    for number, rows in enumerate(ranges):
        kinds[rows.start : rows.stop] = number
    types = kinds[keys // size] * len(ranges) + kinds[keys % size]
    found = []
    for code in np.unique(types).tolist():
        some = keys[types == code]
        if settings.most_pairs and len(some) > settings.most_pairs:
            some = rng.choice(some, settings.most_pairs, replace=False)
        one, other = (ranges[number] for number in divmod(code, len(ranges)))
        wanted = round(settings.unlinked * len(some))
        # As many again as may be lost to loops, repetitions and joined pairs; where few pairs exist, fewer are found.
        heads = rng.integers(one.start, one.stop, 2 * wanted + 16)
        tails = rng.integers(other.start, other.stop, 2 * wanted + 16)
        drawn = np.unique(keys_of(heads, tails, size)[heads != tails])
        drawn = drawn[~joined(graph, drawn // size, drawn % size)]
        found += [some, rng.permutation(drawn)[:wanted]]
    chosen = np.unique(np.concatenate(found))
    return AskedPairs(graph.entities, chosen // size, chosen % size, np.zeros(len(chosen), np.bool_))
