"""What a corpus holds, to look at before training on it: counts, histograms, a page of tagged sentences."""

from __future__ import annotations

import html
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kgrel.data.files import atomic_file
from kgrel.data.printing import printable
from kgrel.metrics.histograms import Histogram, bars, figure_of, powers, quantiles
from kgrel.text.corpus import Corpus

MOST_FREQUENT = 20
_PALETTE = ("#ffd9a8", "#b9e3b4", "#b8d4f5", "#f3c0dc", "#d9ccf2", "#f0e8a0")


@dataclass(frozen=True)
class Marked:
    """A stretch of a sentence; ``type`` and ``id`` are empty outside the mentions."""

    text: str
    type: str = ""
    id: str = ""


@dataclass(frozen=True)
class TaggedSentence:
    """A sentence with the mentions that stand in its contexts."""

    doc_id: str
    parts: tuple[Marked, ...]


def describe_corpus(corpus: Corpus) -> dict[str, Any]:
    """Counts, the most frequent pairs and entities, and the quantiles of lengths and frequencies."""
    contexts_of = np.bincount(corpus.contexts.heads, minlength=len(corpus.entities))
    contexts_of += np.bincount(corpus.contexts.tails, minlength=len(corpus.entities))
    summary = corpus.artifact.manifest.summary
    counts = {name: value for name, value in summary.items() if isinstance(value, int | float | dict)}
    return {
        **counts,
        "frequent_pairs": _frequent_pairs(corpus),
        "frequent_entities": [
            [_spelled(corpus, row), int(contexts_of[row])]
            for row in np.argsort(-contexts_of, kind="stable")[:MOST_FREQUENT].tolist()
        ],
        "tokens_a_context": quantiles(corpus.contexts.lengths),
        "contexts_a_pair": quantiles(corpus.pairs.counts),
        "contexts_an_entity": quantiles(contexts_of),
    }


def _frequent_pairs(corpus: Corpus) -> list[list[str | int]]:
    pairs = corpus.pairs
    return [
        [_spelled(corpus, int(pairs.heads[row])), _spelled(corpus, int(pairs.tails[row])), int(pairs.counts[row])]
        for row in np.argsort(-pairs.counts, kind="stable")[:MOST_FREQUENT].tolist()
    ]


def _spelled(corpus: Corpus, row: int) -> str:
    table = corpus.entities
    return f"{printable(table.names[row])} ({table.types[row]} {printable(table.ids[row])})"


def histograms(corpus: Corpus) -> list[Histogram]:
    """Title and bars (least, most, number) of the lengths and frequencies; frequencies in powers of two."""
    contexts_of = np.bincount(corpus.contexts.heads, minlength=len(corpus.entities))
    contexts_of += np.bincount(corpus.contexts.tails, minlength=len(corpus.entities))
    words = corpus.word_counts[4:]
    return [
        ("tokens of a context", bars(corpus.contexts.lengths, [*range(0, 141, 10), 1 << 30])),
        ("contexts of a pair", bars(corpus.pairs.counts, powers(corpus.pairs.counts))),
        ("contexts of an entity", bars(contexts_of, powers(contexts_of))),
        ("occurrences of a word", bars(words, powers(words))),
    ]


def draw_histograms(corpus: Corpus, path: Path, overwrite: bool = False) -> None:
    """Draw the histograms into a PNG file.

    Raises:
        KgrelError: the file exists and ``overwrite`` is false, or cannot be written.
    """
    figure = figure_of(histograms(corpus), linear=1)
    with atomic_file(path, overwrite) as partial:
        figure.savefig(partial, format="png")


def sample_sentences(corpus: Corpus, count: int, seed: int = 0) -> list[TaggedSentence]:
    """Some sentences drawn by a seed, in the order of the corpus, with the mentions that stand in their contexts."""
    rows = sorted(random.Random(seed).sample(range(len(corpus.sentences)), min(count, len(corpus.sentences))))
    begins = np.searchsorted(corpus.contexts.sentences, rows)
    ends = np.searchsorted(corpus.contexts.sentences, rows, side="right")
    return [_tagged(corpus, row, range(b, e)) for row, b, e in zip(rows, begins.tolist(), ends.tolist(), strict=True)]


def _tagged(corpus: Corpus, row: int, contexts: Sequence[int]) -> TaggedSentence:
    doc_id, text = corpus.sentences.row(row)
    spans: dict[tuple[int, int], int] = {}
    for context in map(corpus.contexts.row, contexts):
        spans[context.head_start, context.head_end] = context.head
        spans[context.tail_start, context.tail_end] = context.tail
    parts, reached = [], 0
    for (start, end), entity in sorted(spans.items()):
        parts.append(Marked(text[reached:start]))
        parts.append(Marked(text[start:end], corpus.entities.types[entity], corpus.entities.ids[entity]))
        reached = end
    return TaggedSentence(doc_id, (*parts, Marked(text[reached:])))


def html_page(sentences: Sequence[TaggedSentence], title: str) -> str:
    """The sentences as one HTML page without scripts; everything that comes from the corpus is escaped."""
    types = sorted({part.type for sentence in sentences for part in sentence.parts if part.type})
    colours = {type_: _PALETTE[place % len(_PALETTE)] for place, type_ in enumerate(types)}
    key = " ".join(f'<mark style="background:{colours[type_]}">{html.escape(type_)}</mark>' for type_ in types)
    items = "\n".join(
        f"<li><small>{html.escape(sentence.doc_id)}</small> "
        + "".join(_html_part(part, colours) for part in sentence.parts)
        + "</li>"
        for sentence in sentences
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>\n'
        "<style>body{font:16px/1.6 sans-serif;max-width:60em;margin:2em auto}li{margin:.5em 0}small{color:#777}"
        "mark{padding:.1em .2em;border-radius:.2em}</style></head>\n"
        f"<body><h1>{html.escape(title)}</h1><p>{key}</p>\n<ol>\n{items}\n</ol></body></html>\n"
    )


def _html_part(part: Marked, colours: dict[str, str]) -> str:
    text = html.escape(part.text)
    if not part.type:
        return text
    label = html.escape(f"{part.type} {part.id}", quote=True)
    return f'<mark style="background:{colours[part.type]}" title="{label}">{text}</mark>'
