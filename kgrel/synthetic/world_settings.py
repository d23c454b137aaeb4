"""Settings of the generated world."""

from __future__ import annotations

from dataclasses import dataclass, fields

from kgrel.data.errors import KgrelError
from kgrel.synthetic.vocabulary import KINDS, THEMES

FRACTIONS = (
    "second_module",
    "dual_modules",
    "hold_rate",
    "background_rate",
    "unlisted_rate",
    "topic_signal",
    "related_stated",
    "related_negated",
    "unrelated_stated",
    "unrelated_negated",
    "third_rate",
    "synonym_rate",
    "pathway_coverage",
    "pathway_noise",
)


@dataclass(frozen=True)
class WorldSettings:
    """Size, difficulty and noise of a generated world.

    Raises:
        KgrelError: a value out of range; the message names it.
    """

    seed: int = 17
    """Seed of everything random; the same seed gives the same bytes."""
    genes: int = 300
    """Number of genes."""
    diseases: int = 220
    """Number of diseases."""
    chemicals: int = 220
    """Number of chemicals."""
    modules: int = 10
    """Number of hidden modules (pathways), each with its own topic words; an entity belongs to one or two."""
    second_module: float = 0.12
    """Fraction of entities that belong to a second module."""
    dual_modules: float = 0.25
    """Fraction of modules whose members stand in two relations at once; other modules for each class."""
    hold_rate: float = 0.9
    """Probability that two entities that share a module are related through it."""
    background_rate: float = 0.01
    """Probability that two entities are related whatever their modules."""
    pairs: int = 6000
    """Number of distinct pairs that occur together in some sentence."""
    sentences: int = 30000
    """Number of sentences; each co-mentioned pair has at least one."""
    popularity: float = 0.5
    """Zipf exponent of how often entities are mentioned; popularity is independent of the relations."""
    count_spread: float = 0.8
    """Standard deviation of the natural logarithm of how many sentences a pair has."""
    count_lift: float = 1.15
    """How many times more sentences a related pair has than an unrelated one, on average."""
    unlisted_rate: float = 0.05
    """Fraction of the related co-mentioned pairs that the relations table leaves out."""
    candidates: int = 5000
    """Number of pairs to score that never occur together, drawn at the world's base rate."""
    topic_signal: float = 0.6
    """Probability that a topic word comes from a module of one of the two entities; else from any."""
    related_stated: float = 0.6
    """Probability that a sentence about a related pair states one of its relations."""
    related_negated: float = 0.06
    """Probability that a sentence about a related pair denies one of its relations."""
    unrelated_stated: float = 0.12
    """Probability that a sentence about an unrelated pair states a relation, falsely."""
    unrelated_negated: float = 0.2
    """Probability that a sentence about an unrelated pair denies a relation."""
    findings: int = 0
    """Words of the relation's own vocabulary (how it is found) in a sentence that states it. With none a relation is
    told by its verb alone: a mixture over relations then gives a sentence no higher likelihood than one mean relation
    does, so that no model of sentences can tell two relations of a pair from one between them."""
    third_rate: float = 0.08
    """Probability that a sentence mentions a third entity, a distractor."""
    synonym_rate: float = 0.3
    """Probability that a mention uses a synonym instead of the preferred name."""
    pathway_coverage: float = 0.6
    """Fraction of the gene's module memberships that the graph shows as edges to pathway nodes."""
    pathway_noise: float = 0.15
    """Fraction of the pathway edges of the graph that are wrong."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in FRACTIONS and not 0 <= value <= 1:
                raise KgrelError(f"WorldSettings: {field.name} must lie between 0 and 1, not {value}")
        for name in ("genes", "diseases", "chemicals", "pairs", "candidates"):
            if getattr(self, name) < 2:
                raise KgrelError(f"WorldSettings: {name} must be at least 2, not {getattr(self, name)}")
        if not 2 <= self.modules <= len(THEMES):
            raise KgrelError(f"WorldSettings: modules must lie between 2 and {len(THEMES)}, not {self.modules}")
        most = min(len(kind.findings) for kind in KINDS)
        if not 0 <= self.findings <= most:
            raise KgrelError(f"WorldSettings: findings must lie between 0 and {most}, not {self.findings}")
        if self.sentences < self.pairs:
            raise KgrelError(
                f"WorldSettings: {self.sentences} sentences are too few for {self.pairs} pairs; "
                "raise sentences or lower pairs"
            )
        for kind in ("related", "unrelated"):
            if getattr(self, f"{kind}_stated") + getattr(self, f"{kind}_negated") > 1:
                raise KgrelError(f"WorldSettings: {kind}_stated and {kind}_negated must sum to at most 1")
        if self.popularity < 0 or self.count_spread < 0 or self.count_lift <= 0:
            raise KgrelError("WorldSettings: popularity and count_spread must be at least 0, count_lift above 0")

    @classmethod
    def small(cls, seed: int = 17) -> WorldSettings:
        """A world for unit tests: 90 entities, 1,500 sentences."""
        return cls(
            seed=seed,
            genes=30,
            diseases=30,
            chemicals=30,
            modules=5,
            pairs=400,
            sentences=1500,
            candidates=300,
        )
