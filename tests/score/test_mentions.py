from __future__ import annotations

from pathlib import Path

import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from kgrel.data import parts
from kgrel.data.errors import KgrelError, PassingError
from kgrel.score import mentions
from kgrel.score.mentions import MentionScorer, classify_file
from kgrel.score.settings import ClassifySettings
from kgrel.text.mention_readers import MentionReader
from kgrel.train.mention_model import MentionModel

ROWS = [
    ("in study1 the @GENE$ always activates severe @DISEASE$ .", "ok"),
    ("the @GENE$ is alone .", "one_mark"),
    ("the @GENE$ and the @CHEMICAL$ .", "unknown_types"),
    ("the @GENE$ and the @PLANET$ .", "unknown_types"),
    ("@GENE$ " + "w " * 150 + "@DISEASE$", "too_far"),
    ("w " * 150 + "@GENE$ treats @DISEASE$", "ok"),
    ("@GENE$ and @GENE$ treat @DISEASE$", "many_marks"),
    ("", "no_sentence"),
]


@pytest.fixture(scope="module")
def model(mentions_path: Path) -> MentionModel:
    return MentionModel.open(mentions_path)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.tsv"
    path.write_text("sentence\tnote\n" + "".join(f"{text}\tn{number}\n" for number, (text, _) in enumerate(ROWS)))
    return path


def test_one_row_out_for_each_row_in(model: MentionModel, source: Path, tmp_path: Path) -> None:
    summary = classify_file(model, MentionReader(source), tmp_path / "out.parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column("status").to_pylist() == [status for _, status in ROWS]
    assert table.column("note").to_pylist() == [f"n{number}" for number in range(len(ROWS))]
    for name in ("relation", "best_relation", "score", "score_std"):
        given = [value is not None for value in table.column(name).to_pylist()]
        assert given == [status == "ok" for _, status in ROWS]
    assert table.column("relation")[0].as_py() == "causes"
    assert (summary.rows_in, summary.rows_out, summary.sentences_cut) == (8, 8, 1)


def test_bad_rows_can_be_refused_or_left_out(model: MentionModel, source: Path, tmp_path: Path) -> None:
    with pytest.raises(KgrelError, match="line 3: only one entity"):
        classify_file(model, MentionReader(source), tmp_path / "out.tsv", ClassifySettings(on_bad="error"))
    assert not (tmp_path / "out.tsv").exists()
    summary = classify_file(model, MentionReader(source), tmp_path / "out.tsv", ClassifySettings(on_bad="skip"))
    assert (summary.rows_in, summary.rows_out) == (8, 2)


def test_a_killed_run_goes_on_and_writes_the_same(
    model: MentionModel, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ClassifySettings(chunk_rows=3)
    whole, other = tmp_path / "whole.csv", tmp_path / "other.csv"
    classify_file(model, MentionReader(source, chunk_rows=3), whole, settings)
    classify, done = MentionScorer.classify, []

    def killed(scorer: MentionScorer, chunk: mentions.MentionChunk) -> object:
        done.append(int(chunk.lines[0]))
        if len(done) == 2:
            raise KeyboardInterrupt
        return classify(scorer, chunk)

    monkeypatch.setattr(MentionScorer, "classify", killed)
    with pytest.raises(KeyboardInterrupt):
        classify_file(model, MentionReader(source, chunk_rows=3), other, settings)
    assert not other.exists()
    classify_file(model, MentionReader(source, chunk_rows=3), other, settings)
    assert done == [2, 5, 5, 8]
    assert other.read_bytes() == whole.read_bytes()
    assert csv.read_csv(whole).num_rows == len(ROWS)


def test_an_output_that_another_wrote_meanwhile_costs_no_finished_chunk(
    model: MentionModel, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, settings = tmp_path / "out.csv", ClassifySettings(chunk_rows=3)

    def appears(staging: Path, path: Path, overwrite: bool) -> None:
        path.write_text("of another")
        raise KgrelError("the name is taken")

    with monkeypatch.context() as patch:
        patch.setattr(parts, "put", appears)
        with pytest.raises(PassingError, match="the name is taken"):
            classify_file(model, MentionReader(source, chunk_rows=3), out, settings)
    assert out.read_text() == "of another"
    monkeypatch.setattr(MentionScorer, "classify", lambda *_: pytest.fail("classified again"))
    classify_file(model, MentionReader(source, chunk_rows=3), out, settings, overwrite=True)
    assert csv.read_csv(out).num_rows == len(ROWS)


def test_a_column_is_never_overwritten(model: MentionModel, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("sentence,relation\na @GENE$ in @DISEASE$,x\n")
    with pytest.raises(KgrelError, match="'relation' is there already"):
        classify_file(model, MentionReader(path), tmp_path / "out.csv")
    classify_file(model, MentionReader(path), tmp_path / "out.csv", ClassifySettings(prefix="kgrel_"))
    assert "kgrel_relation" in (tmp_path / "out.csv").read_text().splitlines()[0]
