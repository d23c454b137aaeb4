"""Several scorers of the same pairs as one scorer, the COMBINED artifact.

    logit p(r|x,y) = b_r + Σ_m (w_rm + v_rm g_r(x,y)) f_m(s_m(r|x,y)) + v_r g_r(x,y)

s_m is the score of member m, f_m brings it to the scale of a logit, and g_r is 1 where both entities have a training
label of r, else 0: an embedding of the labels knows nothing of an entity that has none, while text knows as much of it
as of others. Sentences, labels and a graph err on different pairs, which is what there is to gain.

The members know their training pairs by heart, so how far each is to be trusted shows on validation pairs alone, where
:mod:`kgrel.score.combine` fits the weights (stacked generalisation: Wolpert 1992). Of a rare class few validation pairs
are listed, so the classes lean on each other.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from kgrel.data.artifact import MANIFEST, Artifact, Kind, open_artifact, opens_artifact, settings_of
from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.data.files import sync
from kgrel.metrics.classification import best
from kgrel.score.opening import open_scorer
from kgrel.score.settings import CombineSettings
from kgrel.train.calibrate import covered_validation
from kgrel.train.calibration import calibrated
from kgrel.train.logistic import Line
from kgrel.train.pair_artifact import Floats, PairArtifact, Scale, read_parts, refuse_other_split
from kgrel.train.pair_data import Flags, Part, Rows
from kgrel.train.settings import UNSAID

MEMBER = "member-{}"
"""Directory of a member within the artifact, counted from 1; its hash stands under the same name among the parents."""
UNSAID_OF_COMBINED = UNSAID | {"least": 20}
"""What holds for artifacts that were written before these settings were there."""
LEAST = 1e-6
"""Probabilities are at least so far from 0 and 1, so that their logits are finite."""


@dataclass(kw_only=True)
class Combined(PairArtifact):
    """A logistic regression of the scores of M members; its scores are probabilities of being listed.

    Attributes:
        members: of the same entities, classes and split.
        scales: how the scores of each member become features.
        lines: a regression for each class, of the 2M + 1 features that :func:`design_of` gives.
    """

    members: Sequence[PairArtifact]
    scales: Sequence[Scale]
    lines: Sequence[Line]
    settings: CombineSettings

    @property
    def title(self) -> str:
        """What it is called in tables."""
        return self.settings.title or " + ".join(member.title for member in self.members)

    @property
    def scale(self) -> Scale:
        """See :class:`PairArtifact`."""
        return "probability"

    def features(self, heads: Rows, tails: Rows) -> tuple[Floats, Floats]:
        """The scores of the members on the scale of logits, and their spreads on it: (M, n, C) each."""
        found = [
            scaled(*member.predict(heads, tails), scale)
            for member, scale in zip(self.members, self.scales, strict=True)
        ]
        scores, spreads = zip(*found, strict=True)
        return np.stack(scores), np.stack(spreads)

    def predict(self, heads: Rows, tails: Rows) -> tuple[Floats, Floats]:
        """Probability of each class and its spread, to first order that of the members' scores: (n, C) each.

        Classes that the types rule out have 0.
        """
        (scores, spreads), covered = self.features(heads, tails), self.covered(heads, tails)
        count = len(self.members)
        mean, std = np.zeros(covered.shape), np.zeros(covered.shape)
        for column, line in enumerate(self.lines):
            both = covered[:, column]
            mean[:, column] = expit(line.intercept + design_of(scores[:, :, column], both) @ line.weights)
            slopes = line.weights[:count, None] + line.weights[count : 2 * count, None] * both
            moved = np.sqrt(((slopes * spreads[:, :, column]) ** 2).sum(axis=0))
            std[:, column] = mean[:, column] * (1 - mean[:, column]) * moved
        possible = self.possible(heads, tails)
        return np.where(possible, mean, 0.0), np.where(possible, std, 0.0)

    def probabilities(
        self, heads: Rows, tails: Rows, classes: Rows, scores: Floats, rates: Mapping[str, float]
    ) -> tuple[Floats, npt.NDArray[np.object_]]:
        """Its scores, being probabilities already, see :func:`kgrel.train.calibration.calibrated`.

        Args:
            classes: number of the class (n,).
            scores: its probability (n,).
            rates: class → share listed among the pairs at hand.
        """
        covered = self.covered(heads, tails)[np.arange(len(heads)), classes]
        names, contexts = np.array(self.classes, dtype=object)[classes], self.contexts(heads, tails)
        return calibrated(*self._fitted, names, scores, contexts, covered, rates)

    @cached_property
    def _fitted(self) -> tuple[dict[str, dict[str, Callable[[Floats], Floats]]], dict[str, float]]:
        """The strata and classes of which there were enough covered pairs to fit, and each class's share listed."""
        labels, least = self.data.labels[self.data.rows(Part.VALIDATION)], self.settings.least
        fitted: dict[str, dict[str, Callable[[Floats], Floats]]] = {}
        inside: dict[str, list[Flags]] = {}
        for (stratum, name), places in covered_validation(self).items():
            listed = labels[places, self.classes.index(name)]
            if min(listed.sum(), (~listed).sum()) >= least:
                fitted.setdefault(stratum, {})[name] = np.asarray
                inside.setdefault(name, []).append(listed)
        return fitted, {name: float(np.concatenate(parts).mean()) for name, parts in inside.items()}

    def quick(self, heads: Rows, tails: Rows) -> Floats:
        """The probability of the best class (n,)."""
        return best(self.predict(heads, tails)[0], self.possible(heads, tails))[1]

    def write(self, directory: Path) -> None:
        """Write the files of the artifact, the members' among them."""
        super().write(directory)
        for number, member in enumerate(self.members, start=1):
            assert member.artifact is not None
            copy_artifact(member.artifact, directory / MEMBER.format(number))

    def model_json(self) -> dict[str, Any]:
        """Titles and scales of the members, and the regressions."""
        lines = [{"intercept": line.intercept, "weights": line.weights.tolist()} for line in self.lines]
        members = [
            {"title": member.title, "scale": scale} for member, scale in zip(self.members, self.scales, strict=True)
        ]
        return {"members": members, "lines": lines}

    @classmethod
    @opens_artifact
    def open(cls, path: str | Path, verify: bool = True) -> Combined:
        """Open a COMBINED artifact.

        Raises:
            ArtifactError: see :func:`kgrel.data.artifact.open_artifact`; or a member is missing, damaged or another.
        """
        artifact = open_artifact(path, Kind.COMBINED, verify)
        settings, parts = settings_of(artifact, CombineSettings, UNSAID_OF_COMBINED), read_parts(artifact)
        model = parts.pop("model")
        scales = [read_scale(artifact, one["scale"]) for one in model["members"]]
        members = [open_member(artifact, number) for number in range(1, 1 + len(scales))]
        lines = [Line(np.asarray(one["weights"], dtype=np.float64), float(one["intercept"])) for one in model["lines"]]
        found = cls(members=members, scales=scales, lines=lines, settings=settings, **parts)
        for member in members:
            refuse_other_split(found, member)
        shapes = {line.weights.shape for line in lines}
        if len(lines) != len(found.classes) or shapes - {(2 * len(members) + 1,)}:
            raise ArtifactError(f"{artifact.path}: the weights fit neither classes nor members; combine them again")
        if not all(np.isfinite([line.intercept, *line.weights]).all() for line in lines):
            raise ArtifactError(f"{artifact.path}: a weight is not finite; combine the members again")
        return found


def copy_artifact(artifact: Artifact, place: Path) -> None:
    """Copy the files that an artifact lists, its manifest and its ``run.json`` into a new directory."""
    place.mkdir()
    files = [artifact.file(name) for name in artifact.manifest.files]
    for file in (artifact.path / MANIFEST, artifact.path / "run.json", *files):
        if file.exists():
            shutil.copyfile(file, place / file.name)
            sync(place / file.name)


def scaled(scores: Floats, spreads: Floats, scale: Scale) -> tuple[Floats, Floats]:
    """Scores and their spreads on the scale of a logit: of probabilities the logit, of what is counted log(1 + s)."""
    if scale == "probability":
        inside = np.clip(scores, LEAST, 1 - LEAST)
        return logit(inside), spreads / (inside * (1 - inside))
    if scale == "count":
        counted = np.maximum(scores, 0.0)
        return np.log1p(counted), spreads / (1 + counted)
    return scores, spreads


def design_of(scores: Floats, covered: Flags) -> Floats:
    """Scores of the members, the same where both entities are labelled, and whether they are: (M, n) → (n, 2M + 1)."""
    design: Floats = np.concatenate([scores, scores * covered, covered[None]]).T
    return design


def read_scale(artifact: Artifact, name: str) -> Scale:
    """The scale of a member."""
    if name not in Scale.__args__:  # type: ignore[attr-defined]
        raise ArtifactError(f"{artifact.path}: {name!r} is no scale of scores; combine the members again")
    return cast(Scale, name)


def open_member(artifact: Artifact, number: int) -> PairArtifact:
    """Open a member from within the artifact.

    Raises:
        ArtifactError: it is missing, a link, damaged, or not the one that was combined.
    """
    name = MEMBER.format(number)
    place = artifact.path / name
    if place.is_symlink():
        raise ArtifactError(f"{artifact.path}: {name} is a link, and what it leads to is no part of the artifact")
    member = open_scorer(place)
    if member.artifact is None or artifact.manifest.parents.get(name) != member.artifact.hash:
        raise ArtifactError(f"{artifact.path}: {name} is not the one that was combined; combine the members again")
    refuse_combined(member, place)
    return member


def refuse_combined(member: PairArtifact, path: str | Path) -> None:
    """Weights that were fitted on the validation pairs would be trusted too far in a second fit on them."""
    if isinstance(member, Combined):
        raise KgrelError(f"{path}: is combined already; give its members instead")
