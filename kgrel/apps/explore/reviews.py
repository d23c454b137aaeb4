"""What people decided about predictions: one SQLite file, and the relations table that is made of it.

A review belongs to an unordered pair and a relation. It is accepted, rejected or open (a comment alone), and tells the
score and the model that it was made on, so that a later model can be measured against it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import pyarrow as pa

from kgrel.data.errors import InputError, KgrelError
from kgrel.data.files import refuse_place
from kgrel.data.tables import write_table
from kgrel.train.pair_artifact import PairArtifact

Decision = Literal["accepted", "rejected", "open"]
DECISIONS: tuple[str, ...] = get_args(Decision)
APPLICATION, VERSION = 0x6B67726C, 1
"""What SQLite keeps in the head of the file: whose it is (``kgrl``), and the version of its table."""
LONGEST = 4000
"""Characters of a comment."""
TABLE = """
CREATE TABLE review (
    first TEXT NOT NULL, second TEXT NOT NULL, relation TEXT NOT NULL,
    first_name TEXT NOT NULL, second_name TEXT NOT NULL,
    decision TEXT NOT NULL, comment TEXT NOT NULL, score REAL, model TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (first, second, relation)
) STRICT
"""
RELATIONS = pa.schema([(name, pa.string()) for name in
                       ("class", "source_id", "source_name", "target_id", "target_name", "origin")])  # fmt: skip


@dataclass(frozen=True)
class Review:
    """What somebody decided about a pair."""

    first: str
    """TYPE::id, the smaller of the two as text."""
    second: str
    relation: str
    first_name: str
    second_name: str
    decision: Decision
    comment: str
    score: float | None
    """Of the relation when it was reviewed."""
    model: str
    """Hash of the artifact that scored it."""
    at: str
    """Time in UTC, ISO 8601."""


class Reviews:
    """The reviews of one file; each call is its own transaction, so that several processes may use it."""

    def __init__(self, path: str | Path) -> None:
        """Open the file, or make it.

        Raises:
            InputError: it is no file of reviews, or one of a newer version.
            KgrelError: it cannot be made.
        """
        self.path = Path(path)
        if self.path.is_symlink() and not self.path.exists():
            raise InputError(self.path, "is a link to nothing")
        if not self.path.exists():
            refuse_place(self.path, overwrite=False)
        with self._connected() as database:
            owner, version = (database.execute(f"PRAGMA {name}").fetchone()[0]
                              for name in ("application_id", "user_version"))  # fmt: skip
            empty = not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if empty and not owner:
                database.execute(TABLE)
                database.execute(f"PRAGMA application_id = {APPLICATION}")
                database.execute(f"PRAGMA user_version = {VERSION}")
            elif owner != APPLICATION:
                raise InputError(self.path, "is a database of another program; give another file")
            elif version != VERSION:
                raise InputError(self.path, f"holds reviews of version {version}; this kgrel reads version {VERSION}")

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are kept when the block ends well."""
        try:
            with closing(sqlite3.connect(self.path, timeout=10)) as database, database:
                yield database
        except sqlite3.Error as error:
            raise InputError(self.path, f"cannot be used as a file of reviews ({error})") from None

    def all(self) -> list[Review]:
        """Every review, the latest first."""
        with self._connected() as database:
            found = database.execute("SELECT * FROM review ORDER BY at DESC, first, second, relation").fetchall()
        return [Review(*row) for row in found]

    def put(
        self, pair: tuple[str, str], names: tuple[str, str], relation: str, decision: str, comment: str = "",
        score: float | None = None, model: str = "",
    ) -> Review:  # fmt: skip
        """Write a review in place of an earlier one of the same pair and relation; open without comment takes it away.

        Raises:
            KgrelError: another decision, a comment that is too long, or a pair of one entity.
        """
        if decision not in DECISIONS:
            raise KgrelError(f"a decision is one of {', '.join(DECISIONS)}, not {decision!r}")
        if len(comment) > LONGEST:
            raise KgrelError(f"a comment has at most {LONGEST:,} characters, not {len(comment):,}")
        if pair[0] == pair[1]:
            raise KgrelError(f"{pair[0]} cannot be related to itself; give two different entities")
        (first, first_name), (second, second_name) = sorted(zip(pair, names, strict=True))
        at = datetime.now(UTC).isoformat(timespec="seconds")
        review = Review(first, second, relation, first_name, second_name, decision, comment.strip(), score, model, at)  # type: ignore[arg-type]
        with self._connected() as database:
            if decision == "open" and not review.comment:
                key = (first, second, relation)
                database.execute("DELETE FROM review WHERE first = ? AND second = ? AND relation = ?", key)
            else:
                values = tuple(asdict(review).values())
                database.execute(f"INSERT OR REPLACE INTO review VALUES ({', '.join('?' * len(values))})", values)
        return review


def export_reviews(
    reviews: Reviews, out: str | Path, model: PairArtifact | None = None, overwrite: bool = False
) -> dict[str, Any]:
    """Write the accepted reviews as a relations table, as ``train-pairs --relations`` reads it.

    Args:
        out: csv, tsv, jsonl or parquet by ending.
        model: its listed pairs go first, but for those that were rejected; ``origin`` tells which is which.

    Returns:
        Rows written, and what they are.

    Raises:
        KgrelError: ``out`` exists and ``overwrite`` is false, or there is no row to write.
    """
    found = reviews.all()
    verdicts = {(one.first, one.second, one.relation): one.decision for one in found}
    rows, dropped, listed = list[dict[str, str]](), 0, set()
    for row in listed_rows(model) if model is not None else []:
        first, second = sorted((row["source_id"], row["target_id"]))
        key = first, second, row["class"]
        listed.add(key)
        if verdicts.get(key) == "rejected":
            dropped += 1
        else:
            rows.append(row)
    accepted = [one for one in reversed(found) if one.decision == "accepted"]
    new = [one for one in accepted if (one.first, one.second, one.relation) not in listed]
    rows += [
        relation_row(one.relation, one.first, one.first_name, one.second, one.second_name, "review") for one in new
    ]
    if not rows:
        raise KgrelError(f"{reviews.path}: nothing is accepted yet, so that no relations can be written")
    with write_table(out, RELATIONS, overwrite=overwrite) as writer:
        writer.write(pa.Table.from_pylist(rows, schema=RELATIONS))
    counts = {decision: sum(one.decision == decision for one in found) for decision in DECISIONS}
    return {"relations": len(rows), "from_reviews": len(new), "listed": len(rows) - len(new),
            "listed_but_rejected": dropped, "reviews": counts}  # fmt: skip


def listed_rows(model: PairArtifact) -> Iterator[dict[str, str]]:
    """The relations that an artifact lists, as rows of the table."""
    entities, classes = model.entities, model.classes
    for head, tail, class_ in zip(*(side.tolist() for side in model.relations), strict=True):
        ids = [f"{entities.types[row]}::{entities.ids[row]}" for row in (head, tail)]
        yield relation_row(classes[class_], ids[0], entities.names[head], ids[1], entities.names[tail], "listed")


def relation_row(
    class_: str, source: str, source_name: str, target: str, target_name: str, origin: str
) -> dict[str, str]:
    """A row of the table."""
    return dict(zip(RELATIONS.names, (class_, source, source_name, target, target_name, origin), strict=True))
