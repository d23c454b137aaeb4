"""``cross-validate-mentions``: a classifier of sentences on the folds of GAD or EU-ADR, beside what it must beat.

Each fold of each seed and method is one answer, a file of its own in the output, so that a killed run goes on at the
next one; the report is made from the answers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kgrel.baselines.tfidf import TfidfClassifier, Worded
from kgrel.data.errors import ArtifactError
from kgrel.data.files import canonical_json, write_text
from kgrel.data.json_values import parse_json
from kgrel.data.printing import aligned
from kgrel.data.progress import Progress, Silent
from kgrel.data.settings import to_json
from kgrel.evaluate.mention_folds import Fold, Folds, read_folds
from kgrel.evaluate.mention_settings import CrossValidationSettings
from kgrel.metrics.bootstrap import CLASSIFIED, classification_statistics, paired_difference
from kgrel.metrics.classification import auroc, best, classification_report, matthews, predict
from kgrel.metrics.thresholds import best_threshold
from kgrel.model.representation import Representation
from kgrel.train.mention_data import hold_out
from kgrel.train.mention_settings import MentionSettings
from kgrel.train.run import Run
from kgrel.train.train_mentions import fit_mentions

MODEL, TFIDF, ALL_POSITIVE = "model", "tf-idf + logistic regression", "all positive"
FIGURES = ("precision", "recall", "f1")
Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    """What a method says of the test sentences of a fold."""

    p: Floats
    """p(r|c), (n, C), no relation first."""
    threshold: float | None
    """A relation is given where its probability exceeds it; None = the largest class is given."""

    def given(self) -> Rows:
        """Class numbers (n,)."""
        if self.threshold is None:
            largest: Rows = self.p.argmax(axis=1)
            return largest
        number, score = best(self.p[:, 1:])
        chosen: Rows = predict(number, score, np.full(self.p.shape[1] - 1, self.threshold)) + 1
        return chosen


Method = Callable[[Fold, int], Answer]


def cross_validate(
    representation: Representation,
    directory: str | Path,
    out: str | Path,
    settings: CrossValidationSettings | None = None,
    mention_settings: MentionSettings | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train and test on each fold with each seed; the answers stay in ``out``, where a killed run goes on.

    Args:
        mention_settings: of the model; its seed is replaced by each of ``settings.seeds``.

    Returns:
        The report: figures of each method and paired tests.

    Raises:
        KgrelError: a fold is missing or holds one class only; ``out`` holds answers of another run.
    """
    settings, mention_settings = settings or CrossValidationSettings(), mention_settings or MentionSettings()
    progress = progress or Silent()
    folds = read_folds(directory, settings, mention_settings.negative)
    parents = {**folds.hashes}
    if representation.artifact is not None:
        parents["representation"] = representation.artifact.hash
    # The number of seeds may grow: answers of the others stay valid.
    identity = {"protocol": settings.protocol, "folds": settings.folds, "parents": parents}
    own = {key: value for key, value in to_json(mention_settings).items() if key != "seed"}
    store = Answers(Run(Path(out), identity | {"settings": own}, overwrite).directory)
    methods: dict[str, Method] = {
        MODEL: lambda fold, seed: of_model(representation, fold, folds.classes, mention_settings, seed),
        TFIDF: lambda fold, seed: of_tfidf(fold, folds.classes, mention_settings, seed),
    }
    progress.start("cross-validate-mentions", len(methods) * len(settings.seeds) * settings.folds)
    found: dict[str, list[list[Answer]]] = {}
    for name, method in methods.items():
        found[name] = []
        for seed in settings.seeds:
            answers = []
            for number, fold in enumerate(folds.folds, start=1):
                answers.append(store.answer(f"{name.split(' ')[0]}-seed{seed}-fold{number}", fold, seed, method))
                progress.advance(1, f"{name}, seed {seed}, fold {number}")
            found[name].append(answers)
    report = report_of(folds, found, settings)
    write_text(Path(out) / "report.json", canonical_json(report))
    return report


class Answers:
    """Answers kept in a directory, each whole or not at all."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def answer(self, name: str, fold: Fold, seed: int, method: Method) -> Answer:
        """The kept answer, or a new one.

        Raises:
            ArtifactError: the kept one is damaged.
        """
        path = self.directory / f"{name}.json"
        if not path.is_file():
            answer = method(fold, seed)
            write_text(path, canonical_json({"p": answer.p.tolist(), "threshold": answer.threshold}))
        try:
            values = parse_json(path.read_bytes())
            return Answer(np.array(values["p"], np.float64).reshape(len(fold.test), -1), values["threshold"])
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"{path}: is damaged ({error}); delete it and give the same command again") from None


def of_model(
    representation: Representation, fold: Fold, classes: list[str], settings: MentionSettings, seed: int
) -> Answer:
    """Train on a fold, and answer its test sentences."""
    negative = classes[0] if classes[0] in fold.train.labels else ""
    settings = dataclasses.replace(settings, seed=seed, negative=negative)
    model, _, figures = fit_mentions(representation, fold.train, settings)
    mean, _ = model.predict(model.encode(fold.test.contexts, fold.test.types))
    full = np.zeros((len(mean), len(classes)))
    full[:, [classes.index(name) for name in model.classes]] = mean
    return Answer(full, figures.get("threshold"))


def of_tfidf(fold: Fold, classes: list[str], settings: MentionSettings, seed: int) -> Answer:
    """The same by TF-IDF and logistic regression, penalty and threshold chosen on the same validation sentences."""
    settings = dataclasses.replace(settings, seed=seed)
    labels = np.array([classes.index(label) for label in fold.train.labels], np.int64)
    held_out = hold_out(fold.train.groups(), labels, settings)
    parts = [fold.train.chosen(np.flatnonzero(rows).tolist()) for rows in (~held_out, held_out)]
    train, validation, test = (Worded(part.contexts, part.types) for part in (*parts, fold.test))
    model = TfidfClassifier(train, labels[~held_out], validation, labels[held_out], len(classes))
    answer = Answer(model.predict(test), None)
    if settings.decision == "threshold":
        number, score = best(model.predict(validation)[:, 1:])
        truth = labels[held_out][:, None] == np.arange(1, len(classes))
        answer = dataclasses.replace(answer, threshold=best_threshold(number, score, truth).value)
    return answer


def report_of(folds: Folds, found: dict[str, list[list[Answer]]], settings: CrossValidationSettings) -> dict[str, Any]:
    """Figures of each method, of the mean of its seeds, and of calling everything positive; and paired tests."""
    everything = [Answer(everything_positive(folds, fold), None) for fold in folds.folds]
    found = found | {ALL_POSITIVE: [everything]}
    if len(settings.seeds) > 1:
        found[f"{MODEL}, mean of {len(settings.seeds)} seeds"] = [
            [mean_of(list(a)) for a in zip(*found[MODEL], strict=True)]
        ]
    counts = {name: int((folds.labels == number).sum()) for number, name in enumerate(folds.classes)}
    report: dict[str, Any] = {
        "protocol": settings.protocol,
        "sentences": len(folds.labels),
        "labels": counts,
        "test_sentences_also_in_training": folds.shared,
        "seeds": list(settings.seeds),
        "methods": {name: figures_of(folds, runs) for name, runs in found.items()},
    }
    against = {name: paired(folds, runs, found[TFIDF], settings) for name, runs in found.items() if name != TFIDF}
    return report | {"f1_minus_tfidf": against}


def everything_positive(folds: Folds, fold: Fold) -> Floats:
    """The commonest positive class of the training sentences for each test sentence, (n, C)."""
    counts = [fold.train.labels.count(name) for name in folds.classes[1:]]
    p = np.zeros((len(fold.test), len(folds.classes)))
    p[:, 1 + int(np.argmax(counts))] = 1.0
    return p


def mean_of(answers: list[Answer]) -> Answer:
    """Mean probability and mean threshold of several seeds on one fold."""
    thresholds = [answer.threshold for answer in answers if answer.threshold is not None]
    p = np.mean([answer.p for answer in answers], axis=0)
    return Answer(p, float(np.mean(thresholds)) if len(thresholds) == len(answers) else None)


def indicator(labels: Rows, classes: int) -> npt.NDArray[np.bool_]:
    """Class numbers (n,), 0 for no relation, as a matrix of the positive classes (n, C − 1)."""
    truth: npt.NDArray[np.bool_] = labels[:, None] == np.arange(1, classes)
    return truth


def figures_of(folds: Folds, runs: list[list[Answer]]) -> dict[str, Any]:
    """Mean and standard deviation over folds of P, R, F1 (averaged over seeds), and figures of the pooled answers."""
    by_fold = np.array([[fold_figures(folds, *pair) for pair in zip(folds.folds, run, strict=True)] for run in runs])
    figures: dict[str, Any] = {
        name: {"mean": float(by_fold[..., i].mean()), "std": float(by_fold[..., i].std(axis=1, ddof=1).mean())}
        for i, name in enumerate(FIGURES)
    }
    pooled = [pooled_figures(folds, run) for run in runs]
    for name in pooled[0]:
        values = [one[name] for one in pooled]
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
        figures[f"pooled_{name}"] = {"mean": float(np.mean(values)), "std": spread}
    return figures


def fold_figures(folds: Folds, fold: Fold, answer: Answer) -> list[float]:
    """Precision, recall and F1 on one fold."""
    truth = indicator(folds.labels[fold.places], len(folds.classes))
    report = classification_report(truth, answer.given() - 1)
    return [report.precision, report.recall, report.f1]


def pooled_figures(folds: Folds, run: list[Answer]) -> dict[str, float]:
    """Figures of all test sentences together."""
    given, score = pooled_answers(folds, run)
    truth = indicator(folds.labels, len(folds.classes))
    area = auroc(truth.any(axis=1), score)
    assert area is not None, "both labels are among the sentences"
    f1 = classification_report(truth, given - 1).f1
    return {"f1": f1, "mcc": matthews(folds.labels, given), "auroc": area}


def pooled_answers(folds: Folds, run: list[Answer]) -> tuple[Rows, Floats]:
    """Class given and probability of any relation, of all test sentences (n,) each."""
    given, score = np.empty(len(folds.labels), np.int64), np.empty(len(folds.labels))
    for fold, answer in zip(folds.folds, run, strict=True):
        given[fold.places], score[fold.places] = answer.given(), 1.0 - answer.p[:, 0]
    return given, score


def paired(
    folds: Folds, first: list[list[Answer]], second: list[list[Answer]], settings: CrossValidationSettings
) -> dict[str, Any]:
    """Pooled F1 of one method minus another's, each the mean over its seeds, with its bootstrap interval."""
    truth = indicator(folds.labels, len(folds.classes))

    def statistic(runs: list[list[Answer]]) -> Callable[[Floats], float]:
        each = [classification_statistics(truth, pooled_answers(folds, run)[0] - 1) for run in runs]
        return lambda weights: float(np.mean([figures(weights)[CLASSIFIED.index("f1")] for figures in each]))

    together = np.zeros(len(folds.groups), np.int64)  # no second side: groups of sentences alone are resampled
    found = paired_difference(
        statistic(first), statistic(second), folds.groups, together, settings.draws, one_pool=False
    )
    return {
        "difference": found.estimate,
        "interval": [found.low, found.high],
        "excludes_zero": found.excludes_zero,
    }


def text_tables(report: dict[str, Any]) -> str:
    """Both tables and the paired tests for a terminal, in per cent."""
    pooled = ("pooled_f1", "pooled_mcc", "pooled_auroc")
    rows = [["", "P", "R", "F1", "pooled F1", "MCC", "AUROC", "F1 minus TF-IDF"]]
    for name, figures in report["methods"].items():
        cells = [f"{100 * figures[key]['mean']:.2f} ± {100 * figures[key]['std']:.2f}" for key in FIGURES]
        cells += [f"{100 * figures[key]['mean']:.2f}" for key in pooled]
        rows.append([name, *cells, difference_text(report["f1_minus_tfidf"].get(name))])
    labels = ", ".join(f"{name}: {count:,}" for name, count in report["labels"].items())
    seeds = ", ".join(map(str, report["seeds"]))
    head = f"{report['protocol']} folds, {report['sentences']:,} sentences ({labels}), seeds {seeds}"
    return "\n".join([head, *aligned(rows)])


def difference_text(found: dict[str, Any] | None) -> str:
    """A difference in per cent with its interval; a star where the interval excludes zero."""
    if found is None:
        return "–"
    low, high = found["interval"]
    star = " *" if found["excludes_zero"] else ""
    return f"{100 * found['difference']:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]{star}"
