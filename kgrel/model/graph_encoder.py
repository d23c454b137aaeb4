"""Encoding a node from its surroundings in a graph, and from its name.

Surroundings, two layers of a relational graph network (R-GCN, Schlichtkrull et al. 2018), after torch-geometric:

    h⁰(v) = W e(v)/‖e(v)‖ + t(type of v, whether e(v) is known)          W e(v) = 0 where it is not
    hˡ(v) = relu( W₀ˡ hˡ⁻¹(v) + Σ_s 1/|N_s(v)| Σ_{u ∈ N_s(v)} W_sˡ hˡ⁻¹(u) )

over the steps s (edge types in either direction); W_s = Σ_b a_sb V_b has few bases, so that rare edge types share what
frequent ones learn. The name: the mean of the vectors of its character n-grams, hashed.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from kgrel.graph.neighbours import Surroundings
from kgrel.model.relvm import NORM_EPSILON

GRAMS = (3, 4, 5)
"""Lengths of the n-grams; the name stands between ``<`` and ``>``."""
BUCKETS = 1 << 14
"""Rows of the table of n-grams."""

Rows = npt.NDArray[np.int64]
HopTensors = tuple[Tensor, Tensor, Tensor, Tensor]


def name_grams(names: Sequence[str]) -> tuple[Rows, Rows]:
    """The hashed n-grams of each name, one name after another (m,), and where each one's begin (n + 1,).

    A name shorter than the shortest n-gram is one n-gram.
    """
    found, starts = list[int](), [0]
    for name in names:
        text = f"<{name.lower()}>"
        grams = {text[at : at + length] for length in GRAMS for at in range(len(text) - length + 1)} or {text}
        found += sorted(zlib.crc32(gram.encode()) % BUCKETS for gram in grams)
        starts.append(len(found))
    return np.array(found, np.int64), np.array(starts, np.int64)


class NameEncoder(nn.Module):
    """Mean of the vectors of a name's n-grams (n, D)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.bag = nn.EmbeddingBag(BUCKETS, width, mode="mean")
        nn.init.normal_(self.bag.weight, std=0.1)

    def forward(self, grams: Tensor, starts: Tensor) -> Tensor:
        """Grams (m,) and the first of each name (n,) → (n, D)."""
        encoded: Tensor = self.bag(grams, starts)
        return encoded


class GraphEncoder(nn.Module):
    """Two layers of R-GCN over the surroundings of some nodes.

    Args:
        embedding: E, dimensions of the embeddings that some nodes have.
        types: node types.
        steps: edge types in either direction.
        width: D of every layer.
        bases: of the weights of a layer.
    """

    def __init__(self, embedding: int, types: int, steps: int, width: int, bases: int) -> None:
        from torch_geometric.nn import RGCNConv

        super().__init__()
        self.enter = nn.Linear(embedding, width, bias=False)
        self.kind = nn.Embedding(2 * types, width)
        self.layers = nn.ModuleList(RGCNConv(width, width, max(1, steps), num_bases=bases) for _ in range(2))

    def forward(self, embeddings: Tensor, known: Tensor, types: Tensor, *hops: HopTensors) -> Tensor:
        """Nodes of the first layer → the encoded ones (n, D).

        Args:
            embeddings: e(v) (n₀, E), of any length; not looked at where it is not known.
            known: (n₀,) bool.
            types: of the nodes (n₀,).
            hops: sources, targets, steps and own of each hop, see :class:`kgrel.graph.neighbours.Hop`.
        """
        unit = embeddings / embeddings.norm(dim=-1, keepdim=True).clamp_min(NORM_EPSILON)
        h = self.enter(unit * known.unsqueeze(1)) + self.kind(2 * types + known)
        for layer, (sources, targets, steps, own) in zip(self.layers, hops, strict=True):
            h = layer((h, h[own]), torch.stack([sources, targets]), steps).relu()
        encoded: Tensor = h
        return encoded


class InductiveEncoder(nn.Module):
    """ê(x), the direction of an embedding that was never learned, from surroundings and name.

    Args:
        graph: None = from the name alone.
        name: None = from the surroundings alone.
        width: D of both.
    """

    def __init__(
        self,
        graph: GraphEncoder | None,
        name: NameEncoder | None,
        types: int,
        embedding: int,
        width: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.graph, self.name = graph, name
        self.kind = nn.Embedding(types, width)
        self.dropout = nn.Dropout(dropout)
        parts = 1 + (graph is not None) + (name is not None)
        self.hidden, self.out = nn.Linear(parts * width, 2 * width), nn.Linear(2 * width, embedding)

    def forward(
        self,
        types: Tensor,
        around: tuple[Tensor, Tensor, Tensor, *tuple[HopTensors, ...]] | None,
        name: tuple[Tensor, Tensor] | None,
    ) -> Tensor:
        """Types of n nodes (n,), what :class:`GraphEncoder` and :class:`NameEncoder` take → unit vectors (n, E)."""
        parts = [self.kind(types)]
        if self.graph is not None and around is not None:
            parts.append(self.graph(*around))
        if self.name is not None and name is not None:
            parts.append(self.name(*name))
        h = self.hidden(self.dropout(torch.cat(parts, dim=-1))).relu()
        out: Tensor = self.out(self.dropout(h))
        unit: Tensor = out / out.norm(dim=-1, keepdim=True).clamp_min(NORM_EPSILON)
        return unit


def hop_tensors(around: Surroundings, device: torch.device) -> list[HopTensors]:
    """The hops on a device."""
    return [
        (
            torch.from_numpy(hop.sources).to(device), torch.from_numpy(hop.targets).to(device),
            torch.from_numpy(hop.steps).to(device), torch.from_numpy(hop.own).to(device),
        )
        for hop in around.hops
    ]  # fmt: skip
