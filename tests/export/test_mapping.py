"""Mapping files say what differs from the default; what Biolink does not have is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrel.data.entities import EntityTable
from kgrel.data.errors import InputError, KgrelError
from kgrel.export.biolink import CURIE, biolink, curie_of
from kgrel.export.mapping import DEFAULT_RELATIONS, DEFAULT_TYPES, Mapping, read_mapping
from kgrel.export.nodes import NodeList, read_nodes

TOML = """
primary_knowledge_source = "infores:my-lab"
[types.Pathway]
category = "biolink:Pathway"
prefix = "REACT"
[relations.treats]
predicate = "biolink:treats"
subject = "CHEMICAL"
object = "DISEASE"
[relations.up]
predicate = "biolink:affects"
qualifiers = {object_direction_qualifier = "increased"}
[prefixes]
REACT = "http://www.reactome.org/PathwayBrowser/#/"
"""
YAML = """
primary_knowledge_source: infores:my-lab
types:
  Pathway: {category: "biolink:Pathway", prefix: REACT}
relations:
  treats: {predicate: "biolink:treats", subject: CHEMICAL, object: DISEASE}
  up: {predicate: "biolink:affects", qualifiers: {object_direction_qualifier: increased}}
prefixes: {REACT: "http://www.reactome.org/PathwayBrowser/#/"}
"""


def written(tmp_path: Path, text: str, ending: str = "toml") -> Path:
    path = tmp_path / f"mapping.{ending}"
    path.write_text(text, encoding="utf-8")
    return path


def test_toml_and_yaml_say_the_same_and_add_to_the_default(tmp_path: Path) -> None:
    toml, yaml = read_mapping(written(tmp_path, TOML)), read_mapping(written(tmp_path, YAML, "yaml"))
    assert (toml.types, toml.relations, toml.prefixes) == (yaml.types, yaml.relations, yaml.prefixes)
    assert toml.primary_knowledge_source == "infores:my-lab"
    assert toml.types.keys() == {"PATHWAY", *DEFAULT_TYPES}
    assert toml.relations.keys() == {"treats", "up", *DEFAULT_RELATIONS}
    assert toml.curie("PATHWAY", "R-HSA-1") == "REACT:R-HSA-1"
    assert toml.relations["up"].qualifier_pairs == (("object_direction_qualifier", "increased"),)


def test_the_default_is_made_of_terms_that_biolink_has() -> None:
    model = biolink()
    for type_ in DEFAULT_TYPES.values():
        assert type_.category in model.categories
    for relation in DEFAULT_RELATIONS.values():
        assert relation.predicate in model.predicates
        assert relation.category in model.associations
    assert DEFAULT_RELATIONS["DISEASE-GENE"].predicate in model.gene_to_disease_predicates


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[typs.X]\ncategory = 'a'", "unknown key 'typs' (did you mean 'types'?)"),
        ("[types.X]\ncategory = 'biolink:Gen'\nprefix = 'A'", "types.X: 'biolink:Gen' is no node category of Biolink"),
        ("[types.X]\ncategory = 'biolink:Gene'", "types.X: the setting 'prefix' is missing"),
        ("[types.X]\ncategory = 'biolink:Gene'\nprefix = 'A B'", "'A B' is no CURIE prefix"),
        ("[relations.r]\npredicate = 'biolink:treat'", "relations.r: 'biolink:treat' is no predicate"),
        ("[relations.r]\npredikate = 'biolink:treats'", "(did you mean 'predicate'?)"),
        ("[relations.r]\npredicate = 'biolink:treats'\nsubject = 'GENE'", "give both subject and object"),
        ("[relations.r]\npredicate = 'biolink:treats'\nsubject = 'GEN'\nobject = 'DISEASE'", "did you mean 'GENE'"),
        ("[relations.r]\npredicate = 'biolink:affects'\nqualifiers = {colour = 'red'}", "is no qualifier"),
        ("[prefixes]\nA = 'no iri'", "is no beginning of an IRI"),
        ("primary_knowledge_source = 'me'", "must be one identifier infores:NAME"),
        ("types = 3", "types must be a table"),
        ("[types", "cannot be read"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as failure:
        read_mapping(path)
    assert str(failure.value).startswith(f"{path}: ")
    assert message in str(failure.value)


def test_a_key_that_stands_twice_in_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="stands twice"):
        read_mapping(written(tmp_path, "prefixes: {A: 'http://a/', A: 'http://b/'}", "yml"))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), unique=True, max_size=20))
def test_different_identifiers_stay_different_curies(identifiers: list[str]) -> None:
    curies = [curie_of(identifier, "X") for identifier in identifiers]
    assert all(CURIE.fullmatch(curie) for curie in curies)
    bare = {c for i, c in zip(identifiers, curies, strict=True) if c != i and ":" not in i}
    assert len(bare) == sum(":" not in i for i in identifiers)


def test_an_identifier_with_a_prefix_keeps_it() -> None:
    assert curie_of("DOID:9917", "DOID") == "DOID:9917"
    assert curie_of("CHEBI:15365", "DRUGBANK") == "CHEBI:15365"
    assert curie_of("00123", "NCBIGene") == "NCBIGene:00123"
    assert curie_of("a b;c|d%", "X") == "X:a%20b%3Bc%7Cd%25"


def test_two_entities_with_one_curie_are_refused() -> None:
    table = EntityTable(["GENE", "DISEASE"], ["NCBIGene:1", "NCBIGene:1"], ["", ""], [[], []])
    with pytest.raises(KgrelError, match="would both become NCBIGene:1"):
        _ = NodeList(table, Mapping()).curies


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id\tname\n1\tA\n", "line 2: the node '1' has no type"),
        ("id\ttype\tname\n\tGENE\tA\n", "line 2: the node '' has no identifier"),
        ("id\ttype\tname\n1\tGENE\tA\n1\tGENE\tB\n", "line 3: the node GENE::1 stands twice"),
        ("id\ttype\n1\tGENE\n", "no column 'name'"),
    ],
)
def test_a_nodes_file_that_names_no_nodes_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "nodes.tsv"
    path.write_text(text)
    with pytest.raises(InputError) as failure:
        read_nodes(path)
    assert message in str(failure.value)
