"""The section of graph.py, graph_table.py and inductive.py in RESULTS.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from common import load
from sections_pairs import edge_types
from sections_pairs import leaks as pair_leaks

TEXT = """## Knowledge graphs (`graph.py`)

Import of Hetionet 1.0 from its nodes (TSV) and edges (SIF), both gzip, into a checked GRAPH artifact; the best of some
runs, each in a process of its own. *Unpacking* is the machine's own limit: reading the same files through gzip.
"""


PATHS = """Paths as contexts (`kgrel build-corpus --from-graph`): pairs of Hetionet, half of them joined and half of
them these with shuffled tails, drawn for in one process of one thread. *Times the product* compares with the sparse
product W W over the columns of all ends, which finding paths of three edges begins with. More pairs for each end cost
less.
"""
TABLE = """Text and graph as witnesses (`graph_models.py`, `graph_table.py`): the test pairs of one split, by class;
every edge of any type between validation and test pairs left the graph first. *Fine-tuned* rows trained the
representation on with the labels. *Joined* counts the test pairs that an edge still joins: of paths it must be 0. A
pair of which an entity is not in the graph has a context that says there is
no path, which text does not know; that alone tells much where the list was made from the graph: *all in the graph* is
of the pairs with both entities in it. Part of Hetionet's edges come from text mining and curated literature. *MRR* is
filtered, of ranking each end of the same listed pairs among all entities of its type that the model knows, ties in the
middle, and for all classes also before and behind the asked one: most of these entities are never named with the other
end, and the models of text and of paths are trained on co-mentioned pairs only, graph embeddings against all. Of a rare
class few pairs are ranked, so that differences are told over all classes alone.
In rows of several, *text* is kgrel's fine-tuned classifier, *graph* are path counts, *labels* are ComplEx,
label-only embeddings, Adamic-Adar, degree product and co-mentions; what is joined is one scorer of `combine-pairs`.
"""


INDUCTIVE = """Entities that no context names (`inductive.py`): a tenth of those in corpus and graph lost their names
before the corpus was built, so that they are in no context and no training label; in sentences about others their names
are plain words, and the graph keeps their edges but those of the asked pairs. Below are mean cosines, by type, of
predicted and learned embeddings of entities that the encoder alone did not see; then how well the pair classifier tells
listed from other pairs with a nameless entity: co-mentioned test pairs of the whole corpus. *Learned* is the frozen
classifier of the whole corpus, which read what is written of them. *Undisplaced* is without the errors of other
entities over which `score-pairs --inductive` averages. *Path counts* need no embedding, but the labels of the whole
corpus trained their weights, those of nameless entities among them.
"""


def section() -> list[str]:
    """The tables of import, paths, models and inductive entities; without those that were not run."""
    result = load("graph")
    parts = []
    if "import" in result:
        parts += [TEXT, *import_table(result, result["import"])]
    if "paths" in result:
        parts += [PATHS, *paths_table(result["paths"])]
    if "tables" in result:
        parts.append(TABLE)
        for name, run in result["tables"].items():
            parts += [f"### Text and graph, {name}", *models_table(run)]
    if "inductive" in result:
        parts += [INDUCTIVE, *inductive_tables(result["inductive"])]
    return parts


def told(run: dict[str, Any]) -> str:
    """Date and hardware of a run."""
    machine = ", ".join(f"{key} {value}" for key, value in run["hardware"].items() if value is not None)
    return f"{run['date']}. Hardware: {machine}."


def table_of(heads: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def import_table(result: dict[str, Any], run: dict[str, Any]) -> list[str]:
    """One row; date and hardware stand in the run, or in older results beside it."""
    heads = "nodes | edges | import, s | times unpacking | open, s | peak MB | size, MB | dangling | duplicate | loops"
    cells = [f"{run['nodes']:,}", f"{run['edges']:,}", f"{run['seconds']:.1f}"]
    cells += [f"{run['seconds'] / run['unpack_seconds']:.1f}", f"{run['open_seconds']:.2f}", f"{run['peak_mb']:,.0f}"]
    cells += [f"{run['bytes'] / 1e6:.1f}", *(f"{run[kind]:,}" for kind in ("dangling", "duplicate", "self_loop"))]
    return [told(result | run), table_of(heads.split(" | "), [cells])]


def paths_table(run: dict[str, Any]) -> list[str]:
    """One row."""
    heads = ["pairs", "with a path", "paths", "s", "pairs / s", "times the product", "peak MB"]
    cells = [f"{run['pairs']:,}", f"{run['pairs_with_path']:,}", f"{run['paths']:,}", f"{run['seconds']:.0f}"]
    cells += [f"{run['pairs'] / run['seconds']:,.0f}", f"{run['seconds'] / run['product_seconds']:.1f}"]
    return [told(run), table_of(heads, [[*cells, f"{run['peak_mb']:,.0f}"]])]


def models_table(run: dict[str, Any]) -> list[str]:
    """A row a model; average precision, and AUROC where it was measured."""
    models = run["models"]
    classes = sorted({name for model in models.values() for name in model["average_precision"]})
    parts = [told(run), *leaks(models)]
    for key, title in {"average_precision": "average precision", "auroc": "AUROC"}.items():
        rows = []
        for name, model in models.items():
            inside = "–" if model.get("joined") is None else f"{model['joined']:,}"
            rows.append([name, *shown(model[key], classes), inside, f"{model['seconds']:,.0f}"])
        parts.append(table_of([title, *classes, "joined", "training in all, s"], rows))
    if run.get("ranked"):
        parts.append(ranked_table(run, classes))
    parts += edge_types({name: model["by_metaedge"] for name, model in models.items() if "by_metaedge" in model})
    parts += differences_table(run, "differences", "Average precision", classes)
    return parts + differences_table(run, "mrr_differences", "MRR, ties in the middle,", ["all"])


def ranked_table(run: dict[str, Any], classes: list[str]) -> str:
    """A row a model that ranked: reciprocal ranks with ties in the middle, over all with interval, first and last."""
    columns = [name for name in classes if name not in ("all", "all in the graph")]
    heads = [f"MRR ({run['ranked']:,} pairs)", "all", *columns, "all, ties first", "all, ties last", "candidates"]
    rows = []
    for name, model in run["models"].items():
        found, bounds = model["mrr"], model["mrr_interval"]["all"]
        middle = f"{shown(found['realistic'])[0]} [{100 * bounds['low']:.1f}, {100 * bounds['high']:.1f}]"
        cells = [name, middle, *shown(found["realistic"], columns), *shown(found["optimistic"])]
        rows.append([*cells, *shown(found["pessimistic"]), f"{model['candidates']:,.0f}"])
    return table_of(heads, rows)


def shown(found: dict[str, float | None], classes: Sequence[str] = ("all",)) -> list[str]:
    """Some shares in hundredths."""
    values = [found.get(kind) for kind in classes]
    return ["–" if value is None else f"{100 * value:.1f}" for value in values]


def leaks(models: dict[str, Any]) -> list[str]:
    """What test pairs share with training pairs, and which edges left the graph before paths were counted."""
    lines = [pair_leaks(next(iter(models.values()))["leakage"]["test"])]
    removed = [model["held_out"] for model in models.values() if "held_out" in model]
    if removed:
        of_type = ", ".join(f"{count:,} {name}" for name, count in removed[0]["edges_by_type"].items())
        lines.append(
            f"{removed[0]['edges']:,} edges between the two entities of {removed[0]['pairs_joined']:,} validation and "
            f"test pairs left the graph, {removed[0]['pairs_joined_by_several']:,} of these pairs being joined by "
            f"several; {removed[0]['edges_left']:,} are left. They were {of_type}."
        )
    return lines


def differences_table(run: dict[str, Any], key: str, figure: str, classes: list[str]) -> list[str]:
    """The reference's figure minus that of each other model; a star where the interval excludes zero."""
    if not run.get(key):
        return []
    said = (
        f"{figure} of *{run['reference']}* minus that of the others, in hundredths, with 95 % "
        "entity-clustered intervals; a star where one excludes zero."
    )
    rows = []
    for name, found in run[key].items():
        cells = [name]
        for kind in classes:
            one = found[kind]
            star = " *" if one["low"] > 0 or one["high"] < 0 else ""
            cells.append(f"{100 * one['estimate']:+.1f} [{100 * one['low']:+.1f}, {100 * one['high']:+.1f}]{star}")
        rows.append(cells)
    return [said, table_of(["against", *classes], rows)]


def inductive_tables(run: dict[str, Any]) -> list[str]:
    """Cosines by type, then figures of pairs."""
    types = list(run["cosine"]["both"])
    rows = [
        [f"predicted, {sees}", *(f"{found[kind]['cosine']:.3f}" for kind in types), f"{run['seconds'][sees]:,.0f}"]
        for sees, found in run["cosine"].items()
    ]
    mean = [f"{run['cosine']['both'][kind]['cosine_of_the_mean_of_its_type']:.3f}" for kind in types]
    heads = ["cosine", *(f"{kind} ({run['cosine']['both'][kind]['entities']:,})" for kind in types), "training, s"]
    pairs = run["pairs"]
    scored = [
        [name, *(f"{100 * found[key]:.1f}" for key in ("average_precision", "auroc", "score", "score_std"))]
        for name, found in pairs["scored"].items()
    ]
    share = f"{100 * pairs['base_rate']:.1f} % of them listed"
    lost = ", ".join(f"{count:,} {kind}" for kind, count in run["nameless"].items())
    said = f"{lost} entities lost their names. {pairs['pairs']:,} test pairs with one of them, {share}."
    cosines = table_of(heads, [*rows, ["mean of the type", *mean, "–"]])
    heads = ["embedding", "average precision", "AUROC", "mean score, %", "mean spread, %"]
    return [told(run), cosines, said, table_of(heads, scored)]
