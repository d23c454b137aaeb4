"""Knowledge-graph embeddings of torch-geometric, read as one query against every entity.

A triple's score is a similarity of two vectors, one made of the known entity and the relation, the other of the entity
asked for. So all entities are scored by one matrix product, whichever side is asked for:

    model      asked for the tail           asked for the head           entity      similarity
    DistMult   h ⊙ r                        t ⊙ r                        e           a · b
    ComplEx    h r                          t r̄                          e           Re a · b̄
    TransE     h/‖h‖ + r                    t/‖t‖ − r                    e/‖e‖       −s ‖a − b‖₂
    RotatE     h exp(i r)                   t exp(−i r)                  e           −s ‖a − b‖₂

ComplEx and RotatE are complex, written as real and imaginary halves; s > 0 is learned, since a softmax over distances
needs a scale. Sources: Yang et al. 2015, Trouillon et al. 2016, Bordes et al. 2013, Sun et al. 2019.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric.nn import kge

MODELS = {"TransE": kge.TransE, "DistMult": kge.DistMult, "ComplEx": kge.ComplEx, "RotatE": kge.RotatE}
BILINEAR = ("DistMult", "ComplEx")
INITIAL_SCALE = 10.0
EPSILON = 1e-9
"""Keeps the gradient of a distance or modulus of zero finite."""


class EntityRanker(nn.Module):
    """Scores entities as answers to (known entity, relation, side asked for).

    Args:
        name: one of :data:`MODELS`.
        dimensions: D of real models; complex ones have D complex ones.
    """

    def __init__(self, name: str, entities: int, relations: int, dimensions: int) -> None:
        super().__init__()
        self.name = name
        options: dict[str, Any] = {"p_norm": 2.0} if name == "TransE" else {}
        self.model = MODELS[name](entities, relations, dimensions, **options)
        if name in BILINEAR:
            for table in self.model.children():
                nn.init.normal_(table.weight, std=0.1)
        else:
            self.log_scale = nn.Parameter(torch.tensor(math.log(INITIAL_SCALE)))

    def forward(self, known: Tensor, relations: Tensor, tails: Tensor, columns: Tensor | None = None) -> Tensor:
        """Scores of the entities ``columns`` (N,), None = all, as answers to B queries: (B, N).

        Args:
            known: rows of the known entities (B,).
            relations: (B,).
            tails: bool (B,), true where the tail is asked for.
        """
        queries, keys = self.queries(known, relations, tails), self.keys(columns)
        if self.name in BILINEAR:
            return queries @ keys.T
        # By the matrix product: ‖a − b‖² = ‖a‖² − 2 a·b + ‖b‖², in full precision, since it cancels.
        with torch.autocast(queries.device.type, enabled=False):
            queries, keys = queries.float(), keys.float()
            squares = queries.square().sum(1, keepdim=True) - 2 * queries @ keys.T + keys.square().sum(1)
            return -self.log_scale.exp() * squares.clamp(min=EPSILON).sqrt()

    def pairs(self, heads: Tensor, relations: Tensor, tails: Tensor) -> Tensor:
        """The score of each triple, as the queries give it: (n,)."""
        queries = self.queries(heads, relations, torch.ones_like(heads, dtype=torch.bool))
        keys = self.keys(tails)
        if self.name in BILINEAR:
            return (queries * keys).sum(1)
        return -self.log_scale.exp() * (queries - keys).square().sum(1).clamp(min=EPSILON).sqrt()

    def queries(self, known: Tensor, relations: Tensor, tails: Tensor) -> Tensor:
        """The vector of each query: (B, D), of complex models (B, 2D)."""
        m, sign = self.model, torch.where(tails, 1.0, -1.0).unsqueeze(1)
        entity: Tensor = m.node_emb(known)
        relation: Tensor = m.rel_emb(relations)
        if self.name == "DistMult":
            return entity * relation
        if self.name == "TransE":
            return F.normalize(entity, dim=1) + sign * relation
        real, imaginary = entity, m.node_emb_im(known)
        if self.name == "RotatE":
            relation_real, relation_imaginary = relation.cos(), sign * relation.sin()
        else:
            relation_real, relation_imaginary = relation, sign * m.rel_emb_im(relations)
        product = real * relation_real - imaginary * relation_imaginary
        return torch.cat([product, real * relation_imaginary + imaginary * relation_real], dim=1)

    def keys(self, rows: Tensor | None = None) -> Tensor:
        """The vector of each entity: (N, D), of complex models (N, 2D)."""
        tables = [self.model.node_emb.weight]
        if self.name in ("ComplEx", "RotatE"):
            tables.append(self.model.node_emb_im.weight)
        vectors = torch.cat([table if rows is None else table[rows] for table in tables], dim=1)
        return F.normalize(vectors, dim=1) if self.name == "TransE" else vectors

    def nuclear_norm(self, entities: Tensor, relations: Tensor) -> Tensor:
        """Mean over n rows of the sum of cubed moduli of each: the N3 penalty of Lacroix et al. 2018, a scalar.

        Args:
            entities: rows (n,).
            relations: rows (m,).
        """
        if self.name not in BILINEAR:
            return torch.zeros((), device=entities.device)
        m = self.model
        imaginary = (m.node_emb_im, m.rel_emb_im) if self.name == "ComplEx" else (None, None)
        found = torch.zeros((), device=entities.device)
        for rows, real, other in zip((entities, relations), (m.node_emb, m.rel_emb), imaginary, strict=True):
            squares = real(rows).square() + (other(rows).square() if other is not None else 0)
            found = found + (squares + EPSILON).pow(1.5).sum(1).mean()
        return found
