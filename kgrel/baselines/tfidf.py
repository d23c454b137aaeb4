"""TF-IDF and logistic regression: what a classifier of sentences must beat."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from kgrel.text.mentions import ENT

STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Inverse strengths of the L2 penalty that are tried on validation sentences."""

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Worded:
    """Sentences as a linear model reads them: their contexts, and the types of their two mentions."""

    contexts: Sequence[Sequence[str]]
    types: Sequence[tuple[str, str]]

    def terms(self) -> list[list[str]]:
        """Words and pairs of neighbouring words; a mention is its type."""
        found = []
        for context, types in zip(self.contexts, self.types, strict=True):
            names = iter(types)
            words = [f"<{next(names)}>" if word == ENT else word for word in context]
            found.append(words + [" ".join(pair) for pair in pairwise(words)])
        return found


class TfidfClassifier:
    """p(r|c) by logistic regression on sublinear TF-IDF of words and pairs of words.

    Args:
        sentences, labels: to learn from, with class numbers (n,).
        validation, validation_labels: choose the strength of the penalty, by log-probability.
        classes: how many there are; those without a training sentence have probability 0.
    """

    def __init__(
        self, sentences: Worded, labels: Rows, validation: Worded, validation_labels: Rows, classes: int
    ) -> None:
        self.classes = classes
        self._vectors = TfidfVectorizer(analyzer=list, sublinear_tf=True)
        x, held = self._vectors.fit_transform(sentences.terms()), self._vectors.transform(validation.terms())
        solver = "liblinear" if len(np.unique(labels)) == 2 else "lbfgs"  # the faster one, which knows two classes only
        best = -np.inf
        for strength in STRENGTHS:
            model = LogisticRegression(C=strength, max_iter=1000, solver=solver)
            with warnings.catch_warnings():
                warnings.simplefilter("error", ConvergenceWarning)
                model.fit(x, labels)
            p = self._spread(model, model.predict_proba(held))[np.arange(len(validation_labels)), validation_labels]
            value = float(np.log(np.maximum(p, 1e-12)).mean())
            if value > best:
                best, self._model, self.strength = value, model, strength

    def _spread(self, model: LogisticRegression, p: Floats) -> Floats:
        full = np.zeros((len(p), self.classes))
        full[:, model.classes_] = p
        return full

    def predict(self, sentences: Worded) -> Floats:
        """p(r|c), (n, C)."""
        return self._spread(self._model, self._model.predict_proba(self._vectors.transform(sentences.terms())))
