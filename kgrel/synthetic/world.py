"""A world in memory: entities, what is true of them, and sentences about them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from kgrel.data.errors import KgrelError
from kgrel.synthetic.names import Entity, make_entities
from kgrel.synthetic.planted import Bools, Ints, any_relation, class_pairs, plant, rows_of_type
from kgrel.synthetic.prose import Sentence, write_sentences
from kgrel.synthetic.vocabulary import CLASSES
from kgrel.synthetic.world_settings import WorldSettings

CLASS_SHARES = (0.3, 0.25, 0.25, 0.2)
"""Share of each of ``CLASSES`` among the co-mentioned pairs and the candidates."""


@dataclass(frozen=True)
class World:
    """A generated world. Pairs are rows of entity numbers, source first as in the relations table."""

    settings: WorldSettings
    entities: tuple[Entity, ...]
    modules: Bools
    """Hidden: membership of entities in modules; shape (entities, modules)."""
    relations: dict[str, Bools]
    """Hidden: metaedge → truth of (source, target); shape (entities, entities)."""
    pairs: Ints
    """Every pair of the four classes that some sentence mentions together; shape (pairs, 2)."""
    listed: Bools
    """Whether the relations table lists the pair, with all its relations; shape (pairs,)."""
    candidates: Ints
    """Pairs that no sentence mentions together; shape (candidates, 2)."""
    memberships: Ints
    """The graph's edges (gene, module), incomplete and partly wrong; shape (edges, 2)."""
    sentences: tuple[Sentence, ...]

    def metaedges(self, source: int, target: int) -> tuple[str, ...]:
        """The true relations of a pair, in either direction."""
        return tuple(name for name, true in self.relations.items() if true[source, target] or true[target, source])

    def related(self) -> Bools:
        """Whether two entities stand in any relation, in either direction; shape (entities, entities)."""
        true = any_relation(self.relations)
        return true | true.T

    def comention_counts(self) -> Counter[tuple[int, int]]:
        """Number of sentences that mention two entities, of any types; keys ascend within a pair."""
        counts: Counter[tuple[int, int]] = Counter()
        for sentence in self.sentences:
            counts.update(combinations(sorted(sentence.entities), 2))
        return counts


def make_world(settings: WorldSettings | None = None) -> World:
    """Generate a world (about three seconds at the default size).

    Raises:
        KgrelError: the settings ask for more pairs than there are entities for.
    """
    settings = settings or WorldSettings()
    streams = [np.random.default_rng(seed) for seed in np.random.SeedSequence(settings.seed).spawn(7)]
    entities = make_entities(streams[0], settings.genes, settings.diseases, settings.chemicals)
    planted = plant(streams[1], entities, settings)
    true = any_relation(planted.relations)
    pairs, candidates = _draw_pairs(streams[2], entities, settings)
    pairs, candidates = (_orient(streams[2], entities, true, some) for some in (pairs, candidates))
    related = true[pairs[:, 0], pairs[:, 1]]
    listed = related & (streams[3].random(len(pairs)) >= settings.unlisted_rate)
    about = np.repeat(pairs, _draw_counts(streams[4], related, settings), axis=0)
    about = about[streams[4].permutation(len(about))]
    sentences = write_sentences(streams[5], entities, planted.modules, planted.relations, about, settings)
    memberships = _draw_memberships(streams[6], entities, planted.modules, settings)
    return World(
        settings,
        entities,
        planted.modules,
        planted.relations,
        pairs,
        listed,
        candidates,
        memberships,
        sentences,
    )


def _share(total: int) -> list[int]:
    """Split a number by ``CLASS_SHARES``; the first class takes the rounding."""
    rest = [int(total * share) for share in CLASS_SHARES[1:]]
    return [total - sum(rest), *rest]


def _draw_pairs(rng: np.random.Generator, entities: tuple[Entity, ...], settings: WorldSettings) -> tuple[Ints, Ints]:
    """Co-mentioned pairs, by popularity whatever the truth; and candidates, evenly among the rest."""
    popularity = np.empty(len(entities))
    for type_ in ("GENE", "DISEASE", "CHEMICAL"):
        rows = rows_of_type(entities, type_)
        popularity[rows] = (1.0 + rng.permutation(len(rows))) ** -settings.popularity
    met, unmet = [], []
    for types, wanted, offered in zip(CLASSES, _share(settings.pairs), _share(settings.candidates), strict=True):
        possible = class_pairs(entities, *types)
        if wanted + offered > len(possible):
            raise KgrelError(
                f"WorldSettings: {'-'.join(types)} has {len(possible)} pairs, too few for {wanted} "
                f"co-mentioned pairs and {offered} candidates; raise the number of entities or lower these"
            )
        # Largest keys of log-weight plus Gumbel noise: a weighted draw without replacement.
        keys = np.log(popularity[possible]).sum(axis=1) + rng.gumbel(size=len(possible))
        order = np.argsort(-keys, kind="stable")
        met.append(possible[order[:wanted]])
        unmet.append(rng.choice(possible[order[wanted:]], size=offered, replace=False))
    return rng.permutation(np.concatenate(met)), rng.permutation(np.concatenate(unmet))


def _orient(rng: np.random.Generator, entities: tuple[Entity, ...], true: Bools, pairs: Ints) -> Ints:
    """Turn pairs of genes as their relation goes, unrelated ones at random."""
    genes = np.array([entity.type == "GENE" for entity in entities])
    free = genes[pairs].all(axis=1) & ~true[pairs[:, 0], pairs[:, 1]]
    turn = true[pairs[:, 1], pairs[:, 0]] | (free & (rng.random(len(pairs)) < 0.5))
    turn &= ~true[pairs[:, 0], pairs[:, 1]]
    return np.where(turn[:, None], pairs[:, ::-1], pairs)


def _draw_counts(rng: np.random.Generator, related: Bools, settings: WorldSettings) -> Ints:
    """Sentences for each pair: at least one, log-normal, a little more for related pairs; they sum as set."""
    weights = np.exp(settings.count_spread * rng.standard_normal(len(related)))
    weights *= np.where(related, settings.count_lift, 1.0)
    counts = rng.multinomial(settings.sentences - len(related), weights / weights.sum())
    return (counts + 1).astype(np.int64)


def _draw_memberships(
    rng: np.random.Generator, entities: tuple[Entity, ...], modules: Bools, settings: WorldSettings
) -> Ints:
    """Edges from genes to modules as a curated graph would have them: some missing, some wrong."""
    edges = np.argwhere(modules[rows_of_type(entities, "GENE")])
    edges = edges[rng.random(len(edges)) < settings.pathway_coverage]
    wrong = rng.random(len(edges)) < settings.pathway_noise
    edges[wrong, 1] = (edges[wrong, 1] + rng.integers(1, settings.modules, size=int(wrong.sum()))) % settings.modules
    return np.unique(edges, axis=0).astype(np.int64)
