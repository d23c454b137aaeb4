"""``export-subgraph``: the best paths between two entities of a graph, as text, GraphML or a picture."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kgrel.apps.settings import SubgraphSettings
from kgrel.data.errors import KgrelError
from kgrel.data.files import atomic_file, refuse_existing
from kgrel.data.printing import printable
from kgrel.graph.best_paths import WeighedPath, best_paths, line_of, relations_of
from kgrel.graph.graph import Graph
from kgrel.graph.walks import Walks

ENDINGS = (".txt", ".graphml", ".png", ".svg")
INCHES = 3.2
"""Width of a column of the picture."""
BEND = 0.9
"""How far, in columns or rows, a curve is pulled aside: twice as far as it gets."""
PAPER = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"}
"""What is behind the label of a line, so that it can be read."""
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Subgraph:
    """Some paths between two nodes of a graph."""

    walks: Walks
    paths: list[WeighedPath]

    @property
    def names(self) -> list[str]:
        """The name of each node of the graph."""
        table = self.walks.graph.entities
        return [name or id_ for name, id_ in zip(table.names, table.ids, strict=True)]

    def lines(self) -> list[str]:
        """A path a line, behind its share of the weight of all paths."""
        names = self.names
        return [printable(f"{path.share:7.2%}  {line_of(self.walks, path, names)}") for path in self.paths]

    def network(self) -> nx.MultiDiGraph:
        """Nodes with type, id, name and column of the picture; the edges of all steps.

        Edges keep their direction; ``share`` is that of the paths that use them.
        """
        graph, network = self.walks.graph, nx.MultiDiGraph()
        table = graph.entities
        spelled = {row: f"{table.types[row]}::{table.ids[row]}" for path in self.paths for row in path.nodes}
        for row, column in self.columns.items():
            facts = {"type": table.types[row], "id": table.ids[row], "name": printable(table.names[row])}
            network.add_node(spelled[row], column=column, **facts)
        for path in self.paths:
            for one, other in pairwise(path.nodes):
                for code in self.walks.codes_of(one, other):
                    head, tail = (other, one) if code % 2 else (one, other)
                    relation = graph.edge_types[code // 2].relation
                    ends = spelled[head], spelled[tail], relation
                    share = network.edges[ends]["share"] if network.has_edge(*ends) else 0.0
                    network.add_edge(*ends, relation=relation, share=share + path.share)
        return network

    def picture(self) -> Figure:
        """The paths from left to right; a step that would run through other nodes is bent."""
        names, places = self.names, self._places()
        rows = len({y for _, y in places.values()})
        figure = Figure(figsize=(4 * INCHES, max(2.5, 0.6 * rows)), layout="constrained")
        axes = figure.add_subplot()
        drawn: dict[tuple[int, int], str] = {}
        for path in self.paths:
            for (one, other), relations in zip(pairwise(path.nodes), relations_of(self.walks, path), strict=True):
                drawn[one, other] = "|".join(relations)
        for (one, other), label in drawn.items():
            line = curve(places[one], places[other])
            axes.plot(*line.T, color="#9bb", linewidth=1, zorder=1)
            between = 10 if abs(line[-1, 0] - line[0, 0]) <= 1 else 5  # half a column on, where no node stands
            x, y = line[between]
            axes.text(x, y, label, fontsize=7, color="#366", ha="center", va="center", bbox=PAPER)
        for row, (x, y) in places.items():
            box = {"boxstyle": "round,pad=0.3", "facecolor": "#eef4f4", "edgecolor": "#699"}
            style: dict[str, Any] = {"ha": "center", "va": "center", "bbox": box, "zorder": 2, "parse_math": False}
            axes.text(x, y, printable(names[row]), fontsize=8, **style)
        axes.set(xlim=(-0.5, 3.5))
        axes.margins(y=0.15)
        axes.invert_yaxis()  # the heaviest path first
        axes.axis("off")
        return figure

    @property
    def columns(self) -> dict[int, int]:
        """The column of each node, in the order of the paths: its last place on any of them, 3 for the end."""
        found: dict[int, int] = {}
        for path in self.paths:
            *way, end = path.nodes
            for place, row in enumerate(way):
                found[row] = max(place, found.get(row, 0))
            found[end] = 3
        return found

    def _places(self) -> dict[int, tuple[float, float]]:
        """Where each node stands: its column, and its place in it, the ends in the middle."""
        columns: dict[int, list[int]] = {}
        for row, column in self.columns.items():
            columns.setdefault(column, []).append(row)
        most = max(map(len, columns.values()))
        return {
            row: (float(column), most * (number + 0.5) / len(rows))
            for column, rows in columns.items()
            for number, row in enumerate(rows)
        }


def curve(start: tuple[float, float], end: tuple[float, float]) -> FloatArray:
    """Points (21, 2) of a step: a line from one column to the next, else a quadratic Bézier curve.

    It keeps clear of the nodes between its ends: to the right of them in one column, half a row off across columns.
    """
    columns = abs(end[0] - start[0])
    aside = (BEND, 0.0) if columns == 0 else (0.0, BEND if columns > 1 else 0.0)
    middle = (np.array(start) + end) / 2 + aside
    t = np.linspace(0.0, 1.0, 21)[:, None]
    points: FloatArray = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * np.array(end)
    return points


def find_subgraph(graph: Graph, first: str, second: str, settings: SubgraphSettings) -> Subgraph:
    """The best paths between two entities, given by identifier or name.

    Raises:
        KgrelError: an entity is not known, both are the same, or no path joins them.
    """
    where = f"is a node of {graph.artifact.path}" if graph.artifact is not None else "is a node"
    head, tail = (graph.entities.named(text, where) for text in (first, second))
    if head == tail:
        raise KgrelError(f"{first!r} and {second!r} are the same node; give two different ones")
    walks = Walks(graph, settings.damping)
    paths = best_paths(walks, head, tail, settings.top, settings.longest)
    if not paths:
        raise KgrelError(f"no path of two to {settings.longest} edges joins {first!r} and {second!r}")
    return Subgraph(walks, paths)


def export_subgraph(
    graph: Graph, first: str, second: str, out: str | Path, settings: SubgraphSettings, overwrite: bool = False
) -> dict[str, Any]:
    """Write the best paths between two entities: .txt, .graphml, .png or .svg; returns counts.

    Raises:
        KgrelError: the ending is another, ``out`` exists, or what :func:`find_subgraph` raises.
    """
    ending = Path(out).suffix.lower()
    if ending not in ENDINGS:
        raise KgrelError(f"{out}: the ending must be one of {', '.join(ENDINGS)}")
    refuse_existing(Path(out), overwrite)
    found = find_subgraph(graph, first, second, settings)
    network = found.network()
    with atomic_file(out, overwrite) as partial:
        if ending == ".txt":
            partial.write_text("\n".join(found.lines()) + "\n", encoding="utf-8")
        elif ending == ".graphml":
            nx.write_graphml(network, partial)
        else:
            found.picture().savefig(partial, format=ending[1:])
    shares = sum(path.share for path in found.paths)
    return {"paths": len(found.paths), "nodes": len(network), "edges": network.number_of_edges(), "share": shares}
