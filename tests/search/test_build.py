"""Building: what is refused, resuming to the same bytes, changing and rebuilding."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from kgrel.data.artifact import MANIFEST
from kgrel.data.errors import KgrelError, NonFiniteError
from kgrel.model.representation import Representation
from kgrel.search import build as module
from kgrel.search.build import FAISS, PAIRS, VECTORS, build_index
from kgrel.search.fill import chosen_factory
from kgrel.search.index import RelationIndex
from kgrel.search.queries import of_rows
from kgrel.search.sampler import PairSampler
from kgrel.search.settings import IndexSettings, SearchSettings
from kgrel.search.sources import PairSource, pairs_of_file, pairs_of_graph
from kgrel.search.update import rebuild_index, update_index
from tests.search.conftest import SETTINGS, Builder


class Killed(BaseException):
    """Stands for a SIGKILL: nothing of the program's own handling runs on it."""


@pytest.mark.parametrize("after", [0, 1])
def test_an_interrupted_build_ends_with_the_same_bytes(
    build: Builder, index_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    settings, calls = dataclasses.replace(SETTINGS, chunk_pairs=512), []
    sample = PairSampler.__call__

    def stop_after(self: PairSampler, heads: np.ndarray, tails: np.ndarray) -> np.ndarray:
        calls.append(len(heads))
        if len(calls) > after:
            raise Killed
        return sample(self, heads, tails)

    monkeypatch.setattr(PairSampler, "__call__", stop_after)
    monkeypatch.setattr(module, "fill_index", lambda *_: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        build(tmp_path / "index", settings)
    assert not (tmp_path / "index").exists()
    work = tmp_path / ".index.parts"
    with (work / VECTORS).open("ab") as stream:
        stream.write(b"half a chunk")
    monkeypatch.undo()
    build(tmp_path / "index", settings)
    assert (tmp_path / "index" / MANIFEST).read_bytes() == (index_path / MANIFEST).read_bytes()
    assert not work.exists()


def test_the_same_command_gives_the_same_bytes(build: Builder, index_path: Path, tmp_path: Path) -> None:
    build(tmp_path / "again")
    assert (tmp_path / "again" / MANIFEST).read_bytes() == (index_path / MANIFEST).read_bytes()


def test_a_build_of_another_list_does_not_go_on_with_the_parts(
    build: Builder, tmp_path: Path, index_path: Path
) -> None:
    work = tmp_path / ".index.parts"
    work.mkdir()
    (work / "run.json").write_text("{}")
    (work / VECTORS).write_bytes(bytes(10**6))
    (work / f"{VECTORS}.done").write_text("462")
    build(tmp_path / "index")
    assert (tmp_path / "index" / MANIFEST).read_bytes() == (index_path / MANIFEST).read_bytes()


def test_the_table_says_what_each_pair_is(index: RelationIndex, index_path: Path) -> None:
    table = pq.read_table(index_path / PAIRS).to_pandas()
    assert len(table) == index.layout.pairs == index.artifact.manifest.summary["pairs"]
    assert set(table["head_type"]) | set(table["tail_type"]) == {"GENE", "DISEASE", "CHEMICAL"}
    assert (table["contexts"] >= 1).all()
    assert table["relation"].notna().sum() == index.artifact.manifest.summary["listed"] > 20
    assert index.artifact.manifest.summary["recall_at_10"] == 1.0


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        ("IVF", "could not parse index string"),
        ("PQ7", "multiple of the number of subquantizers"),
        ("nonsense", "parse"),
    ],
)
def test_a_factory_that_faiss_refuses_is_refused_before_sampling(
    build: Builder, tmp_path: Path, factory: str, said: str
) -> None:
    with pytest.raises(KgrelError, match=f"FAISS refuses the factory '{factory}'.*{said}"):
        build(tmp_path / "index", dataclasses.replace(SETTINGS, factory=factory))
    assert list(tmp_path.iterdir()) == []


def test_too_few_vectors_to_train_on_are_refused(build: Builder, tmp_path: Path) -> None:
    with pytest.raises(KgrelError, match=r"cannot be trained on 3,696 vectors.*fewer lists"):
        build(tmp_path / "index", dataclasses.replace(SETTINGS, factory="IVF5000,Flat"))
    assert not (tmp_path / "index").exists()


def test_the_factory_is_exact_up_to_a_million_vectors() -> None:
    assert chosen_factory(IndexSettings(), 1_000_000) == "Flat"
    assert chosen_factory(IndexSettings(), 1_000_001) == "IVF1024,SQfp16"
    assert chosen_factory(IndexSettings(factory="HNSW8"), 10) == "HNSW8"


def test_without_faiss_one_sentence_says_what_to_install(
    build: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(KgrelError, match=r"pip install 'kgrel\[cpu\]'"):
        build(tmp_path / "index")


def test_a_vector_that_is_not_finite_stops_the_build(representation_path: Path, tmp_path: Path) -> None:
    representation = Representation.open(representation_path)
    with torch.no_grad():
        representation.model.entity_embedding.weight[3] = torch.nan
    source = PairSource(np.array([0, 0]), np.array([1, 3]), {})
    with pytest.raises(NonFiniteError, match="entity rows 0 and 3"):
        build_index(representation, source, tmp_path / "index", SETTINGS)
    assert not (tmp_path / "index").exists()


def test_a_list_is_indexed_once_a_pair_in_either_order(index: RelationIndex, tmp_path: Path) -> None:
    ids = [f"{t}::{i}" for t, i in zip(index.entities.types, index.entities.ids, strict=True)]
    rows = [(ids[0], ids[1]), (ids[1], ids[0]), (ids[2], "GENE::nobody"), (ids[0], ids[0]), (ids[4], ids[2])]
    path = tmp_path / "pairs.csv"
    path.write_text("source,target\n" + "".join(f"{a},{b}\n" for a, b in rows))
    found = pairs_of_file(path, index.entities)
    assert found.heads.tolist() == [0, 4]
    assert found.tails.tolist() == [1, 2]
    assert found.counts == {"duplicates": 1, "ok": 3, "self_pair": 1, "unknown_target": 1}
    path.write_text("source,target\nGENE::no,GENE::body\n")
    with pytest.raises(KgrelError, match="no row names a pair of known entities"):
        pairs_of_file(path, index.entities)


def test_the_edges_of_a_graph_are_indexed(index: RelationIndex, world_files: dict[str, Path]) -> None:
    found = pairs_of_graph(world_files["edges.sif"], index.entities)
    listed = {
        tuple(sorted((head, tail)))
        for head, tail, name in zip(index.pairs.heads, index.pairs.tails, index.pairs.relations, strict=True)
        if name
    }
    assert set(zip(found.heads.tolist(), found.tails.tolist(), strict=True)) == listed


def test_pairs_are_removed_and_added_without_a_rebuild(
    index: RelationIndex, index_path: Path, world_files: dict[str, Path], tmp_path: Path
) -> None:
    path = shutil.copytree(index_path, tmp_path / "index")
    some = PairSource(index.pairs.heads[:5], index.pairs.tails[:5], {})
    update_index(RelationIndex.open(path), remove=some)
    smaller = RelationIndex.open(path)
    assert smaller.pairs.live == len(index.pairs) - 5
    settings = SearchSettings(top=smaller.pairs.live, keep_query=True)
    query = of_rows(index, int(some.heads[0]), int(some.tails[0]), settings)
    (found,) = smaller.search([query], settings)
    assert set(found.pairs.tolist()) == set(range(5, len(index.pairs)))

    more = PairSource(index.pairs.tails[:6], index.pairs.heads[:6], {})
    update_index(smaller, add=more, relations=world_files["relations.tsv"])
    larger = RelationIndex.open(path)
    assert larger.artifact.manifest.summary["rows"] == {"absent": 0, "added": 5, "present_already": 1, "removed": 0}
    assert larger.pairs.live == len(index.pairs)
    (nearest,) = larger.search([query], SearchSettings(top=1, keep_query=True))
    assert nearest.pairs.tolist() == [len(index.pairs)]  # the pair itself, with its new number


def test_a_rebuilt_index_drops_what_was_removed_and_answers_alike(
    index: RelationIndex, index_path: Path, tmp_path: Path
) -> None:
    gone = PairSource(index.pairs.heads[:5], index.pairs.tails[:5], {})
    update_index(index, tmp_path / "smaller", remove=gone)
    rebuild_index(RelationIndex.open(tmp_path / "smaller"), tmp_path / "rebuilt", {"factory": "HNSW32", "probes": 64})
    before, after = RelationIndex.open(tmp_path / "smaller"), RelationIndex.open(tmp_path / "rebuilt")
    assert (len(after.pairs), after.layout.factory) == (len(index.pairs) - 5, "HNSW32")
    query = of_rows(index, int(index.pairs.heads[30]), int(index.pairs.tails[30]), SearchSettings())
    (one,), (other,) = (opened.search([query], SearchSettings()) for opened in (before, after))
    assert (one.pairs - 5).tolist() == other.pairs.tolist()
    assert one.scores == pytest.approx(other.scores, abs=1e-6)
    again = rebuild_index(after, tmp_path / "flat", {"factory": "Flat", "probes": 32})
    assert again.manifest.files[VECTORS] == after.artifact.manifest.files[VECTORS]


def test_a_rebuild_of_an_unchanged_index_gives_the_same_files(index: RelationIndex, tmp_path: Path) -> None:
    again = rebuild_index(index, tmp_path / "again")
    for name in (VECTORS, FAISS, PAIRS):
        assert again.manifest.files[name] == index.artifact.manifest.files[name]


def test_an_existing_index_is_kept_without_overwrite(build: Builder, index_path: Path, index: RelationIndex) -> None:
    before = (index_path / MANIFEST).read_bytes()
    with pytest.raises(KgrelError, match="exists already"):
        build(index_path)
    with pytest.raises(KgrelError, match="exists already"):
        rebuild_index(index, index_path)
    assert (index_path / MANIFEST).read_bytes() == before
    assert json.loads(before)["kind"] == "index"
