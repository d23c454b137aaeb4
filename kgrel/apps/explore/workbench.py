"""Everything that the page can ask, as plain dictionaries: the opened artifacts, and the reviews.

PAIRS ─▶ predictions ─▶ view ─▶ a page of rows
      └▶ one pair: prediction · sentences (CORPUS) · paths (GRAPH) · related pairs (INDEX) · modes (REPR)
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
from threading import RLock
from typing import Any

import numpy as np

from kgrel.apps.edge_paths import PathFinder
from kgrel.apps.explain import MODES, identifier_of, plain, prediction_of
from kgrel.apps.explore.predictions import Predictions, Rows, Shown, View, of_table
from kgrel.apps.explore.reviews import Reviews
from kgrel.apps.explore.settings import ExploreSettings
from kgrel.data.entities import parse_entity
from kgrel.data.errors import KgrelError, did_you_mean
from kgrel.graph.best_paths import WeighedPath, relations_of
from kgrel.model.representation import Representation
from kgrel.score.pair_scorer import PairScorer
from kgrel.score.rank import rank_pairs, rows_of_type
from kgrel.score.scorer import CoMentioned, entity_contexts
from kgrel.score.settings import RankSettings
from kgrel.search.answers import answer_rows
from kgrel.search.index import RelationIndex
from kgrel.search.queries import of_rows
from kgrel.search.relation_modes import relation_modes
from kgrel.search.settings import SearchSettings
from kgrel.text.corpus import Corpus, Evidence
from kgrel.text.evidence import EvidenceIndex, find_entity

RANKINGS = 16
"""Rankings that are kept, so that going back to one costs nothing."""
MOST_ROWS = 1_000
"""Rows of one answer."""


@dataclass
class Workbench:
    """Opened artifacts, those of one model; every method may be called from any thread."""

    scorer: PairScorer
    predictions: Predictions
    reviews: Reviews
    settings: ExploreSettings
    name: str = ""
    """What PAIRS is called, for the page's title."""
    corpus: Corpus | None = None
    index: RelationIndex | None = None
    paths: PathFinder | None = None
    representation: Representation | None = None
    _lock: RLock = field(default_factory=RLock, repr=False)
    """Held while the classifier computes."""
    _search_lock: RLock = field(default_factory=RLock, repr=False)
    """Held while the index or the representation does, which takes longer; a prediction does not wait for it."""
    _rankings: OrderedDict[tuple[int, str], Shown] = field(default_factory=OrderedDict, repr=False)

    @cached_property
    def _all(self) -> Shown:
        return Shown(self.predictions, self.scorer.model)

    @cached_property
    def _mentions(self) -> Rows:
        """Contexts that mention each entity."""
        model = self.scorer.model
        return entity_contexts(model) if isinstance(model, CoMentioned) else np.zeros(len(model.entities), np.int64)

    @cached_property
    def _folded(self) -> list[str]:
        return [name.lower() for name in self.scorer.model.entities.names]

    @cached_property
    def _evidence(self) -> EvidenceIndex | None:
        return None if self.corpus is None else EvidenceIndex.of(self.corpus)

    @property
    def model_hash(self) -> str:
        """Hash of the artifact that scores."""
        artifact = getattr(self.scorer.model, "artifact", None)
        return "" if artifact is None else str(artifact.hash)

    def about(self) -> dict[str, Any]:
        """What there is to choose from, and what was given."""
        model = self.scorer.model
        types = sorted(set(model.entities.types))
        given = {"sentences": self.corpus, "paths": self.paths, "neighbours": self.index, "modes": self.representation}
        return {
            "name": self.name,
            "predictions": len(self.predictions),
            "left_out": self.predictions.left_out,
            "entities": len(model.entities),
            "types": types,
            "pair_types": sorted(set(self._all.types.tolist())),
            "relations": [{"name": name, "threshold": float(value)}
                          for name, value in zip(model.classes, model.thresholds, strict=True)],
            "given": {name: value is not None for name, value in given.items()},
            "calibrated": bool(np.isfinite(self.predictions.probabilities).any()),
            "reviews": self.review_counts(),
        }  # fmt: skip

    def find_entities(self, text: str, limit: int = 20) -> list[dict[str, Any]]:
        """Entities whose name or identifier holds a text: those that begin with it first, then the most mentioned."""
        wanted, entities = text.strip().lower(), self.scorer.model.entities
        if not wanted:
            return []
        found = [
            (0 if name == wanted else 1 if name.startswith(wanted) else 2, -int(self._mentions[row]), row)
            for row, name in enumerate(self._folded)
            if wanted in name or wanted in entities.ids[row].lower()
        ]
        return [self._entity(row) for _, _, row in sorted(found)[:limit]]

    def _entity(self, row: int) -> dict[str, Any]:
        entities = self.scorer.model.entities
        shown = {"id": identifier_of(entities, row), "name": entities.names[row] or entities.ids[row]}
        return shown | {"type": entities.types[row], "contexts": int(self._mentions[row])}

    def entity_row(self, text: str) -> int:
        """Row of an entity, by identifier or name.

        Raises:
            KgrelError: unknown, or several.
        """
        return self.scorer.model.entities.named(text, f"is known to {self.name or 'the classifier'}")

    def page(self, view: View, offset: int = 0, limit: int = 200, ranked: str | None = None) -> dict[str, Any]:
        """Some rows of a view.

        Args:
            ranked: show, in place of the predictions, the view's entity ranked against all entities of this type.

        Returns:
            ``total`` rows of the view, the ``offset``, and the ``rows``.

        Raises:
            KgrelError: an unknown type or relation; a type without an entity.
        """
        classes = self.scorer.model.classes
        if view.relation is not None and view.relation not in classes:
            raise KgrelError(f"no relation {view.relation!r}{did_you_mean(view.relation, classes)}")
        if ranked is not None and view.entity is None:
            raise KgrelError("a ranking needs an entity")
        shown = self._all if ranked is None else self._ranking(view.entity or 0, ranked)
        decisions = self._decisions()
        rows = shown.rows(view, {key: decision for key, (decision, _) in decisions.items()})
        part = rows[offset : offset + min(limit, MOST_ROWS)].tolist()
        return {"total": len(rows), "offset": offset, "rows": [self._row(shown, row, decisions) for row in part]}

    def _ranking(self, entity: int, type_: str) -> Shown:
        """An entity against all of a type, ranked once."""
        model = self.scorer.model
        tails = rows_of_type(model.entities, type_)
        with self._lock:
            if (entity, type_) not in self._rankings:
                ranked = rank_pairs(model, np.array([entity]), tails, RankSettings(top=self.settings.ranked))
                self._rankings[entity, type_] = Shown(of_table(model, ranked.table), model)
                while len(self._rankings) > RANKINGS:
                    self._rankings.popitem(last=False)
            return self._rankings[entity, type_]

    def _row(self, shown: Shown, row: int, decisions: dict[tuple[int, str], tuple[str, str]]) -> dict[str, Any]:
        p, model = shown.predictions, self.scorer.model
        head, tail, relation = int(p.heads[row]), int(p.tails[row]), model.classes[p.classes[row]]
        decision, comment = decisions.get((int(shown.keys[row]), relation), ("open", ""))
        sides = {name: model.entities.names[at] or model.entities.ids[at]
                 for name, at in (("source_name", head), ("target_name", tail))}  # fmt: skip
        return {
            "source": identifier_of(model.entities, head),
            "target": identifier_of(model.entities, tail),
            **sides,
            "relation": relation,
            "score": float(p.scores[row]),
            "score_std": plain(float(p.spreads[row])),
            "probability": plain(float(p.probabilities[row])),
            "margin": float(shown.margins[row]),
            "predicted": bool(p.scores[row] > model.thresholds[p.classes[row]]),
            "contexts": int(p.contexts[row]),
            "known": p.known[row],
            "decision": decision,
            "commented": bool(comment),
        }

    def _ends(self, first: str, second: str) -> tuple[int, int]:
        """Rows of two different entities.

        Raises:
            KgrelError: one is not known, or both are the same.
        """
        head, tail = self.entity_row(first), self.entity_row(second)
        if head == tail:
            raise KgrelError(f"{first!r} and {second!r} are the same entity; give two different ones")
        return head, tail

    def pair(self, first: str, second: str) -> dict[str, Any]:
        """What is known at once of one pair: prediction, sentences and reviews; what was not given is None.

        Raises:
            KgrelError: an entity is not known, or both are the same.
        """
        head, tail = self._ends(first, second)
        ids = [self._entity(row)["id"] for row in (head, tail)]
        with self._lock:
            prediction = prediction_of(self.scorer, *ids)
        return {
            "source": self._entity(head),
            "target": self._entity(tail),
            "prediction": prediction,
            "sentences": self.sentences(*ids),
            "reviews": [dataclasses.asdict(one) for one in self.reviews.all() if {one.first, one.second} == {*ids}],
        }

    def sentences(self, first: str, second: str, offset: int = 0) -> dict[str, Any] | None:
        """Sentences that name both: ``total``, and some from ``offset`` on, each cut at its two mentions."""
        if self._evidence is None or self.corpus is None:
            return None
        try:
            rows = self._evidence.contexts(find_entity(self.corpus, first), find_entity(self.corpus, second))
        except KgrelError:  # the corpus does not hold one of them
            return {"total": 0, "offset": 0, "sentences": []}
        chosen = rows[offset : offset + self.settings.sentences].tolist()
        found = [pieces(self.corpus.sentence_of(row)) for row in chosen]
        return {"total": len(rows), "offset": offset, "sentences": found}

    def neighbours(self, first: str, second: str) -> list[dict[str, object]] | None:
        """The pairs of the index that are related most alike; None without an index, none where it does not know an
        entity."""
        if self.index is None:
            return None
        try:
            head, tail = (self.index.entities.named(text, "is known to the index") for text in (first, second))
        except KgrelError:
            return []
        settings = SearchSettings(top=min(self.settings.neighbours, max(1, self.index.pairs.live)))
        with self._search_lock:
            found = self.index.search([of_rows(self.index, head, tail, settings)], settings)[0]
        return answer_rows(self.index, found)

    def paths_between(self, first: str, second: str) -> list[dict[str, Any]] | None:
        """The heaviest paths of the graph, node by node; None without a graph.

        Raises:
            KgrelError: an entity is not known, or both are the same.
        """
        if self.paths is None:
            return None
        found = self.paths.find(*self._ends(first, second), self.settings.paths)
        return [self._path(self.paths, path) for path in found]

    @staticmethod
    def _path(finder: PathFinder, path: WeighedPath) -> dict[str, Any]:
        nodes = finder.walks.graph.entities
        told = [{"id": identifier_of(nodes, row), "name": finder.names[row], "type": nodes.types[row]}
                for row in path.nodes]  # fmt: skip
        return {"share": path.share, "nodes": told, "relations": relations_of(finder.walks, path)}

    def modes(self, first: str, second: str) -> dict[str, Any]:
        """Whether the pair has several relations; see :func:`kgrel.search.relation_modes.relation_modes`.

        Raises:
            KgrelError: no representation was given, or it does not know an entity.
        """
        if self.representation is None:
            raise KgrelError("modes need the representation; start kgrel explore with --representation")
        with self._search_lock:
            return relation_modes(self.representation, first, second, MODES, index=self.index, corpus=self.corpus)

    def review(
        self, first: str, second: str, relation: str, decision: str, comment: str | None = None
    ) -> dict[str, Any]:
        """Keep a decision, with the score that the relation has now.

        Args:
            comment: None keeps the one that is there.

        Raises:
            KgrelError: an unknown entity or relation; see :meth:`Reviews.put`.
        """
        model = self.scorer.model
        if relation not in model.classes:
            raise KgrelError(f"no relation {relation!r}{did_you_mean(relation, model.classes)}")
        head, tail = self._ends(first, second)
        with self._lock:
            mean, _ = model.predict(np.array([head]), np.array([tail]))
        score = float(mean[0, model.classes.index(relation)])
        entities = model.entities
        ids = identifier_of(entities, head), identifier_of(entities, tail)
        names = entities.names[head], entities.names[tail]
        if comment is None:
            before = {(one.first, one.second, one.relation): one.comment for one in self.reviews.all()}
            low, high = sorted(ids)
            comment = before.get((low, high, relation), "")
        return dataclasses.asdict(self.reviews.put(ids, names, relation, decision, comment, score, self.model_hash))

    def review_counts(self) -> dict[str, int]:
        """How many pairs are accepted and rejected, and how many have a comment alone."""
        counts = {"accepted": 0, "rejected": 0, "open": 0}
        for one in self.reviews.all():
            counts[one.decision] += 1
        return counts

    def _decisions(self) -> dict[tuple[int, str], tuple[str, str]]:
        """Key of the pair and relation → decision and comment; entities that this model does not know are left out."""
        entities, found = self.scorer.model.entities, dict[tuple[int, str], tuple[str, str]]()
        size = len(entities)
        for one in self.reviews.all():
            rows = [entities.find(parse_entity(text))[0] for text in (one.first, one.second)]
            if min(rows) >= 0:
                found[min(rows) * size + max(rows), one.relation] = (one.decision, one.comment)
        return found


def pieces(found: Evidence) -> dict[str, Any]:
    """A sentence in five pieces: before, first mention, between, second mention, after."""
    text, head, tail = found.text, found.head, found.tail
    cut = [text[: head[0]], text[slice(*head)], text[head[1] : tail[0]], text[slice(*tail)], text[tail[1] :]]
    return {"doc_id": found.doc_id, "pieces": cut}
