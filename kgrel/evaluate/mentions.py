"""``evaluate-mentions``: a classifier of sentences on labelled ones."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from kgrel.data.errors import InputError, did_you_mean
from kgrel.metrics.classification import auroc, average_precision, classification_report, matthews
from kgrel.score.mentions import prepare, refuse_bad
from kgrel.text.mention_readers import MentionReader
from kgrel.train.mention_model import MentionModel


def evaluate_mentions(model: MentionModel, reader: MentionReader, skip_bad: bool = False) -> dict[str, Any]:
    """Micro and macro figures over the positive classes, and those of each.

    Args:
        skip_bad: leave out and count rows that cannot be classified, instead of refusing the first.

    Returns:
        Figures in 0..1, ``average_precision`` and ``auroc`` of ranking sentences by the best positive class (None
        where undefined), ``by_class``, and counts.

    Raises:
        InputError: no column of labels, a row that cannot be classified, or a label that was not there in training.
    """
    numbers = {name: number for number, name in enumerate(model.classes)}
    labels: list[int] = []
    parts = []
    left_out: Counter[str] = Counter()
    cut = 0
    for chunk in reader.chunks():
        if chunk.labels is None:
            raise InputError(reader.path, "has no column of labels; name it label, or pass --label")
        prepared = prepare(model, chunk)
        if not skip_bad:
            refuse_bad(reader.path, chunk, prepared)
        for row in prepared.rows.tolist():
            label = (chunk.labels[row] or "").strip()
            if label not in numbers:
                message = f"the label {label!r} was not there in training{did_you_mean(label, numbers)}"
                known = ", ".join(model.classes)
                raise InputError(reader.path, f"{message}; the labels are {known}", int(chunk.lines[row]))
            labels.append(numbers[label])
        left_out.update(status for status in prepared.status if status != "ok")
        cut += prepared.cut
        parts.append(model.predict(prepared.encoded)[0])
    if not labels:
        raise InputError(reader.path, "holds no labelled sentence that can be read")
    truth = np.array(labels, np.int64)
    given, _, score = model.decide(np.concatenate(parts))
    indicator = truth[:, None] == np.arange(1, len(model.classes))
    report = classification_report(indicator, given - 1)
    by_class = {
        name: {
            "precision": report.class_precision[place],
            "recall": report.class_recall[place],
            "f1": report.class_f1[place],
            "support": report.support[place],
            "predicted": report.predicted[place],
        }
        for place, name in enumerate(model.classes[1:])
    }
    return {
        "sentences": len(truth),
        "left_out": dict(left_out),
        "sentences_cut": cut,
        "precision": report.precision,
        "recall": report.recall,
        "f1": report.f1,
        "macro_f1": report.macro_f1,
        "mcc": matthews(truth, given),
        "average_precision": average_precision(truth > 0, score),
        "auroc": auroc(truth > 0, score),
        "by_class": by_class,
    }
