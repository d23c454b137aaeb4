"""An edge that Biolink or a format would not take cannot be made; its identifier follows from what it states."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from kgrel.data.errors import KgrelError, NonFiniteError
from kgrel.export.record import FIELDS, Node, edge_id
from kgrel.export.records import EdgeRecords
from tests.export.conftest import EDGES, make_edge


def test_the_identifier_is_the_hash_of_the_canonical_statement() -> None:
    text = '["A:é","biolink:affects","B:2",[["a","1"],["b","2"]],"m\\"","1"]'
    wanted = "kgrel:" + hashlib.sha256(text.encode()).hexdigest()[:32]
    assert edge_id("A:é", "biolink:affects", "B:2", (("b", "2"), ("a", "1")), 'm"', "1") == wanted


def test_every_part_of_the_statement_and_of_the_model_changes_the_identifier() -> None:
    first = make_edge()
    others = [
        make_edge("NCBIGene:3"),
        make_edge(object="DOID:3"),
        make_edge(predicate="biolink:affects"),
        make_edge(qualifiers=(("object_direction_qualifier", "increased"),)),
        make_edge(kgrel_model_id="n"),
        make_edge(kgrel_model_version="2"),
    ]
    assert len({edge.id for edge in [first, *others]}) == 7
    assert make_edge(kgrel_score=0.3, kgrel_run_ids=("x",), publications=("PMID:1",)).id == first.id


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"subject": "10144"}, "is no CURIE"),
        ({"subject": "A:b c"}, "is no CURIE"),
        ({"object": "A:b\n"}, "is no CURIE"),
        ({"object": "A:b|c"}, "is no CURIE"),
        ({"object": "A:\ud800"}, "is no CURIE"),
        ({"predicate": "biolink:asociated_with"}, "did you mean 'biolink:associated_with'"),
        ({"predicate": "related"}, "is no CURIE"),
        ({"category": ()}, "needs a category"),
        ({"category": ("biolink:Gene",)}, "is no association category of Biolink 4.4.4"),
        ({"knowledge_level": "guess"}, "is not one of"),
        ({"agent_type": "model"}, "is not one of"),
        ({"primary_knowledge_source": ""}, "must be one identifier infores:NAME"),
        ({"primary_knowledge_source": "infores:a|infores:b"}, "must be one identifier"),
        ({"has_confidence_score": 1.5}, "must lie in 0"),
        ({"update_date": "yesterday"}, "must be a day"),
        ({"publications": ("PMID:1;2",)}, "holds | or ;"),
        ({"supporting_data_set": ("",)}, "is empty"),
        ({"kgrel_model_id": "a\0b"}, "control character"),
        ({"kgrel_model_id": "a\ud800"}, "control character"),
        ({"qualifiers": (("colour", "red"),)}, "is no qualifier"),
        ({"id": "e1"}, "is not kgrel: and 32"),
    ],
)
def test_what_is_wrong_is_said(values: dict[str, Any], message: str) -> None:
    with pytest.raises(KgrelError) as failure:
        make_edge(**values)
    assert message in str(failure.value)


@pytest.mark.parametrize("name", [field.name for field in FIELDS if field.kind == "number"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_must_be_finite(name: str, value: float) -> None:
    with pytest.raises(NonFiniteError, match=name):
        make_edge(**{name: value})


def test_a_whole_number_of_more_than_64_bits_is_refused() -> None:
    with pytest.raises(KgrelError, match="cannot be exported"):
        EdgeRecords([make_edge(kgrel_rank=2**63)])


def test_a_node_that_is_given_twice_must_be_the_same() -> None:
    node = Node("DOID:2", ("biolink:Disease",), "a")
    EdgeRecords(EDGES, [node, node]).close()
    with pytest.raises(KgrelError, match="given twice, and differently"):
        EdgeRecords(EDGES, [node, node._replace(name="b")])
