from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgrel.data.artifact import Artifact
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.files import sha256_of
from kgrel.text.build import build_corpus
from kgrel.text.corpus import Corpus
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.tokens import ENT

Inputs = list[tuple[str, Path]]


class Heard:
    """Keeps what a job tells."""

    def __init__(self) -> None:
        self.units: Counter[str] = Counter()
        self.said: list[str] = []
        self._task = ""

    def start(self, task: str, total: int | None) -> None:
        self._task = task

    def advance(self, units: int, note: str = "") -> None:
        self.units[self._task] += units

    def say(self, message: str) -> None:
        self.said.append(message)


@pytest.fixture
def lexicons(genes: Path, diseases: Path) -> Inputs:
    return [("Gene", genes), ("disease", diseases)]


def build(sentences: Path, lexicons: Inputs, out: Path, **settings: Any) -> Artifact:
    return build_corpus([sentences], lexicons, out, BuildCorpusSettings(**settings))


def spelled(corpus: Corpus) -> list[tuple[str, str, str]]:
    return [
        (
            corpus.entities.ids[corpus.contexts.heads[row]],
            corpus.entities.ids[corpus.contexts.tails[row]],
            " ".join(corpus.words[token] for token in corpus.contexts.gather([row])[0]),
        )
        for row in range(len(corpus.contexts))
    ]


def test_contexts_name_the_first_entity_first_and_hide_both_mentions(
    sentences: Path, lexicons: Inputs, tmp_path: Path
) -> None:
    build(sentences, lexicons, tmp_path / "corpus")
    assert spelled(Corpus.open(tmp_path / "corpus")) == [
        ("1", "DOID:1", "<ENT> raises <ENT> , and fever lowers abc1 in gout . <END>"),
        ("DOID:1", "DOID:2", "abc1 raises fever , and <ENT> lowers abc1 in <ENT> . <END>"),
        ("1", "DOID:2", "abc1 raises fever , and fever lowers <ENT> in <ENT> . <END>"),
        ("DOID:2", "2", "the <ENT> gene <ENT> binds long protein name . <END>"),
        ("DOID:2", "4", "the <ENT> gene wasp binds <ENT> . <END>"),
        ("2", "4", "the gout gene <ENT> binds <ENT> . <END>"),
        ("DOID:2", "DOID:1", 'a " quoted <ENT> is not <ENT> . <END>'),
    ]


def test_every_context_leads_back_to_its_sentence(sentences: Path, lexicons: Inputs, tmp_path: Path) -> None:
    build(sentences, lexicons, tmp_path / "corpus")
    corpus = Corpus.open(tmp_path / "corpus")
    found = [corpus.sentence_of(row) for row in range(len(corpus.contexts))]
    assert [evidence.doc_id for evidence in found] == ["11"] * 3 + ["12"] * 3 + ["PMC"]
    mentions = [(e.text[slice(*e.head)], e.text[slice(*e.tail)]) for e in found]
    assert mentions[:2] == [("ABC1", "fever"), ("fever", "gout")]
    assert mentions[-2:] == [("WASP", "long protein name"), ("gout", "pyrexia")]
    assert len(corpus.sentences) == 3


def test_a_third_mention_does_not_change_how_words_are_split(write, lexicons: Inputs, tmp_path: Path) -> None:
    path = write("s.tsv", "doc_id\tsentence\n1\tgout±fever or pyrexia with ABC1±x\n")
    corpus = Corpus.open(build(path, lexicons, tmp_path / "corpus").path)
    contexts = {tuple(sorted(found[:2])): found[2] for found in spelled(corpus)}
    assert contexts["DOID:1", "DOID:2"] == "<ENT> <UNK> <ENT> or pyrexia with abc1±x <END>"
    assert contexts["1", "DOID:1"] == "gout±fever or <ENT> with <ENT> <UNK> <END>"


def test_tokens_are_what_the_vocabulary_makes_of_the_evidence(
    sentences: Path, lexicons: Inputs, tmp_path: Path
) -> None:
    build(sentences, lexicons, tmp_path / "corpus", vocabulary_size=12)
    corpus = Corpus.open(tmp_path / "corpus")
    for row in range(len(corpus.contexts)):
        doc_id, text, head, tail = corpus.sentence_of(row)
        assert corpus.contexts.row(row).tokens == corpus.vocabulary.encode_context(text, head, tail), doc_id


def test_the_summary_counts_everything(sentences: Path, lexicons: Inputs, tmp_path: Path) -> None:
    artifact = build(sentences, lexicons, tmp_path / "corpus")
    summary = artifact.manifest.summary
    expected = {
        "sentences_read": 5,
        "sentences_empty": 1,
        "sentences_with_pairs": 3,
        "mentions": 10,
        "contexts": 7,
        "contexts_by_class": {"DISEASE-GENE": 4, "DISEASE-DISEASE": 2, "GENE-GENE": 1},
        "pairs_by_class": {"DISEASE-GENE": 4, "DISEASE-DISEASE": 1, "GENE-GENE": 1},
        "distinct_pairs": 6,
        "entities": 5,
        "lexicon_names_ambiguous": 6,  # two names, with the spelling variants of each
        "contexts_cut": 0,
        "pairs_too_far": 0,
        "pairs_over_limit": 0,
        "unknown_word_rate": 0.0,
        "bad_lines": 0,
    }
    assert {key: summary[key] for key in expected} == expected
    assert summary["frequent_names"][0] == ["gout", "DISEASE", "DOID:2", 3]
    assert summary["tokens"] == int(Corpus.open(artifact.path).contexts.lengths.sum())
    assert artifact.manifest.parents["sentences-1"] == sha256_of(sentences)
    assert set(artifact.manifest.parents) == {"sentences-1", "lexicon-1-GENE", "lexicon-2-DISEASE"}


def test_entities_and_pairs_are_those_of_the_contexts(sentences: Path, lexicons: Inputs, tmp_path: Path) -> None:
    build(sentences, lexicons, tmp_path / "corpus")
    corpus = Corpus.open(tmp_path / "corpus")
    keys = list(zip(corpus.entities.types, corpus.entities.ids, strict=True))
    assert keys == [("DISEASE", "DOID:1"), ("DISEASE", "DOID:2"), ("GENE", "1"), ("GENE", "2"), ("GENE", "4")]
    assert corpus.entities.names == ["fever", "gout", "ABC1", "WASP", "TIS"]
    assert corpus.entities.alternatives[0] == ["DOID:7", "DOID:8"]
    assert corpus.pairs.lookup([0, 1, 3], [1, 0, 4]).tolist() == [2, 2, 1]
    assert corpus.pairs.counts.sum() == len(corpus.contexts)


def test_long_sentences_are_cut_or_dropped_and_counted(write, lexicons: Inputs, tmp_path: Path) -> None:
    near = "x " * 30 + "gout and ABC1" + " y" * 30
    far = "gout" + " z" * 30 + " ABC1"
    path = write("s.tsv", f"doc_id\tsentence\n1\t{near}\n2\t{far}\n")
    artifact = build(path, lexicons, tmp_path / "corpus", max_tokens=10)
    corpus = Corpus.open(artifact.path)
    assert corpus.contexts.lengths.tolist() == [10]
    assert (corpus.contexts.gather([0]) == ENT).sum() == 2
    assert (artifact.manifest.summary["contexts_cut"], artifact.manifest.summary["pairs_too_far"]) == (1, 1)
    assert len(corpus.sentences) == 1
    assert "z" not in corpus.words


def test_pairs_beyond_the_limit_are_counted(sentences: Path, lexicons: Inputs, tmp_path: Path) -> None:
    summary = build(sentences, lexicons, tmp_path / "corpus", max_pairs=2).manifest.summary
    assert (summary["contexts"], summary["pairs_over_limit"]) == (5, 2)


def test_rare_words_become_unknown(sentences: Path, lexicons: Inputs, tmp_path: Path) -> None:
    artifact = build(sentences, lexicons, tmp_path / "corpus", vocabulary_size=6)
    corpus = Corpus.open(artifact.path)
    assert len(corpus.words) == 6
    tokens = corpus.contexts.gather(np.arange(len(corpus.contexts)))
    assert tokens.max() < 6
    rate = (tokens == 1).sum() / corpus.contexts.lengths.sum()
    assert artifact.manifest.summary["unknown_word_rate"] == pytest.approx(rate, abs=1e-6)


def test_the_same_input_gives_the_same_bytes(
    sentences: Path, lexicons: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(sentences, lexicons, tmp_path / "one")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    copies = [(kind, elsewhere / path.name) for kind, path in lexicons]
    for (_, old), (_, new) in zip(lexicons, copies, strict=True):
        new.write_bytes(old.read_bytes())
    assert build(sentences, copies, tmp_path / "two").hash == first.hash


def test_bad_lines_are_counted_and_told_of(write, lexicons: Inputs, tmp_path: Path) -> None:
    path = write("s.tsv", b"doc_id\tsentence\nbroken\n1\tgout and fever\n2\t\xff\n")
    heard = Heard()
    artifact = build_corpus([path], lexicons, tmp_path / "corpus", progress=heard)
    assert artifact.manifest.summary["bad_lines"] == 2
    assert artifact.manifest.summary["bad_lines_first"][0] == "s.tsv line 2: has 1 fields, the header has 2"
    assert heard.units == {"reading lexicons": 2, "tagging sentences": 1, "writing contexts": 1}
    assert heard.said == [
        "DISEASE-DISEASE: 1 contexts of 1 pairs",
        "2 bad lines left out, e.g. s.tsv line 2: has 1 fields, the header has 2",
    ]
    with pytest.raises(InputError, match="line 2"):
        build(path, lexicons, tmp_path / "strict", strict=True)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"doc_id\tsentence\n1\tno entity at all\n", "no sentence names two"),
        (b"", "is empty"),
        (b"doc_id\n1\n", "no column"),
    ],
)
def test_a_failure_leaves_nothing_behind(write, lexicons: Inputs, tmp_path: Path, content: bytes, reason: str) -> None:
    path = write("s.tsv", content)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=reason):
        build(path, lexicons, tmp_path / "corpus")
    assert sorted(tmp_path.iterdir()) == before


def test_an_existing_output_is_replaced_only_on_request(sentences: Path, lexicons: Inputs, tmp_path: Path) -> None:
    first = build(sentences, lexicons, tmp_path / "corpus")
    with pytest.raises(KgrelError, match="exists already"):
        build(sentences, lexicons, tmp_path / "corpus")
    again = build_corpus([sentences], lexicons, tmp_path / "corpus", overwrite=True)
    assert again.hash == first.hash


def test_missing_inputs_are_named(sentences: Path, lexicons: Inputs, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.tsv: no such file"):
        build(tmp_path / "absent.tsv", lexicons, tmp_path / "corpus")
    with pytest.raises(KgrelError, match="at least one lexicon"):
        build(sentences, [], tmp_path / "corpus")
    with pytest.raises(KgrelError, match="standard input"):
        build(Path("-"), lexicons, tmp_path / "corpus")


def test_the_artifact_is_plain_files(sentences: Path, lexicons: Inputs, tmp_path: Path) -> None:
    artifact = build(sentences, lexicons, tmp_path / "corpus")
    names = {"contexts.arrow", "sentences.arrow", "entities.parquet", "vocabulary.json", "pairs.parquet"}
    names.add("evidence.arrow")
    assert set(artifact.manifest.files) == names
    vocabulary = json.loads((artifact.path / "vocabulary.json").read_text(encoding="utf-8"))
    assert vocabulary["words"][:4] == ["<PAD>", "<UNK>", "<ENT>", "<END>"]


@pytest.mark.parametrize("setting", ["vocabulary_size", "max_tokens", "max_pairs"])
def test_settings_out_of_range_are_refused(setting: str) -> None:
    with pytest.raises(KgrelError, match=setting):
        BuildCorpusSettings(**{setting: 0})


DATA = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not here")
def test_real_sentences_give_consistent_contexts(tmp_path: Path) -> None:
    names = {"GENE": "genes.tsv.gz", "DISEASE": "HumanDO.obo.gz", "CHEMICAL": "chemicals.tsv.gz"}
    lexicons = [(kind, DATA / "dictionaries" / name) for kind, name in names.items()]
    artifact = build_corpus([DATA / "corpus" / "sentences-20k.tsv"], lexicons, tmp_path / "corpus")
    corpus = Corpus.open(artifact.path)
    assert artifact.manifest.summary["sentences_read"] == 20_095
    assert artifact.manifest.summary["contexts"] == len(corpus.contexts) > 5_000
    assert corpus.contexts.lengths.max() <= 140
    assert corpus.pairs.counts.sum() == len(corpus.contexts)
    for row in random.Random(0).sample(range(len(corpus.contexts)), 200):
        _, text, head, tail = corpus.sentence_of(row)
        assert 0 <= head[0] < head[1] <= tail[0] < tail[1] <= len(text)
        assert corpus.contexts.row(row).tokens == corpus.vocabulary.encode_context(text, head, tail)
