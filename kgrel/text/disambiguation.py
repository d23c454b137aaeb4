"""Which type a name means where it is the name of entities of several types: the place for a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Question(NamedTuple):
    """A mention whose type is open."""

    text: str
    """The sentence."""
    start: int
    """First character of the mention."""
    end: int
    """Character after the last."""
    types: tuple[str, ...]
    """The types among which to decide, sorted."""
    contested: bool
    """Whether entities of several types have the name, in some spelling; else the lexicon speaks for its one entity."""


class Disambiguator(Protocol):
    """Decides among types by the context. It is sent to worker processes, so it must be picklable."""

    @property
    def hash(self) -> str:
        """Changes with its answers; stands in the manifest of the corpus."""

    def decide(self, questions: Sequence[Question]) -> Sequence[str | None]:
        """For each question one of its types, or None to leave the mention out. A question's answer may not depend
        on the others asked with it."""
