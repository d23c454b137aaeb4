"""Attention pooling is the plain weighted mean; padding and company do not matter; bags are what a loop finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from kgrel.baselines.attention_model import AttentionModel
from kgrel.baselines.bags import Bags
from kgrel.text.corpus import Corpus

WORDS, CLASSES, HIDDEN = 30, 3, 5
POSSIBLE = torch.tensor([[True, True, True, False], [True, False, False, True], [True, True, False, False]])


@pytest.fixture(scope="module")
def model() -> AttentionModel:
    torch.manual_seed(0)
    made = AttentionModel(WORDS, CLASSES, word_dimensions=4, hidden=HIDDEN, dropout=0.5).eval()
    with torch.no_grad():
        made.nothing.normal_()
    return made


def sentences(seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Six padded sentences and their lengths."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.tensor([4, 1, 6, 3, 6, 2])
    tokens = torch.randint(1, WORDS, (6, 6), generator=generator)
    return tokens * (torch.arange(6) < lengths.unsqueeze(1)), lengths


PAIRS = torch.tensor([0, 2, 0, 2, 2, 0])
"""Pair 1 has no sentence."""


@torch.no_grad()
def test_a_pair_is_the_weighted_mean_of_its_sentences(model: AttentionModel) -> None:
    tokens, lengths = sentences()
    states = model.encode(tokens, lengths)
    pooled = model.pool(states, PAIRS, 3)
    for pair in (0, 2):
        own = states[pair == PAIRS]
        weights = model.attend(own).softmax(dim=0)
        torch.testing.assert_close(pooled[pair], (weights * own).sum(0))
    torch.testing.assert_close(pooled[1], model.nothing)


@torch.no_grad()
def test_a_sentence_is_read_without_its_padding(model: AttentionModel) -> None:
    tokens, lengths = sentences()
    states = model.encode(tokens, lengths)
    for row, length in enumerate(lengths.tolist()):
        plain = model.lstm(model.words(tokens[row : row + 1, :length]))[0][0, -1]
        torch.testing.assert_close(states[row], plain)


@torch.no_grad()
def test_probabilities_do_not_depend_on_company_or_order(model: AttentionModel) -> None:
    tokens, lengths = sentences()
    together = model(tokens, lengths, PAIRS, POSSIBLE)
    torch.testing.assert_close(together.exp().sum(1), torch.ones(3))
    assert (together.exp()[~POSSIBLE] == 0).all()
    order = torch.tensor([5, 2, 0, 4, 1, 3])
    torch.testing.assert_close(model(tokens[order], lengths[order], PAIRS[order], POSSIBLE), together)
    for pair in range(3):
        own = pair == PAIRS
        alone = model(tokens[own], lengths[own], torch.zeros(int(own.sum()), dtype=torch.long), POSSIBLE[[pair]])
        torch.testing.assert_close(alone[0], together[pair])


def test_every_weight_learns(model: AttentionModel) -> None:
    tokens, lengths = sentences()
    model.zero_grad()
    model(tokens, lengths, PAIRS, POSSIBLE)[:, 0].sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all()
        assert parameter.grad.any(), name
    model.zero_grad()


@pytest.fixture(scope="module")
def bags(corpus_path: Path) -> Bags:
    return Bags(Corpus.open(corpus_path))


def plain_bag(bags: Bags, head: int, tail: int) -> list[int]:
    """Rows of all contexts of a pair."""
    heads, tails = bags.corpus.contexts.heads, bags.corpus.contexts.tails
    inside = ((heads == head) & (tails == tail)) | ((heads == tail) & (tails == head))
    return np.flatnonzero(inside).tolist()


def test_the_contexts_of_pairs_are_what_a_loop_finds(bags: Bags) -> None:
    pairs = bags.corpus.pairs
    heads = np.array([*pairs.tails[:40], pairs.heads[0], pairs.heads[3]], dtype=np.int64)
    tails = np.array([*pairs.heads[:40], pairs.heads[0], pairs.tails[3]], dtype=np.int64)
    numbers, contexts = bags.contexts(heads, tails, limit=1000)
    for number, pair in enumerate(zip(heads.tolist(), tails.tolist(), strict=True)):
        assert contexts[numbers == number].tolist() == plain_bag(bags, *pair)
    assert not (numbers == 40).any()  # an entity and itself


def test_no_more_contexts_are_taken_than_allowed_evenly_or_at_random(bags: Bags) -> None:
    pairs, limit = bags.corpus.pairs, 3
    row = int(pairs.counts.argmax())
    head, tail = np.array([pairs.heads[row]], np.int64), np.array([pairs.tails[row]], np.int64)
    whole = plain_bag(bags, int(head[0]), int(tail[0]))
    assert len(whole) > 2 * limit
    _, even = bags.contexts(head, tail, limit)
    assert even.tolist() == [whole[place * len(whole) // limit] for place in range(limit)]
    drawn = {tuple(bags.contexts(head, tail, limit, np.random.default_rng(seed))[1].tolist()) for seed in range(20)}
    assert len(drawn) > 3
    assert all(len(set(some)) == limit and set(some) <= set(whole) for some in drawn)


def test_tokens_are_cut_and_padded(bags: Bags) -> None:
    rows = np.array([5, 0, 9])
    tokens, lengths = bags.tokens(rows, limit=4)
    for row, own, length in zip(rows.tolist(), tokens.tolist(), lengths.tolist(), strict=True):
        expected = bags.corpus.contexts.row(row).tokens[:4]
        assert length == len(expected)
        assert own[:length] == expected
        assert not any(own[length:])
