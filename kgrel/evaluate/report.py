"""A run as one self-contained HTML page: its curves, its figures and all its settings.

The page of a training is made from the directory of the run alone, finished or not. An evaluation of the run
(:mod:`kgrel.evaluate.pair_report`) stands before them. The page loads nothing from elsewhere.
"""

from __future__ import annotations

import html
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from kgrel.data.artifact import LOG, MANIFEST, UNFINISHED
from kgrel.data.errors import ArtifactError
from kgrel.data.files import atomic_file
from kgrel.data.json_values import parse_json
from kgrel.data.printing import four_digits

CURVES: dict[str, tuple[str, tuple[str, ...]]] = {
    "Likelihood, nats a token": ("bound", ("validation_elbo", "validation_log_likelihood", "validation_bag", "elbo")),
    "KL of u, nats a token": ("kl", ("validation_kl", "kl")),
    "Loss": ("loss", ("loss",)),
    "Active units": ("units", ("z_active_units", "u_active_units")),
    "Information": ("use", ("u_information", "z_gain", "z_between")),
    "Average precision on validation pairs": ("probe", ("probe_average_precision", "probe_base_rate", "stop")),
    "Tokens a second": ("rate", ("tokens_per_second",)),
}
"""Title of a panel → its name, and the figures of the log that it shows where they are there."""
NOTES = {
    "z_active_units": "units of E[z|x,y] that differ between pairs; few: z is ignored",
    "u_active_units": "units of E[u|x,y,c] that differ between contexts; none: u has collapsed to its prior",
    "u_information": "nats that u carries about its context",
    "z_gain": "nats a token by which a pair's own z predicts a context better than another pair's",
    "z_between": "share of the variance of z that lies between pairs",
}
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}svg{max-width:100%;height:auto}"
    "table{border-collapse:collapse}td,th{padding:.15rem .8rem .15rem 0;text-align:left;vertical-align:top}"
    "td{font-variant-numeric:tabular-nums}.note{color:#666}"
    "mark{background:#ffe9a8}.grid th,.grid td{border-bottom:1px solid #ddd;white-space:nowrap}"
)


def write_report(
    run: str | Path, out: str | Path, overwrite: bool = False, evaluation: Sequence[str] = ()
) -> dict[str, Any]:
    """Write the page of a run directory (REPR or PAIRS, finished or not; a baseline).

    Args:
        evaluation: sections that stand before the curves, as HTML.

    Returns:
        Validations shown, the last step, and whether the run is finished.

    Raises:
        ArtifactError: the directory holds no run, or its log is damaged.
        KgrelError: ``out`` exists and ``overwrite`` is false.
    """
    run = Path(run)
    described, finished = description(run)
    log = read_log(run / LOG)
    title = f"{run.name}: {'finished' if finished else 'unfinished'}, step {log[-1]['step'] if log else 0:,}"
    parts = [f"<h1>{html.escape(title)}</h1>", *evaluation, *(training(log) if log or not evaluation else ())]
    parts += tables(described)
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )
    with atomic_file(Path(out), overwrite) as partial:
        partial.write_text(page, encoding="utf-8")
    return {"validations": len(log), "step": log[-1]["step"] if log else 0, "finished": finished}


def description(run: Path) -> tuple[dict[str, Any], bool]:
    """Manifest of a finished run, or what an unfinished one was started with; and whether it is finished."""
    for name, finished in ((MANIFEST, True), (UNFINISHED, False)):
        if (run / name).is_file():
            try:
                found = parse_json((run / name).read_bytes())
            except (OSError, ValueError) as error:
                raise ArtifactError(f"{run}: {name} is damaged ({error})") from None
            if isinstance(found, dict):
                return found, finished
            raise ArtifactError(f"{run}: {name} is damaged (no JSON object)")
    raise ArtifactError(f"{run}: no run of pretrain or train-pairs (neither {MANIFEST} nor {UNFINISHED} is there)")


def read_log(path: Path) -> list[dict[str, float]]:
    """The lines of a log; a last one that a kill cut short is left out."""
    if not path.exists():
        return []
    lines = path.read_bytes().splitlines()
    found = []
    for number, line in enumerate(lines, 1):
        try:
            figures = parse_json(line)
            found.append({key: float(value) for key, value in figures.items() if value is not None})
            found[-1]["step"] = int(figures["step"])
        except (ValueError, TypeError, KeyError, AttributeError):
            if number < len(lines):
                raise ArtifactError(f"{path}: line {number} is damaged") from None
    return found


def training(log: list[dict[str, float]]) -> list[str]:
    """The curves, and what the last validation gave."""
    last = {name: (four_digits(value), NOTES.get(name, "")) for name, value in (log[-1] if log else {}).items()}
    return ["<h2>Curves</h2>", curves(log), "<h2>Last validation</h2>", table(last)]


def curves(log: list[dict[str, float]]) -> str:
    """A panel for each of :data:`CURVES` that the log has figures other than zero for, as inline SVG."""
    panels = [(title, [n for n in names if any(line.get(n) for line in log)]) for title, (_, names) in CURVES.items()]
    panels = [(title, names) for title, names in panels if names]
    if not panels:
        return "<p>No validation has been logged yet.</p>"
    rows = -(-len(panels) // 2)
    figure = Figure(figsize=(11, 3.1 * rows), layout="constrained")
    axes = figure.subplots(rows, 2, squeeze=False).ravel()
    for place, (title, names) in zip(axes, panels, strict=False):
        for name in names:
            points = [(line["step"], line[name]) for line in log if name in line]
            place.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
        place.set(title=title, xlabel="step")
        place.legend(fontsize="small")
    for place in axes[len(panels) :]:
        place.set_axis_off()
    return inline_svg(figure)


def inline_svg(figure: Figure) -> str:
    """A figure as an SVG element; the same figure gives the same text."""
    stream = io.StringIO()
    with rc_context({"svg.hashsalt": "kgrel"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return "<svg" + stream.getvalue().partition("<svg")[2]


def tables(described: dict[str, Any]) -> list[str]:
    """The settings, and where the run comes from."""
    parts = list[str]()
    for title, key in (("Settings", "settings"), ("Parents", "parents"), ("Summary", "summary")):
        values = described.get(key)
        if isinstance(values, dict) and values:
            parts += [f"<h2>{title}</h2>", table({name: (plain(value), "") for name, value in values.items()})]
    return parts


def plain(value: Any) -> str:
    """A value of a manifest as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def table(rows: dict[str, tuple[str, str]]) -> str:
    """Name, value and note of each row."""
    cells = (
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td><td class=note>{html.escape(note)}</td></tr>"
        for name, (value, note) in rows.items()
    )
    return f"<table>{''.join(cells)}</table>"
