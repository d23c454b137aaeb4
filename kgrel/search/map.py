"""``map-relations``: pairs as points of a plane, near where their relations are alike, coloured by relation."""

from __future__ import annotations

import html
import importlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from kgrel.data.errors import KgrelError
from kgrel.data.files import atomic_file
from kgrel.search.index import RelationIndex
from kgrel.search.metric import prepared
from kgrel.search.settings import MapSettings

Rows = npt.NDArray[np.int64]
Points = npt.NDArray[np.float64]
UNLISTED = "not listed"
SHADES = 12
"""The most frequent relations have a colour of their own; the others share one."""
OTHERS = "other"
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "svg{width:100%;height:auto;border:1px solid #ddd}circle:hover{stroke:#000}"
    "label{margin-right:1rem;white-space:nowrap}i{display:inline-block;width:.8em;height:.8em;border-radius:50%}"
)
SCRIPT = (
    "document.querySelectorAll('input').forEach(box=>box.onchange=()=>"
    "document.getElementById('g'+box.value).style.display=box.checked?'':'none')"
)


def map_relations(
    index: RelationIndex,
    png: str | Path | None,
    page: str | Path | None,
    settings: MapSettings | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Draw a sample of the pairs of an index as a picture, as a page that tells each point, or both.

    Returns:
        Pairs drawn, and how many of each relation.

    Raises:
        KgrelError: no output; fewer than ten pairs; umap is wanted and not installed; an output exists.
    """
    settings = settings or MapSettings()
    if png is None and page is None:
        raise KgrelError("nothing is to be written; give --png or --html")
    rows = chosen_pairs(index, settings)
    vectors = prepared(index.vectors[rows, 0], index.settings.metric).mean(axis=1)
    points = projected(vectors, settings)
    groups = grouped(index, rows)
    if png is not None:
        with atomic_file(png, overwrite) as partial:
            draw(points, groups).savefig(partial, dpi=150, format="png", metadata={"Software": None})
    if page is not None:
        with atomic_file(page, overwrite) as partial:
            partial.write_text(page_of(index, rows, points, groups), encoding="utf-8")
    return {"pairs": len(rows), "relations": {name: len(members) for name, (_, members) in groups.items()}}


def chosen_pairs(index: RelationIndex, settings: MapSettings) -> Rows:
    """Some pairs that are not removed, listed ones first, drawn by the seed."""
    listed = np.array([name is not None for name in index.pairs.relations]) & ~index.pairs.removed
    order = np.random.default_rng(settings.seed).permutation(len(index.pairs))
    order = order[~index.pairs.removed[order]]
    order = order[np.argsort(~listed[order], kind="stable")]
    if settings.listed_only:
        order = order[listed[order]]
    if len(order) < 10:
        raise KgrelError(f"{index.artifact.path}: only {len(order)} pairs can be drawn; a map needs ten")
    return np.sort(order[: settings.pairs])


def projected(vectors: npt.NDArray[np.float32], settings: MapSettings) -> Points:
    """Points of the plane (n, 2).

    Raises:
        KgrelError: umap is wanted and not installed.
    """
    if settings.method == "pca":
        return np.asarray(PCA(2, random_state=settings.seed).fit_transform(vectors), np.float64)
    if settings.method == "umap":
        try:
            umap = importlib.import_module("umap")
        except ImportError:
            raise KgrelError("--method umap needs the package umap-learn: pip install umap-learn") from None
        return np.asarray(umap.UMAP(random_state=settings.seed).fit_transform(vectors), np.float64)
    perplexity = min(30.0, (len(vectors) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=settings.seed)
    return np.asarray(tsne.fit_transform(vectors), np.float64)


def grouped(index: RelationIndex, rows: Rows) -> dict[str, tuple[str, Rows]]:
    """Relation → its colour and its places among ``rows``; pairs with several count by the first."""
    names = [(index.pairs.relations[row] or UNLISTED).split("|")[0] for row in rows.tolist()]
    counts = sorted({name: names.count(name) for name in set(names) - {UNLISTED}}.items(), key=lambda x: (-x[1], x[0]))
    own = [name for name, _ in counts[:SHADES]]
    shown = np.array([name if name in (*own, UNLISTED) else OTHERS for name in names])
    palette = colormaps["tab20"].colors  # type: ignore[attr-defined]
    colours = {name: to_hex(palette[place]) for place, name in enumerate(own)}
    colours |= {OTHERS: "#777777", UNLISTED: "#dddddd"}
    found = {name: (colours[name], np.flatnonzero(shown == name)) for name in (UNLISTED, OTHERS, *own)}
    return {name: group for name, group in found.items() if len(group[1])}


def draw(points: Points, groups: dict[str, tuple[str, Rows]]) -> Figure:
    """The picture."""
    figure = Figure(figsize=(8, 7), layout="constrained")
    axes = figure.subplots()
    for name, (colour, members) in groups.items():
        axes.scatter(
            points[members, 0], points[members, 1], s=8, color=colour, label=f"{name} ({len(members):,})", linewidths=0
        )
    axes.set(xticks=[], yticks=[])
    axes.legend(fontsize="small", markerscale=2, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def page_of(index: RelationIndex, rows: Rows, points: Points, groups: dict[str, tuple[str, Rows]]) -> str:
    """A page on its own: each point tells its pair, each relation can be hidden."""
    low, high = points.min(axis=0), points.max(axis=0)
    places = 10 + 980 * (points - low) / np.where(high > low, high - low, 1.0)
    drawn, boxes = [], []
    for number, (name, (colour, members)) in enumerate(groups.items()):
        circles = "".join(
            f'<circle cx="{places[m, 0]:.1f}" cy="{places[m, 1]:.1f}" r="4"><title>{title(index, int(rows[m]))}</title>'
            "</circle>"
            for m in members.tolist()
        )
        drawn.append(f'<g id="g{number}" fill="{colour}">{circles}</g>')
        boxes.append(
            f'<label><input type="checkbox" value="{number}" checked> <i style="background:{colour}"></i> '
            f"{html.escape(name)} ({len(members):,})</label>"
        )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Relations</title>'
        f"<style>{STYLE}</style></head><body><h1>Relations</h1><p>{' '.join(boxes)}</p>"
        f'<svg viewBox="0 0 1000 1000">{"".join(drawn)}</svg><script>{SCRIPT}</script></body></html>\n'
    )


def title(index: RelationIndex, pair: int) -> str:
    """What a point tells."""
    names, table = index.entities.names, index.pairs
    relation = table.relations[pair] or UNLISTED
    return html.escape(f"{names[table.heads[pair]]} – {names[table.tails[pair]]}: {relation}")
