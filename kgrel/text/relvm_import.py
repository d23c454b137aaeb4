"""Corpora in the layout of the RELVM code: ``vocab.json``, ``entity_types.json`` and arrays of uint16."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from kgrel.data.artifact import Artifact, Kind, Manifest, create_artifact, open_artifact
from kgrel.data.entities import EntityTable, parse_entity
from kgrel.data.errors import InputError
from kgrel.data.files import sha256_of
from kgrel.data.json_values import parse_json
from kgrel.text.contexts import BATCH_ROWS, CONTEXT_SCHEMA, SENTENCE_SCHEMA, ContextStore, RowWriter
from kgrel.text.corpus import CONTEXTS, ENTITIES, PAIRS, SENTENCES, VOCABULARY
from kgrel.text.evidence import EVIDENCE, write_evidence
from kgrel.text.merge import by_class
from kgrel.text.pairs import PairCounts
from kgrel.text.tokens import END, ENT, PAD, SPECIAL_TOKENS, UNK, Vocabulary

FILES = ("vocab.json", "entity_types.json", "entities_x.mmap", "entities_y.mmap", "contexts.mmap")
UNTYPED = "ENTITY"
"""Type of entities whose identifier does not tell it."""
_MENTIONS = frozenset({"<ENT>", "<ENTITY>", "[ENT]", "ENT", "<E>"})
_PADS = frozenset({"<PAD>", "[PAD]", "PAD", ""})
_UNKNOWNS = frozenset({"<UNK>", "[UNK]", "UNK"})
_ENDS = frozenset({"<END>", "<EOS>", "[EOS]"})
_LIMIT = 1 << 16


def import_relvm(
    directory: Path, out: Path, pad: str | None = None, mention: str | None = None, overwrite: bool = False
) -> Artifact:
    """Turn an unsupervised data directory of the RELVM code into a CORPUS artifact.

    The layout keeps no sentences: the text of each is put together from the tokens, a mention as the name of its
    entity, and the document is unknown. ``<END>`` is added to each context. An entity is written ``TYPE::id``, as a
    CURIE, or barely; where nothing tells its type it is ``ENTITY``.

    Args:
        directory: holds ``vocab.json``, ``entity_types.json``, ``entities_x.mmap``, ``entities_y.mmap`` and
            ``contexts.mmap`` (row-major uint16).
        out: the directory to write.
        pad: the token of ``vocab.json`` that fills contexts up; by default ``<PAD>`` in any usual spelling, else row 0.
        mention: the token that stands for both mentions; by default ``<ENT>`` in any usual spelling.

    Raises:
        InputError: a file is missing or does not fit the others; a list is too long for uint16, so that numbers must
            have wrapped; a context without two mentions.
        KgrelError: ``out`` exists.
    """
    parts = [directory / name for name in FILES]
    words, names = _strings(parts[0]), _strings(parts[1])
    heads, tails = _numbers(parts[2], len(names)), _numbers(parts[3], len(names))
    if not len(heads) or len(heads) != len(tails):
        raise InputError(
            parts[3], f"holds {len(tails)} numbers, {FILES[2]} holds {len(heads)}; equally many are needed"
        )
    flat = _numbers(parts[4], len(words))
    if len(flat) % len(heads) or not len(flat):
        raise InputError(parts[4], f"holds {len(flat)} numbers, which are no whole rows of {len(heads)} contexts")
    tokens = flat.reshape(len(heads), -1)
    pad_row = _row_of(parts[0], words, pad, _PADS, default=0)
    mention_row = _row_of(parts[0], words, mention, _MENTIONS, default=None)
    entities, entity_rows = _entity_table(parts[1], names)
    word_rows, kept = _word_rows(words, pad_row, mention_row)
    manifest = Manifest(Kind.CORPUS, {"imported_from": "relvm"}, parents={path.name: sha256_of(path) for path in parts})
    with create_artifact(out, manifest, overwrite) as draft:
        counts = np.zeros(len(kept), np.int64)
        with (
            RowWriter(draft.path / SENTENCES, SENTENCE_SCHEMA) as sentences,
            RowWriter(draft.path / CONTEXTS, CONTEXT_SCHEMA) as contexts,
        ):
            for start in range(0, len(heads), BATCH_ROWS):
                block = slice(start, start + BATCH_ROWS)
                first, second = entity_rows[heads[block]], entity_rows[tails[block]]
                rows = [word_rows[row[row != pad_row]] for row in tokens[block]]
                counts += np.bincount(np.concatenate(rows), minlength=len(kept))
                _write(parts[4], start, rows, first, second, kept, entities, sentences, contexts)
        counts[[PAD, ENT, END]] = 0, 2 * len(heads), len(heads)
        entities.write(draft.path / ENTITIES)
        Vocabulary(kept, counts).write(draft.path / VOCABULARY)
        store = ContextStore.open(draft.path / CONTEXTS)
        pairs = PairCounts.of_contexts(store.heads, store.tails, len(entities))
        pairs.write(draft.path / PAIRS)
        write_evidence(draft.path / EVIDENCE, store.heads, store.tails, len(entities))
        draft.summary |= {
            "contexts": len(store), "distinct_pairs": len(pairs), "entities": len(entities), "words": len(kept),
            "tokens": int(store.lengths.sum()), **by_class(pairs, entities),
        }  # fmt: skip
    return open_artifact(out, Kind.CORPUS, verify=False)


def _strings(path: Path) -> list[str]:
    try:
        values = parse_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError(path, f"no such file; the layout has {', '.join(FILES)}") from None
    except (OSError, ValueError) as error:
        raise InputError(path, f"is no JSON list of texts ({error})") from None
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        raise InputError(path, "is no JSON list of texts")
    if len(values) > _LIMIT:
        raise InputError(
            path, f"lists {len(values):,} values, but uint16 counts to {_LIMIT:,}: the numbers have wrapped"
        )
    if len(set(values)) != len(values):
        raise InputError(path, "lists a value twice")
    return values


def _numbers(path: Path, limit: int) -> npt.NDArray[np.uint16]:
    try:
        size = path.stat().st_size
    except OSError:
        raise InputError(path, f"no such file; the layout has {', '.join(FILES)}") from None
    if not size or size % 2:
        raise InputError(path, f"has {size} bytes, which are no numbers of two bytes")
    values = np.memmap(path, np.dtype("<u2"), "r")
    if int(values.max()) >= limit:
        raise InputError(path, f"holds the number {int(values.max())}, but its list has {limit} values")
    return values


def _row_of(path: Path, words: list[str], given: str | None, usual: frozenset[str], default: int | None) -> int:
    found = [row for row, word in enumerate(words) if (word == given if given is not None else word.upper() in usual)]
    if len(found) == 1:
        return found[0]
    if given is None and default is not None and not found:
        return default
    wanted = repr(given) if given is not None else " or ".join(sorted(filter(None, usual)))
    raise InputError(path, f"has {len(found)} tokens {wanted}; name the right one with --pad and --mention")


def _entity_table(path: Path, names: list[str]) -> tuple[EntityTable, npt.NDArray[np.int32]]:
    """The entities sorted by (type, id), and the row of each number."""
    parsed = [parse_entity(name) for name in names]
    keys = [(entity.type or UNTYPED, entity.id) for entity in parsed]
    order = sorted(set(keys))
    if len(order) != len(keys):
        raise InputError(path, "lists an entity twice, in two spellings")
    place = {key: row for row, key in enumerate(order)}
    labels = dict(zip(keys, names, strict=True))
    table = EntityTable(
        [k for k, _ in order], [i for _, i in order], [labels[key] for key in order], [[] for _ in order]
    )
    return table, np.array([place[key] for key in keys], np.int32)


def _word_rows(words: list[str], pad: int, mention: int) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Row of each number in the word table of kgrel, and that table."""
    kept = list(SPECIAL_TOKENS)
    rows = np.zeros(len(words), np.int64)
    for number, word in enumerate(words):
        special = {pad: PAD, mention: ENT}.get(number)
        if special is None and word.upper() in _ENDS:
            special = END
        if special is None and (word.upper() in _UNKNOWNS or word in SPECIAL_TOKENS):
            special = UNK
        if special is None:
            kept.append(word)
        rows[number] = len(kept) - 1 if special is None else special
    return rows, kept


def _write(
    path: Path,
    start: int,
    rows: list[npt.NDArray[np.int64]],
    heads: npt.NDArray[np.int32],
    tails: npt.NDArray[np.int32],
    words: list[str],
    entities: EntityTable,
    sentences: RowWriter,
    contexts: RowWriter,
) -> None:
    for number, (row, head, tail) in enumerate(zip(rows, heads.tolist(), tails.tolist(), strict=True)):
        if np.count_nonzero(row == ENT) != 2:
            raise InputError(path, f"context {start + number} does not hold two mentions; see --mention")
        row = row[row != END]
        pieces, spans, length = [], [], 0
        mentioned = iter((head, tail))
        for token in row.tolist():
            piece = entities.names[next(mentioned)] if token == ENT else words[token]
            if token == ENT:
                spans += [length, length + len(piece)]
            pieces.append(piece)
            length += len(piece) + 1
        contexts.append((head, tail, sentences.count, *spans, [*row.tolist(), END]))
        sentences.append(("", " ".join(pieces)))
