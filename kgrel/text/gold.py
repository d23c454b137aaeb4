"""How well documents are tagged, measured against gold mentions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kgrel.data.errors import InputError
from kgrel.text.badlines import BadLines
from kgrel.text.disambiguation import Disambiguator
from kgrel.text.document_tagger import DocumentTagger
from kgrel.text.documents import Document, Given, Passage, split_sentences
from kgrel.text.lexicon import Lexicon, build_lexicon, read_lexicon
from kgrel.text.pubtator import NO_IDENTIFIER
from kgrel.text.readers import read_documents
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.tagger import Mention

SHOWN = 40
_SEPARATORS = re.compile(r"[,;|+]")
_REFERENCES = {"MESH": "MSH", "MSH": "MSH", "OMIM": "OMIM"}
"""Prefix of a gold identifier → prefix of a cross-reference."""

Entities = frozenset[int]


@dataclass
class Counts:
    """Gold, predicted and correct, from which precision, recall and F1 follow."""

    gold: int = 0
    predicted: int = 0
    correct: int = 0
    """Predicted ones that are gold."""
    found: int = 0
    """Gold ones that are predicted."""

    def to_json(self) -> dict[str, float | int]:
        """The counts with precision, recall and F1; a ratio of nothing is 0."""
        precision = self.correct / self.predicted if self.predicted else 0.0
        recall = self.found / self.gold if self.gold else 0.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        ratios = {"precision": round(precision, 6), "recall": round(recall, 6), "f1": round(f1, 6)}
        return {"gold": self.gold, "predicted": self.predicted, "correct": self.correct, **ratios}


@dataclass
class TypeReport:
    """What is counted for one type."""

    spans: Counts = field(default_factory=Counts)
    identifiers: Counts = field(default_factory=Counts)
    mentions: int = 0
    """Gold mentions."""
    mappable: int = 0
    """Those with an identifier that some entity of the lexicon has."""
    false: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)


class GoldMap:
    """From gold identifiers to entities of the lexicon.

    An identifier is that of an entity (NCBI Gene), or a cross-reference of entities (MeSH, OMIM); failing both, it
    means the entities whose names its gold mentions are, letter by letter but for the case.
    """

    def __init__(self, lexicon: Lexicon, documents: Sequence[Document]) -> None:
        self._lexicon = lexicon
        self._by_reference: dict[tuple[str, str], set[int]] = {}
        self.referring: set[int] = set()
        """Entities with a cross-reference to a vocabulary of gold identifiers."""
        for row, term in enumerate(lexicon.terms):
            for reference in term.references:
                if reference.partition(":")[0] in _REFERENCES.values():
                    self._by_reference.setdefault((term.type, reference), set()).add(row)
                    self.referring.add(row)
        self._types_with_references = {lexicon.terms[row].type for row in self.referring}
        self._by_name: dict[tuple[str, str], set[int]] = {}
        for passage, given in ((p, g) for d in documents for p in d.passages for g in p.given or ()):
            use = lexicon.names.get(lexicon.normaliser.fold(passage.text[given.start : given.end]))
            if use is not None and lexicon.terms[use.entity].type == given.type:
                for identifier in identifiers_of(given):
                    self._by_name.setdefault((given.type, identifier), set()).add(use.entity)

    def how(self, type_: str) -> str:
        """By what identifiers of a type are mapped."""
        if type_ == "GENE":
            return "identifier"
        return "cross-reference" if type_ in self._types_with_references else "exact name"

    def entities(self, type_: str, identifier: str) -> Entities:
        """The entities that a gold identifier means; empty if it cannot be mapped."""
        how = self.how(type_)
        if how == "identifier":
            place = self._lexicon.place.get((type_, identifier))
            return frozenset() if place is None else frozenset((place,))
        if how == "exact name":
            return frozenset(self._by_name.get((type_, identifier), ()))
        prefix, _, rest = identifier.rpartition(":")
        reference = f"{_REFERENCES.get(prefix.upper() or 'MESH', prefix)}:{rest}"
        return frozenset(self._by_reference.get((type_, reference), ()))

    def is_judged(self, entity: int) -> bool:
        """Whether a predicted entity can be right at all: it could stand behind a gold identifier."""
        return self.how(self._lexicon.terms[entity].type) != "cross-reference" or entity in self.referring


def identifiers_of(given: Given) -> list[str]:
    """The identifiers of a gold mention; a composite one has several."""
    return [part for part in map(str.strip, _SEPARATORS.split(given.id)) if part.lower() not in NO_IDENTIFIER]


def evaluate_tagging(
    gold: Sequence[Path],
    lexicons: Sequence[tuple[str, Path]],
    settings: BuildCorpusSettings | None = None,
    disambiguator: Disambiguator | None = None,
    lexicon: Lexicon | None = None,
) -> dict[str, Any]:
    """Tag the documents of gold files as :func:`~kgrel.text.build.build_corpus` would, and compare.

    *Spans*: a mention is correct if a gold mention of its type has the same first and last character. *Identifiers*:
    the set of entities of a document is compared with its set of gold identifiers; gold identifiers that no entity of
    the lexicon has are left out and counted (``mappable``), and so are predicted diseases without a cross-reference.
    Identifiers of types without cross-references, chemicals as a rule, are mapped by exact name (``mapped_by``), which
    favours a tagger that looks up names. Types that a file does not annotate, or no lexicon has, are left out.

    Args:
        gold: files with mentions, of any format of :func:`kgrel.text.readers.read_documents`.
        lexicons: (type, file) of each lexicon.
        lexicon: a lexicon built already with the same settings; then ``lexicons`` are not read.

    Returns:
        For each file name ``{"documents", "sentences", "types": {TYPE: {"spans", "identifiers", "mappable",
        "mapped_by", "false", "missed"}}}``; ``false`` and ``missed`` are the most frequent wrong and missing texts.

    Raises:
        InputError: a file cannot be read, or has no gold mention of a type of the lexicons.
    """
    settings = settings or BuildCorpusSettings()
    bad = BadLines(settings.strict)
    if lexicon is None:
        terms = [term for kind, path in lexicons for term in read_lexicon(kind, path, settings, bad)]
        lexicon = build_lexicon(terms, settings)
    tagger = DocumentTagger(lexicon, settings, disambiguator)
    return {path.name: _evaluate_file(path, tagger, settings, bad) for path in gold}


def _evaluate_file(path: Path, tagger: DocumentTagger, settings: BuildCorpusSettings, bad: BadLines) -> dict[str, Any]:
    documents = list(read_documents(path, settings.format, bad))
    gold_map = GoldMap(tagger.lexicon, documents)
    known = {term.type for term in tagger.lexicon.terms}
    annotated = {given.type for document in documents for p in document.passages for given in p.given or ()}
    if not known & annotated:
        raise InputError(path, f"has no gold mention of {', '.join(sorted(known))}")
    reports = {type_: TypeReport() for type_ in sorted(known & annotated)}
    sentences = 0
    for split, found in _tagged(documents, tagger):
        sentences += len(split)
        for sentence, mentions in zip(split, found, strict=True):
            _count_spans(reports, tagger.lexicon, sentence, mentions)
        _count_identifiers(reports, tagger.lexicon, gold_map, split, found)
    return {
        "documents": len(documents),
        "sentences": sentences,
        "bad_lines": bad.count,
        "types": {type_: _report_of(report, gold_map.how(type_)) for type_, report in reports.items()},
    }


def _tagged(
    documents: Sequence[Document], tagger: DocumentTagger
) -> Iterator[tuple[list[Passage], list[list[Mention]]]]:
    for document in documents:
        split = [sentence for passage in document.passages for sentence in split_sentences(passage)]
        (found,) = tagger.tag_documents([[sentence.text for sentence in split]])
        yield split, found


def _count_spans(reports: dict[str, TypeReport], lexicon: Lexicon, sentence: Passage, mentions: list[Mention]) -> None:
    for type_, report in reports.items():
        gold = {(given.start, given.end) for given in sentence.given or () if given.type == type_}
        predicted = {(m.start, m.end) for m in mentions if lexicon.terms[m.entity].type == type_}
        report.spans.gold += len(gold)
        report.spans.predicted += len(predicted)
        report.spans.correct += len(gold & predicted)
        report.spans.found += len(gold & predicted)
        report.false.update(sentence.text[start:end] for start, end in predicted - gold)
        report.missed.update(sentence.text[start:end] for start, end in gold - predicted)


def _count_identifiers(
    reports: dict[str, TypeReport],
    lexicon: Lexicon,
    gold_map: GoldMap,
    split: list[Passage],
    found: list[list[Mention]],
) -> None:
    """Compare the sets of one document."""
    entities = {mention.entity for mentions in found for mention in mentions}
    for type_, report in reports.items():
        given = [mention for sentence in split for mention in sentence.given or () if mention.type == type_]
        gold = {identifier: gold_map.entities(type_, identifier) for g in given for identifier in identifiers_of(g)}
        report.mentions += len(given)
        report.mappable += sum(any(gold[identifier] for identifier in identifiers_of(g)) for g in given)
        wanted = {meant for meant in gold.values() if meant}
        predicted = {e for e in entities if lexicon.terms[e].type == type_ and gold_map.is_judged(e)}
        report.identifiers.gold += len(wanted)
        report.identifiers.predicted += len(predicted)
        report.identifiers.correct += sum(any(entity in meant for meant in wanted) for entity in predicted)
        report.identifiers.found += sum(not meant.isdisjoint(predicted) for meant in wanted)


def _report_of(report: TypeReport, how: str) -> dict[str, Any]:
    return {
        "spans": report.spans.to_json(),
        "identifiers": report.identifiers.to_json(),
        "mappable": round(report.mappable / report.mentions, 6) if report.mentions else 0.0,
        "mapped_by": how,
        "false": _most_common(report.false),
        "missed": _most_common(report.missed),
    }


def _most_common(texts: Counter[str]) -> list[list[str | int]]:
    ranked = sorted(texts.items(), key=lambda item: (-item[1], item[0]))
    return [[text, count] for text, count in ranked[:SHOWN]]
