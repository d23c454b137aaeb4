"""``explain-mention``: which words carry the decision on a sentence, by leaving each out.

    weight of word t = logit p̄(r | c) − logit p̄(r | c without t)

A word is left out by putting ``<UNK>`` in its place, which the classifier knows from word dropout. Both sides see the
same noise. A positive weight: the word speaks for the relation r.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kgrel.data.errors import KgrelError
from kgrel.text.mentions import END, ENT, Statement, context_words, said_of
from kgrel.train.mention_model import MentionModel

HIDDEN = "<UNK>"
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Explanation:
    """A decision and what each word adds to it.

    Attributes:
        relation: the class given; ``about``: the class whose weights are told, and its p̄ in ``score``.
        words: of the context, mentions as their types.
        weights: difference of logits (n,), 0 for the mentions.
    """

    relation: str
    about: str
    score: float
    words: list[str]
    weights: Floats


def explain_mention(model: MentionModel, statement: Statement | str, about: str = "") -> Explanation:
    """Leave each word of a sentence out.

    Args:
        about: a positive class; the likeliest one by default.

    Raises:
        KgrelError: the sentence cannot be read, its types are unknown, or there is no such class.
    """
    if isinstance(statement, str):
        raise KgrelError(f"the sentence cannot be explained: {said_of(statement)}")
    if about and about not in model.classes[1:]:
        raise KgrelError(f"no relation {about!r}; there are {', '.join(model.classes[1:])}")
    found = context_words(statement)
    if found is None:
        raise KgrelError(f"the sentence cannot be explained: {said_of('too_far')}")
    words = found[0]
    places = [place for place, word in enumerate(words) if word not in (ENT, END)]
    variants = [words, *([*words[:p], HIDDEN, *words[p + 1 :]] for p in places)]
    encoded = model.encode(variants, [statement.types] * len(variants))
    if not model.known(encoded)[0]:
        raise KgrelError(f"no relation between {' and '.join(statement.types)} was there in training")
    mean, _ = model.predict(encoded)
    given, number, _ = model.decide(mean[:1])
    column = model.classes.index(about) if about else int(number[0])
    p = np.clip(mean[:, column], 1e-12, 1 - 1e-12)
    logits = np.log(p) - np.log1p(-p)
    weights = np.zeros(len(words))
    weights[places] = logits[0] - logits[1:]
    names = iter(statement.types)
    shown = [f"[{next(names)}]" if word == ENT else word for word in words]
    return Explanation(model.classes[int(given[0])], model.classes[column], float(mean[0, column]), shown, weights)


def strengths(weights: Floats) -> Floats:
    """Weights scaled to −1..1 by the largest."""
    return weights / max(float(np.abs(weights).max()), 1e-12)


def html_page(explanation: Explanation) -> str:
    """The sentence on one page, words for the relation on green, against it on red."""
    spans = []
    for word, weight, strength in zip(
        explanation.words, explanation.weights, strengths(explanation.weights), strict=True
    ):
        colour = "46, 160, 67" if strength > 0 else "218, 54, 51"
        style = f"background: rgba({colour}, {abs(strength):.2f})"
        spans.append(f'<span style="{style}" title="{weight:+.3f}">{html.escape(word)}</span>')
    head = f"{html.escape(explanation.relation)}; p({html.escape(explanation.about)}) = {explanation.score:.3f}"
    return (
        '<!doctype html><meta charset="utf-8"><title>kgrel explain-mention</title>'
        f'<body style="font: 1.2em/1.8 sans-serif; margin: 2em"><p>{head}</p><p>{" ".join(spans)}</p>'
        "<p><small>Green speaks for the relation, red against it; each word was left out in turn.</small></p>\n"
    )
