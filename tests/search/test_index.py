"""The search gives what comparing with every pair gives, in one order, whatever is filtered out."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest

from kgrel.data.artifact import MANIFEST
from kgrel.data.errors import ArtifactError, KgrelError, NonFiniteError
from kgrel.data.files import sha256_of
from kgrel.search.build import FAISS, PAIRS, VECTORS
from kgrel.search.index import Neighbours, Query, RelationIndex, grouped
from kgrel.search.metric import prepared, set_similarity
from kgrel.search.queries import of_rows
from kgrel.search.settings import IndexSettings, SearchSettings
from tests.search.conftest import SETTINGS, Builder


def brute_force(index: RelationIndex, query: Query, settings: SearchSettings) -> list[tuple[int, int]]:
    """Pairs and orders of the answer, from every stored vector; types, relations and the query itself left out."""
    metric = index.settings.metric
    compare = set_similarity(settings.distance, metric, index.layout.width, settings.seed)
    asked = prepared(query.vectors, metric)
    types, found = index.entities.types, []
    for pair, (head, tail) in enumerate(zip(index.pairs.heads, index.pairs.tails, strict=True)):
        relation = index.pairs.relations[pair]
        if {head, tail} == {query.head, query.tail} or index.pairs.removed[pair]:
            continue
        if settings.novel_only and relation is not None:
            continue
        if settings.with_relation and relation != settings.with_relation:
            continue
        if settings.other_heads and query.head in (head, tail):
            continue
        for order in range(index.layout.orders):
            first, second = (head, tail) if order == 0 else (tail, head)
            if settings.head_type not in ("", types[first]) or settings.tail_type not in ("", types[second]):
                continue
            stored = prepared(index.vectors[pair, order], metric)
            found.append((-float(compare(asked, stored[None])[0]), pair, order))
    best: dict[int, tuple[float, int]] = {}
    for score, pair, order in sorted(found):
        best.setdefault(pair, (score, order))
    ranked = sorted((score, pair, order) for pair, (score, order) in best.items())
    return [(pair, order) for _, pair, order in ranked[: settings.top]]


def answer(found: Neighbours) -> list[tuple[int, int]]:
    return list(zip(found.pairs.tolist(), found.orders.tolist(), strict=True))


FILTERS: list[dict[str, Any]] = [
    {},
    {"head_type": "GENE"},
    {"head_type": "gene", "tail_type": "DISEASE"},
    {"with_relation": "DISEASE-GENE"},
    {"novel_only": True},
    {"other_heads": True, "top": 40},
    {"query_order": "both"},
    {"top": 200},
]


@pytest.mark.parametrize("chosen", FILTERS)
def test_an_exact_index_answers_as_comparing_with_every_pair(index: RelationIndex, chosen: dict[str, Any]) -> None:
    settings = SearchSettings(**chosen)
    plain = dataclasses.replace(settings, head_type=settings.head_type.upper())
    for pair in (0, 17, 101):
        query = of_rows(index, int(index.pairs.tails[pair]), int(index.pairs.heads[pair]), settings)
        (found,) = index.search([query], settings)
        assert answer(found) == brute_force(index, query, plain)


@pytest.mark.parametrize("distance", ["mean", "sliced-wasserstein"])
def test_other_distances_rank_their_candidates(index: RelationIndex, distance: Any) -> None:
    settings = SearchSettings(distance=distance, candidates=400)
    query = of_rows(index, int(index.pairs.heads[3]), int(index.pairs.tails[3]), settings)
    (found,) = index.search([query], settings)
    assert answer(found) == brute_force(index, query, settings)
    assert (np.diff(found.scores) <= 0).all()


def test_the_answer_does_not_depend_on_the_batch(index: RelationIndex) -> None:
    settings = SearchSettings(top=7)
    queries = [
        of_rows(index, int(h), int(t), settings)
        for h, t in zip(index.pairs.heads[:60], index.pairs.tails[:60], strict=True)
    ]
    alone = [index.search([query], settings)[0] for query in queries]
    for one, together in zip(alone, index.search(queries, settings), strict=True):
        assert answer(one) == answer(together)
        assert (one.scores == together.scores).all()


@pytest.mark.parametrize("metric", ["inner-product", "l2"])
def test_every_metric_agrees_with_comparing(build: Builder, tmp_path: Path, metric: Any) -> None:
    build(tmp_path / "index", dataclasses.replace(SETTINGS, metric=metric))
    index, settings = RelationIndex.open(tmp_path / "index"), SearchSettings()
    query = of_rows(index, int(index.pairs.heads[5]), int(index.pairs.tails[5]), settings)
    assert answer(index.search([query], settings)[0]) == brute_force(index, query, settings)


def test_a_pair_of_the_index_is_nearest_to_itself(index: RelationIndex) -> None:
    settings = SearchSettings(top=1, keep_query=True)
    head, tail = int(index.pairs.heads[9]), int(index.pairs.tails[9])
    straight, turned = index.search(
        [of_rows(index, *pair, settings) for pair in ((head, tail), (tail, head))], settings
    )
    assert answer(straight) == [(9, 0)]
    assert answer(turned) == [(9, 1)]
    assert straight.scores[0] == pytest.approx(1.0, abs=1e-5)


def test_stored_and_sampled_vectors_of_a_pair_are_the_same(index: RelationIndex) -> None:
    head, tail = int(index.pairs.heads[4]), int(index.pairs.tails[4])
    sampled = index.sampler(np.array([tail]), np.array([head]))[0]
    assert (index.pair_vectors(tail, head, "both") == sampled).all()


def test_equal_vectors_come_in_the_order_of_their_pairs() -> None:
    owner, pair = np.array([0, 0, 0, 1, 0]), np.array([5, 2, 5, 9, 7])
    value = np.array([1, 1, 3, 2, 1], np.float32)
    owners, pairs, values = grouped(owner, pair, value, 10)
    assert list(zip(owners, pairs, values, strict=True)) == [(0, 5, 3), (0, 2, 1), (0, 7, 1), (1, 9, 2)]


def test_more_answers_than_pairs_are_refused(index: RelationIndex) -> None:
    with pytest.raises(KgrelError, match=rf"--top 100,000 is more than the {len(index.pairs)} pairs"):
        index.search([], SearchSettings(top=100_000))


def test_unknown_types_and_relations_are_refused_with_the_known_ones(index: RelationIndex) -> None:
    with pytest.raises(KgrelError, match=r"no entity of type 'GNE'.*did you mean 'GENE'"):
        index.search([], SearchSettings(head_type="gne"))
    with pytest.raises(KgrelError, match=r"is listed with 'GENE-GENES'.*did you mean 'GENE-GENE'"):
        index.search([], SearchSettings(with_relation="GENE-GENES"))


def test_a_query_that_is_not_finite_is_refused(index: RelationIndex) -> None:
    vectors: npt.NDArray[np.float32] = np.full((1, index.layout.width), np.nan, np.float32)
    with pytest.raises(NonFiniteError, match="of the query"):
        index.search([Query(vectors)], SearchSettings())


def test_an_index_of_another_model_is_refused(index: RelationIndex) -> None:
    with pytest.raises(ArtifactError, match="build an index of the same representation"):
        index.require(["0" * 64], "pairs")
    index.require(["0" * 64, index.representation_hash], "pairs")


@pytest.fixture
def copied(index_path: Path, tmp_path: Path) -> Path:
    """A copy of the index, to be damaged."""
    return shutil.copytree(index_path, tmp_path / "copied")


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("name", [VECTORS, FAISS, PAIRS])
def test_a_file_cut_short_is_refused_by_name(copied: Path, name: str, verify: bool) -> None:
    content = (copied / name).read_bytes()
    (copied / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ArtifactError, match=name.replace(".", r"\.")):
        RelationIndex.open(copied, verify)


def test_files_of_different_indexes_are_refused(copied: Path, build: Builder, tmp_path: Path) -> None:
    """Even where the manifest has been made to agree."""
    build(tmp_path / "other", dataclasses.replace(SETTINGS, samples=2))
    shutil.copyfile(tmp_path / "other" / FAISS, copied / FAISS)
    manifest = json.loads((copied / MANIFEST).read_text())
    manifest["files"][FAISS] = sha256_of(copied / FAISS)
    (copied / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match=r"index\.faiss holds 1,848, but layout\.json says 3,696"):
        RelationIndex.open(copied)


def test_a_table_of_other_pairs_than_the_vectors_is_refused(copied: Path) -> None:
    """Even where the checksums are not recomputed."""
    table = pq.read_table(copied / PAIRS)
    pq.write_table(table.slice(0, len(table) - 1), copied / PAIRS)
    said = rf"index-pairs\.parquet holds {len(table) - 1:,}, but layout\.json says {len(table):,}"
    with pytest.raises(ArtifactError, match=said):
        RelationIndex.open(copied, verify=False)


@pytest.mark.parametrize("factory", ["IVF8,Flat", "HNSW16", "RR32,IVF8,Flat", "IVF8,SQfp16"])
def test_other_factories_find_most_of_what_is_near(build: Builder, tmp_path: Path, factory: str) -> None:
    settings = IndexSettings(samples=4, factory=factory, probes=8, recall_queries=50)
    artifact = build(tmp_path / "index", settings)
    index = RelationIndex.open(tmp_path / "index")
    assert artifact.manifest.summary["recall_at_10"] > 0.6
    for chosen in (SearchSettings(), SearchSettings(head_type="GENE", novel_only=True)):
        query = of_rows(index, int(index.pairs.heads[3]), int(index.pairs.tails[3]), chosen)
        (found,) = index.search([query], chosen)
        exact = brute_force(index, query, chosen)
        assert len(set(answer(found)) & set(exact)) >= 5
