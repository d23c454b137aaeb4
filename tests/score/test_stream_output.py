"""An output appears whole or not at all, whatever ends the run, and nothing that stood there is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from kgrel.data import parts
from kgrel.data.errors import InputError, KgrelError, NonFiniteError, PassingError
from kgrel.data.tables import FORMATS, Format
from kgrel.model.predictive import TILE
from kgrel.score.scorer import Scorer
from kgrel.score.settings import ScoreSettings
from kgrel.score.stream import score_file
from kgrel.train.pair_model import PairModel
from tests.score.lists import hostile_table, random_pairs, read, write


def test_an_existing_output_is_replaced_only_with_overwrite(scorer: Scorer, tmp_path: Path) -> None:
    candidates, out = write(tmp_path / "list.csv", hostile_table()), tmp_path / "scored.csv"
    out.write_text("precious")
    with pytest.raises(KgrelError, match=r"scored\.csv exists already.*--overwrite"):
        score_file(scorer, candidates, out)
    assert out.read_text() == "precious"
    score_file(scorer, candidates, out, overwrite=True)
    assert read(out).num_rows == hostile_table().num_rows


def test_a_list_may_be_replaced_by_its_own_answer(scorer: Scorer, tmp_path: Path) -> None:
    candidates = write(tmp_path / "list.csv", hostile_table())
    score_file(scorer, candidates, candidates, overwrite=True)
    assert read(candidates).select(hostile_table().column_names).to_pydict() == hostile_table().to_pydict()


class FailsLater:
    """A scorer that gives up at its third chunk."""

    def __init__(self, inner: Any, error: BaseException) -> None:
        self._inner, self._error = inner, error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def predict(self, heads: Any, tails: Any) -> Any:
        if self._inner.calls == 2:
            raise self._error
        return self._inner.predict(heads, tails)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("before", [None, b"precious"])
def test_an_output_appears_whole_or_not_at_all(
    scorer: Any, tmp_path: Path, format: Format, before: bytes | None
) -> None:
    candidates, out = write(tmp_path / "list.csv", random_pairs(scorer, 1500)), tmp_path / f"scored.{format}"
    if before is not None:
        out.write_bytes(before)
    failing = FailsLater(scorer, KgrelError("the third chunk fails"))
    with pytest.raises(KgrelError, match="the third chunk fails"):
        score_file(failing, candidates, out, ScoreSettings(chunk_rows=TILE), overwrite=True)
    assert scorer.calls == 2
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path != candidates}
    assert left == ({} if before is None else {out.name: before})


def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(scorer: Any, tmp_path: Path) -> None:
    candidates, out = write(tmp_path / "list.csv", random_pairs(scorer, 4 * TILE)), tmp_path / "scored.csv"
    settings = ScoreSettings(chunk_rows=TILE)
    score_file(scorer, candidates, tmp_path / "expected.csv", settings)
    scorer.calls = 0
    with pytest.raises(KeyboardInterrupt):
        score_file(FailsLater(scorer, KeyboardInterrupt()), candidates, out, settings)
    assert not out.exists()
    summary = score_file(scorer, candidates, out, settings)
    assert out.read_bytes() == (tmp_path / "expected.csv").read_bytes()
    assert (summary.rows_in, summary.rows_out) == (4 * TILE, 4 * TILE)
    assert {path.name for path in tmp_path.iterdir()} == {"list.csv", "scored.csv", "expected.csv"}


def test_where_the_machine_fails_finished_chunks_stay(
    scorer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidates, out = write(tmp_path / "list.csv", random_pairs(scorer, 4 * TILE)), tmp_path / "scored.csv"
    settings = ScoreSettings(chunk_rows=TILE)
    with pytest.raises(PassingError, match="memory does not suffice"):
        score_file(FailsLater(scorer, MemoryError()), candidates, out, settings)

    def appears(staging: Path, path: Path, overwrite: bool) -> None:
        path.write_text("of another")
        raise KgrelError("the name is taken")

    with monkeypatch.context() as patch:
        patch.setattr(parts, "put", appears)
        with pytest.raises(
            PassingError, match="the name is taken; what was computed is kept for the same command with --overwrite"
        ):
            score_file(scorer, candidates, out, settings)
    assert out.read_text() == "of another"
    assert score_file(scorer, candidates, out, settings, overwrite=True).resumed_rows == 4 * TILE


def test_a_fault_late_in_the_list_names_its_line_and_leaves_nothing(scorer: Scorer, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("source,target\n" + "1,207\n" * (2 * TILE) + "1,2,3\n")
    with pytest.raises(InputError, match=rf"list\.csv, line {2 * TILE + 2}: has 3 fields"):
        score_file(scorer, tmp_path / "list.csv", tmp_path / "scored.csv", ScoreSettings(chunk_rows=TILE))
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]


def test_damaged_weights_are_an_error_and_leave_no_output(pairs_path: Path, tmp_path: Path) -> None:
    model = PairModel.open(pairs_path)
    with torch.no_grad():
        model.prior.entity_embedding.weight[3] = float("nan")
    candidates = write(tmp_path / "list.csv", random_pairs(model, 2 * TILE))
    with pytest.raises(NonFiniteError, match="a score is not finite"):
        score_file(model, candidates, tmp_path / "scored.csv", ScoreSettings(chunk_rows=TILE))
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]
