"""Answers as tables: one row a pair, in the order in which it is near."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from kgrel.data.printing import aligned
from kgrel.score.show import cell
from kgrel.search.index import Neighbours, RelationIndex

SCHEMA = pa.schema(
    [
        ("rank", pa.int64()), ("source", pa.string()), ("source_name", pa.string()), ("target", pa.string()),
        ("target_name", pa.string()), ("score", pa.float64()), ("order", pa.string()), ("relation", pa.string()),
        ("contexts", pa.int64()),
    ]
)  # fmt: skip
"""``source`` plays the part that the first entity plays in the query; ``order`` tells whether that is the pair's own
order (``given``) or not (``reversed``)."""


def answer_table(
    index: RelationIndex, found: Sequence[Neighbours], queries: Sequence[dict[str, object]] | None = None
) -> pa.Table:
    """The answers to one or more queries.

    Args:
        queries: further columns, in front, that say which query each answer is of.
    """
    rows = [
        dict(asked) | row
        for asked, neighbours in zip(queries or [{}] * len(found), found, strict=True)
        for row in answer_rows(index, neighbours)
    ]
    asked_fields = [pa.field(name, TYPES[type(value)]) for name, value in (queries[0] if queries else {}).items()]
    return pa.Table.from_pylist(rows, schema=pa.schema([*asked_fields, *SCHEMA]))


TYPES: dict[type, pa.DataType] = {int: pa.int64(), str: pa.string()}


def answer_rows(index: RelationIndex, found: Neighbours) -> list[dict[str, object]]:
    """The answers to one query, by the columns of :data:`SCHEMA`."""
    rows = []
    for rank, (pair, order, score) in enumerate(zip(found.pairs, found.orders, found.scores, strict=True), 1):
        head, tail = int(index.pairs.heads[pair]), int(index.pairs.tails[pair])
        first, second = (head, tail) if order == 0 else (tail, head)
        contexts = int(index.pairs.contexts[pair])
        rows.append(
            {
                "rank": rank,
                "source": entity_text(index, first),
                "source_name": index.entities.names[first],
                "target": entity_text(index, second),
                "target_name": index.entities.names[second],
                "score": float(score),
                "order": "given" if order == 0 else "reversed",
                "relation": index.pairs.relations[pair],
                "contexts": None if contexts < 0 else contexts,
            }
        )
    return rows


def entity_text(index: RelationIndex, row: int) -> str:
    """An entity as TYPE::id."""
    return f"{index.entities.types[row]}::{index.entities.ids[row]}"


def text_answers(table: pa.Table) -> str:
    """An answer as aligned columns for the terminal; identifiers are left to the other formats."""
    shown = [name for name in table.column_names if name not in ("source", "target")]
    rows = [shown, *([cell(row[name]) for name in shown] for row in table.to_pylist())]
    return "\n".join(aligned(rows))
