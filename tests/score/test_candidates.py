"""Every spelling of an entity leads to the same row, and each status arises exactly as it is defined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError
from kgrel.score.candidates import STATUSES, Columns, Resolver, find_columns

ENTITIES = EntityTable(
    ["CHEMICAL", "CHEMICAL", "DISEASE", "GENE", "GENE", "GENE"],
    ["7", "DB00001", "DOID:1612", "1", "0207", "7"],
    ["seven", "drug", "disease", "one", "gene", "Seven"],
    [["DB07"], [], ["DOID:9917"], ["901", "DOID:5"], [], []],
)
RESOLVER = Resolver(ENTITIES)
BARE = Columns("source", "target", None, None)
TYPED = Columns("source", "target", "source_type", "target_type")


def resolve(sources: list[Any], targets: list[Any], types: list[tuple[str | None, str | None]] | None = None) -> Any:
    columns = {"source": pa.array(sources), "target": pa.array(targets)}
    if types is not None:
        first, second = zip(*types, strict=True)
        columns |= {"source_type": pa.array(first, pa.string()), "target_type": pa.array(second, pa.string())}
    return RESOLVER.resolve(pa.table(columns), BARE if types is None else TYPED)


@pytest.mark.parametrize(
    ("spelling", "type_", "row"),
    [
        ("1", None, 3),
        (" 1 ", None, 3),
        ("Gene::1", None, 3),
        ("GENE::1", None, 3),
        ("protein::1", None, 3),
        ("NCBIGene:1", None, 3),
        ("ncbigene:1", None, 3),
        ("ENTREZ:1", None, 3),
        ("1", "gene", 3),
        ("1", " Protein ", 3),
        ("NCBIGene:1", "", 3),
        ("901", None, 3),
        ("Gene::901", None, 3),
        ("DOID:5", "GENE", 3),
        ("0207", None, 4),
        ("DB00001", None, 1),
        ("DB00001", "Compound", 1),
        ("DB00001", "drug", 1),
        ("DB00001", "SmallMolecule", 1),
        ("Compound::DB00001", None, 1),
        ("DrugBank:DB00001", None, 1),
        ("DOID:1612", None, 2),
        ("doid:1612", None, 2),
        ("Disease::DOID:1612", None, 2),
        ("DOID:9917", None, 2),
        ("Disease::DOID:9917", "DISEASE", 2),
        ("7", "Compound", 0),
        ("DB07", None, 0),
        ("Compound::7", None, 0),
        ("7", "GENE", 5),
        ("Gene::7", None, 5),
    ],
)
def test_every_spelling_leads_to_the_same_row_on_both_sides(spelling: str, type_: str | None, row: int) -> None:
    as_source = resolve([spelling], ["Gene::0207"], [(type_, None)])
    as_target = resolve(["DOID:1612"], [spelling], [(None, type_)])
    assert as_source.heads[0] == row
    assert as_target.tails[0] == row
    assert as_source.status[0] == ("ok" if row != 4 else "self_pair")
    assert as_target.status[0] == ("ok" if row != 2 else "self_pair")


@pytest.mark.parametrize(
    ("source", "target", "status", "rows"),
    [
        ("1", "DOID:1612", "ok", (3, 2)),
        ("nobody", "1", "unknown_source", (-1, 3)),
        ("1", "nobody", "unknown_target", (3, -1)),
        ("nobody", "no one", "unknown_both", (-1, -1)),
        ("nobody", "nobody", "unknown_both", (-1, -1)),
        ("Disease::1", "0207", "unknown_source", (-1, 4)),
        ("207", "1", "unknown_source", (-1, 3)),
        ("1", "1", "self_pair", (3, 3)),
        ("Gene::1", "NCBIGene:901", "self_pair", (3, 3)),
        ("7", "1", "untyped", (-1, 3)),
        ("1", "7", "untyped", (3, -1)),
        ("7", "7", "untyped", (-1, -1)),
        ("7", "nobody", "untyped", (-1, -1)),
        ("Gene::7", "Compound::7", "ok", (5, 0)),
        ("", "1", "invalid", (-1, 3)),
        ("1", " \t", "invalid", (3, -1)),
        (None, "1", "invalid", (-1, 3)),
        ("", "", "invalid", (-1, -1)),
        ("", "nobody", "invalid", (-1, -1)),
        ("7", None, "invalid", (-1, -1)),
    ],
)
def test_each_status_arises_as_defined(source: str, target: str, status: str, rows: tuple[int, int]) -> None:
    resolved = resolve([source], [target])
    assert (resolved.heads[0], resolved.tails[0]) == rows
    assert resolved.status.tolist() == [status]
    assert status in STATUSES
    assert resolved.ok.tolist() == ([0] if status == "ok" else [])


def test_a_type_column_settles_an_ambiguous_id_and_an_empty_one_does_not() -> None:
    resolved = resolve(["7", "7", "7"], ["1", "1", "1"], [("GENE", None), ("", None), (None, "GENE")])
    assert resolved.status.tolist() == ["ok", "untyped", "untyped"]


def test_a_type_that_nothing_has_is_an_unknown_entity() -> None:
    assert resolve(["1"], ["0207"], [("Planet", "GENE")]).status.tolist() == ["unknown_source"]


@pytest.mark.parametrize(
    "numbers",
    [
        pa.array([1, 901, None], pa.int64()),
        pa.array([1, 901, None], pa.int32()),
        pa.array([1, 901, None], pa.uint16()),
        pa.array([1, 901, None], pa.float64()),
        pa.array([1, 901, float("nan")], pa.float64()),
        pa.array(["1", "901", None], pa.large_string()),
        pa.array(["1", "901", None]).dictionary_encode(),
    ],
    ids=lambda array: str(array.type),
)
def test_numbers_are_the_identifiers_that_they_spell(numbers: pa.Array) -> None:
    resolved = resolve(numbers, ["0207"] * 3)
    assert resolved.heads.tolist() == [3, 3, -1]
    assert resolved.status.tolist() == ["ok", "ok", "invalid"]


def test_a_number_that_is_not_whole_is_no_identifier() -> None:
    assert resolve([1.5], ["1"]).status.tolist() == ["unknown_source"]


SPELLINGS = st.sampled_from(["1", "Gene::1", "901", "DB00001", "DOID:9917", "7", "nobody", "", None])


@settings(deadline=None)
@given(st.lists(st.tuples(SPELLINGS, SPELLINGS), max_size=12))
def test_each_row_is_resolved_for_itself_and_duplicates_stay(pairs: list[tuple[str | None, str | None]]) -> None:
    sources, targets = [source for source, _ in pairs], [target for _, target in pairs]
    together = resolve(pa.array(sources, pa.string()), pa.array(targets, pa.string()))
    assert len(together.heads) == len(together.tails) == len(together.status) == len(pairs)
    for row, (source, target) in enumerate(pairs):
        alone = resolve(pa.array([source], pa.string()), pa.array([target], pa.string()))
        assert together.heads[row] == alone.heads[0]
        assert together.tails[row] == alone.tails[0]
        assert together.status[row] == alone.status[0]


@settings(deadline=None)
@given(st.lists(st.tuples(SPELLINGS, SPELLINGS), min_size=1, max_size=8))
def test_swapping_the_sides_swaps_rows_and_statuses(pairs: list[tuple[str | None, str | None]]) -> None:
    first, second = (pa.array(side, pa.string()) for side in zip(*pairs, strict=True))
    one, other = resolve(first, second), resolve(second, first)
    assert np.array_equal(one.heads, other.tails)
    swapped = {"unknown_source": "unknown_target", "unknown_target": "unknown_source"}
    assert one.status.tolist() == [swapped.get(status, status) for status in other.status.tolist()]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["source", "target"], Columns("source", "target", None, None)),
        (["note", "Head", " TAIL "], Columns("Head", " TAIL ", None, None)),
        (["subject", "object", "object_type"], Columns("subject", "object", None, "object_type")),
        (["x", "y", "source_type", "target_type"], Columns("x", "y", "source_type", "target_type")),
        (["y", "x", "tail", "source_id"], Columns("source_id", "tail", None, None)),
    ],
)
def test_columns_are_found_by_name(names: list[str], expected: Columns) -> None:
    assert find_columns(names, "list.csv") == expected


def test_a_missing_column_is_refused_with_file_columns_and_the_nearest_name() -> None:
    with pytest.raises(KgrelError, match=r"^list\.csv: no column 'source'.*'sorce', 'target'.*did you mean 'sorce'"):
        find_columns(["sorce", "target"], "list.csv")
    with pytest.raises(KgrelError, match=r"^list\.csv: no column 'target'.*the columns are 'source'"):
        find_columns(["source"], "list.csv")
