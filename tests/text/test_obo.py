from __future__ import annotations

from pathlib import Path

import pytest

from kgrel.data.errors import InputError
from kgrel.text.badlines import BadLines
from kgrel.text.obo import read_obo
from kgrel.text.terms import Term, read_tsv

OBO = r"""format-version: 1.2

[Term]
id: DOID:1 ! comment
name: fever\, high ! the name
alt_id: DOID:7 {source="x"}
synonym: "py\"rexia " EXACT [SNOMED:1]
synonym: "heat" RELATED []
synonym: "warmth" NARROW []
synonym: "no scope" []
is_a: DOID:4 ! disease

[Term]
id: DOID:2
name: gone
is_obsolete: true

[Typedef]
id: part_of
name: part of

[Term]
id: DOID:3
name: gout
is_obsolete: false
"""


def test_terms_with_exact_synonyms_and_alternatives_are_read(write) -> None:
    first, second = read_obo("DISEASE", write("x.obo", OBO))
    assert first == Term("DISEASE", "DOID:1", (), ("fever, high",), ('py"rexia',), ("DOID:7",))
    assert second == Term("DISEASE", "DOID:3", (), ("gout",))


def test_related_synonyms_are_read_on_request(write) -> None:
    first, _ = read_obo("DISEASE", write("x.obo", OBO), related=True)
    assert first.synonyms == ('py"rexia', "heat", "no scope")


@pytest.mark.parametrize(
    ("content", "reason", "line"),
    [
        ("", "is empty", None),
        ("doid\tname\n", "no \\[Term\\]", None),
        ("\n[Term]\nname: a\n", "no 'id'", 2),
        ("[Term]\nid: a\n", "no 'name'", 1),
        ("[Term]\nid: a\nname: b\nsynonym: c EXACT\n", "unquoted", 1),
        ("[Term]\nid: a\nname\n", "neither", 3),
    ],
)
def test_what_is_no_obo_is_refused(write, content: str, reason: str, line: int | None) -> None:
    with pytest.raises(InputError, match=reason) as error:
        list(read_obo("DISEASE", write("x.obo", content)))
    assert error.value.line == line


DICTIONARIES = Path(__file__).parents[2].parent / "shared" / "data" / "dictionaries"


@pytest.mark.skipif(not DICTIONARIES.is_dir(), reason="the shared data are not here")
def test_the_real_ontology_holds_the_diseases_of_the_table() -> None:
    ontology = {term.id: term for term in read_obo("DISEASE", DICTIONARIES / "HumanDO.obo.gz")}
    table = {term.id: term for term in read_tsv("DISEASE", DICTIONARIES / "diseases.tsv.gz", BadLines())}
    assert ontology.keys() == table.keys()
    assert all(ontology[key].names == table[key].names for key in table)
