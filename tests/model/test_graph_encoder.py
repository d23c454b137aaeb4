"""The R-GCN's equation by hand, and names as n-grams."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch.nn import functional as F

from kgrel.graph.neighbours import Hop, Surroundings
from kgrel.model.graph_encoder import BUCKETS, GraphEncoder, InductiveEncoder, NameEncoder, hop_tensors, name_grams

# Three nodes; the first hears of the second twice, by steps 0 and 1, and of the third by step 0.
HOP = Hop(np.array([1, 2, 1]), np.array([0, 0, 0]), np.array([0, 0, 1]), np.array([0, 1, 2]))
TYPES, KNOWN = torch.tensor([0, 1, 1]), torch.tensor([False, True, True])


def encoder() -> GraphEncoder:
    torch.manual_seed(0)
    return GraphEncoder(embedding=4, types=2, steps=3, width=5, bases=2)


def test_two_layers_are_those_of_the_equation() -> None:
    network, embeddings = encoder(), torch.randn(3, 4)
    around = Surroundings(np.arange(3), (HOP, Hop(*HOP[:3], np.array([0]))))
    found = network(embeddings, KNOWN, TYPES, *hop_tensors(around, torch.device("cpu")))
    h = F.normalize(embeddings) * KNOWN.unsqueeze(1) @ network.enter.weight.T + network.kind.weight[2 * TYPES + KNOWN]
    for layer in network.layers:
        weights = torch.einsum("sb,bij->sij", layer.comp, layer.weight)
        heard = torch.zeros(3, 5)
        heard[0] = (h[1] + h[2]) / 2 @ weights[0] + h[1] @ weights[1]
        h = (h @ layer.root + layer.bias + heard).relu()
    torch.testing.assert_close(found, h[:1])


def test_the_embedding_of_an_unknown_node_is_not_looked_at_nor_the_length_of_a_known_one() -> None:
    network, embeddings = encoder(), torch.randn(3, 4)
    hops = hop_tensors(Surroundings(np.arange(3), (HOP, HOP)), torch.device("cpu"))
    expected = network(embeddings, KNOWN, TYPES, *hops)
    embeddings[0], embeddings[1] = torch.randn(4), embeddings[1] * 7
    torch.testing.assert_close(network(embeddings, KNOWN, TYPES, *hops), expected)


def test_names_are_the_same_in_any_case_and_short_ones_are_kept() -> None:
    grams, starts = name_grams(["Kinase A", "kinase a", "x", ""])
    pieces = [grams[begin:end].tolist() for begin, end in pairwise(starts)]
    assert pieces[0] == pieces[1]
    assert len(pieces[0]) == sum(len("<kinase a>") - n + 1 for n in (3, 4, 5))
    assert len(pieces[2]) == len(pieces[3]) == 1
    assert grams.max() < BUCKETS


def test_predictions_are_unit_vectors_from_what_the_encoder_sees() -> None:
    torch.manual_seed(0)
    network = InductiveEncoder(None, NameEncoder(5), types=2, embedding=4, width=5, dropout=0.5).eval()
    grams, starts = name_grams(["kinase", "receptor"])
    name = torch.from_numpy(grams), torch.from_numpy(starts[:-1])
    found = network(torch.tensor([0, 1]), None, name)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))
    assert not torch.allclose(found, network(torch.tensor([0, 1]), None, (name[0].flip(0), name[1])))
