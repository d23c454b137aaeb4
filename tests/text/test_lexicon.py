from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kgrel.data.entities import Entity
from kgrel.data.errors import InputError
from kgrel.text.badlines import BadLines
from kgrel.text.lexicon import Lexicon, build_lexicon, read_lexicon
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.terms import Term
from tests.compressing import COMPRESSIONS, compressed

SETTINGS = BuildCorpusSettings(hyphens=False, greek=False, plurals=False)


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
    own = replace(SETTINGS, stop_words=("Abc1",))
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
    for one in (path, *(compressed(path, compression) for compression in COMPRESSIONS)):
        assert read_lexicon("DISEASE", one, SETTINGS, BadLines()) == [Term("DISEASE", "DOID:1", (), ("fever",))]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_compressed_table_of_names_is_the_table(diseases: Path, compression: str) -> None:
    one, other = (
        read_lexicon("DISEASE", p, SETTINGS, BadLines()) for p in (diseases, compressed(diseases, compression))
    )
    assert one == other


def test_a_lexicon_without_a_used_entry_is_refused(genes: Path) -> None:
    with pytest.raises(InputError, match="gene types read: ncRNA"):
        read_lexicon("GENE", genes, BuildCorpusSettings(gene_types=("ncRNA",)), BadLines())


def test_a_variant_counts_only_where_nobody_is_called_so() -> None:
    terms = [Term("DISEASE", "1", names=("tremor",)), Term("DISEASE", "2", names=("tremors",))]
    lexicon = build_lexicon(terms, BuildCorpusSettings())
    assert (meaning(lexicon, "tremor"), meaning(lexicon, "tremors")) == ("1", "2")


def test_a_variant_is_bound_to_its_case_like_the_name() -> None:
    lexicon = build_lexicon([Term("GENE", "1", symbols=("renin", "IL2"))], BuildCorpusSettings())
    assert lexicon.names["renins"].spellings == {"renins"}
    assert lexicon.names["il 2"].spellings == {"IL 2"}


def test_protein_coding_beats_pseudogene_and_symbol_beats_both(write) -> None:
    rows = "1\tA1\tpseudo\tshared\n2\tB1\tprotein-coding\tshared|A1\n3\tC1\tncRNA\tshared\n"
    path = write("genes.tsv", "id\tsymbol\ttype\tsynonyms\n" + rows)
    for gene_types in ((), ("pseudo", "protein-coding")):
        settings = BuildCorpusSettings(gene_types=gene_types, min_name_length=2)
        lexicon = build_lexicon(read_lexicon("GENE", path, settings, BadLines())[:2], settings)
        assert (meaning(lexicon, "shared"), meaning(lexicon, "a1")) == ("2", "1")
        assert lexicon.by_priority == 3  # these two and a plural
    lexicon = build_lexicon(read_lexicon("GENE", path, BuildCorpusSettings(gene_types=()), BadLines()), SETTINGS)
    assert lexicon.ambiguous["shared"] == (Entity("GENE", "2"), Entity("GENE", "3"))
    assert (lexicon.ambiguous_within, lexicon.by_priority) == (1, 1)


def test_the_rivals_of_an_ambiguous_name_stay_reachable() -> None:
    terms = [Term("GENE", "1", symbols=("thing",)), Term("GENE", "2", synonyms=("thing",))]
    terms += [Term("DISEASE", id_, names=("thing",)) for id_ in ("3", "4")] + [Term("CHEMICAL", "5", names=("thing",))]
    lexicon = build_lexicon(terms, SETTINGS)
    assert [terms[use.entity].id for use in lexicon.contested["thing"]] == ["1", "5"]
    assert [entity.id for entity in lexicon.ambiguous["thing"]] == ["5", "3", "4", "1"]


def test_a_lexicon_of_many_duplicates_is_the_lexicon_without_them() -> None:
    terms = [Term("DISEASE", str(n), names=(f"name {n}",), synonyms=(f"other {n}",)) for n in range(70)]
    again = [Term("DISEASE", str(n), synonyms=(f"name {n}", f"more {n}")) for n in range(30)]
    lexicon = build_lexicon(terms + again, SETTINGS)
    assert len(lexicon.terms) == 70
    assert not lexicon.ambiguous
    assert lexicon.terms[0].synonyms == ("other 0", "name 0", "more 0")
