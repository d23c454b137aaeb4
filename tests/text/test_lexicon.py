from __future__ import annotations

from pathlib import Path

import pytest

from kgrel.data.entities import Entity
from kgrel.data.errors import InputError
from kgrel.text.badlines import BadLines
from kgrel.text.lexicon import Lexicon, build_lexicon, read_lexicon
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.terms import Term

SETTINGS = BuildCorpusSettings()


def meaning(lexicon: Lexicon, name: str) -> str | None:
    return lexicon.terms[lexicon.names[name].entity].id if name in lexicon.names else None


def test_a_name_of_several_entities_is_kept_apart() -> None:
    terms = [Term("GENE", "1", synonyms=("shared",)), Term("GENE", "2", synonyms=("Shared", "own"))]
    lexicon = build_lexicon(terms, SETTINGS)
    assert lexicon.names.keys() == {"own"}
    assert lexicon.ambiguous == {"shared": (Entity("GENE", "1"), Entity("GENE", "2"))}


def test_symbol_beats_name_beats_synonym_within_a_type() -> None:
    synonym, name = Term("GENE", "1", synonyms=("thing",)), Term("GENE", "2", names=("thing",))
    symbol = Term("GENE", "3", symbols=("thing",))
    assert meaning(build_lexicon([synonym, name], SETTINGS), "thing") == "2"
    assert meaning(build_lexicon([symbol, name, synonym], SETTINGS), "thing") == "3"


def test_no_rank_decides_between_types() -> None:
    terms = [Term("GENE", "1", symbols=("thing",)), Term("DISEASE", "1", synonyms=("thing",))]
    assert "thing" in build_lexicon(terms, SETTINGS).ambiguous


def test_entries_with_the_same_type_and_id_are_one() -> None:
    terms = [
        Term("GENE", "1", names=("one",)),
        Term("DISEASE", "1", names=("two",)),
        Term("GENE", "1", (), ("uno",)),
    ]
    lexicon = build_lexicon(terms, SETTINGS)
    assert [(term.type, term.id, term.names) for term in lexicon.terms] == [
        ("GENE", "1", ("one", "uno")),
        ("DISEASE", "1", ("two",)),
    ]


def test_short_gene_names_and_symbols_are_bound_to_their_case() -> None:
    terms = [
        Term("GENE", "1", symbols=("TNF", "CASPASE"), synonyms=("renin",)),
        Term("DISEASE", "1", names=("gout",), synonyms=("COPD",)),
    ]
    spellings = {name: use.spellings for name, use in build_lexicon(terms, SETTINGS).names.items()}
    assert spellings == {"tnf": {"TNF"}, "caspase": None, "renin": {"renin"}, "gout": None, "copd": {"COPD"}}


def test_names_without_letters_or_too_short_are_not_used() -> None:
    lexicon = build_lexicon([Term("GENE", "1", synonyms=("A1", "123", "1-2-3", "A12"))], SETTINGS)
    assert lexicon.names.keys() == {"a12"}
    assert lexicon.unfit == 3


def test_the_stop_list_is_extendable_and_can_be_left_out() -> None:
    terms = [Term("GENE", "1", symbols=("WAS", "ABC1", "XYZ1"))]
    own = BuildCorpusSettings(stop_words=("Abc1",))
    assert build_lexicon(terms, own).names.keys() == {"xyz1"}
    assert build_lexicon(terms, own).stopped == {"was", "abc1"}
    assert "was" in build_lexicon(terms, BuildCorpusSettings(builtin_stop_words=False)).names


def test_type_aliases_and_gene_types_apply_on_reading(genes: Path) -> None:
    terms = read_lexicon("Protein", genes, SETTINGS, BadLines())
    assert {(term.type, term.id) for term in terms} == {("GENE", "1"), ("GENE", "2"), ("GENE", "4")}
    assert len(read_lexicon("GENE", genes, BuildCorpusSettings(gene_types=()), BadLines())) == 4
    assert len(read_lexicon("OTHER", genes, SETTINGS, BadLines())) == 4


def test_obo_is_known_by_its_ending(write) -> None:
    path = write("x.OBO", "[Term]\nid: DOID:1\nname: fever\n")
    assert read_lexicon("DISEASE", path, SETTINGS, BadLines()) == [Term("DISEASE", "DOID:1", (), ("fever",))]


def test_a_lexicon_without_a_used_entry_is_refused(genes: Path) -> None:
    with pytest.raises(InputError, match="gene types read: ncRNA"):
        read_lexicon("GENE", genes, BuildCorpusSettings(gene_types=("ncRNA",)), BadLines())
