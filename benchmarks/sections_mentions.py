"""The section of mentions.py and inference_cost.py in RESULTS.md."""

from __future__ import annotations

from typing import Any

from common import load

from kgrel.evaluate.cross_validation import FIGURES, MODEL, difference_text

TEXT = """## Mentions: GAD and EU-ADR (`mentions.py`)

Which sentences state that a gene and a disease are related? *Published*: the ten folds as published, mean ± standard
deviation over folds of P, R, F1, which a few sentences on both sides of a fold make a little easier than they are.
*Grouped*: the same sentences dealt anew, identical ones in one fold. F1, MCC and AUROC of all test sentences together
stand beside, with pooled F1 minus that of TF-IDF and logistic regression (sentences resampled, identical ones together;
a star where the 95 % interval excludes zero). Penalty, stopping and thresholds are chosen on inner validation sentences
of each fold. Calling everything positive has a high F1 on both, so it stands as a row of its own.
"""
PAPER = """The paper's figures (F1 of EU-ADR and GAD: X-SMALL 87.71 and 77.45, LARGE 89.67 and 80.79, BioBERT 84.83 and
81.52) come from weeks of pretraining on PubMed; a representation here was pretrained as said below."""
HEADS = ("method", "P", "R", "F1", "pooled F1", "MCC", "AUROC", "F1 minus TF-IDF")
TITLES = {"gad": "GAD", "euadr": "EU-ADR"}


def section() -> list[str]:
    """Both tables of both corpora, and what each ingredient gives; empty if the benchmark was not run."""
    found = load("mentions")
    parts = []
    if "final" in found:
        parts += [TEXT, PAPER, facts(found["final"])]
        parts += [
            table(task, protocol, runs) for task, by in found["final"]["found"].items() for protocol, runs in by.items()
        ]
    if "ingredients" in found:
        parts.append(ingredients(found["ingredients"]))
    return parts + inference(load("inference_cost"))


def facts(run: dict[str, Any]) -> str:
    """How the representation was pretrained, and on what hardware."""
    settings, summary = run["pretraining"]["settings"], run["pretraining"]["summary"]
    keys = ("size", "entities", "posterior", "steps", "batch_size", "learning_rate", "decoder_weight", "bag_weight")
    chosen = ", ".join(f"{key.replace('_', ' ')} {settings[key]}" for key in (*keys, "free_bits"))
    hardware = ", ".join(f"{key} {value}" for key, value in run["hardware"].items() if value is not None)
    return f"{run['date']}. Pretraining: {chosen}, {summary['contexts']:,} contexts in the corpus. {hardware}."


def table(task: str, protocol: str, runs: dict[str, Any]) -> str:
    """The rows of every configuration; those of the baselines once."""
    first = next(iter(runs.values()))
    labels = ", ".join(f"{count:,} labelled {name}" for name, count in first["labels"].items())
    shared = sum(first["test_sentences_also_in_training"])
    lines = [
        f"**{TITLES[task]}, {protocol} folds**: {first['sentences']:,} sentences ({labels}); {shared} test sentences "
        "stand among the training sentences of their fold.",
        "",
        "| " + " | ".join(HEADS) + " |",
        "|---" * len(HEADS) + "|",
    ]
    for name, report in runs.items():
        seeds = len(report["seeds"])
        of_model = {key: figures for key, figures in report["methods"].items() if key.startswith(MODEL)}
        for key, figures in of_model.items():
            shown = (
                f"{name}, {seeds} seed{'s' if seeds > 1 else ''}" if key == MODEL else f"{name}, probabilities averaged"
            )
            lines.append(row(shown, figures, report["f1_minus_tfidf"].get(key)))
    for key in (key for key in first["methods"] if not key.startswith(MODEL)):
        lines.append(row(key, first["methods"][key], first["f1_minus_tfidf"].get(key)))
    return "\n".join(lines)


def row(name: str, figures: dict[str, Any], difference: dict[str, Any] | None) -> str:
    """One method."""
    cells = [f"{100 * figures[key]['mean']:.2f} ± {100 * figures[key]['std']:.2f}" for key in FIGURES]
    cells += [f"{100 * figures[key]['mean']:.2f}" for key in ("pooled_f1", "pooled_mcc", "pooled_auroc")]
    return "| " + " | ".join([name, *cells, difference_text(difference)]) + " |"


def ingredients(run: dict[str, Any]) -> str:
    """Inner validation figures of each ingredient."""
    count = len(next(iter(run["found"].values()))["runs"])
    lines = [
        f"What each ingredient gives, on the inner validation sentences of {count} of the folds of GAD (480 each, one "
        "seed, so differences of F1 below about two points say nothing; the threshold is tuned on the same sentences):",
        "",
        "| ingredients | log p (nats a sentence) | F1 |",
        "|---|---|---|",
    ]
    for name, found in run["found"].items():
        cells = [f"{found['validation_log_p']:.4f}", f"{100 * found['validation_f1']:.2f}"]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines)


def inference(runs: dict[str, Any]) -> list[str]:
    """Seconds a sentence of the four sizes and of BERT-base, on each device it was run on."""
    parts = []
    for device, run in runs.items():
        lines = [
            f"**Seconds a sentence at inference** (`inference_cost.py`, {device}, {run['date']}): batches of similar "
            f"length, {run['samples']} samples, bf16, in turns within one run; BERT-base has random weights, that cost "
            "the same.",
            "",
            "| model | parameters without tables | ms a sentence | times BERT-base's speed | the paper's, on a V100 |",
            "|---|---|---|---|---|",
        ]
        paper = run["paper_seconds_a_sentence"]
        for name, seconds in run["seconds_a_sentence"].items():
            theirs = f"{paper['bert-base'] / paper[name]:.0f}"
            cells = [f"{run['parameters'][name]:,}", f"{1e3 * seconds:.3f}", f"{run['times_bert'][name]:.1f}", theirs]
            lines.append("| " + " | ".join([name, *cells]) + " |")
        parts.append("\n".join(lines))
    return parts
