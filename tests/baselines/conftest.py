"""Labelled pairs with a planted block structure: entities of a block are related, and nothing else says so."""

from __future__ import annotations

import numpy as np
import pytest

from kgrel.train.pair_data import ClassTable, PairData, Part
from kgrel.train.settings import PairSettings
from kgrel.train.splits import split_parts

BLOCKS, PER_BLOCK = 4, 12
SETTINGS = PairSettings(batch_size=96, batch_negatives=64, validation_share=0.2, test_share=0.2, seed=3)


def planted_data(seed: int = 0) -> PairData:
    """Two types in alternation; pairs of a block are listed, with the class of their types; a tenth is hidden."""
    rng, size = np.random.default_rng(seed), BLOCKS * PER_BLOCK
    heads, tails = np.triu_indices(size, 1)
    type_rows = np.arange(size) % 2
    allowed = np.zeros((2, 2, 2), dtype=np.bool_)
    allowed[0, 1, 0] = allowed[1, 0, 0] = allowed[1, 1, 1] = True
    classes = ClassTable(["DISEASE-GENE", "GENE-GENE"], ["DISEASE", "GENE"], allowed)
    possible = classes.possible(type_rows, heads, tails)
    keep = possible.any(axis=1)
    heads, tails, possible = heads[keep], tails[keep], possible[keep]
    blocks = rng.permutation(np.arange(size) % BLOCKS)
    related = (blocks[heads] == blocks[tails]) & (rng.random(len(heads)) < 0.9)
    labels = possible & related[:, None]
    contexts = rng.integers(0, 9, len(heads))
    return PairData(classes, type_rows, heads, tails, labels, split_parts(related, SETTINGS), contexts)


@pytest.fixture(scope="module")
def data() -> PairData:
    """The planted pairs, split 60/20/20."""
    return planted_data()


@pytest.fixture(scope="module")
def pair_settings() -> PairSettings:
    """How the pairs are batched."""
    return SETTINGS


@pytest.fixture(scope="module")
def test_rows(data: PairData) -> np.ndarray:
    """Rows of the test part."""
    return data.rows(Part.TEST)
