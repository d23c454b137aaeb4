"""Which rows of a scored list become which edges."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from kgrel.data.errors import InputError, KgrelError, NonFiniteError
from kgrel.export.mapping import Mapping, RelationMapping
from kgrel.export.record import edge_id
from kgrel.export.scored import select_edges
from kgrel.export.settings import ExportSettings
from tests.export.conftest import ENTITIES, make_provenance

HEADER = "source,target,relation,best_relation,score,probability,status,known_relation\n"


def rows_of(path: Path, settings: ExportSettings | None = None, mapping: Mapping | None = None) -> list[dict[str, Any]]:
    with select_edges(path, ENTITIES, make_provenance(), mapping, settings) as edges:
        counts = asdict(edges.counts)
        parts = ("unscored", "below", "known", "repeated", "beyond_top", "edges")
        assert counts["rows"] == sum(counts[part] for part in parts), "every row is accounted for"
        found = [row for batch in edges.batches() for row in batch.rows()]
        assert len(found) == edges.edge_count
        ends = {row[name] for row in found for name in ("subject", "object")}
        assert {node.id for node in edges.nodes()} == ends
        return found


def triples(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(row["subject"], row["object"]) for row in rows]


def listed(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n")
    return path


def test_rows_with_a_relation_become_edges_from_gene_to_disease_each_once(scored: Path) -> None:
    rows = rows_of(scored)
    pairs = [("NCBIGene:1", "DOID:2"), ("NCBIGene:7", "DOID:2"), ("NCBIGene:1", "NCBIGene:7")]
    assert triples(rows) == pairs
    assert [row["kgrel_score"] for row in rows] == [0.9, 0.7, 0.6]
    assert [row.get("has_confidence_score") for row in rows] == [0.5, None, None]
    assert [row["kgrel_known_edge"] for row in rows] == [False, True, False]
    assert [row.get("kgrel_threshold") for row in rows] == [0.5, 0.5, None]
    for row in rows:
        assert row["id"] == edge_id(row["subject"], row["predicate"], row["object"], (), "m", "1")
        assert (row["knowledge_level"], row["agent_type"]) == ("prediction", "computational_model")
        assert row["primary_knowledge_source"] == "infores:test-lab"
        assert (row["kgrel_run_ids"], row["update_date"], row["negated"]) == (["run-1"], "2026-01-31", False)


def test_a_given_threshold_replaces_that_of_scoring(scored: Path) -> None:
    assert len(rows_of(scored, ExportSettings(threshold=0.1))) == 4
    assert triples(rows_of(scored, ExportSettings(threshold=0.7))) == [("NCBIGene:1", "DOID:2")]


def test_novel_only_leaves_out_what_the_relations_table_lists(scored: Path) -> None:
    assert ("NCBIGene:7", "DOID:2") not in triples(rows_of(scored, ExportSettings(novel_only=True)))


def test_the_best_come_first_with_their_rank_and_repeats_do_not_take_a_place(scored: Path) -> None:
    rows = rows_of(scored, ExportSettings(top=2, threshold=0.0))
    assert [(row["kgrel_score"], row["kgrel_rank"]) for row in rows] == [(0.9, 1), (0.7, 2)]


def test_the_best_of_each_head_are_those_of_sorting_everything(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = ["1", "7", "DOID:2", "DOID:3"]
    pairs = [
        (a, b)
        for a in names
        for b in names
        if (a != b and not a.startswith(b[:4]) and "1" not in (a, b)) or {a, b} == {"1", "7"}
    ]
    pairs = [(a, b) for a, b in pairs if {a, b} != {"DOID:2", "DOID:3"}]
    rows = [(*pairs[n % len(pairs)], round(float(rng.random()), 6)) for n in range(200)]
    relation = {2: "DISEASE-GENE", 0: "GENE-GENE"}
    text = [f"{a},{b},R,{relation[2 * ('DOID' in a + b)]},{s},,ok," for a, b, s in rows]
    found = rows_of(listed(tmp_path, *text), ExportSettings(per_head=2))
    best: dict[str, dict[frozenset[str], float]] = {}
    for a, b, score in rows:
        pair = frozenset((a, b))
        best.setdefault(a, {})[pair] = max(score, best.get(a, {}).get(pair, -1.0))
    wanted: dict[frozenset[str], float] = {}
    for pairs_of_head in best.values():
        for pair, score in sorted(pairs_of_head.items(), key=lambda item: -item[1])[:2]:
            wanted[pair] = max(score, wanted.get(pair, -1.0))
    assert sorted((row["kgrel_score"] for row in found), reverse=True) == sorted(wanted.values(), reverse=True)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,DOID:2,R,DISEASE-GENE,high,,ok,", "line 2: 'score' is no number: 'high'"),
        ("1,DOID:2,R,DISEASE-GENE,,,ok,", "line 2: the score is empty"),
        ("1,DOID:2,R,DISEASE-GENE,0.9,1.5,ok,", "line 2: the probability 1.5 is not within"),
        ("1,DOID:9,R,DISEASE-GENE,0.9,,ok,", "line 2: the pair '1' and 'DOID:9' cannot be exported (unknown_target)"),
        ("1,7,R,DISEASE-GENE,0.9,,ok,", "is mapped to GENE and DISEASE, but joins GENE and GENE here"),
        ("1,7,R,GENE-GEN,0.9,,ok,", "has no relation 'GENE-GEN' (did you mean 'GENE-GENE'?)"),
        ("1,7,R,,0.9,,ok,", "has no relation ''"),
    ],
)
def test_a_row_that_cannot_become_an_edge_is_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(InputError) as failure:
        rows_of(listed(tmp_path, row))
    assert message in str(failure.value)


@pytest.mark.parametrize("score", ["nan", "inf"])
def test_numbers_that_are_not_finite_are_refused(tmp_path: Path, score: str) -> None:
    with pytest.raises(NonFiniteError, match="line 3"):
        rows_of(listed(tmp_path, "1,7,R,GENE-GENE,0.9,,ok,", f"1,7,R,GENE-GENE,{score},,ok,"))


def test_a_list_that_was_not_scored_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("source,target\n1,7\n")
    with pytest.raises(KgrelError, match="is this the output of score-pairs"):
        rows_of(path)


def test_the_columns_may_have_a_prefix_and_the_list_may_be_parquet(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    path = tmp_path / "list.parquet"
    columns: dict[str, Any] = {
        "source": ["1"],
        "target": ["7"],
        "score": ["the user's own"],
        "p_relation": ["GENE-GENE"],
    }
    columns |= {"p_best_relation": ["GENE-GENE"], "p_score": [0.75]}
    pq.write_table(pa.table(columns), path)
    (row,) = rows_of(path, ExportSettings(prefix="p_"))
    assert row["kgrel_score"] == 0.75
    assert "kgrel_known_edge" not in row


def test_a_relation_says_direction_and_qualifiers_which_are_part_of_the_identifier(tmp_path: Path) -> None:
    path = listed(tmp_path, "7,1,R,up,0.9,,ok,", "1,7,R,down,0.8,,ok,")
    up, down = (
        RelationMapping("biolink:affects", qualifiers={"object_direction_qualifier": way})
        for way in ("increased", "decreased")
    )
    rows = rows_of(path, mapping=Mapping(relations={"up": up, "down": down}))
    assert triples(rows) == [("NCBIGene:7", "NCBIGene:1"), ("NCBIGene:1", "NCBIGene:7")], "affects has a direction"
    assert [row["object_direction_qualifier"] for row in rows] == ["increased", "decreased"]
    for row in rows:
        qualifiers = (("object_direction_qualifier", row["object_direction_qualifier"]),)
        assert row["id"] == edge_id(row["subject"], row["predicate"], row["object"], qualifiers, "m", "1")


def test_an_edge_of_a_symmetric_predicate_is_the_same_in_both_orders(tmp_path: Path) -> None:
    one = rows_of(listed(tmp_path, "1,7,R,GENE-GENE,0.9,,ok,"))
    assert one == rows_of(listed(tmp_path, "7,1,R,GENE-GENE,0.9,,ok,"))
