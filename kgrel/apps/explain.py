"""``explain``: everything that is known of one pair, on one screen.

The prediction with its uncertainty; the nearest listed pairs (an index), the sentences that name both (a corpus), the
short paths between them (an edge table), and the modes of the relation (a representation). What is not given is left
out, and said.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kgrel.apps.edge_paths import short_paths
from kgrel.data.entities import EntityTable
from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.data.files import atomic_file
from kgrel.model.representation import Representation
from kgrel.score.confidence import Uncertain
from kgrel.score.pair_scorer import PairScorer
from kgrel.search.answers import answer_rows
from kgrel.search.index import RelationIndex
from kgrel.search.queries import of_rows
from kgrel.search.relation_modes import relation_modes
from kgrel.search.settings import ModeSettings, SearchSettings
from kgrel.text.corpus import Corpus, Evidence
from kgrel.text.evidence import EvidenceIndex, find_entity, marked

SHOWN = 5
"""Listed pairs, sentences and paths that are shown."""
MODES = ModeSettings(samples=512, bootstraps=20)
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:1.5rem}li{margin:.2rem 0}.note{color:#666}"
)


def explain(
    pairs: str | Path,
    first: str,
    second: str,
    *,
    corpus: Corpus | None = None,
    index: RelationIndex | None = None,
    graph: str | Path | None = None,
    representation: Representation | None = None,
) -> dict[str, Any]:
    """What is known of a pair.

    Args:
        pairs: the PAIRS artifact.
        first, second: identifiers or names.
        graph: a GRAPH or an edge table, as :func:`kgrel.apps.edge_paths.short_paths` reads it.

    Returns:
        ``pair``, ``names``, ``prediction``, and what is there of ``neighbours``, ``sentences``, ``paths`` and
        ``modes``; ``omitted`` says why others are not.

    Raises:
        KgrelError: an entity is not known, or both are the same.
        ArtifactError: an artifact is of another representation than PAIRS.
    """
    scorer = PairScorer.load(pairs)
    entities = scorer.model.entities
    rows = [entities.named(text, f"is known to {pairs}") for text in (first, second)]
    if rows[0] == rows[1]:
        raise KgrelError(f"{first!r} and {second!r} are the same entity; give two different ones")
    ids = [identifier_of(entities, row) for row in rows]
    found: dict[str, Any] = {
        "pair": ids,
        "names": [entities.names[row] for row in rows],
        "prediction": prediction_of(scorer, ids[0], ids[1]),
    }
    omitted = {}
    refuse_others(scorer.model, pairs, index, representation)
    if index is None:
        omitted["neighbours"] = "no --index was given"
    else:
        found["neighbours"] = listed_neighbours(index, ids)
    if corpus is None:
        omitted["sentences"] = "no --corpus was given"
    else:
        found["sentences"] = sentences(corpus, ids)
    if graph is None:
        omitted["paths"] = "no --graph was given"
    else:
        found["paths"] = short_paths(graph, entities, rows[0], rows[1], SHOWN)
    if representation is None:
        omitted["modes"] = "no --representation was given"
    else:
        modes = relation_modes(representation, ids[0], ids[1], MODES, index=index, corpus=corpus)
        found |= {"modes": modes["modes"], "u": modes["u"]}
    return found | {"omitted": omitted}


def identifier_of(entities: EntityTable, row: int) -> str:
    """An entity as TYPE::id."""
    return f"{entities.types[row]}::{entities.ids[row]}"


def prediction_of(scorer: PairScorer, source: str, target: str) -> dict[str, Any]:
    """What scoring adds to a pair, with its uncertainty where the scorer gives one; missing values are None."""
    asked = pd.DataFrame({"source": [source], "target": [target]})
    scored = scorer.score(asked, uncertainty=isinstance(scorer.model, Uncertain)).iloc[0].to_dict()
    return {name: plain(value) for name, value in scored.items() if name not in ("source", "target")}


def representations_of(model: Any) -> list[str]:
    """Hashes of the representations that a scorer, or those that it combines, were made from; none of baselines."""
    artifacts = [getattr(one, "artifact", None) for one in (model, *getattr(model, "members", ()))]
    parents = [artifact.manifest.parents for artifact in artifacts if artifact is not None]
    return [str(one["representation"]) for one in parents if "representation" in one]


def refuse_others(
    model: Any, name: str | Path, index: RelationIndex | None, representation: Representation | None
) -> None:
    """Refuse an index or a representation of another model; a scorer that rests on none takes any.

    Raises:
        ArtifactError: one is of another model.
    """
    made_from = representations_of(model)
    if index is not None and made_from:
        index.require(made_from, str(name))
    if representation is not None and made_from:
        assert representation.artifact is not None
        if representation.artifact.hash not in made_from:
            raise ArtifactError(f"{representation.artifact.path}: is not the representation that {name} was trained on")


def plain(value: Any) -> Any:
    """A value of a table as JSON has it; missing ones are None."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value


def listed_neighbours(index: RelationIndex, ids: list[str]) -> list[dict[str, object]]:
    """The listed pairs that are related most alike; none if the index lists nothing."""
    unlisted = np.array([name is None for name in index.pairs.relations])
    if unlisted.all():
        return []
    head, tail = (index.entities.named(text, "is known to the index") for text in ids)
    settings = SearchSettings(top=min(SHOWN, index.pairs.live))
    return answer_rows(index, index.search([of_rows(index, head, tail, settings)], settings, unlisted)[0])


def sentences(corpus: Corpus, ids: list[str]) -> list[dict[str, object]]:
    """Some sentences that name both; none if the corpus lacks one of the entities."""
    try:
        rows = [find_entity(corpus, text) for text in ids]
    except KgrelError:
        return []
    found = EvidenceIndex.of(corpus).sentences(rows[0], rows[1], SHOWN)
    return [
        {"doc_id": one.doc_id, "sentence": one.text, "head": list(one.head), "tail": list(one.tail)} for one in found
    ]


def plain_sentence(one: dict[str, Any]) -> str:
    """A sentence with its document, as text."""
    return f"{one['doc_id']}: {one['sentence']}"


def marked_sentence(one: dict[str, Any]) -> str:
    """The same as HTML, both mentions marked."""
    return marked(Evidence(one["doc_id"], one["sentence"], tuple(one["head"]), tuple(one["tail"])))


def blocks(
    found: dict[str, Any], line: Callable[[str], str] = str, sentence: Callable[[dict[str, Any]], str] = plain_sentence
) -> list[tuple[str, list[str]]]:
    """Title and lines of each part, for people.

    Args:
        line: what becomes of each line but the sentences; titles are the project's own words.
        sentence: how a sentence is shown.
    """
    values = [(name, value) for name, value in found["prediction"].items() if value is not None]
    lines = [line(f"{name}: {f'{v:.4f}' if isinstance(v, float) else v}") for name, v in values]
    parts = [("Prediction", lines)]
    if "neighbours" in found:
        rows = found["neighbours"]
        lines = [line(f"{r['score']:.3f}  {r['source_name']} – {r['target_name']}: {r['relation']}") for r in rows]
        parts.append(("Listed pairs related most alike", lines or [line("none: the index lists no relations")]))
    if "sentences" in found:
        lines = [sentence(one) for one in found["sentences"]]
        parts.append(("Sentences", lines or [line("none names both")]))
    if "paths" in found:
        parts.append(("Paths of at most three edges", [line(path) for path in found["paths"] or ["none"]]))
    if "modes" in found:
        share = f"u explains {found['u']['share_of_variance']:.1%} of the variance of z"
        lines = [line(f"{m['share']:.0%}: {' '.join(m['words'])}") for m in found["modes"]]
        parts.append((f"Modes: {len(lines)} ({share})", lines))
    if found["omitted"]:
        parts.append(("Left out", [line(f"{name}: {reason}") for name, reason in found["omitted"].items()]))
    return parts


def text_explanation(found: dict[str, Any]) -> str:
    """One screen."""
    lines = [" – ".join(f"{name} ({id_})" for name, id_ in zip(found["names"], found["pair"], strict=True))]
    for title, rows in blocks(found):
        lines += [title, *(f"  {row}" for row in rows)]
    return "\n".join(lines)


def write_page(found: dict[str, Any], path: str | Path, overwrite: bool = False) -> None:
    """The same as a page on its own.

    Raises:
        KgrelError: the file exists and ``overwrite`` is false.
    """
    name = html.escape(" – ".join(found["names"]))
    parts = [
        f"<h2>{title}</h2><ul>{''.join(f'<li>{row}</li>' for row in rows)}</ul>"
        for title, rows in blocks(found, html.escape, marked_sentence)
    ]
    pair = html.escape(" – ".join(found["pair"]))
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}</title><style>{STYLE}</style></head>'
        f"<body><h1>{name}</h1><p class=note>{pair}</p>{''.join(parts)}</body></html>\n"
    )
    with atomic_file(path, overwrite) as partial:
        partial.write_text(page, encoding="utf-8")
