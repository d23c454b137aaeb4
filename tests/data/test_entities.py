"""Three spellings, one identity: (TYPE, id)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrel.data.entities import Entity, EntityTable, canonical_type, class_of_types, parse_entity


@pytest.mark.parametrize(
    ("text", "hint", "expected"),
    [
        ("10144", None, (None, "10144")),
        ("0042", "gene", ("GENE", "0042")),
        ("Gene::10144", None, ("GENE", "10144")),
        ("Compound::DB00001", None, ("CHEMICAL", "DB00001")),
        ("Disease::DOID:9917", None, ("DISEASE", "DOID:9917")),
        ("NCBIGene:10144", None, ("GENE", "10144")),
        ("drugbank:DB1", None, ("CHEMICAL", "DB1")),
        ("doid:9917", None, ("DISEASE", "DOID:9917")),
        ("DOID:9917", " ", ("DISEASE", "DOID:9917")),
        ("NCBIGene:7", "Compound", ("CHEMICAL", "7")),
        ("HGNC:5", None, (None, "HGNC:5")),
        ("a:b:c", None, (None, "a:b:c")),
        ("::7", None, (None, "::7")),
        ("Gene::", None, (None, "Gene::")),
        (" 7 ", None, (None, "7")),
    ],
)
def test_spellings(text: str, hint: str | None, expected: tuple[str | None, str]) -> None:
    assert parse_entity(text, hint) == Entity(*expected)


@given(st.text(st.characters(exclude_characters=":"), min_size=1).filter(lambda text: text == text.strip()))
def test_an_identifier_without_a_colon_is_kept_as_it_is(text: str) -> None:
    assert parse_entity(text) == Entity(None, text)
    assert parse_entity(f"Gene::{text}") == Entity("GENE", text)


def test_types_are_upper_case_with_aliases_and_classes_unordered() -> None:
    assert canonical_type(" compound ") == canonical_type("Drug") == "CHEMICAL"
    assert canonical_type("Anatomy") == "ANATOMY"
    assert class_of_types("GENE", "DISEASE") == class_of_types("DISEASE", "GENE") == "DISEASE-GENE"


TABLE = EntityTable(
    ["GENE", "CHEMICAL", "DISEASE", "DISEASE"],
    ["7", "7", "DOID:1", "DOID:2"],
    ["a", "b", "c", "d"],
    [[], ["C1"], ["DOID:9", "DOID:2"], []],
)


@pytest.mark.parametrize(
    ("entity", "expected"),
    [
        (Entity("GENE", "7"), (0, "ok")),
        (Entity("CHEMICAL", "7"), (1, "ok")),
        (Entity(None, "7"), (-1, "untyped")),
        (Entity(None, "DOID:1"), (2, "ok")),
        (Entity(None, "C1"), (1, "ok")),
        (Entity("DISEASE", "DOID:9"), (2, "ok")),
        (Entity("GENE", "DOID:9"), (-1, "unknown")),
        (Entity(None, "8"), (-1, "unknown")),
        # An alternative id never hides a primary one.
        (Entity(None, "DOID:2"), (3, "ok")),
    ],
)
def test_finding(entity: Entity, expected: tuple[int, str]) -> None:
    assert TABLE.find(entity) == expected


def test_a_table_comes_back_as_written(tmp_path: Path) -> None:
    TABLE.write(tmp_path / "e.parquet")
    assert EntityTable.read(tmp_path / "e.parquet") == TABLE
    assert len(TABLE) == 4


def test_twins_and_uneven_columns_are_refused() -> None:
    with pytest.raises(ValueError, match=r"entity \('GENE', '7'\) stands twice"):
        EntityTable(["GENE", "GENE"], ["7", "7"], ["", ""], [[], []])
    with pytest.raises(ValueError, match="equally long"):
        EntityTable(["GENE"], ["7"], [], [[]])


def test_tables_are_cut_and_joined() -> None:
    table = EntityTable(["GENE", "GENE", "DISEASE"], ["1", "2", "3"], ["a", "b", "c"], [["9"], [], []])
    some = table.rows([2, 0])
    assert (some.types, some.ids, some.names, some.alternatives) == (
        ["DISEASE", "GENE"],
        ["3", "1"],
        ["c", "a"],
        [[], ["9"]],
    )
    joined = table.joined(EntityTable(["GENE"], ["9"], ["d"], [[]]))
    assert [joined.find(Entity("GENE", id_))[0] for id_ in ("1", "2", "9")] == [0, 1, 3]
    with pytest.raises(ValueError, match="stands twice"):
        table.joined(some)
