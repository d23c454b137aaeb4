"""``train-combined``: train kgrel's classifier and the baselines that it errs apart from, and combine them.

    members/kgrel-fine-tuned ─┐
    members/complex          ─┤
    members/…                ─┼─▶ combine_pairs ─▶ COMBINED
    members/path-counts      ─┘   (with a graph)

All have the split, the seed and the inputs of one command. The members stay, so that they can be evaluated beside their
combination, and what is finished there is not trained again.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kgrel.apps.settings import TrainCombinedSettings
from kgrel.baselines.baseline import shared_settings, train_baseline
from kgrel.baselines.path_counts import nodes_of
from kgrel.baselines.settings import (
    CooccurrenceSettings,
    DegreeSettings,
    KgeSettings,
    LabelOnlySettings,
    PathCountSettings,
)
from kgrel.data.artifact import MANIFEST, UNFINISHED, Kind, refuse_destination
from kgrel.data.errors import KgrelError
from kgrel.data.progress import Progress, Silent
from kgrel.data.settings import to_json
from kgrel.graph.graph import Graph
from kgrel.model.representation import Representation
from kgrel.score.combine import combine_pairs, refuse_too_few
from kgrel.score.opening import scorer_class
from kgrel.score.settings import CombineSettings
from kgrel.text.corpus import Corpus
from kgrel.train.devices import resolve_device
from kgrel.train.pair_data import Part
from kgrel.train.run import differing_keys, read_identity
from kgrel.train.settings import PAIR_RECIPES, PairSettings, SplitSettings
from kgrel.train.train_pairs import parents_of, prepare_pairs, train_pairs

MEMBERS: dict[str, tuple[Kind, SplitSettings]] = {
    "kgrel-fine-tuned": (Kind.PAIRS, PAIR_RECIPES["fine-tuned"]),
    "complex": (Kind.KGE, KgeSettings(model="ComplEx", search_dimensions=False)),
    "label-only": (Kind.LABEL_ONLY, LabelOnlySettings()),
    "count": (Kind.COOCCURRENCE, CooccurrenceSettings(measure="count")),
    "adamic-adar": (Kind.DEGREE, DegreeSettings(measure="adamic-adar")),
    "degree": (Kind.DEGREE, DegreeSettings(measure="product")),
}
"""Name → kind and settings, to which the split, the seed and the device are added."""
OF_A_GRAPH: dict[str, tuple[Kind, SplitSettings]] = {"path-counts": (Kind.PATH_COUNTS, PathCountSettings())}
"""The same of what a graph adds."""


@dataclass(frozen=True)
class Inputs:
    """What all members learn from."""

    representation: Representation
    corpus: Corpus
    relations: str | Path
    graph: Graph | None


@dataclass(frozen=True)
class Member:
    """A training: where its artifact stands, and what it must have been made with."""

    name: str
    place: Path
    kind: Kind
    settings: SplitSettings
    parents: dict[str, str]


def train_combined(
    representation: Representation,
    corpus: Corpus,
    relations: str | Path,
    out: str | Path,
    settings: TrainCombinedSettings | None = None,
    *,
    members: str | Path | None = None,
    graph: Graph | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train each of :data:`MEMBERS` that is not there yet, and combine them to a COMBINED artifact.

    When a call that was killed is repeated, finished members are kept, and the others go on as their own trainings do.

    Args:
        members: directory with one artifact a member, by default ``OUT-members`` beside ``out``; nothing in it is ever
            overwritten.
        graph: whose paths are counted by one more member; held-out pairs lose their edges first.

    Returns:
        The summary of :func:`kgrel.score.combine.combine_pairs`, and before it where the members are and which of them
        were trained now.

    Raises:
        KgrelError: ``out`` exists and ``overwrite`` is false; a member was made with other settings or from something
            else; the entities of representation and corpus differ; there is too little to learn from or to weigh by.
    """
    settings, progress, out = settings or TrainCombinedSettings(), progress or Silent(), Path(out)
    refuse_destination(out, overwrite)
    inputs = Inputs(representation, corpus, relations, graph)
    directory = out.with_name(f"{out.name}-members") if members is None else Path(members)
    wanted = members_of(directory, inputs, settings)
    refuse_place(directory, out, wanted)
    missing = [member for member in wanted if not is_finished(member)]
    if missing:
        check_inputs(inputs, settings)
    for member in reversed(missing):  # the quick ones first, since what is wrong shows in them as well
        progress.say(f"{member.name} is trained in {member.place}")
        train_member(member, inputs, progress)
    told = {"members": str(directory), "trained": [member.name for member in missing]}
    weighing = CombineSettings(**shared_settings(CombineSettings, settings))
    return told | combine_pairs([member.place for member in wanted], out, weighing, overwrite)


def members_of(directory: Path, inputs: Inputs, settings: TrainCombinedSettings) -> list[Member]:
    """All members, in the order in which they are weighed."""
    assert inputs.representation.artifact is not None
    parents = parents_of(inputs.corpus, inputs.relations, settings)
    further = {Kind.PAIRS: {"representation": inputs.representation.artifact.hash}}
    if inputs.graph is not None and inputs.graph.artifact is not None:
        further[Kind.PATH_COUNTS] = {"walked_graph": inputs.graph.artifact.hash}
    table = MEMBERS | (OF_A_GRAPH if inputs.graph is not None else {})
    return [
        Member(name, directory / name, kind, of_split(recipe, settings), parents | further.get(kind, {}))
        for name, (kind, recipe) in table.items()
    ]


def of_split(recipe: SplitSettings, settings: TrainCombinedSettings) -> SplitSettings:
    """The settings of a member with the split, the seed and, if it has one, the device of all."""
    given = shared_settings(SplitSettings, settings) | {"device": settings.device}
    known = {field.name for field in dataclasses.fields(recipe)}
    return dataclasses.replace(recipe, **{name: value for name, value in given.items() if name in known})


def refuse_place(directory: Path, out: Path, members: list[Member]) -> None:
    """Raise :class:`KgrelError` where members would stand within an artifact, or the combination in their place."""
    if not directory.name:
        raise KgrelError(f"{directory} cannot hold the members; give the name of a directory of their own")
    if (directory / MANIFEST).exists():
        raise KgrelError(f"{directory} is an artifact, not a directory of members; give another --members")
    for member in members:
        place = Path(os.path.realpath(member.place))
        if Path(os.path.realpath(out)) in (place, *place.parents):
            raise KgrelError(f"{member.place} cannot be within the output {out}; give another --members")


def is_finished(member: Member) -> bool:
    """Whether a member is there, finished; what it was made with is looked at first, finished or not.

    Raises:
        KgrelError: it was made with other settings or from other inputs, or something else stands in its place.
    """
    place, remedy = member.place, f"give another --members, or delete {member.place} to train it anew"
    if not place.exists() or (place.is_dir() and not any(place.iterdir())):
        return False
    unfinished = (place / UNFINISHED).exists()  # until all is cleared away, although the manifest stands there before
    stored = {"kind": Kind.PAIRS} | (read_identity(place, remedy) if unfinished else identity_of_finished(member))
    current = {"kind": member.kind, "settings": to_json(member.settings), "parents": member.parents}
    other = differing_keys(stored, current)
    if other:
        raise KgrelError(f"{place} was made with another {', '.join(other)}; {remedy}")
    return not unfinished


def identity_of_finished(member: Member) -> dict[str, Any]:
    """What a finished member was made with.

    Raises:
        ArtifactError: it is damaged, or of another kind.
    """
    opened = scorer_class(member.kind).open(member.place)  # type: ignore[attr-defined]
    return {"kind": member.kind, "settings": to_json(opened.settings), "parents": opened.artifact.manifest.parents}


def check_inputs(inputs: Inputs, settings: TrainCombinedSettings) -> None:
    """Raise :class:`KgrelError` for what would otherwise show behind hours of training."""
    representation, corpus = inputs.representation, inputs.corpus
    resolve_device(settings.device)
    representation.require_identifiers("train-combined")
    assert representation.artifact is not None
    keys = [list(zip(one.entities.types, one.entities.ids, strict=True)) for one in (representation, corpus)]
    if keys[0] != keys[1]:
        raise KgrelError(
            f"{representation.artifact.path}: its entities are not those of {corpus.artifact.path}, so that the "
            "members would have different pairs; pretrain it on that corpus"
        )
    if inputs.graph is not None:
        nodes_of(inputs.graph, corpus.entities)
    data = prepare_pairs(corpus.entities, corpus, inputs.relations, settings).data
    refuse_too_few(data.positive[data.rows(Part.VALIDATION)], settings.folds)


def train_member(member: Member, inputs: Inputs, progress: Progress) -> None:
    """Train one as its own verb does; an unfinished run goes on."""
    corpus, relations, place, settings = inputs.corpus, inputs.relations, member.place, member.settings
    if isinstance(settings, PairSettings):
        train_pairs(inputs.representation, corpus, relations, place, settings, progress=progress)
        return
    graph = inputs.graph if member.kind is Kind.PATH_COUNTS else None
    train_baseline(scorer_class(member.kind), corpus, relations, place, settings, graph=graph, progress=progress)
