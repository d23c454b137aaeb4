"""Paths as contexts: every asked pair has some, none of them uses an edge that it must not, and the line goes on."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from kgrel.baselines.baseline import train_baseline
from kgrel.baselines.degree import Degree
from kgrel.baselines.settings import DegreeSettings
from kgrel.data.entities import EntityTable
from kgrel.data.errors import InputError, KgrelError
from kgrel.graph import paths as path_draws
from kgrel.graph.build import import_graph
from kgrel.graph.graph import Graph
from kgrel.graph.settings import PathSettings
from kgrel.text.corpus import Corpus
from kgrel.text.evidence import EvidenceIndex
from kgrel.text.tokens import END, ENT
from kgrel.train.asked_pairs import read_pairs
from kgrel.train.pair_data import PairData, Part, rows_in
from kgrel.train.pair_model import PairModel
from kgrel.train.path_corpus import DOCUMENT, build_path_corpus
from kgrel.train.settings import SplitSettings
from kgrel.train.train_pairs import prepare_pairs
from tests.cli.conftest import kgrel  # noqa: F401

Files = dict[str, Path]
FEW = PathSettings(paths=3, most_pairs=60)


@pytest.fixture(scope="module")
def graph(world_files: Files, tmp_path_factory: pytest.TempPathFactory) -> Graph:
    out = tmp_path_factory.mktemp("graph") / "graph"
    import_graph([world_files["nodes.tsv"], world_files["edges.sif"]], out)
    return Graph.open(out)


@pytest.fixture(scope="module")
def paths(graph: Graph, pairs_path: Path) -> Corpus:
    out = graph.artifact.path.with_name("paths")
    build_path_corpus(graph, out, FEW, pairs=pairs_path)
    return Corpus.open(out)


def test_every_asked_pair_has_contexts_and_no_other(paths: Corpus, pair_model: PairModel) -> None:
    rows = rows_in(paths.entities, pair_model.entities)
    asked = set(zip(rows[pair_model.data.heads].tolist(), rows[pair_model.data.tails].tolist(), strict=True))
    assert set(zip(paths.pairs.heads.tolist(), paths.pairs.tails.tolist(), strict=True)) == asked
    assert paths.pairs.counts.max() <= FEW.paths
    summary = paths.artifact.manifest.summary
    assert summary["contexts"] == summary["paths"] + summary["pairs_without_path"] == len(paths.contexts)


def test_text_spans_and_tokens_of_a_context_agree(paths: Corpus) -> None:
    for row in range(0, len(paths.contexts), 7):
        context, evidence = paths.contexts.row(row), paths.sentence_of(row)
        assert evidence.doc_id == DOCUMENT
        for side, span in ((context.head, evidence.head), (context.tail, evidence.tail)):
            name = paths.entities.names[side] or paths.entities.ids[side]
            assert evidence.text[slice(*span)] == name
        words = [paths.words[token] for token in context.tokens]
        assert (words[0], context.tokens[1], context.tokens[-2:]) == ("<graph>", ENT, [ENT, END])
        steps = [word for word in words[2:-2] if not word.startswith("(")]
        assert len(steps) in (0, 2, 3)
        assert all(f" {step} " in evidence.text for step in steps)
        assert row in EvidenceIndex.of(paths).contexts(context.tail, context.head)


def test_words_are_counted_as_they_occur(paths: Corpus) -> None:
    tokens = np.concatenate([paths.contexts.row(row).tokens for row in range(len(paths.contexts))])
    np.testing.assert_array_equal(np.bincount(tokens, minlength=len(paths.words)), paths.word_counts)


def test_no_path_uses_an_edge_of_its_own_pair_or_of_a_held_out_one(
    graph: Graph, pair_model: PairModel, pairs_path: Path, tmp_path: Path
) -> None:
    """By identifiers of all nodes on the path, from the tokens, against the edges that must not be there."""
    build_path_corpus(graph, tmp_path / "paths", PathSettings(paths=20, node_ids=True), pairs=pairs_path)
    corpus = Corpus.open(tmp_path / "paths")
    data, table = pair_model.data, pair_model.entities
    name = [f"{kind}::{id_}" for kind, id_ in zip(table.types, table.ids, strict=True)]
    held_out = {
        frozenset((name[data.heads[row]], name[data.tails[row]])) for row in np.flatnonzero(data.parts != Part.TRAINING)
    }
    known = {f"{kind}::{id_}" for kind, id_ in zip(graph.entities.types, graph.entities.ids, strict=True)}
    own = [f"{kind}::{id_}" for kind, id_ in zip(corpus.entities.types, corpus.entities.ids, strict=True)]
    steps = 0
    for row in range(len(corpus.contexts)):
        context = corpus.contexts.row(row)
        inner = [word for word in (corpus.words[token] for token in context.tokens) if word in known]
        nodes = [own[context.head], *inner, own[context.tail]]
        walked = [frozenset(pair) for pair in pairwise(nodes)] if inner else []
        assert len(set(nodes)) == len(nodes)
        assert not held_out.intersection(walked)
        assert frozenset((nodes[0], nodes[-1])) not in walked
        steps += len(walked)
    assert steps > 100
    report = corpus.artifact.manifest.summary["held_out"]
    assert report["edges"] > 0
    assert report["edges_left"] == 0


def test_the_split_is_that_of_the_artifact_and_its_leakage_is_told(
    graph: Graph, paths: Corpus, pair_model: PairModel, world_files: Files, tmp_path: Path
) -> None:
    relations = world_files["relations.tsv"]
    for settings in (SplitSettings(), SplitSettings(split="given", seed=1)):
        inputs = prepare_pairs(paths.entities, paths, relations, settings)
        assert parts_of(inputs.data, paths.entities) == parts_of(pair_model.data, pair_model.entities)
        assert inputs.summary["leakage"]["test"]["pairs_joined_in_the_graph"] == 0
    other = prepare_pairs(paths.entities, paths, relations, SplitSettings(seed=1)).summary["leakage"]["test"]
    assert other["pairs_joined_in_the_graph"] > 0


def parts_of(data: PairData, entities: EntityTable) -> dict[frozenset[str], tuple[int, list[bool]]]:
    """Part and labels of each pair."""
    names = [f"{kind}::{id_}" for kind, id_ in zip(entities.types, entities.ids, strict=True)]
    return {
        frozenset((names[head], names[tail])): (int(part), labels)
        for head, tail, part, labels in zip(data.heads, data.tails, data.parts, data.labels.tolist(), strict=True)
    }


@pytest.mark.parametrize("with_text", [False, True])
def test_a_split_that_could_not_be_drawn_again_is_brought_along(
    graph: Graph, corpus_path: Path, world_files: Files, tmp_path: Path, with_text: bool
) -> None:
    """Only NO-RELATION pairs like the listed ones are in a corpus of their paths; with text, all others as well."""
    text, relations = Corpus.open(corpus_path), world_files["relations.tsv"]
    train_baseline(Degree, text, relations, tmp_path / "degree", DegreeSettings(split="degree-matched"))
    build_path_corpus(graph, tmp_path / "both", FEW, pairs=tmp_path / "degree", corpus=text if with_text else None)
    both, degree = Corpus.open(tmp_path / "both"), Degree.open(tmp_path / "degree")
    inputs = prepare_pairs(both.entities, both, relations, SplitSettings(split="given"))
    assert parts_of(inputs.data, both.entities) == parts_of(degree.data, degree.entities)
    held_out = inputs.data.parts != Part.TRAINING
    assert inputs.data.contexts[held_out].min() > 0
    assert inputs.summary["leakage"]["test"]["pairs_joined_in_the_graph"] == 0


def test_text_and_paths_stand_in_one_corpus(graph: Graph, corpus_path: Path, tmp_path: Path) -> None:
    text = Corpus.open(corpus_path)
    build_path_corpus(graph, tmp_path / "both", PathSettings(paths=2), corpus=text)
    both = Corpus.open(tmp_path / "both")
    rows = rows_in(both.entities, text.entities)
    assert (rows >= 0).all()
    for row in range(0, len(text.contexts), 31):
        one, other = text.contexts.row(row), both.contexts.row(row)
        assert [text.words[token] for token in one.tokens] == [both.words[token] for token in other.tokens]
        assert (rows[one.head], rows[one.tail]) == (other.head, other.tail)
        assert text.sentence_of(row) == both.sentence_of(row)
    new = both.words.index("<graph>")
    tokens = both.contexts.gather(np.arange(len(both.contexts)))
    np.testing.assert_array_equal((tokens == new).any(axis=1), np.arange(len(both.contexts)) >= len(text.contexts))
    assert len(both.pairs) == len(text.pairs)
    counts = dict(zip(text.words, text.word_counts.tolist(), strict=True))
    same = {word: count for word, count in zip(both.words, both.word_counts.tolist(), strict=True) if word in counts}
    special = {"<ENT>", "<END>"}
    assert {w: c for w, c in same.items() if w not in special} == {w: c for w, c in counts.items() if w not in special}


def test_the_same_command_writes_the_same_bytes(graph: Graph, tmp_path: Path) -> None:
    hashes = [build_path_corpus(graph, tmp_path / name, FEW).hash for name in "ab"]
    assert hashes[0] == hashes[1]


def test_pairs_of_a_graph_are_joined_ones_and_as_many_others(graph: Graph, tmp_path: Path) -> None:
    summary = build_path_corpus(graph, tmp_path / "paths", FEW).manifest.summary
    assert 0 < summary["pairs_joined"] <= summary["pairs_asked"] / 2 + 1
    assert all(count <= 2 * FEW.most_pairs for count in summary["pairs_by_class"].values())
    joined = pq.read_table(tmp_path / "paths" / "joined.parquet")
    assert joined.num_rows == summary["pairs_joined"]


def test_a_file_says_which_pairs_are_held_out(graph: Graph, tmp_path: Path) -> None:
    table = graph.entities
    a, b, c = (f"{table.types[row]}::{table.ids[row]}" for row in (0, 1, 2))
    file = tmp_path / "pairs.tsv"
    file.write_text(f"source_id\ttarget_id\tpart\n{a}\t{b}\ttraining\n{c}\t{a}\ttest\nGENE::none\t{a}\tvalidation\n")
    found = read_pairs(file, table)
    ids = [f"{kind}::{id_}" for kind, id_ in zip(found.entities.types, found.entities.ids, strict=True)]
    held = {
        frozenset((ids[head], ids[tail])): bool(out)
        for head, tail, out in zip(found.heads, found.tails, found.held_out, strict=True)
    }
    assert held == {frozenset((a, b)): False, frozenset((a, c)): True, frozenset(("GENE::none", a)): True}
    for row, message in (("\tx", "identifier is empty"), (f"nothing\t{a}", "type of 'nothing' is not known")):
        file.write_text(f"source_id\ttarget_id\n{a}\t{b}\n{row}\n")
        with pytest.raises(InputError, match=message) as error:
            read_pairs(file, table)
        assert "line 3" in str(error.value)


def test_a_graph_and_pairs_without_common_identifier_are_shown(graph: Graph, tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_text("source_id\ttarget_id\n" + "".join(f"GENE::no{n}\tDISEASE::no{n}\n" for n in range(6)))
    with pytest.raises(KgrelError, match="no pair has both entities in this graph") as error:
        build_path_corpus(graph, tmp_path / "paths", pairs=file)
    assert str(error.value).count("::") == 10
    assert not (tmp_path / "paths").exists()
    with pytest.raises(KgrelError, match="holds no pairs"):
        read_pairs(graph.artifact.path, graph.entities)


def test_a_graph_without_text_goes_all_the_way(kgrel, graph: Graph, tmp_path: Path) -> None:  # noqa: F811
    out, place = tmp_path, graph.artifact.path
    assert kgrel("build-corpus", "--from-graph", place, "--out", out / "paths", "--paths", 3, "--json").json["paths"]
    kgrel("pretrain", out / "paths", "--size", "tiny", "--steps", 20, "--validate-every", 20, "--out", out / "repr")
    training = ["--steps", 20, "--validate-every", 20, "--labels", "types"]
    kgrel("train-pairs", out / "repr", "--corpus", out / "paths", "--graph", place, *training, "--out", out / "pairs")
    table = graph.entities
    disease = table.types.index("DISEASE")
    pairs = [(f"GENE::{table.ids[table.types.index('GENE')]}", f"DISEASE::{table.ids[disease]}")]
    (out / "asked.tsv").write_text("source_id\ttarget_id\n" + "".join("\t".join(pair) + "\n" for pair in pairs))
    scored = kgrel("score-pairs", out / "pairs", out / "asked.tsv", "--out", out / "scored.jsonl")
    assert scored.code == 0, scored.err
    row = json.loads((out / "scored.jsonl").read_text())
    assert (row["status"], row["source_id"]) == ("ok", pairs[0][0])
    assert 0 <= row["score"] <= 1
    asked = ("--source", pairs[0][1], "--target-type", "GENE", "--top", 5)
    ranked = kgrel("rank-pairs", out / "pairs", *asked, "--out", out / "top.tsv")
    assert ranked.code == 0, ranked.err
    assert len((out / "top.tsv").read_text().splitlines()) == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give INPUTS, or --from-graph GRAPH"),
        (["x.tsv", "--node-ids"], "--node-ids needs --from-graph"),
        (["--from-graph", "g", "--max-pairs", "3"], "--max-pairs does not go with --from-graph"),
        (["--from-graph", "g", "x.tsv"], "INPUTS does not go with --from-graph"),
        (["--from-graph", "g", "--longest", "4"], "longest must be 2 or 3 edges, not 4"),
    ],
)
def test_options_that_do_not_fit_are_refused(kgrel, graph: Graph, tmp_path: Path, options, message) -> None:  # noqa: F811
    options = [str(graph.artifact.path) if option == "g" else option for option in options]
    outcome = kgrel("build-corpus", *options, "--out", tmp_path / "out")
    assert outcome.code in (1, 2)
    assert message in outcome.err


def test_a_killed_build_goes_on_and_ends_with_the_same_bytes(
    graph: Graph, pairs_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL as soon as some portions are drawn; what they hold is read again, not drawn again."""
    monkeypatch.setattr(path_draws, "COLUMNS", 1)
    out, parts = tmp_path / "killed", tmp_path / ".killed.parts"
    arguments = ["build-corpus", "--from-graph", graph.artifact.path, "--pairs", pairs_path, "--paths", 3, "--out", out]
    script = (
        "import sys, time, kgrel.graph.paths as paths, kgrel_cli.main as main; paths.COLUMNS = 1;"
        "plain = paths.PathDraws.draw;"
        "paths.PathDraws.draw = lambda *given: (time.sleep(0.05), plain(*given))[1];"
        "sys.argv[1:] = sys.argv[1:]; main.main()"
    )
    with subprocess.Popen([sys.executable, "-c", script, *map(str, arguments)], stderr=subprocess.DEVNULL) as child:
        limit = time.monotonic() + 300
        while len(list(parts.glob("*.arrow"))) < 3:
            assert child.poll() is None, "the build was over before it could be killed"
            assert time.monotonic() < limit, "the build does not come on"
            time.sleep(0.005)
        child.kill()
    assert not out.exists()
    kept, drawn = len(list(parts.glob("*.arrow"))), []
    plain = path_draws.PathDraws.draw

    def counted(self: path_draws.PathDraws, portion: int, rng: np.random.Generator) -> path_draws.Paths:
        drawn.append(portion)
        return plain(self, portion, rng)

    monkeypatch.setattr(path_draws.PathDraws, "draw", counted)
    settings = PathSettings(paths=3)
    resumed = build_path_corpus(graph, out, settings, pairs=pairs_path)
    assert min(drawn) >= kept
    whole = build_path_corpus(graph, tmp_path / "whole", settings, pairs=pairs_path)
    assert len(drawn) > kept
    assert resumed.manifest == whole.manifest
    assert not parts.exists()
