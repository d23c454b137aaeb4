"""What can be asked: a pair, many pairs, a sentence, a relation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from kgrel.data.entities import Entity
from kgrel.data.errors import KgrelError
from kgrel.data.tables import TableReader
from kgrel.score.candidates import Resolver, find_columns, refuse_types
from kgrel.search.index import Query, RelationIndex, listed_with
from kgrel.search.metric import prepared
from kgrel.search.settings import SearchSettings
from kgrel.search.vector_file import in_chunks
from kgrel.text.document_tagger import DocumentTagger
from kgrel.text.tokens import Span, Vocabulary

Flags = npt.NDArray[np.bool_]
MARK = re.compile(r"\[\[(.+?)\]\]")
MEMBERS = 64
"""Pairs that stand for a relation where its members are asked, drawn by the seed of the index."""
HOW = "mark two as [[name]] or [[TYPE::id|name]], or give --lexicon"


def pair_query(index: RelationIndex, first: str, second: str, settings: SearchSettings) -> Query:
    """A pair of entities, by identifier or name, in the index or not.

    Raises:
        KgrelError: an entity is not known to the representation, or both are the same.
    """
    head, tail = (index.entities.named(text, "is known to the representation") for text in (first, second))
    if head == tail:
        raise KgrelError(f"{first!r} and {second!r} are the same entity; give two different ones")
    return of_rows(index, head, tail, settings)


def of_rows(index: RelationIndex, head: int, tail: int, settings: SearchSettings) -> Query:
    """A pair of entity rows."""
    vectors = index.pair_vectors(head, tail, settings.query_order)
    return Query(vectors.reshape(-1, vectors.shape[-1]), head, tail)


@dataclass(frozen=True)
class Asked:
    """The pairs of a file.

    Attributes:
        queries: those of known entities.
        lines: line of each.
        status: how many rows have which status, see :data:`kgrel.score.candidates.STATUSES`.
    """

    queries: list[Query]
    lines: list[int]
    status: dict[str, int]


def file_queries(index: RelationIndex, path: str | Path, settings: SearchSettings) -> Asked:
    """Each row of a candidate list (csv, tsv, jsonl, parquet) as a query.

    Raises:
        InputError: the list cannot be read.
        KgrelError: no row names a pair of known entities.
    """
    asked, resolver = Asked([], [], {}), Resolver(index.entities)
    with TableReader(path) as reader:
        columns = find_columns(reader.columns, str(path))
        refuse_types(reader.schema, columns, str(path))
        for lines, table in reader.numbered():
            found = resolver.resolve(table, columns)
            for name, count in zip(*np.unique(found.status, return_counts=True), strict=True):
                asked.status[str(name)] = asked.status.get(str(name), 0) + int(count)
            for row in found.ok.tolist():
                asked.queries.append(of_rows(index, int(found.heads[row]), int(found.tails[row]), settings))
                asked.lines.append(int(lines[row]))
    if not asked.queries:
        raise KgrelError(f"{path}: no row names a pair of known entities; use identifiers of the representation")
    return asked


@dataclass(frozen=True)
class MarkedSentence:
    """A sentence with the mentions of two entities.

    Attributes:
        spans: characters (start, end) of each, in the order of the text.
        rows: entity row of each.
    """

    text: str
    spans: tuple[Span, Span]
    rows: tuple[int, int]


def marked_sentence(index: RelationIndex, sentence: str, tagger: DocumentTagger | None) -> MarkedSentence:
    """Find the two entities that a sentence is about.

    Args:
        sentence: marks them as ``[[name]]`` or ``[[TYPE::id|name]]``; without marks they are tagged.
        tagger: of name lists; None = the entities must be marked.

    Raises:
        KgrelError: there are not exactly two different entities, or one is not known.
    """
    marks = list(MARK.finditer(sentence))
    found = marked(index, sentence, marks) if marks or tagger is None else tagged(index, sentence, tagger)
    text, spans, rows = found
    if len(rows) != 2 or rows[0] == rows[1]:
        names = ", ".join(text[start:end] for start, end in spans) or "none"
        raise KgrelError(f"a sentence must name two different entities, but here are {len(set(rows))} ({names}); {HOW}")
    return MarkedSentence(text, (spans[0], spans[1]), (rows[0], rows[1]))


def marked(index: RelationIndex, sentence: str, marks: list[re.Match[str]]) -> tuple[str, list[Span], list[int]]:
    """The text without its marks, and what they mark."""
    text, spans, rows, last = "", [], [], 0
    for mark in marks:
        identifier, _, name = mark[1].rpartition("|")
        text += sentence[last : mark.start()]
        spans.append((len(text), len(text) + len(name)))
        text += name
        rows.append(index.entities.named(identifier or name, "is known to the representation"))
        last = mark.end()
    return text + sentence[last:], spans, rows


def tagged(index: RelationIndex, sentence: str, tagger: DocumentTagger) -> tuple[str, list[Span], list[int]]:
    """The first mention of each entity that the tagger finds and the representation knows."""
    spans: list[Span] = []
    rows: list[int] = []
    for mention in tagger.tag_documents([[sentence]])[0][0]:
        term = tagger.lexicon.terms[mention.entity]
        row, status = index.entities.find(Entity(term.type, term.id))
        if status == "ok" and row not in rows:
            spans.append((mention.start, mention.end))
            rows.append(row)
    return sentence, spans, rows


@torch.inference_mode()
def sentence_query(index: RelationIndex, found: MarkedSentence) -> Query:
    """z ~ ∫ q(u|x,y,c) p(z|x,y,u) du of a sentence (eq. 13), with the noise of the index: (S, Z).

    Raises:
        KgrelError: the representation has no trained recogniser, or the mentions are too far apart.
    """
    if index.layout.posterior != "recogniser":
        raise KgrelError(
            f"{index.artifact.path}: the representation was pretrained with posterior {index.layout.posterior}, so "
            "nothing can read a sentence; pretrain with --posterior recogniser, or ask by --pair"
        )
    representation = index.representation
    vocabulary = Vocabulary(representation.words, np.zeros(len(representation.words), np.int64))
    tokens = vocabulary.encode_context(found.text, *found.spans)
    if tokens is None:
        raise KgrelError("the two entities are too far apart in the sentence: a context has at most 140 tokens")
    x, y = (torch.tensor([row]) for row in found.rows)
    noise = index.sampler.noise
    z = representation.model.sample_contexts(x, y, torch.tensor([tokens]), noise.u, noise.z)[0]
    vectors = z.mean(dim=0, keepdim=True) if index.settings.vectors == "mean" else z
    return Query(vectors.numpy(), *found.rows)


def relation_query(index: RelationIndex, name: str, by: str) -> tuple[Query, Flags]:
    """A labelled relation, as the mean of all vectors of its pairs (``centroid``), or as some of its ``members``.

    Returns:
        The query, and which pairs are listed with the relation (P,).

    Raises:
        KgrelError: no pair is listed with it, or all that are were removed.
    """
    listed = listed_with(index.pairs, name) & ~index.pairs.removed
    rows = np.flatnonzero(listed)
    if not len(rows):
        raise KgrelError(f"{index.artifact.path}: all pairs that are listed with {name!r} were removed from it")
    if by == "members":
        rng = np.random.default_rng(index.settings.seed)
        chosen = np.sort(rng.choice(rows, min(MEMBERS, len(rows)), replace=False))
        return Query(np.asarray(index.vectors[chosen, 0], np.float32).reshape(-1, index.layout.width)), listed
    total = np.zeros(index.layout.width)
    for start in range(0, len(rows), 4096):
        for _, chunk in in_chunks(index.vectors[rows[start : start + 4096], :1], 65_536):
            total += prepared(chunk, index.settings.metric).sum(axis=0, dtype=np.float64)
    return Query((total / (len(rows) * index.layout.vectors_per_order))[None]), listed
