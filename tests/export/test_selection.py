"""Repeated edges are found whatever fits into memory, and the kept rows do not depend on the chunks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from kgrel.export import selection
from kgrel.export.selection import SCHEMA, Best, Repeats, Streamed, repeated_places


def random_rows(count: int, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    columns = {name: rng.integers(0, 6, count) for name in ("head", "subject", "object", "relation")}
    columns |= {name: rng.integers(0, 50, count) / 50 for name in ("score", "score_std", "confidence")}
    columns |= {"rank": np.zeros(count, int), "known": rng.random(count) < 0.5}
    # One pair has one score, as scoring gives it.
    columns["score"] = (columns["subject"] * 7 + columns["object"] * 3 + columns["relation"]) % 11 / 11
    return pa.table([pa.array(columns[f.name]).cast(f.type) for f in SCHEMA], schema=SCHEMA)


@pytest.mark.parametrize("files", [1, 2, 7, 64])
@pytest.mark.parametrize("chunk", [1, 13, 100])
def test_every_repetition_is_found_at_its_place(files: int, chunk: int, tmp_path: Path) -> None:
    keys = np.random.default_rng(0).integers(-20, 20, 100)
    seen: set[int] = set()
    wanted = [place for place, key in enumerate(keys.tolist()) if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
    repeats = Repeats(tmp_path, files)
    for begin in range(0, len(keys), chunk):
        repeats.add(keys[begin : begin + chunk])
    assert repeats.places().tolist() == repeated_places(keys).tolist() == wanted
    assert list(tmp_path.iterdir()) == []


def test_no_keys_repeat_nothing(tmp_path: Path) -> None:
    assert Repeats(tmp_path).places().tolist() == repeated_places(np.empty(0, np.int64)).tolist() == []


@pytest.mark.parametrize("chunk", [1, 13, 500])
def test_a_stream_keeps_the_first_of_each_edge_in_the_order_of_the_list(chunk: int) -> None:
    rows = random_rows(500)
    stream = Streamed(6, 6)
    for begin in range(0, 500, chunk):
        stream.add(rows.slice(begin, chunk))
    kept = stream.finish()
    found = pa.concat_tables(stream.tables())
    keys = selection.edge_keys(rows, 6, 6)
    _, first = np.unique(keys, return_index=True)
    assert kept == found.num_rows == len(first)
    assert found.equals(rows.take(pa.array(np.sort(first))))
    assert stream.repeated == 500 - kept
    stream.close()


@pytest.mark.parametrize("per_head", [1, 2, 5])
def test_an_edge_with_several_scores_takes_one_place_of_its_head(per_head: int) -> None:
    rows, best = random_rows(300), Best(6, 6, 0, per_head)
    scores = pa.array(np.random.default_rng(1).permutation(300) / 300)
    rows = rows.set_column(rows.schema.get_field_index("subject"), "subject", rows.column("head"))
    rows = rows.set_column(rows.schema.get_field_index("score"), "score", scores)
    best.add(rows)
    best.finish()
    highest: dict[int, dict[int, float]] = {}
    keys = selection.edge_keys(rows, 6, 6).tolist()
    for head, key, score in zip(rows.column("head").to_pylist(), keys, scores.to_pylist(), strict=True):
        of_head = highest.setdefault(head, {})
        of_head[key] = max(score, of_head.get(key, score))
    wanted = [score for of_head in highest.values() for score in sorted(of_head.values(), reverse=True)[:per_head]]
    assert pa.concat_tables(best.tables()).column("score").to_pylist() == sorted(wanted, reverse=True)


def test_a_repeat_with_a_lower_score_takes_no_place_of_the_best() -> None:
    rows = random_rows(4).slice(0, 4)
    same = pa.array([0, 1, 2, 0])  # the first edge once more, behind all others
    for name in ("head", "subject", "object", "relation"):
        number = rows.schema.get_field_index(name)
        rows = rows.set_column(
            number, name, (same if name == "object" else pa.array([0] * 4)).cast(rows.schema.types[number])
        )
    rows = rows.set_column(rows.schema.get_field_index("score"), "score", pa.array([0.9, 0.8, 0.7, 0.6]))
    best = Best(6, 6, 2, 0)
    best.add(rows)
    assert (best.finish(), best.repeated) == (2, 1)
    assert pa.concat_tables(best.tables()).column("score").to_pylist() == [0.9, 0.8]


@pytest.mark.parametrize(("top", "per_head"), [(5, 0), (0, 2), (7, 3), (1000, 0)])
def test_the_best_do_not_depend_on_when_the_others_are_dropped(
    top: int, per_head: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, answers = random_rows(3000), []
    for batch in (1, 50, 100_000):
        monkeypatch.setattr(selection, "BATCH_ROWS", batch)
        best = Best(6, 6, top, per_head)
        for begin in range(0, 3000, 37):
            best.add(rows.slice(begin, 37))
        best.finish()
        names = ["subject", "object", "relation", "score", "rank"]
        answers.append([tuple(row[name] for name in names) for table in best.tables() for row in table.to_pylist()])
    assert answers[0] == answers[1] == answers[2]
    scores = [score for *_, score, _ in answers[0]]
    assert scores == sorted(scores, reverse=True)
    assert len({row[:3] for row in answers[0]}) == len(answers[0])
    if top and not per_head:
        assert len(answers[0]) == min(top, len({tuple(r.values()) for r in rows.select(names[:3]).to_pylist()}))
