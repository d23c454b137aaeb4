"""A map draws listed pairs first, in the same places for the same seed, and names what it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgrel.data.errors import KgrelError
from kgrel.search.index import RelationIndex
from kgrel.search.map import map_relations
from kgrel.search.settings import MapSettings


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_a_map_is_a_picture_and_a_page(index: RelationIndex, tmp_path: Path, method: str) -> None:
    settings = MapSettings(method=method, pairs=60)  # type: ignore[arg-type]
    found = map_relations(index, tmp_path / "map.png", tmp_path / "map.html", settings)
    assert found["pairs"] == 60 == sum(found["relations"].values())
    page = (tmp_path / "map.html").read_text()
    assert page.count("<circle") == 60
    assert "http" not in page
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    map_relations(index, None, tmp_path / "again.html", settings)
    assert (tmp_path / "again.html").read_text() == page


def test_only_listed_pairs_are_drawn_where_that_is_wanted(index: RelationIndex, tmp_path: Path) -> None:
    found = map_relations(index, None, tmp_path / "map.html", MapSettings(method="pca", listed_only=True))
    assert "not listed" not in found["relations"]
    assert found["pairs"] == index.artifact.manifest.summary["listed"]


def test_outputs_are_needed_and_kept(index: RelationIndex, tmp_path: Path) -> None:
    with pytest.raises(KgrelError, match="give --png or --html"):
        map_relations(index, None, None)
    (tmp_path / "map.html").write_text("mine")
    with pytest.raises(KgrelError, match="exists already"):
        map_relations(index, None, tmp_path / "map.html", MapSettings(method="pca"))
    assert (tmp_path / "map.html").read_text() == "mine"
