"""Cheap scorers that measure how hard a world is: what counts, degrees, labels and text can tell of a pair.

Each is fitted on the training pairs and returns a scorer: pairs of shape (pairs, 2) in, scores (pairs,) out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, precision_recall_curve

from kgrel.synthetic import World, WorldSettings, make_world, shuffled_text

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Scorer = Callable[[Ints], Floats]


class Split(NamedTuple):
    """Rows of ``world.pairs``: 80, 10 and 10 %."""

    train: Ints
    validation: Ints
    test: Ints


class Quality(NamedTuple):
    """Average precision and F1 on test pairs and on candidates, F1 at the threshold best on validation."""

    test_ap: float
    test_f1: float
    unseen_ap: float
    unseen_f1: float


def split_pairs(world: World, seed: int) -> Split:
    order = np.random.default_rng(seed).permutation(len(world.pairs))
    first, second = int(0.8 * len(order)), int(0.9 * len(order))
    return Split(order[:first], order[first:second], order[second:])


def class_of(world: World, pairs: Ints) -> Ints:
    """A number for the types of each pair."""
    codes = np.array([("GENE", "DISEASE", "CHEMICAL").index(entity.type) for entity in world.entities])
    return codes[pairs[:, 0]] * 3 + codes[pairs[:, 1]]


def by_count(world: World, split: Split) -> Scorer:
    """How many sentences mention both."""
    counts = world.comention_counts()
    return lambda pairs: np.array([counts[min(pair), max(pair)] for pair in map(tuple, pairs.tolist())], float)


def by_degree(world: World, split: Split) -> Scorer:
    """Product of the numbers of training labels."""
    listed = world.pairs[split.train][world.listed[split.train]]
    degree = np.bincount(listed.ravel(), minlength=len(world.entities)) + 0.1
    return lambda pairs: degree[pairs].prod(axis=1)


def by_label_neighbours(world: World, split: Split) -> Scorer:
    """Paths of two, three and four labelled pairs between the two, weighted down by degree."""
    listed = world.pairs[split.train][world.listed[split.train]]
    links = np.zeros((len(world.entities),) * 2)
    links[listed[:, 0], listed[:, 1]] = links[listed[:, 1], listed[:, 0]] = 1.0
    links /= np.sqrt(np.maximum(links.sum(axis=0), 1.0))[:, None] * np.sqrt(np.maximum(links.sum(axis=1), 1.0))
    reach = links @ links + links @ links @ links + links @ links @ links @ links
    return lambda pairs: reach[pairs[:, 0], pairs[:, 1]]


def by_label_embeddings(world: World, split: Split, size: int = 24, decay: float = 1e-4) -> Scorer:
    """Logistic matrix factorisation of the training labels, positive and negative, weights by class.

    Keeps the epoch that is best on validation.
    """
    rng = np.random.default_rng(0)
    train, truth = world.pairs[split.train], world.listed[split.train].astype(float)
    validation = world.pairs[split.validation]
    classes = class_of(world, train)
    weights = {
        "entities": 0.3 * rng.standard_normal((len(world.entities), size)),
        "classes": np.ones((9, size)),
    }
    weights["bias"] = np.full((9, 1), -2.0)
    moments = {name: (np.zeros_like(value), np.zeros_like(value)) for name, value in weights.items()}

    def score(pairs: Ints, some: Ints) -> Floats:
        product = weights["entities"][pairs].prod(axis=1) * weights["classes"][some]
        return product.sum(axis=1) + weights["bias"][some, 0]

    best, kept = -1.0, {}
    for step in range(1, 401):
        error = (1 / (1 + np.exp(-score(train, classes))) - truth)[:, None] / len(train) * 100
        left, right = weights["entities"][train[:, 0]], weights["entities"][train[:, 1]]
        gradients = {name: 100 * decay * value for name, value in weights.items()}
        gradients["bias"] = np.zeros_like(weights["bias"])
        np.add.at(gradients["entities"], train[:, 0], error * right * weights["classes"][classes])
        np.add.at(gradients["entities"], train[:, 1], error * left * weights["classes"][classes])
        np.add.at(gradients["classes"], classes, error * left * right)
        np.add.at(gradients["bias"], classes, error)
        for name, gradient in gradients.items():
            first, second = moments[name]
            first += 0.1 * (gradient - first)
            second += 0.01 * (gradient**2 - second)
            scale = np.sqrt(second / (1 - 0.99**step)) + 1e-8
            weights[name] -= 0.02 * first / (1 - 0.9**step) / scale
        if step % 10 == 0:
            quality = average_precision_score(
                world.listed[split.validation], score(validation, class_of(world, validation))
            )
            if quality > best:
                best, kept = quality, {name: value.copy() for name, value in weights.items()}
    weights = kept
    return lambda pairs: score(pairs, class_of(world, pairs))


def by_text(world: World, split: Split, size: int = 24) -> Scorer:
    """Logistic regression on the product of two entities' word profiles, one model for each class.

    A profile is the latent semantic analysis of the words of all sentences that mention the entity.
    """
    words = CountVectorizer(token_pattern=r"[a-z][a-z-]+").fit_transform(one.frame for one in world.sentences)
    rows, columns = zip(
        *((entity, row) for row, one in enumerate(world.sentences) for entity in one.entities), strict=True
    )
    shape = (len(world.entities), len(world.sentences))
    profiles = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape) @ words
    weighted = TfidfTransformer(sublinear_tf=False).fit_transform(profiles).toarray()
    weighted -= weighted.mean(axis=0)
    latent = TruncatedSVD(size, random_state=0).fit_transform(weighted)
    latent /= np.maximum(np.linalg.norm(latent, axis=1, keepdims=True), 1e-9)

    def features(pairs: Ints) -> Floats:
        return latent[pairs].prod(axis=1) * np.sqrt(size)

    train = world.pairs[split.train]
    model = LogisticRegression(C=3.0, max_iter=500).fit(features(train), world.listed[split.train])
    return lambda pairs: model.decision_function(features(pairs))


def measure(world: World, split: Split, score: Scorer) -> Quality:
    validation, test = world.pairs[split.validation], world.pairs[split.test]
    precision, recall, thresholds = precision_recall_curve(world.listed[split.validation], score(validation))
    best = thresholds[np.argmax((2 * precision * recall / np.maximum(precision + recall, 1e-9))[:-1])]

    def both(truth: NDArray[np.bool_], scores: Floats) -> tuple[float, float]:
        chosen = scores >= best
        f1 = 2 * (truth & chosen).sum() / max(truth.sum() + chosen.sum(), 1)
        return float(average_precision_score(truth, scores)), float(f1)

    unseen = world.related()[world.candidates[:, 0], world.candidates[:, 1]]
    return Quality(*both(world.listed[split.test], score(test)), *both(unseen, score(world.candidates)))


WITHOUT_TEXT = {
    "co-occurrence": by_count,
    "degree": by_degree,
    "label neighbours": by_label_neighbours,
    "label embeddings": by_label_embeddings,
}
MARGIN = 1.6


@pytest.fixture(scope="module", params=[17, 1, 2])
def world(request: pytest.FixtureRequest) -> World:
    return make_world(WorldSettings(seed=request.param))


def test_base_rates_are_low_and_alike(world: World) -> None:
    related = world.related()
    for pairs in (world.pairs, world.candidates):
        assert 0.08 < related[pairs[:, 0], pairs[:, 1]].mean() < 0.15


def test_only_reading_the_right_text_pays(world: World) -> None:
    split = split_pairs(world, seed=0)
    text = measure(world, split, by_text(world, split))
    shuffled = shuffled_text(world, seed=0)
    rivals = {name: measure(world, split, fit(world, split)) for name, fit in WITHOUT_TEXT.items()}
    rivals["shuffled text"] = measure(shuffled, split, by_text(shuffled, split))
    for name, rival in rivals.items():
        for metric, value in rival._asdict().items():
            assert getattr(text, metric) > MARGIN * value, (name, metric)
    base = world.listed[split.test].mean()
    assert rivals["shuffled text"].test_ap < 1.6 * base
