"""``train-pairs``: from a representation, a corpus and relations to a PAIRS artifact with a tuned threshold."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np

from kgrel.data.artifact import Artifact, Kind, Manifest, create_artifact, finish_artifact
from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError
from kgrel.data.files import sha256_of
from kgrel.data.progress import Progress, Silent
from kgrel.data.relations import ResolvedRelations, resolve_relations
from kgrel.data.settings import to_json
from kgrel.graph.graph import Graph
from kgrel.graph.removal import removal_report, without_pairs
from kgrel.model.representation import Representation
from kgrel.text.corpus import Corpus
from kgrel.train.dates import first_dates
from kgrel.train.given_split import GivenSplit, read_given
from kgrel.train.graph_features import GraphFeatures
from kgrel.train.hold_out import HeldOut, read_held_out
from kgrel.train.leakage import leakage_report
from kgrel.train.listed import hash_of_listed, read_listed
from kgrel.train.pair_artifact import describe
from kgrel.train.pair_data import PairData, Part, Rows, rows_in
from kgrel.train.pair_model import PairModel
from kgrel.train.pairs import PairTask, fit_best
from kgrel.train.run import Run
from kgrel.train.settings import TUNED, PairSettings, SplitSettings
from kgrel.train.splits import SplitInputs, assemble_pairs
from kgrel.train.text_statistics import TextStatistics


@dataclasses.dataclass(frozen=True)
class PairInputs:
    """Labelled pairs in the rows of a representation, and what they were made of."""

    data: PairData
    comentions: tuple[Rows, Rows, Rows]
    relations: ResolvedRelations
    summary: dict[str, Any]


def prepare_pairs(entities: EntityTable, corpus: Corpus, relations: str | Path, settings: SplitSettings) -> PairInputs:
    """Label the pairs of a corpus by a relations table and split them.

    Args:
        relations: a relations file, or the directory of a GRAPH, whose edges are the listed pairs.
        entities: those of the representation; co-mentions of others are left out and counted.

    Raises:
        KgrelError: the relations name no known pair, or too few pairs are there to split.
    """
    resolved = resolve_relations(read_listed(relations), entities, settings.labels)
    rows = rows_in(entities, corpus.entities)
    heads, tails = rows[corpus.pairs.heads], rows[corpus.pairs.tails]
    inside = (heads >= 0) & (tails >= 0)
    first, second = np.minimum(heads, tails)[inside], np.maximum(heads, tails)[inside]
    order = np.lexsort((second, first))
    comentions = first[order], second[order], corpus.pairs.counts[inside][order]
    further = SplitInputs(known_pairs(read_held_out(corpus), rows), given=known_pairs(read_given(corpus), rows))
    if settings.dates:
        further = dataclasses.replace(further, first_dates=first_dates(corpus, settings.dates)[inside][order])
    data = assemble_pairs(entities, comentions, resolved, settings, further)
    summary = {"relations": dataclasses.asdict(resolved.counts), "comentions_outside": int((~inside).sum())}
    return PairInputs(data, comentions, resolved, summary | {"leakage": leakage_report(data, corpus, rows)})


def known_pairs(found: HeldOut | GivenSplit | None, rows: Rows) -> tuple[Rows, Rows, Rows] | None:
    """Heads, tails and parts of pairs that a corpus tells of, in rows of the representation."""
    if found is None:
        return None
    heads, tails = rows[found.heads], rows[found.tails]
    known = (heads >= 0) & (tails >= 0)
    return heads[known], tails[known], found.parts[known]


def parents_of(corpus: Corpus, relations: str | Path, settings: SplitSettings) -> dict[str, str]:
    """The hashes of what labelled pairs are made of."""
    parents = {"corpus": corpus.artifact.hash, **hash_of_listed(relations)}
    return parents | ({"dates": sha256_of(Path(settings.dates))} if settings.dates else {})


def train_pairs(
    representation: Representation,
    corpus: Corpus,
    relations: str | Path,
    out: str | Path,
    settings: PairSettings,
    *,
    graph: Graph | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Artifact:
    """Train the pair classifier on a representation, tune its threshold, and write PAIRS.

    An unfinished run in ``out`` is resumed if settings and inputs are the same.

    Args:
        graph: from which the entities are encoded beside z, where the settings have a ``graph_width``; held-out pairs
            lose their edges first.

    Raises:
        KgrelError: ``out`` exists, the representation is one of types, there is too little to train on, or a graph is
            given and not asked for, or the other way round.
    """
    representation.require_identifiers("train-pairs")
    started, out, progress = time.monotonic(), Path(out), progress or Silent()
    inputs = prepare_pairs(representation.entities, corpus, relations, settings)
    assert representation.artifact is not None
    parents = {"representation": representation.artifact.hash, **parents_of(corpus, relations, settings)}
    if graph is not None and graph.artifact is not None:
        parents["encoded_graph"] = graph.artifact.hash
    seen, removed = encoded_graph(graph, representation.entities, inputs.data, settings)
    run = Run(out, {"settings": to_json(settings), "parents": parents}, overwrite)
    statistics = TextStatistics(inputs.comentions, len(representation.entities))
    features = statistics.features if settings.text_statistics else None
    task, state, tried = fit_best(
        lambda one: PairTask(representation.model, inputs.data, one, features, seen), settings, run, progress
    )
    settings = task.settings  # what auto came to
    listed = inputs.relations
    model = PairModel(
        prior=task.module.plain_prior(),
        classifier=task.module.classifier.eval(),
        entities=representation.entities,
        data=inputs.data,
        comentions=inputs.comentions,
        relations=(listed.heads, listed.tails, listed.classes),
        thresholds=np.zeros(len(listed.class_names)),
        settings=settings,
        encodings=task.encodings,
    )
    tuned = model.tune()
    model.write(out)
    summary = {"steps": state.step, **tried, **tuned, **describe(model), **inputs.summary, **removed}
    manifest = Manifest(Kind.PAIRS, to_json(settings), settings.seed, parents, summary)
    artifact = finish_artifact(out, manifest, time.monotonic() - started)
    run.close()
    return artifact


def encoded_graph(
    graph: Graph | None, entities: EntityTable, data: PairData, settings: PairSettings
) -> tuple[GraphFeatures | None, dict[str, Any]]:
    """What the classifier sees of a graph without the edges of validation and test pairs; and what was removed.

    Raises:
        KgrelError: a graph is given and not asked for, or the other way round; or none of its nodes is an entity.
    """
    if (graph is None) != (settings.graph_width == 0):
        raise KgrelError("a graph encoder needs both a graph and a graph_width above 0; give both or neither")
    if graph is None:
        return None, {}
    nodes, held = rows_in(graph.entities, entities), data.parts != Part.TRAINING
    if not (nodes >= 0).any():
        raise KgrelError(
            f"no entity of the representation is in the graph; its nodes are {graph.entities.examples()}, the entities "
            f"{entities.examples()}: use the same identifiers"
        )
    ends = nodes[data.heads[held]], nodes[data.tails[held]]
    features = GraphFeatures(without_pairs(graph, *ends), entities, settings)
    return features, {"graph_encoder": removal_report(graph, *ends)}


def tune_threshold(
    model: PairModel, out: str | Path, settings: PairSettings | None = None, overwrite: bool = False
) -> dict[str, Any]:
    """Tune the threshold again on the validation pairs and write a new PAIRS artifact.

    Common noise and arithmetic shift all scores together, so a threshold and a calibration hold for one way of
    sampling. With another one the threshold is tuned for it, and a calibration is left out.

    Args:
        settings: those of the model, but for :data:`TUNED`. The model's own by default.

    Returns:
        What was found, as printed.

    Raises:
        KgrelError: other settings than :data:`TUNED` differ; ``out`` exists and ``overwrite`` is false.
    """
    assert model.artifact is not None
    settings = settings or model.settings
    refuse_retraining(model.settings, settings)
    tuned = dataclasses.replace(model, settings=settings)
    found, old = tuned.tune(), model.artifact.manifest
    summary = {**old.summary, **found}
    if model.calibration is not None and tuned.sampling != model.calibration.sampling:
        tuned.calibration = None
        del summary["calibration"]
        found["calibration"] = "left out, since it was made for another way of sampling; run kgrel calibrate"
    parents = {**old.parents, "pairs": model.artifact.hash}
    manifest = Manifest(Kind.PAIRS, to_json(settings), settings.seed, parents)
    with create_artifact(out, manifest, overwrite) as draft:
        tuned.write(draft.path)
        draft.summary |= summary
    return found


def refuse_retraining(trained: PairSettings, wanted: PairSettings) -> None:
    """Raise :class:`KgrelError` if more differs than a threshold is tuned for."""
    for field in dataclasses.fields(PairSettings):
        name = field.name
        if name not in TUNED and getattr(trained, name) != getattr(wanted, name):
            raise KgrelError(f"the classifier was trained with {name} = {getattr(trained, name)}; train another one")
