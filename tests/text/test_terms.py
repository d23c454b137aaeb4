from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from kgrel.data.errors import InputError
from kgrel.text.badlines import BadLines
from kgrel.text.terms import Term, read_tsv


def test_columns_are_found_by_name(write) -> None:
    path = write("t.tsv", "Synonyms\tnote\tNAME\tidentifier\nb| c  d ||\tx\ta\tNCBIGene:7\n")
    assert list(read_tsv("GENE", path, BadLines())) == [Term("GENE", "7", (), ("a",), ("b", "c d"))]


def test_the_first_identifier_column_of_the_list_wins(write) -> None:
    path = write("t.tsv", "entrez_id\tid\tname\n1\t2\ta\n")
    assert next(read_tsv("GENE", path, BadLines())).id == "2"


def test_gzip_and_plain_read_the_same(diseases: Path, write) -> None:
    zipped = write("d.tsv.gz", gzip.compress(diseases.read_bytes()))
    assert list(read_tsv("DISEASE", zipped, BadLines())) == list(read_tsv("DISEASE", diseases, BadLines()))


def test_alternative_identifiers_and_row_types_are_read(genes: Path, diseases: Path) -> None:
    assert next(read_tsv("DISEASE", diseases, BadLines())).alternatives == ("DOID:7", "DOID:8")
    kept = [term.id for term in read_tsv("GENE", genes, BadLines(), ("protein-coding",))]
    assert kept == ["1", "2", "4"]
    assert [term.id for term in read_tsv("GENE", genes, BadLines())] == ["1", "2", "3", "4"]


def test_quotes_are_characters(write) -> None:
    path = write("t.tsv", "id\tname\n1\t\"5' end\n2\tb\n")
    assert [term.names for term in read_tsv("GENE", path, BadLines())] == [("\"5' end",), ("b",)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is empty"),
        ("name\tsynonyms\n", "no column 'id' or 'entrez_id'"),
        ("id\tcas\n", "no column 'symbol' or 'name' or 'synonyms'"),
        ("id\tname\tname\n", "'name' stands twice"),
    ],
)
def test_a_table_without_its_columns_is_refused(write, content: str, reason: str) -> None:
    path = write("t.tsv", content)
    with pytest.raises(InputError, match=reason) as error:
        list(read_tsv("GENE", path, BadLines()))
    assert error.value.path == str(path)


def test_a_gzip_file_that_is_cut_short_is_refused(write) -> None:
    whole = gzip.compress(b"id\tname\n" + b"".join(b"%d\tname %d\n" % (n, n * n) for n in range(5000)))
    path = write("t.tsv.gz", whole[: len(whole) // 2])
    with pytest.raises(InputError, match="damaged or cut short"):
        list(read_tsv("GENE", path, BadLines()))


BAD_ROWS = [b"1\ta", b"1\ta\tb\tc", b" \ta\tb", b"1\ta\0\tb", b"1\t\xff\tb"]


@pytest.mark.parametrize("row", BAD_ROWS)
def test_a_bad_line_is_counted_and_skipped(write, row: bytes) -> None:
    path, bad = write("t.tsv", b"id\tname\tsynonyms\n" + row + b"\n\n5\tgood\t\n"), BadLines()
    assert [term.id for term in read_tsv("GENE", path, bad)] == ["5"]
    assert bad.count == 1
    assert bad.first[0].startswith("t.tsv line 2: ")


@pytest.mark.parametrize("row", BAD_ROWS)
def test_a_bad_line_stops_the_run_under_strict(write, row: bytes) -> None:
    path = write("t.tsv", b"id\tname\tsynonyms\n" + row + b"\n")
    with pytest.raises(InputError) as error:
        list(read_tsv("GENE", path, BadLines(strict=True)))
    assert error.value.line == 2


def test_tabs_within_the_synonyms_are_white_space(write) -> None:
    path = write("t.tsv", "id\tname\tsynonyms\tcas\n1\ta\tb\t|c|d\t\t12-3\n")
    assert list(read_tsv("GENE", path, BadLines())) == [Term("GENE", "1", (), ("a",), ("b", "c", "d"))]


DICTIONARIES = Path(__file__).parents[2].parent / "shared" / "data" / "dictionaries"


@pytest.mark.skipif(not DICTIONARIES.is_dir(), reason="the shared data are not here")
@pytest.mark.parametrize(("name", "entries"), [("genes", 56_352), ("diseases", 6_574), ("chemicals", 14_567)])
def test_every_row_of_the_real_dictionaries_is_read(name: str, entries: int) -> None:
    bad = BadLines()
    terms = list(read_tsv("ANY", DICTIONARIES / f"{name}.tsv.gz", bad))
    assert (len(terms), bad.count) == (entries, 0)
    assert all("|" not in synonym and "\t" not in synonym for term in terms for synonym in term.synonyms)
