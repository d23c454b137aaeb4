"""Entity embeddings learned from the labels alone, without text: a symmetric factorisation of the label matrix.

    logit_r(x, y) = Σ_d w_rd x_d y_d + b_r(x) + b_r(y) + b_r

trained as the pair classifier is: the same split, batches, masking and early stopping.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kgrel.baselines.settings import LabelOnlySettings
from kgrel.data.progress import Silent
from kgrel.metrics.classification import average_precision, best
from kgrel.model.classifier import IMPOSSIBLE
from kgrel.train.batches import Stream, torch_seed
from kgrel.train.loop import LoopSettings, train
from kgrel.train.pair_data import PairData, Part, Rows
from kgrel.train.pairs import PairBatches, target_distribution, with_no_relation
from kgrel.train.settings import BatchSettings

Floats = npt.NDArray[np.float64]
CHUNK = 65_536


GRID = [(16, 0.1), (64, 0.1), (64, 0.5), (64, 2.0)]
"""(dimensions, decoupled weight decay) tried; the best average precision on validation wins."""


class LabelOnly(nn.Module):
    """Entity embeddings (entities, D), class weights (C, D), entity biases (entities, C)."""

    def __init__(self, entities: int, classes: int, dimensions: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(entities, dimensions)
        self.entity_bias = nn.Embedding(entities, classes)
        self.output = nn.Linear(dimensions, classes)
        nn.init.normal_(self.embedding.weight, std=0.1)
        nn.init.zeros_(self.entity_bias.weight)

    def forward(self, x: Tensor, y: Tensor, possible: Tensor) -> Tensor:
        """Entity rows (B,), possible classes (B, 1 + C) → log p(r|x,y) (B, 1 + C), NO-RELATION first."""
        logits = self.output(self.embedding(x) * self.embedding(y) * self.embedding.embedding_dim**0.5)
        logits = logits + self.entity_bias(x) + self.entity_bias(y)
        logits = torch.cat([torch.zeros_like(logits[:, :1]), logits], dim=1)
        return F.log_softmax(logits.masked_fill(~possible, IMPOSSIBLE), dim=-1)


class LabelOnlyTask:
    """−log p(r|x,y), mean over a batch."""

    def __init__(self, data: PairData, batches: PairBatches, dimensions: int, seed: int) -> None:
        self.data, self.batches = data, batches
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(seed, Stream.INITIALISATION))
            self.module = LabelOnly(len(data.type_rows), len(data.classes.names), dimensions)
        self.held_out = data.rows(Part.VALIDATION)

    def loss(self, step: int, forward: nn.Module, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """See :class:`kgrel.train.loop.Task`."""
        rows, heads, tails = self.batches.batch(step)
        possible = torch.from_numpy(with_no_relation(self.data.possible(rows))).to(device)
        log_p = forward(torch.from_numpy(heads).to(device), torch.from_numpy(tails).to(device), possible)
        loss = -(target_distribution(self.data.labels[rows]).to(device) * log_p).sum(-1).mean()
        return loss, {"loss": loss.item()}

    def validate(self, step: int) -> dict[str, float]:
        """Average precision of "listed" on the validation pairs."""
        values = best(self.scores(self.held_out), self.data.possible(self.held_out))[1]
        ap = average_precision(self.data.positive[self.held_out], values)
        return {"stop": ap if ap is not None else 0.0}

    def scores(self, rows: Rows) -> Floats:
        """p(r|x,y) of the positive classes for pairs of the data: (len(rows), C)."""
        return probabilities(self.module, self.data, self.data.heads[rows], self.data.tails[rows])


@torch.no_grad()
def probabilities(module: LabelOnly, data: PairData, heads: Rows, tails: Rows) -> Floats:
    """p(r|x,y) of the positive classes for any pairs of entity rows: (n, C)."""
    device, parts = module.output.weight.device, []
    for start in range(0, len(heads), CHUNK):
        chunk = slice(start, start + CHUNK)
        x, y = (torch.from_numpy(side[chunk]).to(device) for side in (heads, tails))
        possible = data.classes.possible(data.type_rows, heads[chunk], tails[chunk])
        log_p = module(x, y, torch.from_numpy(with_no_relation(possible)).to(device))
        parts.append(log_p.exp()[:, 1:].double().cpu().numpy())
    return np.concatenate(parts) if parts else np.zeros((0, len(data.classes.names)))


def fit_label_only(
    data: PairData, pair_settings: BatchSettings, settings: LabelOnlySettings | None = None
) -> tuple[LabelOnlyTask, dict[str, float]]:
    """Train over the grid and keep the best by validation average precision.

    Returns:
        The fitted baseline, and its settings with the average precision that chose it.
    """
    settings, batches = settings or LabelOnlySettings(), PairBatches(data, pair_settings)
    shared = {f.name for f in fields(LoopSettings)} & {f.name for f in fields(LabelOnlySettings)}
    chosen: tuple[LabelOnlyTask, dict[str, float]] | None = None
    for dimensions, weight_decay in GRID:
        values = {name: getattr(settings, name) for name in shared} | {"weight_decay": weight_decay}
        task = LabelOnlyTask(data, batches, dimensions, pair_settings.seed)
        state = train(task, LoopSettings(**values, device="cpu"), None, Silent(), "label-only")
        found = {
            "dimensions": dimensions,
            "weight_decay": weight_decay,
            "validation_average_precision": state.best,
        }
        if chosen is None or state.best > chosen[1]["validation_average_precision"]:
            chosen = task, found
    assert chosen is not None
    return chosen
