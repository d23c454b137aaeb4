"""A world on disk, in the formats of the real data."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from kgrel.data.entities import class_of_types
from kgrel.data.files import write_text
from kgrel.synthetic.vocabulary import THEMES
from kgrel.synthetic.world import World

NODE_KINDS = {"GENE": "Gene", "DISEASE": "Disease", "CHEMICAL": "Compound"}
"""How the graph spells the types."""

Rows = Iterable[Sequence[str]]


def write_world(world: World, directory: str | Path) -> dict[str, Path]:
    """Write a world; the same world gives the same bytes.

    - ``sentences.tsv``: doc_id, sentence
    - ``genes.tsv``: entrez_id, symbol, type, name, synonyms (joined by ``|``)
    - ``diseases.tsv``: doid, name, synonyms, alt_ids, xrefs
    - ``chemicals.tsv``: drugbank_id, name, synonyms, cas
    - ``relations.tsv``: class, metaedge, source_id, source_name, target_id, target_name: what curators list
    - ``nodes.tsv``: id, name, kind
    - ``edges.sif``: source, metaedge, target: the listed relations, and genes in pathways (incomplete, and
      partly wrong)
    - ``candidates.csv``: source, target: pairs that no sentence mentions together
    - ``truth.tsv``: source, target, related (0 or 1), metaedges (joined by ``|``): the candidates' answers

    Args:
        directory: made if absent; files in it of the same names are replaced.

    Returns:
        File name → path.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    contents = {
        "sentences.tsv": _tsv("doc_id sentence", ((one.doc_id, one.text) for one in world.sentences)),
        "genes.tsv": _tsv("entrez_id symbol type name synonyms", _genes(world)),
        "diseases.tsv": _tsv("doid name synonyms alt_ids xrefs", _diseases(world)),
        "chemicals.tsv": _tsv("drugbank_id name synonyms cas", _chemicals(world)),
        "relations.tsv": _tsv("class metaedge source_id source_name target_id target_name", _relations(world)),
        "nodes.tsv": _tsv("id name kind", _nodes(world)),
        "edges.sif": _tsv("source metaedge target", _edges(world)),
        "candidates.csv": _csv(_candidates(world)),
        "truth.tsv": _tsv("source target related metaedges", _truth(world)),
    }
    for name, text in contents.items():
        write_text(directory / name, text)
    return {name: directory / name for name in contents}


def _tsv(header: str, rows: Rows) -> str:
    return "\n".join(["\t".join(header.split()), *("\t".join(row) for row in rows)]) + "\n"


def _csv(rows: Rows) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("source", "target"))
    writer.writerows(rows)
    return stream.getvalue()


def _genes(world: World) -> Rows:
    for entity in world.entities:
        if entity.type == "GENE":
            synonyms = [name for name in entity.synonyms if name != entity.full_name]
            yield entity.id, entity.name, "protein-coding", entity.full_name, "|".join(synonyms)


def _diseases(world: World) -> Rows:
    for entity in world.entities:
        if entity.type == "DISEASE":
            yield entity.id, entity.name, "|".join(entity.synonyms), "", ""


def _chemicals(world: World) -> Rows:
    for entity in world.entities:
        if entity.type == "CHEMICAL":
            yield entity.id, entity.name, "|".join(entity.synonyms), ""


def _listed(world: World) -> Iterable[tuple[str, int, int]]:
    """(metaedge, source, target) of what curators list, in the order of metaedges and entities."""
    found = []
    for order, (metaedge, true) in enumerate(world.relations.items()):
        holds = world.listed & true[world.pairs[:, 0], world.pairs[:, 1]]
        found += [(order, source, target, metaedge) for source, target in world.pairs[holds].tolist()]
    return [(metaedge, source, target) for _, source, target, metaedge in sorted(found)]


def _relations(world: World) -> Rows:
    for metaedge, source, target in _listed(world):
        one, other = world.entities[source], world.entities[target]
        yield class_of_types(one.type, other.type), metaedge, one.id, one.name, other.id, other.name


def _node(world: World, row: int) -> str:
    entity = world.entities[row]
    return f"{NODE_KINDS[entity.type]}::{entity.id}"


def _nodes(world: World) -> Rows:
    for row, entity in enumerate(world.entities):
        yield _node(world, row), entity.name, NODE_KINDS[entity.type]
    for module in range(world.settings.modules):
        yield f"Pathway::PW{module + 1}", THEMES[module].name, "Pathway"


def _edges(world: World) -> Rows:
    for metaedge, source, target in _listed(world):
        yield _node(world, source), metaedge, _node(world, target)
    for gene, module in world.memberships.tolist():
        yield _node(world, gene), "GpPW", f"Pathway::PW{module + 1}"


def _candidates(world: World) -> Rows:
    for source, target in world.candidates.tolist():
        yield world.entities[source].id, world.entities[target].id


def _truth(world: World) -> Rows:
    for source, target in world.candidates.tolist():
        metaedges = world.metaedges(source, target)
        ids = world.entities[source].id, world.entities[target].id
        yield *ids, "1" if metaedges else "0", "|".join(metaedges)
