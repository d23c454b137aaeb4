"""The questions of the page over HTTP: every part of a pair, views, reviews, and one sentence for what is refused."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgrel.apps.explore import server
from kgrel.apps.explore.opening import open_workbench
from kgrel.apps.explore.reviews import Reviews
from kgrel.apps.explore.server import FILES, address_of, listen, make_app
from kgrel.apps.explore.settings import ExploreSettings
from kgrel.apps.explore.workbench import Workbench
from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.search.index import RelationIndex

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")


class Client:
    """The test client of FastAPI, with JSON in and out."""

    def __init__(self, workbench: Workbench) -> None:
        from fastapi.testclient import TestClient

        self.http = TestClient(make_app(workbench), base_url="http://127.0.0.1:8765")

    def get(self, question: str, **parameters: Any) -> Any:
        response = self.http.get(f"/api/{question}", params=parameters)
        assert response.status_code == 200, response.text
        return response.json()

    def refused(self, question: str, **parameters: Any) -> str:
        response = self.http.get(f"/api/{question}", params=parameters)
        assert response.status_code in (400, 422), response.text
        return str(response.json()["error"])

    def review(self, **given: Any) -> Any:
        return self.http.put("/api/review", json=given)


@pytest.fixture
def client(workbench: Workbench, tmp_path: Path) -> Client:
    """Everything given, and a file of reviews of its own."""
    return Client(dataclasses.replace(workbench, reviews=Reviews(tmp_path / "reviews.sqlite")))


@pytest.fixture
def first(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("predictions", order="contexts", limit=1)["rows"][0]
    return found


def pair_of(row: dict[str, Any]) -> dict[str, str]:
    return {"source": row["source"], "target": row["target"]}


def test_the_page_loads_every_file_it_names_and_nothing_from_elsewhere(client: Client) -> None:
    page = client.http.get("/")
    assert page.headers["content-type"].startswith("text/html")
    names = {*re.findall(r'(?:href|src)="([^"]+)"', page.text)} - {"data:,"}
    for name in FILES:
        response = client.http.get(f"/{name}")
        assert response.status_code == 200
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", response.text)
        assert "innerHTML" not in response.text
        names |= {name.removeprefix("./") for name in re.findall(r'from "([^"]+)"', response.text)}
    assert {name.removeprefix("./") for name in names} == FILES.keys() - {""}


def test_what_there_is_is_told(client: Client, workbench: Workbench) -> None:
    about = client.get("about")
    assert about["predictions"] == 300
    assert [one["name"] for one in about["relations"]] == workbench.scorer.model.classes
    assert set(about["given"].values()) == {True}
    assert about["reviews"] == {"accepted": 0, "rejected": 0, "open": 0}


def test_pages_of_a_view_join_to_the_whole(client: Client) -> None:
    whole = client.get("predictions", limit=1000)
    assert whole["total"] == len(whole["rows"]) == 300
    pieces = [row for offset in range(0, 300, 70) for row in client.get("predictions", offset=offset, limit=70)["rows"]]
    assert pieces == whole["rows"]
    assert client.get("predictions", offset=300)["rows"] == []
    scores = [row["score"] for row in whole["rows"]]
    assert scores == sorted(scores, reverse=True)


def test_entities_are_found_by_name_and_identifier_in_any_case(client: Client, first: dict[str, Any]) -> None:
    name = first["source_name"]
    for text in (name, name.upper(), name[:4], first["source"].partition("::")[2]):
        assert first["source"] in [one["id"] for one in client.get("entities", q=text, limit=100)]
    assert client.get("entities", q=name)[0]["id"] == first["source"]
    assert client.get("entities", q="no such thing") == client.get("entities", q=" ") == []


def test_the_predictions_of_an_entity_all_name_it(client: Client, first: dict[str, Any]) -> None:
    found = client.get("predictions", entity=first["source"])["rows"]
    assert found
    assert all(first["source"] in (row["source"], row["target"]) for row in found)


def test_an_entity_is_ranked_against_a_type_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = client.get("predictions", limit=300)["rows"]
    gene = next(row["source"] for row in rows if row["source"].startswith("GENE"))
    found = client.get("predictions", entity=gene, ranked="DISEASE", limit=5)
    assert found["total"] > 5
    assert all(row["target"].startswith("DISEASE") for row in found["rows"])
    monkeypatch.setattr("kgrel.apps.explore.workbench.rank_pairs", None)
    assert client.get("predictions", entity=gene, ranked="DISEASE", limit=5) == found


def test_every_part_of_a_pair_is_told(client: Client, first: dict[str, Any]) -> None:
    found = client.get("pair", **pair_of(first))
    assert found["source"]["id"] == first["source"]
    assert found["prediction"]["score"] == pytest.approx(first["score"], abs=1e-6)
    assert found["prediction"]["score_low"] <= found["prediction"]["score"] <= found["prediction"]["score_high"]
    sentences = found["sentences"]
    assert sentences["total"] == first["contexts"] > 2 == len(sentences["sentences"])
    for one in sentences["sentences"]:
        before, one_mention, _, other_mention, _ = one["pieces"]
        assert one_mention
        assert other_mention
        assert not before.endswith(one_mention[0]) or before[-1:] == " "
    more = client.get("sentences", **pair_of(first), offset=2)
    assert more["offset"] == 2
    assert more["sentences"] != sentences["sentences"]
    assert len(client.get("neighbours", **pair_of(first))) > 0
    modes = client.get("modes", **pair_of(first))["modes"]
    assert sum(mode["share"] for mode in modes) == pytest.approx(1)


def test_paths_lead_from_one_to_the_other(client: Client) -> None:
    rows = client.get("predictions", limit=300)["rows"]
    found = [(row, paths) for row in rows[:40] if (paths := client.get("paths", **pair_of(row)))]
    assert found
    for row, paths in found:
        for path in paths:
            ids = [node["id"] for node in path["nodes"]]
            assert (ids[0], ids[-1]) == (row["source"], row["target"])
            assert len(path["relations"]) == len(ids) - 1 in (2, 3)
        shares = [path["share"] for path in paths]
        assert shares == sorted(shares, reverse=True)


def test_a_review_is_kept_counted_and_shown(client: Client, first: dict[str, Any]) -> None:
    relation = first["relation"]
    response = client.review(**pair_of(first), relation=relation, decision="accepted", comment="seen")
    assert response.json()["reviews"] == {"accepted": 1, "rejected": 0, "open": 0}
    review = response.json()["review"]
    assert review["score"] == pytest.approx(first["score"], abs=1e-6)
    assert len(review["model"]) == 64
    accepted = client.get("predictions", review="accepted")
    assert [(row["source"], row["decision"], row["commented"]) for row in accepted["rows"]] == [
        (first["source"], "accepted", True)
    ]
    assert client.get("pair", **pair_of(first))["reviews"] == [review]
    reversed_pair = {"source": first["target"], "target": first["source"]}
    kept = client.review(**reversed_pair, relation=relation, decision="rejected").json()["review"]
    assert (kept["decision"], kept["comment"]) == ("rejected", "seen")
    client.review(**reversed_pair, relation=relation, decision="open", comment="")
    assert client.get("about")["reviews"] == {"accepted": 0, "rejected": 0, "open": 0}
    assert client.get("predictions", review="accepted")["rows"] == []


@pytest.mark.parametrize(
    ("question", "parameters", "sentence"),
    [
        ("pair", {"source": "nobody", "target": "nothing"}, "no entity 'nobody' is known to"),
        ("pair", {"source": "GENE::x"}, "target: Field required"),
        ("predictions", {"relation": "lovs"}, "no relation 'lovs'"),
        ("predictions", {"order": "luck"}, "the order is one of score,"),
        ("predictions", {"ranked": "GENE"}, "a ranking needs an entity"),
        ("predictions", {"limit": "many"}, "limit: Input should be a valid integer"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    client: Client, question: str, parameters: dict[str, str], sentence: str
) -> None:
    assert sentence in client.refused(question, **parameters)


def test_a_review_of_nothing_is_refused(client: Client, first: dict[str, Any]) -> None:
    for given, sentence in (
        ({"decision": "accepted"}, "a review needs source, target, relation"),
        (pair_of(first) | {"relation": "x", "decision": "accepted"}, "no relation 'x'"),
        (pair_of(first) | {"relation": first["relation"], "decision": "maybe"}, "a decision is one of"),
        (
            pair_of(first) | {"target": first["source"], "relation": first["relation"], "decision": "open"},
            "same entity",
        ),
    ):
        response = client.review(**given)
        assert response.status_code == 400
        assert sentence in response.json()["error"]
    assert client.get("about")["reviews"]["accepted"] == 0


def test_no_other_host_and_no_other_page_gets_through(client: Client, first: dict[str, Any]) -> None:
    assert client.http.get("/api/about", headers={"host": "evil.example"}).status_code == 400
    form = client.http.put("/api/review", content=b"{}", headers={"content-type": "text/plain"})
    assert form.status_code == 422
    allowed = client.http.get("/api/about", headers={"origin": "http://evil.example"}).headers
    assert "access-control-allow-origin" not in allowed


def test_what_was_not_given_is_none(pairs_path: Path, tmp_path: Path) -> None:
    bare = open_workbench(pairs_path, tmp_path / "reviews.sqlite", ExploreSettings(candidates=5))
    client = Client(bare)
    row = client.get("predictions")["rows"][0]
    assert client.get("pair", **pair_of(row))["sentences"] is None
    assert client.get("paths", **pair_of(row)) is None
    assert client.get("neighbours", **pair_of(row)) is None
    assert "start kgrel explore with --representation" in client.refused("modes", **pair_of(row))
    assert set(client.get("about")["given"].values()) == {False}


def test_an_index_of_another_model_is_refused_before_anything_is_written(
    pairs_path: Path, index_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RelationIndex, "representation_hash", "0" * 64)
    with pytest.raises(ArtifactError, match="build an index of the same representation"):
        open_workbench(pairs_path, tmp_path / "reviews.sqlite", index=index_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def listening() -> Iterator[Any]:
    with listen("127.0.0.1", 0) as opened:
        yield opened


def test_a_port_that_is_taken_is_said(listening: Any) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address_of(listening))
    with pytest.raises(KgrelError, match=r"cannot listen on 127\.0\.0\.1, port \d+ .*choose another --port"):
        listen("127.0.0.1", listening.getsockname()[1])


def test_without_the_extra_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(KgrelError, match=r"pip install 'kgrel\[web\]'"):
        server.web_library("uvicorn")


def test_a_hundred_thousand_predictions_are_viewed_in_a_blink(workbench: Workbench, tmp_path: Path) -> None:
    """Filtering and sorting are vector operations; a page of rows costs what its rows cost."""
    p = workbench.predictions
    rows = np.resize(np.arange(len(p)), 100_000)
    columns = {field.name: getattr(p, field.name) for field in dataclasses.fields(p) if field.name != "left_out"}
    many = dataclasses.replace(p, **{name: column[rows] for name, column in columns.items()})
    client = Client(dataclasses.replace(workbench, predictions=many, reviews=Reviews(tmp_path / "reviews.sqlite")))
    client.get("about")  # computes what is computed once
    found = client.get("predictions", order="uncertain", least=0.0, review="open", offset=99_900)
    assert found["total"] == 100_000
    assert len(found["rows"]) == 100
