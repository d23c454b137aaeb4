"""The sections of RESULTS.md on scoring: speed, long lists, resuming, sampling, rankings, uncertainty."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from common import load


def sections() -> list[str]:
    """All sections for which there are results."""
    makers = (speed, lists, resuming, sampling, rankings, uncertainty, unseen)
    return [line for maker in makers for line in maker()]


def table(heads: str, rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; ``heads`` are separated by bars."""
    lines = [f"| {heads} |", "|---" * len(heads.split("|")) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)])


def band(bounds: Sequence[int]) -> str:
    """A range of counts."""
    low, high = bounds
    return f"{low}" if low == high else f"{low}–{high}" if high < 10**8 else f"{low} and more"


def signed(estimate: float, bounds: Sequence[float | None]) -> str:
    """An estimate with its interval."""
    low, high = (float("nan") if bound is None else bound for bound in bounds)
    return f"{estimate:+.3f} [{low:+.3f}, {high:+.3f}]"


SPEED_TEXT = """## Speed of scoring (`score_pairs.py`)

Pairs a second of the factorised engine with 8 samples and 5 classes, beside a textbook version in the same run
(concatenate, multiply, all samples of a batch at once, fp32) and as a share of the machine's measured matrix rate in
the same arithmetic, counting only the multiplications that a pair needs. Goals: 60 % of the matrix rate at hidden 1024
(large) and 40 % at 128 (x-small), bf16, one order. `times textbook` counts pairs and orders.
"""


def speed() -> list[str]:
    """Pairs a second by size, precision and order, for each device that was at hand."""
    kept, lines = load("score_pairs"), []
    for device in ("cpu", "cuda"):
        if device not in kept:
            continue
        run = kept[device]
        rows = [
            (
                row["size"], row["engine"], row["precision"], row["order"], f"{row['pairs_per_second']:,.0f}",
                f"{row['times_textbook']:.1f}" if "times_textbook" in row else "1",
                f"{100 * row['share_of_matrix_rate']:.0f} %" if "share_of_matrix_rate" in row else "",
                f"{row['matrix_gflops']:,.0f}" if "matrix_gflops" in row else "",
            )
            for row in run["speed"]
        ]  # fmt: skip
        name = run["hardware"]["gpu"] or f"{run['hardware']['cpu']}, {run['hardware']['threads']} threads"
        lines += [f"{run['date']}, {name}."]
        heads = "size | engine | precision | orders | pairs/s | times textbook | of the matrix rate | matrix GFLOP/s"
        lines += [table(heads, rows)]
        seconds = run["threshold_search_700000x5_seconds"]
        lines += [f"The exact threshold search over 700,000 pairs × 5 classes took {seconds:.2f} s (goal: under 1 s)."]
    if lines and "cuda" not in kept:
        lines += ["No accelerator was at hand: its goals are not measured. `--device cuda` measures them."]
    return [SPEED_TEXT, *lines] if lines else []


def lists() -> list[str]:
    """Memory of long lists."""
    run = load("score_pairs").get("lists")
    if run is None:
        return []
    rows = []
    short = np.median([row["peak_anonymous_mb"] for row in run["lists"] if row["rows"] == 600_000])
    for row in run["lists"]:
        rate = row["rows"] / row["cpu_seconds"]
        ratio = row["peak_anonymous_mb"] / short
        peaks = (row["peak_anonymous_mb"], row["peak_mb"], row["peak_mb_at_start"])
        cells = (row["rows"], row["chunk_rows"], *peaks, row["cpu_seconds"], rate)
        rows.append((*(f"{cell:,.0f}" for cell in cells), f"{ratio:.3f}"))
    text = (
        "## Long lists (`score_pairs.py --candidates`)\n\nRandom pairs of the demo as csv, through `score-pairs` with "
        "the tiny size, one sample and one order, one thread. Goal: peak memory within 10 % of that for 600,000 rows. "
        "The machine was shared, so processor time is told, not wall time. The ratio is that of anonymous memory, "
        "looked at after each chunk, to the median of the processes with 600,000 rows. The resident set counts pages "
        "of libraries and of mapped files too, which the system drops as it likes; its peak often falls before the "
        "first row is scored."
    )
    heads = (
        "rows | rows of a chunk | peak of anonymous memory, MiB | peak of the resident set | that before the first row "
        "| processor seconds | rows a processor second | anonymous memory over the median for 600,000 rows"
    )
    return [text, table(heads, rows)]


def resuming() -> list[str]:
    """A million real pairs, killed and resumed."""
    run = load("resume")
    if not run:
        return []
    kills = ", ".join(map(str, run["parts_at_kills"]))
    status = ", ".join(f"{count:,} {name}" for name, count in run["summary"]["status"].items())
    same = "the same bytes" if run["same_bytes"] else "OTHER BYTES"
    left = "nothing was left beside it" if not run["left_behind"] else f"left behind: {run['left_behind']}"
    return [
        "## A million pairs, killed and resumed (`resume.py`)",
        f"{run['date']}, {run['artifact']}. {run['rows']:,} gene–disease and gene–chemical pairs were scored whole in "
        f"{run['seconds_whole']:,.0f} s by one thread of a shared machine ({status}; "
        f"{run['summary']['predicted']:,} relations predicted). The same command was killed with SIGKILL "
        f"{len(run['parts_at_kills'])} times, with {kills} of {run['chunks']} chunks done. Started again it took "
        f"{run['resumed_rows']:,} rows from the killed runs and wrote {same} ({run['bytes']:,}); {left}.",
    ]


SAMPLING_TEXT = """## Which noise (`sampling.py`)

The noise (u, z) is common to all pairs. Bias and standard error of a score, Kendall's τ of the ranking and pairs that
change sides of the threshold, against {reference:,} pseudo-random samples; {pairs:,} validation pairs of the real
corpus, {seeds} scrambles each, both orders. An unbiased kind shows a bias of about its standard error / √{seeds},
and what the reference itself errs. *Shift*: spread of the mean score of all pairs between scrambles.
"""


def sampling() -> list[str]:
    """Kinds of noise compared."""
    run = load("sampling")
    if not run:
        return []
    rows = [
        (row["samples"], row["kind"], f"{row['bias']:.4f}", f"{row['standard_error']:.4f}",
         f"{row['common_shift']:.4f}", f"{row['kendall_tau']:.3f}", f"{row['flips_per_cent']:.2f}")
        for row in run["table"]
    ]  # fmt: skip
    text = SAMPLING_TEXT.format(reference=run["reference_samples"], pairs=run["pairs"], seeds=run["seeds"])
    at = {row["kind"]: row for row in run["table"] if row["samples"] == 8}
    best = min(at.values(), key=lambda row: row["standard_error"])
    ratio = (at["random"]["standard_error"] / best["standard_error"]) ** 2
    verdict = (
        f"At 8 samples the least standard error is that of {best['kind']}: as small as {8 * ratio:.0f} pseudo-random "
        "samples would have. It is the default (`--prediction-noise`)."
    )
    picture = "![Standard error against the number of samples](results/sampling.png)"
    heads = "S | noise | bias | standard error | shift | τ | flips, % of pairs"
    return [text, table(heads, rows), verdict, picture]


RANK_TEXT = """## Rankings (`rankings.py`)

The {diseases} most mentioned diseases against {genes:,} genes, {artifact}. *Pruning*: share of each disease's best
genes by the full pass that a cheap first pass (one sample at the mean, one order) leaves, if it leaves so much of all.
"""


def rankings() -> list[str]:
    """What pruning loses, and who fills the first places."""
    run = load("rankings")
    if not run:
        return []
    pruning = [
        (f"{100 * row['prune_to']:.0f} %", *(f"{100 * row[f'{kind}_at_{top}']:.1f}" for top in (20, 100)
                                            for kind in ("recall", "least_recall")))
        for row in run["pruning"]
    ]  # fmt: skip
    seconds = run["seconds"]
    places = [
        (band(row["contexts"]), f"{row['genes']:,}", f"{100 * row['share_of_genes']:.1f}",
         f"{100 * row['share_of_first_places']:.1f}", f"{row['mean_score']:.3f}", f"{100 * row['labelled']:.0f}")
        for row in run["first_places"]
    ]  # fmt: skip
    honest = [
        (band(row["contexts"]), row["which"], f"{row['pairs']:,}", f"{row['mean_score']:.3f}", f"{row['listed']:.3f}",
         signed(row["score_minus_listed"], row["interval"]))
        for row in run["honesty"]
    ]  # fmt: skip
    norms = [(band(row["contexts"]), f"{row['entities']:,}", f"{row['mean_norm']:.2f}") for row in run["norms"]]
    return [
        RANK_TEXT.format(**{key: run[key] for key in ("diseases", "genes", "artifact")}),
        table("left | recall at 20, % | least of a disease | recall at 100, % | least of a disease", pruning),
        f"Five diseases took {seconds['full']:.2f} s in full, {seconds['pruned_to_a_tenth']:.2f} s pruned to a tenth.",
        "*Who fills the first 20 places*, by the number of contexts that mention the gene:",
        table("contexts of the gene | genes | % of genes | % of first places | mean score | % labelled", places),
        "*Are scores less honest where an entity is rare?* Co-mentioned validation pairs by contexts of the rarer one:",
        table("contexts | pairs that are | n | mean score | listed | score − listed [95 %]", honest),
        "Euclidean norm of the embeddings, which the prior does not see (it normalises them):",
        table("contexts | entities | mean norm", norms),
    ]


def uncertainty() -> list[str]:
    """The paper's open question."""
    run = load("uncertainty")
    if not run:
        return []
    found, rows = run["by_frequency"], []
    for held, measures in found["correlations"].items():
        for name, value in measures.items():
            if value is not None:
                rows.append((held.replace("_", " "), name, signed(value["estimate"], value["interval"]),
                             "yes" if value["rare_pairs_less_confident"] else "no"))  # fmt: skip
    strata = []
    for part in found["strata"]:
        which = "listed" if part["listed"] else "not listed"
        cells = [signed(v["estimate"], v["interval"]) if v else "–" for v in part["correlations"].values()]
        strata.append((which, band(part["contexts_of_rarer_entity"]), f"{part['pairs']:,}", *cells))
    before, after = run["calibration"]["before"], run["calibration"]["after"]
    controlled = found["correlations"]["entity_counts_and_label"].items()
    less = [name for name, value in controlled if value is not None and value["rare_pairs_less_confident"]]
    answer = f"yes, by {' and '.join(less)}" if less else "no, by none of the three measures"
    return [
        "## Are rare pairs scored less confidently? (`uncertainty.py`)",
        f"The paper's open question, on {found['pairs']:,} co-mentioned test pairs of the default recipe: rank "
        "correlation of the number of contexts of a pair with the spread of its score over samples, the entropy within "
        "a sample and the disagreement between samples. Negative: rare pairs are less confident. Brackets: 95 %, "
        "entity-clustered bootstrap.",
        table("held constant | measure | Spearman's ρ | rare pairs less confident", rows),
        f"Answer, with the contexts of both entities and the label held constant: **{answer}**. How much text speaks "
        "for a pair is told by the columns `seen_in_text`, `source_contexts` and `target_contexts`.",
        "In strata, nothing else held constant: thirds by contexts of the rarer entity.",
        table("pairs | contexts of the rarer entity | n | score_std | entropy | disagreement", strata),
        f"Calibration of the {run['calibration']['pairs']:,} covered test pairs: ECE {100 * before['ece']:.2f} → "
        f"{100 * after['ece']:.2f} %, Brier {before['brier']:.4f} → {after['brier']:.4f} (difference "
        + signed(
            run["calibration"]["brier_after_minus_before"]["difference"],
            run["calibration"]["brier_after_minus_before"]["interval"],
        )
        + ").",
        "![Reliability, and uncertainty by frequency](results/uncertainty.png)",
    ]


def unseen() -> list[str]:
    """Calibration of pairs that no sentence names together."""
    run = load("uncertainty").get("any")
    if run is None:
        return []
    rows = []
    for stratum, part in run["test"].items():
        after = part["after"]
        reasons = ", ".join(f"{count:,} {name}" for name, count in part["probability"].items())
        rows.append(
            (stratum.replace("_", " "), f"{part['all_pairs']:,}", f"{part['all_listed']:,}", reasons,
             f"{100 * part['before']['ece']:.2f}", f"{part['before']['brier']:.4f}",
             "–" if after is None else f"{100 * after['ece']:.2f}", "–" if after is None else f"{after['brier']:.4f}")
        )  # fmt: skip
    text = (
        "**Pairs that no sentence names together** (`train-pairs --pairs any`, then `calibrate`): listed pairs beside "
        "random ones of the same types, calibrated separately with and without a common context; test pairs. Random "
        "negatives are easier than co-mentioned ones: these figures are not those of a list of hard candidates."
    )
    heads = "stratum | test pairs | listed | probability | ECE before, % | Brier before | ECE after, % | Brier after"
    return [text, table(heads, rows)]
