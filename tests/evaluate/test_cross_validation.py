from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score, matthews_corrcoef

from kgrel.data.errors import KgrelError
from kgrel.evaluate import cross_validation
from kgrel.evaluate.cross_validation import ALL_POSITIVE, MODEL, TFIDF, Answer, cross_validate, text_tables
from kgrel.evaluate.mention_folds import deal, read_folds
from kgrel.evaluate.mention_settings import CrossValidationSettings
from kgrel.model.representation import Representation
from kgrel.train.mention_settings import MentionSettings

SETTINGS = CrossValidationSettings(folds=3, seeds=(0, 1), draws=50)
MENTIONS = MentionSettings(steps=2, validate_every=2, validation_share=0.25, device="cpu", precision="fp32")


def sentence(number: int) -> str:
    return f"s{number} @GENE$ {'causes' if number % 3 else 'ignores'} @DISEASE$\t{int(number % 3 > 0)}"


@pytest.fixture(scope="module")
def folds_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three folds of 30 sentences; the first sentence of fold 1 stands again in fold 2."""
    path = tmp_path_factory.mktemp("folds")
    parts = [[sentence(number) for number in range(start, start + 10)] for start in (0, 10, 20)]
    parts[1][3] = parts[0][0]
    for number, test in enumerate(parts, start=1):
        (path / str(number)).mkdir()
        train = [row for other in parts if other is not test for row in other]
        (path / str(number) / "train.tsv").write_text("\n".join(train) + "\n")
        rows = [f"{index}\t{row}" for index, row in enumerate(test)]
        (path / str(number) / "test.tsv").write_text("\n".join(["index\tsentence\tlabel", *rows]) + "\n")
    return path


def test_both_protocols_test_each_sentence_once(folds_dir: Path) -> None:
    published = read_folds(folds_dir, SETTINGS)
    grouped = read_folds(folds_dir, CrossValidationSettings(folds=3, protocol="grouped"))
    for found in (published, grouped):
        assert sorted(np.concatenate([fold.places for fold in found.folds])) == list(range(30))
        assert found.classes == ["0", "1"]
    assert published.shared == [1, 1, 0]
    assert grouped.shared == [0, 0, 0]


def test_dealing_keeps_groups_whole_and_labels_even() -> None:
    labels = np.array([0] * 10 + [1] * 20)
    groups = np.arange(30)
    groups[1] = 0
    folds = deal(groups, labels, 3)
    assert folds[0] == folds[1]
    assert np.bincount(folds[labels == 1]).max() <= 7
    with pytest.raises(KgrelError, match="cannot be dealt"):
        deal(np.array([0, 0, 1]), np.array([0, 0, 1]), 2)


def test_the_report_is_made_of_the_kept_answers(
    folds_dir: Path, representation_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    representation = Representation.open(representation_path)
    report = cross_validate(representation, folds_dir, tmp_path / "cv", SETTINGS, MENTIONS)
    assert {MODEL, TFIDF, ALL_POSITIVE, "model, mean of 2 seeds"} == report["methods"].keys()
    everything = report["methods"][ALL_POSITIVE]
    share = report["labels"]["1"] / 30
    assert everything["pooled_f1"]["mean"] == pytest.approx(2 * share / (1 + share))
    assert everything["recall"] == {"mean": 1.0, "std": 0.0}
    assert everything["pooled_mcc"]["mean"] == 0
    assert "all positive" in text_tables(report)
    monkeypatch.setattr(cross_validation, "fit_mentions", None)  # nothing is trained again
    again = cross_validate(representation, folds_dir, tmp_path / "cv", SETTINGS, MENTIONS)
    assert again == report
    with pytest.raises(KgrelError, match="unfinished run that was started with another"):
        cross_validate(representation, folds_dir, tmp_path / "cv", SETTINGS, MentionSettings())


def test_figures_are_those_of_scikit_learn(folds_dir: Path) -> None:
    folds, rng = read_folds(folds_dir, SETTINGS), np.random.default_rng(0)
    run = []
    for fold in folds.folds:
        positive = rng.random(len(fold.test))
        run.append(Answer(np.column_stack([1 - positive, positive]), 0.4))
    found = cross_validation.pooled_figures(folds, run)
    given, _ = cross_validation.pooled_answers(folds, run)
    assert found["f1"] == pytest.approx(f1_score(folds.labels, given))
    assert found["mcc"] == pytest.approx(matthews_corrcoef(folds.labels, given))


@pytest.mark.parametrize(("damage", "message"), [("missing", "2/test.tsv missing"), ("one class", "needs two labels")])
def test_a_fold_that_is_missing_or_has_one_class_is_named(
    folds_dir: Path, tmp_path: Path, damage: str, message: str
) -> None:
    for path in folds_dir.rglob("*.tsv"):
        copy = tmp_path / path.relative_to(folds_dir)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes())
    test = tmp_path / "2" / "test.tsv"
    if damage == "missing":
        test.unlink()
    else:
        test.write_text("index\tsentence\tlabel\n0\ta @GENE$ in @DISEASE$\t1\n")
    with pytest.raises(KgrelError, match=message):
        read_folds(tmp_path, SETTINGS)
