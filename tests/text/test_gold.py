from __future__ import annotations

from pathlib import Path

import pytest

from kgrel.data.errors import InputError
from kgrel.text.gold import evaluate_tagging
from kgrel.text.settings import BuildCorpusSettings

GOLD = """7|t|ABC1 in gout.
7|a|Fever and gout and LEPIRUDIN with ABC9. Hirudin too.
7\t0\t4\tABC1\tGene\t1
7\t8\t12\tgout\tDisease\tD2
7\t14\t19\tFever\tDisease\tMESH:D1
7\t24\t28\tgout\tDisease\tD99|D2
7\t33\t42\tLEPIRUDIN\tChemical\tC1
7\t48\t52\tABC9\tGene\t9
7\t54\t61\tHirudin\tChemical\tC2
"""
DRUGS = "drugbank_id\tname\tsynonyms\nDB1\tLepirudin\t\n"
DISEASES = "doid\tname\tsynonyms\txrefs\nDOID:1\tfever\t\tMSH:D1\nDOID:2\tgout\t\tMSH:D2|MSH:D3\nDOID:3\ttoo\t\t\n"


def test_spans_and_identifiers_are_counted_by_type(write, genes: Path) -> None:
    lexicons = [("GENE", genes), ("DISEASE", write("d.tsv", DISEASES)), ("CHEMICAL", write("c.tsv", DRUGS))]
    report = evaluate_tagging([write("g.pubtator", GOLD)], lexicons)["g.pubtator"]
    gene, disease, chemical = (report["types"][name] for name in ("GENE", "DISEASE", "CHEMICAL"))
    assert (report["documents"], report["sentences"]) == (1, 3)
    assert (gene["spans"]["precision"], gene["spans"]["recall"]) == (1.0, 0.5)
    assert (gene["mappable"], gene["mapped_by"], gene["missed"]) == (0.5, "identifier", [["ABC9", 1]])
    assert gene["identifiers"]["f1"] == 1.0
    assert (disease["spans"]["gold"], disease["spans"]["predicted"], disease["spans"]["correct"]) == (3, 4, 3)
    assert disease["false"] == [["too", 1]]
    assert disease["mapped_by"] == "cross-reference"
    assert disease["identifiers"] == {
        "gold": 2, "predicted": 2, "correct": 2, "precision": 1.0, "recall": 1.0, "f1": 1.0,
    }  # fmt: skip
    assert (chemical["mappable"], chemical["mapped_by"]) == (0.5, "exact name")


def test_types_that_are_not_annotated_are_left_out(write, genes: Path) -> None:
    only_genes = "".join(line for line in GOLD.splitlines(keepends=True) if "|" in line[:3] or "\tGene" in line)
    lexicons = [("GENE", genes), ("DISEASE", write("d.tsv", DISEASES))]
    assert set(evaluate_tagging([write("g.pubtator", only_genes)], lexicons)["g.pubtator"]["types"]) == {"GENE"}
    with pytest.raises(InputError, match="no gold mention of CHEMICAL"):
        evaluate_tagging([write("h.pubtator", only_genes)], [("CHEMICAL", write("c.tsv", DRUGS))])


def test_a_disease_that_another_one_shadows_counts_as_missed(write) -> None:
    lexicons = [("DISEASE", write("d.tsv", DISEASES.replace("gout\t", "gout and fever\t")))]
    report = evaluate_tagging([write("g.pubtator", GOLD)], lexicons, BuildCorpusSettings(plurals=False))
    row = report["g.pubtator"]["types"]["DISEASE"]
    assert (row["spans"]["correct"], row["identifiers"]["correct"], row["identifiers"]["gold"]) == (1, 1, 2)
