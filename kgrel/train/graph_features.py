"""Encodings of the two entities of a pair from their surroundings in a graph, beside z.

    f(x,y) = g(x) ⊙ g(y)         g from :class:`kgrel.model.graph_encoder.GraphEncoder`

as the prior has x̂⊙ŷ. Held-out pairs have lost their edges before; in training the edges between the two entities of
every pair of a batch are taken for absent too, so that no pair sees its own. After the training g of every entity is
computed once, from all its neighbours, and kept; an entity that is not in the graph has g = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from kgrel.data.entities import EntityTable
from kgrel.graph.graph import Graph
from kgrel.graph.neighbours import Neighbours, Surroundings
from kgrel.graph.removal import pair_keys
from kgrel.model.graph_encoder import GraphEncoder, HopTensors, hop_tensors
from kgrel.train.pair_data import Rows, rows_in
from kgrel.train.settings import PairSettings


class Encoded(NamedTuple):
    """What a batch of pairs gives to the encoder, as tensors."""

    rows: Tensor
    """Entity row of each node of the first layer, 0 where it is no entity (n₀,)."""
    known: Tensor
    """Whether it is one (n₀,)."""
    types: Tensor
    """Node type (n₀,)."""
    hops: list[HopTensors]
    x: Tensor
    """Place of each pair's first entity among the encoded nodes, the one behind the last where it is none (B,)."""
    y: Tensor
    """Of its second (B,)."""


class GraphFeatures:
    """What the pair classifier sees of a graph.

    Args:
        graph: without the edges of held-out pairs.
        entities: of the representation.
    """

    def __init__(self, graph: Graph, entities: EntityTable, settings: PairSettings) -> None:
        self._graph, self._settings = graph, settings
        self._neighbours = Neighbours(graph)
        self.nodes, self._rows = rows_in(graph.entities, entities), rows_in(entities, graph.entities)
        self._type_names, self._types = np.unique(np.array(graph.entities.types), return_inverse=True)

    def encoder(self, embedding: int) -> GraphEncoder:
        """A new encoder, from the global seed of torch."""
        s = self._settings
        return GraphEncoder(embedding, len(self._type_names), self._neighbours.steps, s.graph_width, s.graph_bases)

    def of_pairs(self, heads: Rows, tails: Rows, rng: np.random.Generator, device: torch.device) -> Encoded:
        """Surroundings of the entities of some pairs, without any edge between the two of a pair.

        Args:
            heads, tails: entity rows (B,).
        """
        x, y = self.nodes[heads], self.nodes[tails]
        inside = (x >= 0) & (y >= 0)
        barred = np.unique(pair_keys(self._graph, x[inside], y[inside]))
        wanted = np.unique(np.concatenate([x, y]))
        wanted = wanted[wanted >= 0]
        most = self._settings.graph_near, self._settings.graph_far
        around = self._neighbours.around(wanted, most, rng, barred)
        places = np.full(len(self._rows) + 1, len(wanted))  # the last is that of row −1
        places[wanted] = np.arange(len(wanted))
        return self._placed(around, device, places[x], places[y])

    def _placed(self, around: Surroundings, device: torch.device, x: Rows, y: Rows) -> Encoded:
        rows = self._rows[around.nodes]
        arrays = np.maximum(rows, 0), rows >= 0, self._types[around.nodes]
        placed = [torch.from_numpy(array).to(device) for array in (*arrays, x, y)]
        return Encoded(placed[0], placed[1], placed[2], hop_tensors(around, device), placed[3], placed[4])

    @torch.no_grad()
    def encodings(self, encoder: GraphEncoder, table: Tensor) -> Encodings:
        """g of every entity, from all its neighbours.

        Args:
            table: the embeddings of the entities (entities, E).
        """
        inside = np.flatnonzero(self.nodes >= 0)
        around = self._neighbours.around(self.nodes[inside], (0, 0), np.random.default_rng(0))
        nothing = np.zeros(0, np.int64)
        batch = self._placed(around, table.device, nothing, nothing)
        training = encoder.training
        found = torch.zeros(len(self.nodes), self._settings.graph_width)
        found[torch.from_numpy(inside)] = encode(encoder.eval(), batch, table).float().cpu()
        encoder.train(training)
        return Encodings(found)


def encode(encoder: GraphEncoder, batch: Encoded, table: Tensor) -> Tensor:
    """g of the encoded nodes (n, D).

    Args:
        table: the embeddings of the entities (entities, E).
    """
    encoded: Tensor = encoder(table[batch.rows], batch.known, batch.types, *batch.hops)
    return encoded


def products(encoded: Tensor, batch: Encoded) -> Tensor:
    """g(x) ⊙ g(y) of each pair (B, D), 0 where one is not in the graph."""
    padded = torch.cat([encoded, encoded.new_zeros(1, encoded.shape[1])])
    return padded[batch.x] * padded[batch.y]


@dataclass(frozen=True)
class Encodings:
    """g of every entity (entities, D)."""

    table: Tensor

    def features(self, heads: Rows, tails: Rows) -> npt.NDArray[np.float32]:
        """f(x,y) of each pair, the same in either order (n, D)."""
        x, y = (self.table[torch.from_numpy(np.asarray(side))] for side in (heads, tails))
        return (x * y).numpy()
