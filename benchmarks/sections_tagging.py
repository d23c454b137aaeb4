"""The section of tagging.py in RESULTS.md."""

from __future__ import annotations

from typing import Any

from common import load

PUBMED = 200_000_000
"""Sentences of PubMed's abstracts, about."""

TEXT = """## Tagging against gold mentions (`tagging.py`)

BC5CDR and BioRED, tagged as `build-corpus` tags. A span counts if both ends are right; identifiers are compared as
sets of a document. Genes are compared by NCBI Gene identifier, diseases by MeSH and OMIM cross-references, chemicals by
exact name, since the lexicon has no MeSH identifiers: their identifier figures favour a tagger that looks up names, as
this one does. *Mappable* is the share of gold mentions with an identifier that the lexicon has; the others cannot be
found but by their span. The dictionaries hold human protein-coding genes and diseases; BioRED annotates genes of other
species and symptoms too, which bounds recall.

Each step has those before it; *all but disambiguation* leaves out the classifier alone, so its distance to the step
above is what disambiguation gives in the end. The classifier (`train-typing`) learned from the real corpus without
labels, from the training files besides, and has its thresholds from held-out documents of these. Rules, too, were
chosen on the training files; the development files are the report.
"""


def section() -> list[str]:
    """Tables of quality and speed; empty if the benchmark was not run."""
    result = load("tagging")
    if not result:
        return []
    lines = [TEXT]
    for file in next(iter(result["quality"].values())):
        lines += [f"**{file}**", _quality(result["quality"], file)]
    return [*lines, "**Speed**", _speed(result)]


def _quality(steps: dict[str, Any], file: str) -> str:
    rows = ["| type | step | spans P / R / F1 | identifiers P / R / F1 | mappable |", "|---|---|---|---|---|"]
    types = next(iter(steps.values()))[file]["types"]
    for type_ in types:
        for step, report in steps.items():
            row = report[file]["types"][type_]
            share = f"{100 * row['mappable']:.1f} ({row['mapped_by']})"
            rows.append(f"| {type_} | {step} | {_figures(row['spans'])} | {_figures(row['identifiers'])} | {share} |")
    return "\n".join(rows)


def _figures(row: dict[str, float]) -> str:
    return " / ".join(f"{100 * row[key]:.1f}" for key in ("precision", "recall", "f1"))


def _speed(result: dict[str, Any]) -> str:
    speed = result["speed"]
    rows = ["| measured on the real corpus | sentences a second |", "|---|---|"]
    rows += [
        f"| {name} | {value:,} |"
        for name, value in speed.items()
        if isinstance(value, int)
        and name not in ("sentences", "greatest_memory_mib", "greatest_memory_of_a_worker_mib")
    ]
    for name in ("all steps but disambiguation", "all steps"):
        one, two = (speed[f"{name}, per second, {processes} processes"] for processes in (1, 2))
        rows.append(f"| {name}, two processes against one | {two / one:.2f} times |")
    limit = speed["two_against_one"]
    rows.append(
        f"| the machine's own limit: two processes that tag and share nothing, against one | {limit:.2f} times |"
    )
    names = ", ".join(f"{count:,} ({kind})" for kind, count in result["names"].items())
    notes = (
        f"{result['date']}, {speed['sentences']:,} sentences; names with their variants: {names}. Greatest memory "
        f"{speed['greatest_memory_mib']:,} MiB, of a worker {speed['greatest_memory_of_a_worker_mib']:,} MiB. The "
        f"load of the machine was {speed['load_average']:.0f} at the start: rates by wall time are lower bounds."
    )
    return "\n\n".join(["\n".join(rows), notes, _pubmed(speed), _typing(result["typing"])])


def _pubmed(speed: dict[str, Any]) -> str:
    """What the measured rates would mean for all of PubMed."""
    hours = {
        name: PUBMED / speed[f"{name}, per second of processor time"] / 3600
        for name in ("all steps but disambiguation", "all steps")
    }
    parts = [f"{name}, {one:.1f} hours of processor time" for name, one in hours.items()]
    return f"Extrapolated to the {PUBMED // 10**6} million sentences of PubMed, not measured: {'; '.join(parts)}."


def _typing(typing: dict[str, Any]) -> str:
    """What the classifier learned from, and its figures on held-out documents of the training files."""

    def listed(counts: dict[str, int]) -> str:
        return ", ".join(f"{name} {count:,}" for name, count in counts.items())

    tuned, own, gold = typing["tuned"], listed(typing["examples"]), listed(typing["gold_examples"])
    return (
        f"The classifier: {typing['steps']:,} steps on self-labelled mentions ({own}) and gold ones ({gold}). Of "
        f"{tuned['asked']:,} held-out gold mentions that it is asked about it gives {_figures(tuned)} (P / R / F1; "
        "the thresholds were tuned on these very mentions)."
    )
