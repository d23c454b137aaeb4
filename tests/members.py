"""The members of ``train-combined`` in small."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kgrel.apps import train_combined
from kgrel.data.artifact import Kind

FEW: dict[Kind, dict[str, Any]] = {
    Kind.PAIRS: {"steps": 12, "batch_size": 32, "batch_negatives": 24, "validate_every": 4, "checkpoint_every": 4},
    Kind.KGE: {"dimensions": 4, "epochs": 1},
    Kind.LABEL_ONLY: {"steps": 4, "validate_every": 4},
    Kind.PATH_COUNTS: {"strengths": (0.1,)},
}
"""Kind → settings with which it is trained in a moment."""


def few_steps(patch: pytest.MonkeyPatch) -> None:
    """Let every member be trained with :data:`FEW`."""
    for name in ("MEMBERS", "OF_A_GRAPH"):
        table = getattr(train_combined, name)
        small = {
            member: (kind, dataclasses.replace(recipe, **FEW.get(kind, {}))) for member, (kind, recipe) in table.items()
        }
        patch.setattr(train_combined, name, small)
