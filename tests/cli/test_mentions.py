"""A file of one's own, from ``train-mentions`` to ``classify-mentions``."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Kgrel


def test_from_training_to_classified_rows(
    kgrel: Kgrel, representation_path: Path, mention_sentences: Path, tmp_path: Path
) -> None:
    out, quick = tmp_path / "mentions", ["--steps", "3", "--device", "cpu", "--validation-share", "0.25"]
    trained = kgrel("train-mentions", representation_path, mention_sentences, *quick, "--out", out, "--json").json
    assert trained["labels"] == {"0": 40, "causes": 40, "treats": 40}
    rows = kgrel("classify-mentions", out, "-", "--input-format", "csv", "--out", "-", "--output-format", "csv",
                 stdin=b"sentence\na @GENE$ in @DISEASE$\nnothing\n")  # fmt: skip
    assert rows.code == 0, rows.err
    lines = rows.out.decode().splitlines()
    assert lines[0] == "sentence,relation,best_relation,score,score_std,status"
    assert [line.rsplit(",", 1)[1] for line in lines[1:]] == ["ok", "no_mark"]
    none = kgrel("classify-mentions", out, "-", "--input-format", "csv", "--out", "-", "--output-format", "csv",
                 stdin=b"sentence\nnothing\n")  # fmt: skip
    assert none.out.decode().splitlines()[1] == "nothing,,,,,no_mark"
    report = kgrel("evaluate-mentions", out, mention_sentences, "--json").json
    assert report["sentences"] == 120


def test_a_bad_line_is_one_sentence(kgrel: Kgrel, representation_path: Path, tmp_path: Path) -> None:
    (tmp_path / "s.tsv").write_text("sentence\tlabel\nno mark\t1\n")
    outcome = kgrel("train-mentions", representation_path, tmp_path / "s.tsv", "--out", tmp_path / "m")
    assert outcome.code == 1
    assert "s.tsv, line 2: no entity is marked; two are needed" in outcome.err
    assert not (tmp_path / "m").exists()
