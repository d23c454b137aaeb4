"""The verbs around a corpus, each run once as the user would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kgrel.data.errors import ArtifactError
from kgrel_cli.main import cli

GENES = "id\tsymbol\n1\tABC1\n2\tWASP\n"
DISEASES = "id\tname\nDOID:1\tfever\nDOID:2\tgout\n"
SENTENCES = "doc_id\tsentence\n11\tABC1 raises fever in gout\x1b[31m.\n12\tWASP and ABC1.\n"
GOLD = "7|t|ABC1 in gout.\n7\t0\t4\tABC1\tGene\t1\n7\t8\t12\tgout\tDisease\tD2\n"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    contents = {"genes.tsv": GENES, "diseases.tsv": DISEASES, "s.tsv": SENTENCES, "g.pubtator": GOLD}
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    return tmp_path


@pytest.fixture
def lexicons(files: Path) -> tuple[str, ...]:
    return ("--lexicon", f"GENE={files / 'genes.tsv'}", "--lexicon", f"DISEASE={files / 'diseases.tsv'}")


@pytest.fixture
def corpus(files: Path, lexicons: tuple[str, ...]) -> Path:
    result = run("build-corpus", files / "s.tsv", *lexicons, "--no-greek", "--out", files / "corpus", "--json")
    assert json.loads(result.stdout)["contexts"] == 4
    return files / "corpus"


def test_build_corpus_refuses_a_lexicon_without_a_type(files: Path) -> None:
    result = run("build-corpus", files / "s.tsv", "--lexicon", "genes.tsv", "--out", files / "corpus")
    assert result.exit_code == 2
    assert "'genes.tsv' is not TYPE=FILE" in result.stderr


def test_show_evidence_prints_document_and_sentence(corpus: Path) -> None:
    result = run("show-evidence", corpus, "fever", "DOID:2")
    assert result.stdout == "11\tABC1 raises fever in gout\ufffd[31m.\n"
    assert result.stderr == "1 of 1 sentences\n"


def test_show_evidence_as_json_has_the_spans(corpus: Path) -> None:
    row = json.loads(run("show-evidence", corpus, "ABC1", "WASP", "--json").stdout)
    assert row == {"doc_id": "12", "sentence": "WASP and ABC1.", "head": [0, 4], "tail": [9, 13]}


def test_show_evidence_of_a_pair_without_sentences_prints_none(corpus: Path) -> None:
    result = run("show-evidence", corpus, "WASP", "gout")
    assert (result.stdout, result.stderr, result.exit_code) == ("", "0 of 0 sentences\n", 0)


def test_describe_corpus_shows_counts_histograms_and_sentences(corpus: Path) -> None:
    shown = run("describe-corpus", corpus, "--sentences", "2").stdout
    assert "tokens of a context" in shown
    assert "WASP and ABC1." in shown
    assert "\x1b[31m" not in shown
    assert json.loads(run("describe-corpus", corpus, "--json").stdout)["contexts"] == 4


def test_describe_corpus_writes_a_page_and_a_picture(corpus: Path) -> None:
    page, picture = corpus.with_name("page.html"), corpus.with_name("plots.png")
    assert run("describe-corpus", corpus, "--html", page, "--plots", picture).exit_code == 0
    assert "<mark" in page.read_text(encoding="utf-8")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_evaluate_tagging_prints_figures_and_errors(files: Path, lexicons: tuple[str, ...]) -> None:
    shown = run("evaluate-tagging", files / "g.pubtator", *lexicons, "--stop-list", stop_list(files), "--errors", "5")
    assert "GENE (100.0 % of the mentions mappable, by identifier)" in shown.stdout
    assert "missed: gout (1)" in shown.stdout
    report = json.loads(run("evaluate-tagging", files / "g.pubtator", *lexicons, "--json").stdout)
    assert report["g.pubtator"]["types"]["DISEASE"]["spans"]["f1"] == 1.0


def stop_list(files: Path) -> Path:
    path = files / "stop.txt"
    path.write_text("Gout\n")
    return path


def test_import_relvm_makes_a_corpus(tmp_path: Path) -> None:
    (tmp_path / "vocab.json").write_text('["<PAD>", "<ENT>", "binds"]')
    (tmp_path / "entity_types.json").write_text('["Gene::1", "Gene::2"]')
    for name, values in {"entities_x": b"\0\0", "entities_y": b"\1\0", "contexts": b"\1\0\2\0\1\0\0\0"}.items():
        (tmp_path / f"{name}.mmap").write_bytes(values)
    result = run("import-relvm", tmp_path, "--out", tmp_path / "corpus", "--json")
    assert json.loads(result.stdout)["contexts_by_class"] == {"GENE-GENE": 1}
    shown = run("show-evidence", tmp_path / "corpus", "Gene::1", "Gene::2").stdout
    assert shown == "\tGene::1 binds Gene::2\n"


def test_a_classifier_of_types_is_trained_and_used(files: Path, lexicons: tuple[str, ...]) -> None:
    (files / "genes.tsv").write_text("id\tname\n1\tshared\n" + "".join(f"{n}\tgamma{n}\n" for n in range(9)))
    (files / "diseases.tsv").write_text("id\tname\n1\tshared\n" + "".join(f"{n}\tdelta{n}\n" for n in range(9)))
    texts = ["expression of gamma{} mRNA", "patients with delta{} died"] + ["we counted all cells"] * 8
    lines = [f"{n}\t{text.format(n % 9)}\n" for n in range(150) for text in texts]
    (files / "many.tsv").write_text("doc_id\tsentence\n" + "".join(lines))
    (files / "g.pubtator").write_text("7|t|expression of shared mRNA.\n7\t14\t20\tshared\tGene\t1\n")
    sizes = "--steps 40 --embedding 8 --hidden 8 --learning-rate 0.02 --warm-up-steps 0 --validate-every 20"
    out = files / "typing"
    summary = run("train-typing", files / "many.tsv", *lexicons, *sizes.split(), "--out", out, "--json").stdout
    assert json.loads(summary)["examples"].keys() == {"NONE", "DISEASE", "GENE"}

    def found(*options: str | Path) -> int:
        report = json.loads(run("evaluate-tagging", files / "g.pubtator", *lexicons, *options, "--json").stdout)
        return report["g.pubtator"]["types"]["GENE"]["spans"]["correct"]

    assert (found(), found("--typing", out)) == (0, 1)


def test_an_artifact_of_another_kind_is_no_classifier(files: Path, corpus: Path, lexicons: tuple[str, ...]) -> None:
    with pytest.raises(ArtifactError, match="holds a corpus artifact, but a typing artifact is needed"):
        run("build-corpus", files / "s.tsv", *lexicons, "--typing", corpus, "--out", files / "other")
