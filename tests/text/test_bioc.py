from __future__ import annotations

import json
from typing import Any

import pytest

from kgrel.data.errors import InputError
from kgrel.text.badlines import BadLines
from kgrel.text.bioc import read_bioc
from kgrel.text.documents import Given


def annotation(offset: int, length: int, text: str) -> dict[str, Any]:
    infons = {"type": "Gene", "identifier": "7"}
    return {"infons": infons, "text": text, "locations": [{"offset": offset, "length": length}]}


def document(name: str = "1", *annotations: dict[str, Any]) -> dict[str, Any]:
    passages = [{"offset": 0, "text": "Title."}, {"offset": 7, "text": "né ABC1.", "annotations": list(annotations)}]
    return {"id": name, "passages": passages}


@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: {"documents": [d]}, lambda d: [{"PubTator3": [d]}]])
@pytest.mark.parametrize("indent", [None, 1])
def test_documents_are_found_in_every_wrapping(write, wrap, indent: int | None) -> None:
    path = write("a.json", json.dumps(wrap(document("1", annotation(10, 4, "ABC1"))), indent=indent))
    (read,) = read_bioc(path, BadLines(strict=True))
    assert [passage.text for passage in read.passages] == ["Title.", "né ABC1."]
    assert [passage.given for passage in read.passages] == [(), (Given(3, 7, "GENE", "7"),)]


def test_one_value_a_line_is_read_too(write) -> None:
    path = write("a.json", "".join(json.dumps(document(name)) + "\n" for name in "12"))
    assert [read.doc_id for read in read_bioc(path, BadLines(strict=True))] == ["1", "2"]


def test_a_document_without_annotations_is_to_be_tagged(write) -> None:
    (read,) = read_bioc(write("a.json", json.dumps(document())), BadLines(strict=True))
    assert [passage.given for passage in read.passages] == [None, None]


@pytest.mark.parametrize(
    ("bad_annotation", "reason"),
    [
        (annotation(10, 99, "ABC1"), "not within its text"),
        (annotation(2, 4, "ABC1"), "not within its text"),
        (annotation(11, 4, "ABC1"), "the offsets count bytes"),
        ({"locations": []}, "holds an annotation that cannot be read"),
        ("text", "holds an annotation that cannot be read"),
    ],
)
def test_an_annotation_that_does_not_fit_is_left_out_and_counted(write, bad_annotation: Any, reason: str) -> None:
    path, bad = write("a.json", json.dumps(document("1", bad_annotation, annotation(10, 4, "ABC1")))), BadLines()
    (read,) = read_bioc(path, bad)
    assert read.passages[1].given == (Given(3, 7, "GENE", "7"),)
    assert bad.count == 1
    assert reason in bad.first[0]


def test_what_is_no_document_or_stood_before_is_counted(write) -> None:
    values = [document("1"), {"passages": []}, 7, document("1"), document("2")]
    path, bad = write("a.json", json.dumps(values)), BadLines()
    assert [read.doc_id for read in read_bioc(path, bad)] == ["1", "2"]
    assert bad.count == 3
    with pytest.raises(InputError, match="no BioC document"):
        list(read_bioc(path, BadLines(strict=True)))


@pytest.mark.parametrize("content", ["{", "no json", "{}\n{"])
def test_what_is_no_json_is_refused(write, content: str) -> None:
    with pytest.raises(InputError, match=r"a\.json"):
        list(read_bioc(write("a.json", content), BadLines()))
