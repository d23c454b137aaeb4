"""Relations are read as written, and resolved to distinct unordered pairs with every dropped row counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrel.data.entities import Entity, EntityTable
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.relations import RelationCounts, Relations, read_relations, resolve_relations
from tests.compressing import COMPRESSIONS, compressed

SHARED = Path(__file__).parents[2].parent / "shared" / "data"

# Rows 0..4; "7" is a gene and a chemical.
TABLE = EntityTable(
    types=["GENE", "GENE", "CHEMICAL", "CHEMICAL", "DISEASE"],
    ids=["7", "8", "7", "DB1", "DOID:1"],
    names=[""] * 5,
    alternatives=[[], [], [], [], ["DOID:9917"]],
)


def relations(*rows: tuple[str, Entity, Entity]) -> Relations:
    classes, sources, targets = (list(column) for column in zip(*rows, strict=True))
    raw = [[entity.id for entity in side] for side in (sources, targets)]
    return Relations("r.tsv", classes, sources, targets, *raw, list(range(2, len(rows) + 2)))


def bare(class_: str, source: str, target: str) -> tuple[str, Entity, Entity]:
    return class_, Entity(None, source), Entity(None, target)


def pairs(found: object) -> list[tuple[int, int, str]]:
    names = [found.class_names[index] for index in found.classes]
    return list(zip(found.heads.tolist(), found.tails.tolist(), names, strict=True))


@pytest.mark.parametrize("compression", ["", *COMPRESSIONS])
def test_reads_bare_spelled_and_typed_identifiers(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "r.tsv"
    path.write_text(
        "label\tHEAD\ttail\tsource_type\tweight\nA\tGene::7\tDOID:1\t\t1\nB\t007\tNCBIGene:8\tCompound\t2\n"
    )
    found = read_relations(compressed(path, compression) if compression else path)
    assert found.class_ == ["A", "B"]
    assert found.sources == [Entity("GENE", "7"), Entity("CHEMICAL", "007")]
    assert found.targets == [Entity("DISEASE", "DOID:1"), Entity("GENE", "8")]
    assert found.raw_targets == ["DOID:1", "NCBIGene:8"]
    assert found.lines == [2, 3]


def test_the_class_column_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("class,metaedge,source,target\nGENE-GENE,GiG,7,8\n")
    assert read_relations(path, class_columns=["metaedge"]).class_ == ["GiG"]


def test_whole_numbers_of_parquet_are_identifiers(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    pq.write_table(pa.table({"class": ["A"], "source": [7], "target": [8]}), path)
    assert read_relations(path).sources == [Entity(None, "7")]
    pq.write_table(pa.table({"class": ["A"], "source": [7.0], "target": [8]}), path)
    with pytest.raises(InputError, match=r"r\.parquet, line 1: the column 'source' holds double; write it as text"):
        read_relations(path)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (
            "class,source,sink\nA,7,8\n",
            1,
            r"no column 'target_id' or 'target' or 'tail'; the columns are 'class'",
        ),
        ("klass,source,target\nA,7,8\n", 1, r"no column 'class' .*did you mean 'klass'"),
        ("class,source,target\nA,7,8\nA, ,8\n", 3, "the column 'source' is empty"),
        ("class,source,target\n,7,8\n", 2, "the column 'class' is empty"),
        ("class,source,target\nA,7\n", 2, "has 2 fields, but the header names 3"),
        ("class,source,target\n", None, "has no rows"),
        ("", None, "is empty"),
    ],
)
def test_faults_name_file_and_line(tmp_path: Path, text: str, line: int | None, message: str) -> None:
    path = tmp_path / "r.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as failure:
        read_relations(path)
    assert failure.value.line == line
    assert str(path) in str(failure.value)


def test_pairs_are_unordered_and_repetitions_merge_within_a_class() -> None:
    found = resolve_relations(
        relations(bare("A", "DB1", "8"), bare("A", "8", "DB1"), bare("B", "8", "DB1"), bare("A", "8", "8")),
        TABLE,
    )
    assert pairs(found) == [(1, 3, "A"), (1, 3, "B")]
    assert found.counts == RelationCounts(4, unknown=0, ambiguous=0, self_pairs=1, duplicates=1, kept=2)
    assert found.heads.dtype == found.tails.dtype == found.classes.dtype == np.int64


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (bare("CHEMICAL-DISEASE", "7", "DOID:1"), (2, 4)),
        (bare("DISEASE-CHEMICAL", "7", "DOID:1"), (2, 4)),
        (bare("Compound-Disease", "7", "DOID:1"), (2, 4)),
        (bare("DISEASE-GENE", "DOID:9917", "7"), (0, 4)),
        (bare("GENE-GENE", "7", "8"), (0, 1)),
        (("CHEMICAL-GENE", Entity("CHEMICAL", "7"), Entity(None, "7")), (0, 2)),
        (("CHEMICAL-GENE", Entity(None, "7"), Entity("CHEMICAL", "7")), (0, 2)),
        # Stated types win over the class.
        (("GENE-GENE", Entity("CHEMICAL", "7"), Entity("DISEASE", "DOID:1")), (2, 4)),
    ],
)
def test_the_class_tells_the_type_of_a_bare_identifier(
    row: tuple[str, Entity, Entity], expected: tuple[int, int]
) -> None:
    found = resolve_relations(relations(row), TABLE)
    assert (found.heads.item(), found.tails.item()) == expected


def test_rows_that_cannot_be_told_are_counted_not_guessed() -> None:
    known = bare("A", "8", "DB1")
    found = resolve_relations(relations(known, bare("interacts", "7", "8")), TABLE)
    assert (found.counts.ambiguous, found.counts.kept) == (1, 1)
    # The class says that one is a gene and the other a disease; "DB1" is neither.
    found = resolve_relations(relations(known, bare("DISEASE-GENE", "DB1", "DOID:1")), TABLE)
    assert (found.counts.unknown, found.counts.kept) == (1, 1)
    # A class with a dash that names no types decides nothing.
    found = resolve_relations(relations(bare("binds-to", "8", "DB1")), TABLE)
    assert pairs(found) == [(1, 3, "binds-to")]
    # "7" and "7" of CHEMICAL-GENE fit both ways round, but that is one and the same pair.
    found = resolve_relations(relations(bare("CHEMICAL-GENE", "7", "7")), TABLE)
    assert pairs(found) == [(0, 2, "CHEMICAL-GENE")]


def test_classes_can_be_the_types_of_the_pair() -> None:
    rows = relations(bare("x", "8", "DB1"), bare("y", "DB1", "8"), bare("z", "DOID:1", "8"))
    found = resolve_relations(rows, TABLE, by="types")
    assert pairs(found) == [(1, 3, "CHEMICAL-GENE"), (1, 4, "DISEASE-GENE")]
    assert found.class_names == ["CHEMICAL-GENE", "DISEASE-GENE"]
    assert found.counts.duplicates == 1


def test_when_nothing_resolves_identifiers_of_both_sides_are_shown() -> None:
    with pytest.raises(KgrelError) as failure:
        resolve_relations(relations(bare("A", "X1", "X2"), bare("A", "X3", "X4")), TABLE)
    message = str(failure.value)
    for shown in (
        "r.tsv",
        "none of the 2 rows",
        "'X1'",
        "'X3'",
        "'X2'",
        "'GENE::7'",
        "'GENE::8'",
        "'CHEMICAL::7'",
    ):
        assert shown in message


def test_when_all_rows_are_ambiguous_the_type_columns_are_asked_for() -> None:
    with pytest.raises(KgrelError, match=r"r\.tsv: none of the 1 rows .*add the columns source_type and target_type"):
        resolve_relations(relations(bare("interacts", "7", "8")), TABLE)


IDS = st.sampled_from(["7", "8", "DB1", "DOID:1", "DOID:9917", "no"])
ROWS = st.tuples(
    st.sampled_from(["A", "GENE-GENE", "CHEMICAL-GENE"]),
    st.builds(Entity, st.none() | st.sampled_from(["GENE", "CHEMICAL"]), IDS),
    st.builds(Entity, st.none(), IDS),
)


@given(st.lists(ROWS, max_size=10), st.sampled_from(["class", "types"]))
def test_every_row_is_accounted_for_and_order_does_not_matter(rows: list[tuple[str, Entity, Entity]], by: str) -> None:
    rows = [bare("A", "8", "DB1"), *rows]
    found = resolve_relations(relations(*rows), TABLE, by)
    counts = found.counts
    assert counts.rows == len(rows)
    assert counts.rows == counts.unknown + counts.ambiguous + counts.self_pairs + counts.duplicates + counts.kept
    assert (found.heads < found.tails).all()
    assert pairs(found) == sorted(set(pairs(found)))
    turned = [(name, target, source) for name, source, target in reversed(rows)]
    assert pairs(resolve_relations(relations(*turned), TABLE, by)) == pairs(found)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not here")
def test_the_real_relations_table_has_the_documented_rows() -> None:
    found = read_relations(SHARED / "kg" / "relations.tsv.gz")
    assert len(found) == 191_272
    assert found.class_.count("GENE-GENE") == 132_545
    assert found.sources[0] == Entity("DISEASE", "DOID:0050156")
    assert found.targets[0] == Entity(None, "10144")
