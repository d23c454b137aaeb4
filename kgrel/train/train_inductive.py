"""``train-inductive``: from surroundings in a graph and a name to the embedding of an entity that no context names.

    loss = 1 − cos( e(x), ê(x) ),    ê(x) from the encoder of :mod:`kgrel.model.graph_encoder`

over entities whose e(x) was learned. In each step those of the batch are taken for unknown, their own e(x) and all that
it would tell to their neighbours; the held-out ones are so in all of them. Only the direction of e(x) is learned, since
the prior p(z|x,y) reads nothing else.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kgrel.data.artifact import Artifact, Kind, Manifest, finish_artifact, kind_of
from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError
from kgrel.data.progress import Progress, Silent
from kgrel.data.settings import to_json
from kgrel.graph.graph import Graph
from kgrel.graph.neighbours import Neighbours
from kgrel.graph.removal import removal_report, without_pairs
from kgrel.model.graph_encoder import GraphEncoder, InductiveEncoder, NameEncoder, hop_tensors, name_grams
from kgrel.model.representation import Representation
from kgrel.train.asked_pairs import hash_of_pairs, read_pairs
from kgrel.train.batches import Stream, rng_of, torch_seed
from kgrel.train.graph_settings import InductiveSettings
from kgrel.train.inductive import Inductive, fingerprint
from kgrel.train.loop import LoopSettings, train
from kgrel.train.pair_data import Part, Rows, rows_in
from kgrel.train.pair_model import PairModel
from kgrel.train.run import Run


@dataclass(frozen=True)
class LearnedEmbeddings:
    """What is imitated.

    Attributes:
        entities: N of them.
        table: their embeddings (N, E).
        artifact: whose they are.
    """

    entities: EntityTable
    table: Tensor
    artifact: Artifact


def read_embeddings(path: str | Path) -> LearnedEmbeddings:
    """The embeddings of a REPR, or of a PAIRS artifact, which may be fine-tuned.

    Raises:
        ArtifactError: see :func:`kgrel.data.artifact.open_artifact`.
        KgrelError: the embeddings are those of types.
    """
    if kind_of(path, Kind.REPRESENTATION) == Kind.PAIRS:
        pairs = PairModel.open(path)
        assert pairs.artifact is not None
        return LearnedEmbeddings(pairs.entities, pairs.prior.entity_embedding.weight.detach(), pairs.artifact)
    representation = Representation.open(path)
    representation.require_identifiers("train-inductive")
    assert representation.artifact is not None
    table = representation.model.entity_embedding.weight.detach()
    return LearnedEmbeddings(representation.entities, table, representation.artifact)


class InductiveTask:
    """1 − cos(e(x), ê(x)), mean over a batch of entities whose e(x) is hidden.

    Args:
        learned: what is imitated.
        graph: in which the entities stand.

    Attributes:
        rows: row of each node in the table of embeddings, −1 where it has none (nodes,).
        parts: a :class:`~kgrel.train.pair_data.Part` for each node with an embedding, −1 for others (nodes,).
    """

    def __init__(self, learned: LearnedEmbeddings, graph: Graph, settings: InductiveSettings) -> None:
        self.settings, self.graph = settings, graph
        self.neighbours, self.table = Neighbours(graph), F.normalize(learned.table.float(), dim=1)
        self.rows = rows_in(learned.entities, graph.entities)
        self.type_names, self.types = np.unique(np.array(graph.entities.types), return_inverse=True)
        self.parts = split_nodes(self.rows, self.types, settings)
        self.training = np.flatnonzero(self.parts == Part.TRAINING)
        self._grams, self._gram_starts = name_grams(
            [name or id_ for name, id_ in zip(graph.entities.names, graph.entities.ids, strict=True)]
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(settings.seed, Stream.INITIALISATION))
            self.module = new_encoder(settings, self.table.shape[1], len(self.type_names), self.neighbours.steps)

    def loss(self, step: int, forward: nn.Module, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """See :class:`kgrel.train.loop.Task`."""
        s, rng = self.settings, rng_of(self.settings.seed, Stream.PAIR_BATCH, step)
        nodes = rng.choice(self.training, min(s.batch_size, len(self.training)), replace=False)
        torch.manual_seed(torch_seed(s.seed, Stream.NOISE, step))
        hidden = np.zeros(len(self.rows), np.bool_)
        hidden[nodes] = True
        predicted = forward(*self._inputs(nodes, (s.near, s.far), rng, hidden | self.held_out, device))
        loss = 1.0 - (predicted * self._target(nodes).to(device)).sum(-1).mean()
        return loss, {"loss": loss.item()}

    def validate(self, step: int) -> dict[str, float]:
        """Mean cosine on the validation entities."""
        nodes = np.flatnonzero(self.parts == Part.VALIDATION)
        cosine = float((self.predict(nodes, self.held_out) * self._target(nodes)).sum(-1).mean())
        return {"validation_cosine": cosine, "stop": cosine}

    @property
    def held_out(self) -> np.ndarray:
        """Nodes whose embeddings are never seen in training (nodes,)."""
        held: np.ndarray = self.parts > Part.TRAINING
        return held

    @torch.no_grad()
    def predict(self, nodes: Rows, hidden: np.ndarray) -> Tensor:
        """ê of some nodes from all their neighbours (n, E).

        Args:
            hidden: nodes whose embeddings are taken for unknown (nodes,); the nodes themselves always are.
        """
        if not len(nodes):
            return torch.zeros(0, self.table.shape[1])
        device, training = next(self.module.parameters()).device, self.module.training
        self.module.eval()
        own = hidden.copy()
        own[nodes] = True
        rng = rng_of(self.settings.seed, Stream.NEIGHBOURS)
        found: Tensor = self.module(*self._inputs(nodes, (0, 0), rng, own, device)).float().cpu()
        self.module.train(training)
        return found

    def _target(self, nodes: Rows) -> Tensor:
        return self.table[torch.from_numpy(self.rows[nodes])]

    def _inputs(
        self, nodes: Rows, most: tuple[int, int], rng: np.random.Generator, hidden: np.ndarray, device: torch.device
    ) -> tuple[Any, ...]:
        """The arguments of :class:`~kgrel.model.graph_encoder.InductiveEncoder`."""
        around = name = None
        if self.module.graph is not None:
            surroundings = self.neighbours.around(nodes, most, rng)
            first = surroundings.nodes
            known = (self.rows[first] >= 0) & ~hidden[first]
            embeddings = self.table[torch.from_numpy(np.where(known, self.rows[first], 0))]
            kinds = torch.from_numpy(self.types[first])
            placed = (part.to(device) for part in (embeddings, torch.from_numpy(known), kinds))
            around = (*placed, *hop_tensors(surroundings, device))
        if self.module.name is not None:
            begins, ends = self._gram_starts[nodes], self._gram_starts[nodes + 1]
            grams = np.concatenate([self._grams[b:e] for b, e in zip(begins.tolist(), ends.tolist(), strict=True)])
            starts = np.concatenate([[0], np.cumsum(ends - begins)[:-1]])
            name = torch.from_numpy(grams).to(device), torch.from_numpy(starts).to(device)
        return torch.from_numpy(self.types[nodes]).to(device), around, name

    def errors(self) -> tuple[list[str], Tensor]:
        """Types of entities, and e − ê of validation entities of each (T, K, E); of all types where one has none."""
        nodes = np.flatnonzero(self.parts == Part.VALIDATION)
        off = self._target(nodes) - self.predict(nodes, self.held_out)
        kinds = np.unique(self.types[self.rows >= 0])
        rng, found = rng_of(self.settings.seed, Stream.HOLD_OUT, 1), []
        for kind in kinds.tolist():
            own = np.flatnonzero(self.types[nodes] == kind)
            pool = own if len(own) else np.arange(len(nodes))
            k = self.settings.draws
            found.append(off[torch.from_numpy(rng.choice(pool, k, replace=len(pool) < k))])
        return [str(self.type_names[kind]) for kind in kinds.tolist()], torch.stack(found)

    def figures(self, predicted: Tensor, nodes: Rows) -> dict[str, Any]:
        """Mean cosine of predictions with the learned embeddings, and of the mean of each type, by type.

        Args:
            predicted: (n, E).
            nodes: held-out nodes (n,).
        """
        target, found = self._target(nodes), dict[str, Any]()
        means = torch.zeros(len(self.type_names), target.shape[1])
        means.index_add_(0, torch.from_numpy(self.types[self.training]), self._target(self.training))
        means = F.normalize(means, dim=1)
        ours = (predicted * target).sum(-1).numpy()
        mean = (means[torch.from_numpy(self.types[nodes])] * target).sum(-1).numpy()
        for kind in ["all", *np.unique(self.types[nodes]).tolist()]:
            some = np.ones(len(nodes), np.bool_) if kind == "all" else self.types[nodes] == kind
            name = kind if isinstance(kind, str) else str(self.type_names[kind])
            figures = {"entities": int(some.sum()), "cosine": float(ours[some].mean())}
            found[name] = figures | {"cosine_of_the_mean_of_its_type": float(mean[some].mean())}
        return found


def split_nodes(rows: Rows, types: Rows, settings: InductiveSettings) -> Rows:
    """Parts of the nodes with an embedding, by type; −1 for the others (nodes,).

    Raises:
        KgrelError: too few have one.
    """
    parts = np.full(len(rows), -1)
    for kind in np.unique(types[rows >= 0]).tolist():
        nodes = rng_of(settings.seed, Stream.SPLIT, kind).permutation(np.flatnonzero((types == kind) & (rows >= 0)))
        first = round(settings.validation_share * len(nodes))
        second = first + round(settings.test_share * len(nodes))
        parts[nodes[:first]], parts[nodes[first:second]] = Part.VALIDATION, Part.TEST
        parts[nodes[second:]] = Part.TRAINING
    few = [part.name.lower() for part in Part if not (parts == part).any()]
    if few:
        raise KgrelError(
            f"only {int((rows >= 0).sum())} entities stand both in the graph and among the learned embeddings, too few "
            f"to have {' and '.join(few)} ones"
        )
    return parts


def new_encoder(settings: InductiveSettings, embedding: int, types: int, steps: int) -> InductiveEncoder:
    """An encoder with the parts that the settings ask for; from the global seed of torch."""
    graph = name = None
    if settings.sees != "name":
        graph = GraphEncoder(embedding, types, steps, settings.width, settings.bases)
    if settings.sees != "graph":
        name = NameEncoder(settings.width)
    return InductiveEncoder(graph, name, types, embedding, settings.width, settings.dropout)


def train_inductive(
    learned: LearnedEmbeddings,
    graph: Graph,
    out: str | Path,
    settings: InductiveSettings | None = None,
    *,
    held_out: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Artifact:
    """Learn to predict embeddings, predict those of all other nodes of the same types, write INDUCTIVE.

    An unfinished run in ``out`` is resumed if settings and inputs are the same.

    Args:
        held_out: what :func:`kgrel.train.asked_pairs.read_pairs` reads; edges between its held-out pairs leave the
            graph. None = where ``learned`` is of a PAIRS artifact, its validation and test pairs.

    Raises:
        KgrelError: ``out`` exists, or graph and embeddings share too few entities.
        NonFiniteError: training left the finite numbers.
    """
    started, out = time.monotonic(), Path(out)
    settings, progress = settings or InductiveSettings(), progress or Silent()
    assert graph.artifact is not None
    if held_out is None and learned.artifact.manifest.kind == Kind.PAIRS:
        held_out = learned.artifact.path
    parents = {"embeddings": learned.artifact.hash, "graph": graph.artifact.hash}
    parents |= {} if held_out is None else {"held_out": hash_of_pairs(held_out)}
    report: dict[str, Any] = {}
    if held_out is not None:
        asked = read_pairs(held_out, graph.entities)
        nodes = rows_in(graph.entities, asked.entities)
        ends = nodes[asked.heads[asked.held_out]], nodes[asked.tails[asked.held_out]]
        report, graph = removal_report(graph, *ends), without_pairs(graph, *ends)
    task = InductiveTask(learned, graph, settings)
    run = Run(out, {"settings": to_json(settings), "parents": parents}, overwrite)
    shared = {f.name for f in fields(LoopSettings)} & {f.name for f in fields(InductiveSettings)}
    loop = LoopSettings(**{name: getattr(settings, name) for name in shared})
    state = train(task, loop, run, progress, "train-inductive")
    task.module.cpu()
    test = np.flatnonzero(task.parts == Part.TEST)
    measured, (types, errors) = task.predict(test, task.held_out), task.errors()
    nodes = np.flatnonzero((task.rows < 0) & np.isin(task.type_names[task.types], types))
    nothing = np.zeros(len(task.rows), np.bool_)
    inductive = Inductive(
        entities=graph.entities.rows(nodes.tolist()),
        predicted=task.predict(nodes, nothing),
        types=types,
        errors=errors,
        held_out=torch.from_numpy(task.rows[test]),
        held_out_predicted=measured,
        trained_on=fingerprint(learned.table),
    )
    inductive.write(out)
    summary = {
        "steps": state.step,
        "learned": int((task.rows >= 0).sum()),
        "predicted": {kind: inductive.entities.types.count(kind) for kind in types},
        "held_out_pairs": report,
        "validation_cosine": state.best if settings.patience else state.figures.get("validation_cosine"),
        "test": task.figures(measured, test),
    }
    manifest = Manifest(Kind.INDUCTIVE, to_json(settings), settings.seed, parents, summary)
    artifact = finish_artifact(out, manifest, time.monotonic() - started)
    run.close()
    return artifact
