from __future__ import annotations

from pathlib import Path

import pytest

from kgrel.data.errors import KgrelError
from kgrel.text.mention_readers import NO_RELATION, MentionChunk, MentionReader
from kgrel.text.mentions import Statement
from kgrel.text.settings import MentionFormat
from tests.compressing import COMPRESSIONS, compressed

PUBTATOR = (
    "1|t|AKT1 drives cancer.\n1|a|Aspirin cures cancer. AKT1 binds aspirin.\n"
    "1\t0\t4\tAKT1\tGene\t207\n1\t12\t18\tcancer\tDisease\tD1\n1\t20\t27\tAspirin\tChemical\tD2\n"
    "1\t34\t40\tcancer\tDisease\tD1\n1\t42\t46\tAKT1\tGene\t207\n1\t53\t60\taspirin\tChemical\tD2\n"
    "1\tCID\tD2\tD1\n1\tAssociation\t207\tD1\tNovel\n"
)


def only_chunk(path: Path, **settings: object) -> MentionChunk:
    (chunk,) = MentionReader(path, MentionFormat(**settings)).chunks()  # type: ignore[arg-type]
    return chunk


def test_spans_and_placeholders_state_the_same(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(
        "text,relation,start1,end1,type1,start2,end2,type2\nAKT1 hits X,yes,10,11,DISEASE,0,4,gene\nno,1,,,,,,\n"
    )
    spans = only_chunk(tmp_path / "s.csv")
    assert spans.read == [Statement("AKT1 hits X", (0, 4), (10, 11), ("GENE", "DISEASE")), "no_mark"]
    assert spans.labels == ["yes", "1"]
    (tmp_path / "p.csv").write_text("sentence\nPROT hits DIS\n@GENE$ alone\n")
    marked = only_chunk(tmp_path / "p.csv", placeholders=("PROT=protein", "DIS=DISEASE"))
    assert marked.read == [Statement("PROT hits DIS", (0, 4), (10, 13), ("GENE", "DISEASE")), "no_mark"]
    assert marked.labels is None


def test_plain_folds_need_no_header_and_no_quoting(tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_text('a "@GENE$ is @DISEASE$\t1\nb @DISEASE$ and @GENE$\t0\n')
    (tmp_path / "test.tsv").write_text("index\tsentence\tlabel\n0\ta @GENE$ is @DISEASE$\t1\n")
    train, test = (only_chunk(tmp_path / f"{name}.tsv", format="plain") for name in ("train", "test"))
    assert (train.labels, train.lines.tolist(), train.table.column_names) == (["1", "0"], [1, 2], ["sentence", "label"])
    assert (test.labels, test.lines.tolist(), test.table.column_names[0]) == (["1"], [2], "index")
    assert all(isinstance(read, Statement) for read in (*train.read, *test.read))


def test_pubtator_gives_a_row_for_each_pair_of_mentions_of_related_types(tmp_path: Path) -> None:
    path = tmp_path / "a.pubtator"
    path.write_text(PUBTATOR)
    chunk = only_chunk(path)
    found = [(row["sentence"], row["id1"], row["id2"], row["label"]) for row in chunk.table.to_pylist()]
    assert found == [
        ("AKT1 drives cancer.", "207", "D1", "Association"),
        ("Aspirin cures cancer.", "D2", "D1", "CID"),
    ]
    (row,) = only_chunk(path, types=("GENE,CHEMICAL",)).table.to_pylist()
    assert (row["type1"], row["type2"], row["label"]) == ("GENE", "CHEMICAL", NO_RELATION)


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize(
    ("name", "content", "settings"),
    [
        ("a.csv", "sentence,label\n@GENE$ hits @DISEASE$,1\n", {}),
        ("a.jsonl", '{"sentence": "@GENE$ hits @DISEASE$", "label": 1}\n', {}),
        ("a.tsv", "@GENE$ hits @DISEASE$\t1\n", {"format": "plain"}),
        ("a.pubtator", PUBTATOR, {}),
        ("a.PubTator.txt", PUBTATOR, {}),
    ],
)
def test_a_compressed_file_reads_like_the_plain_one(
    tmp_path: Path, name: str, content: str, settings: dict[str, object], compression: str
) -> None:
    (tmp_path / name).write_text(content)
    plain = only_chunk(tmp_path / name, **settings)
    packed = only_chunk(compressed(tmp_path / name, compression), **settings)
    assert (packed.table, packed.read, packed.labels) == (plain.table, plain.read, plain.labels)
    assert any(isinstance(read, Statement) for read in plain.read)


@pytest.mark.parametrize(
    ("name", "content", "settings", "message"),
    [
        ("a.tsv", "words\tlabel\nx\t1\n", {}, "no column 'sentence'.*--format plain"),
        ("a.tsv", "sentence\tstart1\nx\t1\n", {}, "only start1 are there"),
        ("a.tsv", "sentence\tkind\nx\t1\n", {"label": "kinds"}, "did you mean 'kind'"),
        ("a.tsv", "one field\n", {"format": "plain"}, "line 1: has 1 fields instead of 2 or 3"),
        ("a.tsv", "a\t1\nb\t2\t3\n", {"format": "plain"}, "line 2: has 3 fields instead of 2"),
        ("a.tsv", "\n", {"format": "plain"}, "holds no sentence"),
        ("a.pubtator", "x|t|t\nx\t0\t1\tq\tGene\t1\n", {}, "line 2: the text at 0-1"),
        ("a.pubtator", PUBTATOR, {"types": ("GENE",)}, "two types joined by a comma"),
    ],
)
def test_bad_files_are_named(
    tmp_path: Path, name: str, content: str, settings: dict[str, object], message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(KgrelError, match=message):
        only_chunk(tmp_path / name, **settings)
