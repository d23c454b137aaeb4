"""One question of any kind to an index, and its answer as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from kgrel.data.errors import KgrelError
from kgrel.search.answers import answer_table, entity_text
from kgrel.search.clusters import entity_clusters
from kgrel.search.index import RelationIndex
from kgrel.search.queries import (
    file_queries,
    marked_sentence,
    pair_query,
    relation_query,
    sentence_query,
)
from kgrel.search.settings import SearchSettings
from kgrel.text.document_tagger import DocumentTagger


def ask(
    index: RelationIndex,
    settings: SearchSettings | None = None,
    *,
    pair: tuple[str, str] | None = None,
    pairs: str | Path | None = None,
    entity: str | None = None,
    sentence: str | None = None,
    relation: str | None = None,
    by: str = "centroid",
    tagger: DocumentTagger | None = None,
) -> tuple[pa.Table, dict[str, Any]]:
    """Ask one of: which pairs are related like a pair, each pair of a file, a sentence, or a listed relation; or how an
    entity's own pairs fall into clusters.

    Args:
        by: ``centroid`` or ``members``, for ``relation``.
        tagger: finds the entities of a sentence in which none are marked.

    Returns:
        The answers, see :data:`kgrel.search.answers.SCHEMA`, and a summary.

    Raises:
        KgrelError: see :mod:`kgrel.search.queries` and :meth:`RelationIndex.search`.
    """
    settings = settings or SearchSettings()
    summary: dict[str, Any] = {
        "pairs": index.pairs.live,
        "recall_at_10": index.artifact.manifest.summary["recall_at_10"],
    }
    if entity is not None:
        table, clusters = entity_clusters(index, entity, settings)
        return table, summary | {"entity": clusters}
    if pairs is not None:
        asked = file_queries(index, pairs, settings)
        labels: list[dict[str, object]] = [
            {"line": line, "query_source": entity_text(index, q.head), "query_target": entity_text(index, q.tail)}
            for line, q in zip(asked.lines, asked.queries, strict=True)
        ]
        table = answer_table(index, index.search(asked.queries, settings), labels)
        return table, summary | {"queries": asked.status}
    leave_out = None
    if pair is not None:
        query = pair_query(index, *pair, settings)
        summary["indexed"] = index.pairs.find(query.head, query.tail) >= 0
    elif sentence is not None:
        found = marked_sentence(index, sentence, tagger)
        query = sentence_query(index, found)
        summary["entities"] = [entity_text(index, row) for row in found.rows]
    elif relation is not None:
        query, listed = relation_query(index, relation, by)
        leave_out = None if settings.keep_query else listed
        summary["listed_pairs"] = int(listed.sum())
    else:
        raise KgrelError("nothing was asked; give a pair, a file of pairs, an entity, a sentence or a relation")
    return answer_table(index, index.search([query], settings, leave_out)), summary
