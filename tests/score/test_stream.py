"""A list in, the same list out: every format, every order, every chunk size."""

from __future__ import annotations

import csv
import io
import itertools
import json
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kgrel.data.errors import InputError, KgrelError
from kgrel.data.tables import FORMATS, Format
from kgrel.model.predictive import TILE
from kgrel.score.scorer import ADDED, NO_RELATION, Scorer
from kgrel.score.settings import ScoreSettings
from kgrel.score.stream import ScoreSummary, score_file
from kgrel.train.pair_model import PairModel
from tests.compressing import COMPRESSIONS, compressed
from tests.score.lists import HOSTILE, PAIRS, Heard, hostile_table, random_pairs, read, write


@pytest.mark.parametrize(("from_", "to"), list(itertools.product(FORMATS, FORMATS)))
def test_one_row_out_for_each_row_in_with_every_column_as_it_was(
    scorer: Scorer, tmp_path: Path, from_: Format, to: Format
) -> None:
    table = hostile_table()
    candidates, out = write(tmp_path / f"list.{from_}", table), tmp_path / f"scored.{to}"
    summary = score_file(scorer, candidates, out)
    scored = read(out)
    assert scored.column_names == [*table.column_names, *ADDED]
    assert scored.select(table.column_names).to_pydict() == table.to_pydict()
    statuses = ["ok", "ok", "unknown_source", "ok", "self_pair", "untyped"] * len(HOSTILE) + ["ok"] * 3
    assert scored["status"].to_pylist() == statuses
    assert summary.rows_in == summary.rows_out == table.num_rows
    assert summary.status == Counter(statuses)


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("format", FORMATS)
def test_a_compressed_list_is_scored_like_the_plain_one(
    scorer: Scorer, tmp_path: Path, format: Format, compression: str
) -> None:
    plain = write(tmp_path / f"list.{format}", hostile_table())
    for number, candidates in enumerate([plain, compressed(plain, compression)]):
        score_file(scorer, candidates, tmp_path / f"{number}.csv")
    assert (tmp_path / "0.csv").read_bytes() == (tmp_path / "1.csv").read_bytes()


def test_plain_lines_of_text_are_the_beginning_of_the_lines_written(scorer: Scorer, tmp_path: Path) -> None:
    lines = ["n,source,target", *(f"{n:03},{source},{target}" for n, (source, target) in enumerate(PAIRS))]
    candidates = tmp_path / "list.csv"
    candidates.write_text("\n".join(lines) + "\n")
    score_file(scorer, candidates, tmp_path / "scored.csv")
    written = (tmp_path / "scored.csv").read_text().splitlines()
    assert len(written) == len(lines)
    assert all(new.startswith(old + ",") for new, old in zip(written, lines, strict=True))


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_typed_columns_keep_types_nulls_and_nesting(scorer: Scorer, tmp_path: Path, format: Format) -> None:
    rows: list[dict[str, Any]] = [
        {"source": 1, "target": "DOID:1612", "n": None, "x": 0.1, "flag": True, "more": {"a": ["x", None, "ü"]}},
        {"source": 207, "target": "901", "n": 3, "x": 1e300, "flag": None, "more": None},
        {"source": None, "target": None, "n": -1, "x": None, "flag": False, "more": {"a": []}},
    ]
    candidates, out = tmp_path / f"list.{format}", tmp_path / f"scored.{format}"
    if format == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), candidates)
    else:
        candidates.write_text("".join(json.dumps(row) + "\n" for row in rows))
    score_file(scorer, candidates, out)
    written = (
        pq.read_table(out).to_pylist() if format == "parquet" else list(map(json.loads, out.read_text().splitlines()))
    )
    assert [{name: row[name] for name in rows[0]} for row in written] == rows
    assert [row["status"] for row in written] == ["ok", "ok", "invalid"]


def test_the_same_list_in_any_format_has_the_same_answers(scorer: Scorer, tmp_path: Path) -> None:
    answers = []
    for format in FORMATS:
        candidates = write(tmp_path / f"list.{format}", hostile_table())
        score_file(scorer, candidates, tmp_path / f"{format}.parquet")
        answers.append(pq.read_table(tmp_path / f"{format}.parquet").select(list(ADDED)))
    assert all(answer == answers[0] for answer in answers)


def test_scoring_a_list_whole_shuffled_and_split_in_seven_gives_equal_scores(
    pair_model: PairModel, tmp_path: Path
) -> None:
    table, settings = random_pairs(pair_model, 2000), ScoreSettings(chunk_rows=TILE)

    def scores(part: pa.Table) -> dict[str, tuple[Any, ...]]:
        candidates = write(tmp_path / "part.parquet", part)
        score_file(pair_model, candidates, tmp_path / "scored.parquet", settings, overwrite=True)
        scored = pq.read_table(tmp_path / "scored.parquet")
        assert scored["row"] == part["row"]
        names = ("score", "score_std", "best_relation", "relation", "status")
        return {row["row"]: tuple(row[name] for name in names) for row in scored.to_pylist()}

    whole = scores(table)
    assert len(whole) == 2000
    shuffled = scores(table.take(np.random.default_rng(1).permutation(2000)))
    bounds = np.linspace(0, 2000, 8).astype(int)
    split: dict[str, tuple[Any, ...]] = {}
    for start, end in itertools.pairwise(bounds):
        split |= scores(table.slice(start, end - start))
    for other in (shuffled, split):
        assert other.keys() == whole.keys()
        for row, (score, spread, *verdict) in whole.items():
            assert other[row][2:] == tuple(verdict)
            assert other[row][:2] == (score, spread) or other[row][:2] == pytest.approx((score, spread), abs=1e-6)


def test_both_orders_of_a_pair_have_the_same_answer(pair_model: PairModel, tmp_path: Path) -> None:
    table = random_pairs(pair_model, 600)
    swapped = table.rename_columns(["target", "source", "row"])
    for name, part in (("given", table), ("swapped", swapped)):
        score_file(pair_model, write(tmp_path / f"{name}.csv", part), tmp_path / f"{name}.parquet")
    one, other = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("given", "swapped"))
    same = [name for name in ADDED if name != "status"]
    assert one.select(same) == other.select(same)
    assert one["score"].null_count < 300


def test_relation_is_best_relation_exactly_where_the_score_exceeds_the_threshold(
    pair_model: PairModel, tmp_path: Path
) -> None:
    score_file(pair_model, write(tmp_path / "list.csv", random_pairs(pair_model, 2000)), tmp_path / "scored.parquet")
    limits = dict(zip(pair_model.classes, pair_model.thresholds, strict=True))
    seen = Counter()
    for row in pq.read_table(tmp_path / "scored.parquet").to_pylist():
        if row["status"] == "ok":
            exceeds = row["score"] > limits[row["best_relation"]]
            assert row["relation"] == (row["best_relation"] if exceeds else NO_RELATION)
            seen[exceeds] += 1
        else:
            assert row["relation"] is row["best_relation"] is row["score"] is row["score_std"] is None
    assert min(seen[True], seen[False]) > 50


def test_text_counts_and_listed_relations_are_those_of_the_training_inputs_in_either_order(
    pair_model: PairModel, tmp_path: Path
) -> None:
    entities = pair_model.entities
    names = [f"{type_}::{id_}" for type_, id_ in zip(entities.types, entities.ids, strict=True)]
    counted = {(h, t): n for h, t, n in zip(*map(np.ndarray.tolist, pair_model.comentions), strict=True)}
    listed: dict[tuple[int, int], str] = {}
    for head, tail, class_ in zip(*map(np.ndarray.tolist, pair_model.relations), strict=True):
        before = listed.get((head, tail))
        listed[head, tail] = pair_model.classes[class_] if before is None else f"{before}|{pair_model.classes[class_]}"
    pairs = [(h, t) for h, t in itertools.permutations(range(len(names)), 2)]
    table = pa.table({"source": [names[h] for h, _ in pairs], "target": [names[t] for _, t in pairs]})
    score_file(pair_model, write(tmp_path / "list.parquet", table), tmp_path / "scored.parquet")
    scored = pq.read_table(tmp_path / "scored.parquet")
    keys = [(min(pair), max(pair)) for pair in pairs]
    assert scored["seen_in_text"].to_pylist() == [counted.get(key, 0) for key in keys]
    assert scored["known_relation"].to_pylist() == [listed.get(key) for key in keys]
    assert counted
    assert listed


@pytest.mark.parametrize("format", FORMATS)
def test_the_chunk_size_has_no_influence_on_the_bytes_of_equal_scores(
    scorer: Scorer, tmp_path: Path, format: Format
) -> None:
    candidates = write(tmp_path / f"list.{format}", random_pairs(scorer, 3 * TILE + 7))
    contents = set()
    for chunk_rows in (TILE, 2 * TILE, 128 * TILE):
        out = tmp_path / f"{chunk_rows}.{format}"
        score_file(scorer, candidates, out, ScoreSettings(chunk_rows=chunk_rows))
        contents.add(out.read_bytes())
    assert len(contents) == 1


@pytest.mark.parametrize("format", FORMATS)
def test_the_chunk_size_has_no_influence_on_the_answers(pair_model: PairModel, tmp_path: Path, format: Format) -> None:
    candidates = write(tmp_path / f"list.{format}", random_pairs(pair_model, 1500))
    answers = []
    for chunk_rows in (TILE, 2 * TILE, 128 * TILE):
        out = tmp_path / f"{chunk_rows}.{format}"
        score_file(pair_model, candidates, out, ScoreSettings(chunk_rows=chunk_rows))
        answers.append(read(out).to_pandas())
    numbers = ["score", "score_std"]
    for other in answers[1:]:
        pd.testing.assert_frame_equal(other.drop(columns=numbers), answers[0].drop(columns=numbers))
        for name in numbers:
            ours, theirs = (pd.to_numeric(frame[name]) for frame in (other, answers[0]))
            pd.testing.assert_series_equal(ours, theirs, rtol=0, atol=1e-6)


def test_unscorable_rows_are_kept_by_default_and_left_out_and_counted_with_skip(scorer: Scorer, tmp_path: Path) -> None:
    candidates = write(tmp_path / "list.csv", hostile_table())
    kept = score_file(scorer, candidates, tmp_path / "null.parquet")
    skipped = score_file(scorer, candidates, tmp_path / "skip.parquet", ScoreSettings(on_unknown="skip"))
    whole, left = pq.read_table(tmp_path / "null.parquet"), pq.read_table(tmp_path / "skip.parquet")
    assert left == whole.filter(pa.compute.equal(whole["status"], "ok"))
    assert skipped.rows_in == kept.rows_in == whole.num_rows
    assert skipped.rows_out == left.num_rows == kept.status["ok"]
    assert skipped.status == kept.status
    assert skipped.to_json()["status"] == {
        "ok": 3 * len(HOSTILE) + 3, "self_pair": len(HOSTILE), "unknown_source": len(HOSTILE), "untyped": len(HOSTILE),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("list.csv", 'source,target\n1,207\n\n"Gene::1","DOID:1612"\nno"body,1\n', 5),
        ("list.tsv", 'source\ttarget\tnote\n1\t207\t"two\nlines"\nnobody\t1\t\n', 4),
        ("list.jsonl", '{"source": 1, "target": "207"}\n{"source": null, "target": "1"}\n', 2),
    ],
)
def test_with_error_the_first_unscorable_row_is_named_and_nothing_is_left(
    scorer: Scorer, tmp_path: Path, name: str, content: str, line: int
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=rf"{name}, line {line}: the pair .* cannot be scored: (unknown|invalid)"):
        score_file(scorer, tmp_path / name, tmp_path / "scored.csv", ScoreSettings(on_unknown="error"))
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_with_error_a_list_that_can_be_scored_is_scored(scorer: Scorer, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("source,target\n1,207\n")
    settings = ScoreSettings(on_unknown="error")
    assert score_file(scorer, tmp_path / "list.csv", tmp_path / "scored.csv", settings).rows_out == 1


def test_a_column_of_the_list_is_never_overwritten_and_a_prefix_solves_it(scorer: Scorer, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("source,target,score\n1,207,high\n")
    with pytest.raises(KgrelError, match=r"list\.csv: the column 'score' is there already.*--prefix"):
        score_file(scorer, tmp_path / "list.csv", tmp_path / "scored.csv")
    assert not (tmp_path / "scored.csv").exists()
    score_file(scorer, tmp_path / "list.csv", tmp_path / "scored.csv", ScoreSettings(prefix="kgrel_"))
    (row,) = csv.DictReader((tmp_path / "scored.csv").open())
    assert row["score"] == "high"
    assert float(row["kgrel_score"]) > 0
    assert list(row) == ["source", "target", "score", *("kgrel_" + name for name in ADDED)]


def test_what_was_scored_can_be_scored_again_under_a_prefix(scorer: Scorer, tmp_path: Path) -> None:
    score_file(scorer, write(tmp_path / "list.csv", hostile_table()), tmp_path / "one.csv")
    score_file(scorer, tmp_path / "one.csv", tmp_path / "two.csv", ScoreSettings(prefix="again_"))
    again = read(tmp_path / "two.csv").to_pydict()
    assert all(again["again_" + name] == again[name] for name in ADDED)


@pytest.mark.parametrize(("from_", "to"), list(itertools.product(["csv", "tsv", "parquet"], FORMATS)))
def test_a_list_without_rows_gives_its_columns_and_no_rows(
    scorer: Scorer, tmp_path: Path, from_: Format, to: Format
) -> None:
    empty = pa.table({"source": pa.array([], pa.string()), "target": pa.array([], pa.string())})
    summary = score_file(scorer, write(tmp_path / f"list.{from_}", empty), tmp_path / f"scored.{to}")
    assert summary.to_json() == ScoreSummary().to_json()
    if to == "jsonl":  # the format has no header
        assert (tmp_path / "scored.jsonl").read_bytes() == b""
    else:
        scored = read(tmp_path / f"scored.{to}")
        assert scored.column_names == ["source", "target", *ADDED]
        assert scored.num_rows == 0


def test_standard_input_and_output(scorer: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    candidates = write(tmp_path / "list.csv", hostile_table())
    score_file(scorer, candidates, tmp_path / "scored.tsv")
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(candidates.read_bytes())))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=written))
    score_file(scorer, "-", "-", input_format="csv", output_format="tsv")
    assert written.getvalue() == (tmp_path / "scored.tsv").read_bytes()


def test_streams_need_a_format(scorer: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    candidates = write(tmp_path / "list.csv", hostile_table())
    with pytest.raises(KgrelError, match="give the format"):
        score_file(scorer, "-", tmp_path / "scored.csv")
    with pytest.raises(KgrelError, match="give the format"):
        score_file(scorer, candidates, "-")


@pytest.mark.parametrize("rows", [0, 1, 511, 513, -512])
def test_a_chunk_is_a_whole_number_of_tiles(scorer: Scorer, tmp_path: Path, rows: int) -> None:
    with pytest.raises(KgrelError, match=rf"--chunk-rows must be a multiple of 512, not {rows}"):
        score_file(scorer, tmp_path / "list.csv", tmp_path / "scored.csv", ScoreSettings(chunk_rows=rows))


def test_progress_counts_every_row_once(scorer: Scorer, tmp_path: Path) -> None:
    heard = Heard()
    candidates = write(tmp_path / "list.csv", random_pairs(scorer, 2 * TILE + 88))
    score_file(scorer, candidates, tmp_path / "scored.csv", ScoreSettings(chunk_rows=TILE), progress=heard)
    assert heard.tasks == ["score-pairs"]
    assert heard.units == [TILE, TILE, 88]


@pytest.mark.parametrize("format", FORMATS)
def test_the_rows_of_a_file_are_known_beforehand(scorer: Scorer, tmp_path: Path, format: Format) -> None:
    totals: list[int | None] = []
    heard = Heard()
    heard.start = lambda task, total: totals.append(total)  # type: ignore[method-assign]
    candidates = write(tmp_path / f"list.{format}", random_pairs(scorer, 700))
    score_file(scorer, candidates, tmp_path / "scored.csv", progress=heard)
    assert totals == [700]


def test_the_summary_adds_up(scorer: Scorer, tmp_path: Path) -> None:
    candidates = write(tmp_path / "list.csv", random_pairs(scorer, 2 * TILE))
    summary = score_file(scorer, candidates, tmp_path / "scored.parquet", ScoreSettings(chunk_rows=TILE))
    scored, values = pq.read_table(tmp_path / "scored.parquet"), summary.to_json()
    statuses = Counter(scored["status"].to_pylist())
    reasons = Counter(not_calibrated=statuses["ok"])
    assert summary == ScoreSummary(2 * TILE, 2 * TILE, statuses, summary.relations, 0, reasons)
    relations = Counter(name for name in scored["relation"].to_pylist() if name is not None)
    assert values["relations"] == relations
    assert values["predicted"] == relations.total() - relations[NO_RELATION]
    json.dumps(values, allow_nan=False)
