"""Every place where the command line reads a file, with the rest of a command that works."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from kgrel_cli.main import VERBS, cli
from tests.data.make_artifacts import PLACE as ARTIFACTS
from tests.data.make_artifacts import stated

OUTPUTS = {"out", "page", "plot", "plots", "png", "tensorboard", "journal"}
"""Parameters that name what is written."""
FILES_AS_TEXT = {"lexicons", "dates", "journal"}
"""Options that take a file as text."""
TRAIN = "--steps 1 --batch-size 8 --device cpu"
EXPLORE = "--reviews OUT.sqlite --port 0 --no-browser"
INDUCTIVE = f"{TRAIN.replace('--batch-size 8', '--batch-size 8 --width 2 --bases 1')}"
TYPING = f"{TRAIN} --embedding 2 --hidden 2"
LEXICON = "--lexicon GENE=A/world/genes.tsv"
SOURCE = "--primary-knowledge-source infores:test --date 2026-01-01"


@dataclass(frozen=True)
class Place:
    """A parameter that names a file to read.

    Attributes:
        verb: the verb, of a group with the subcommand.
        parameter: as click calls it.
        command: the rest of the command: FILE is the file, OUT an output, A/ the directory of tiny artifacts, ~ a
            blank.
        kind: what the file should hold, a key of :data:`VALID`; or ``artifact``, a directory.
    """

    verb: str
    parameter: str
    command: str
    kind: str

    def arguments(self, file: Path | str, out: Path) -> list[str]:
        """The whole command line."""
        words = [word.replace("A/", f"{ARTIFACTS}/").replace("OUT", str(out)) for word in self.command.split()]
        words = [word.replace("~", " ") for word in words]
        return [*self.verb.split(), *(word.replace("FILE", str(file)) for word in words)]

    def __str__(self) -> str:
        return f"{self.verb}-{self.parameter}".replace(" ", "-")


def world(name: str) -> bytes:
    """A file of the tiny world."""
    return (ARTIFACTS / "world" / name).read_bytes()


def as_json_lines(table: bytes, delimiter: str = "\t") -> bytes:
    """A table as JSON objects."""
    header, *rows = (line.split(delimiter) for line in table.decode().splitlines())
    return "".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in rows).encode()


def as_text(table: bytes) -> bytes:
    """Sentences as plain text, a paragraph each."""
    return b"\n\n".join(line.split(b"\t")[1] for line in table.splitlines()[1:]) + b"\n"


def as_pubtator(table: bytes) -> bytes:
    """Sentences as documents of a title and an abstract, behind those that bring their mentions."""
    texts = as_text(table).decode().strip().split("\n\n")
    plain = "".join(f"{number}|t|{text}\n{number}|a|{text}\n\n" for number, text in enumerate(texts, 1001))
    return world("gold.pubtator") + plain.encode()


def as_bioc(table: bytes) -> bytes:
    """The same in BioC-JSON."""
    texts = as_text(table).decode().strip().split("\n\n")
    passages = [[{"offset": 0, "infons": {"type": "title"}, "text": text, "annotations": []}] for text in texts]
    documents = [{"id": str(number), "infons": {}, "passages": those} for number, those in enumerate(passages, 1001)]
    gold = json.loads(gold_bioc())
    return json.dumps(gold | {"documents": gold["documents"] + documents}).encode()


def labelled_pubtator() -> bytes:
    """Documents of one sentence with two mentions and what it states."""
    documents = []
    for number in range(1, 41):
        sentence, label = stated(number).split("\t")
        text = sentence.replace("@GENE$", "TWNX2").replace("@DISEASE$", "fever")
        at = [(text.index(name), text.index(name) + len(name), name) for name in ("TWNX2", "fever")]
        kinds = (("GENE", "1"), ("DISEASE", "DOID:9000001"))
        mentions = [
            f"{number}\t{start}\t{end}\t{name}\t{kind}\t{id_}"
            for (start, end, name), (kind, id_) in zip(at, kinds, strict=True)
        ]
        relation = f"{number}\tR{label}\t1\tDOID:9000001"
        documents.append("\n".join([f"{number}|t|{text}", f"{number}|a|", *mentions, relation, "", ""]))
    return "".join(documents).encode()


def gold_bioc(count: int = 40) -> bytes:
    """The gold documents in BioC-JSON."""
    names = [(0, "kevrulathaemia", "DISEASE", "DOID:9000001"), (19, "TWNX2", "GENE", "1")]
    marked = [
        {"id": str(start), "infons": {"type": kind, "identifier": id_}, "text": name,
         "locations": [{"offset": start, "length": len(name)}]}
        for start, name, kind, id_ in names
    ]  # fmt: skip
    text = {"offset": 0, "infons": {"type": "title"}, "text": "kevrulathaemia and TWNX2", "annotations": marked}
    documents = [{"id": str(number), "infons": {}, "passages": [text]} for number in range(count)]
    return json.dumps({"source": "x", "date": "", "key": "", "infons": {}, "documents": documents}).encode()


def as_obo(table: bytes) -> bytes:
    """A lexicon as OBO."""
    terms = ["format-version: 1.2\n"]
    for line in table.decode().splitlines()[1:]:
        doid, name, synonyms, *_ = line.split("\t")
        spelled = [f'synonym: "{synonym}" EXACT []' for synonym in synonyms.split("|") if synonym]
        terms.append(
            "\n".join(
                ["[Term]", f"id: {doid}", f"name: {name}", *spelled, "xref: MSH:D005334", "is_a: DOID:9000001 ! a", ""]
            )
        )
    return "\n".join(terms).encode()


DOCUMENTS = [line.split(b"\t")[0] for line in world("sentences.tsv").splitlines()[1:]]
DATES = b"doc_id\tdate\n" + b"".join(b"%s\t%d-0%d\n" % (name, 1990 + number // 9, 1 + number % 9)
                                      for number, name in enumerate(DOCUMENTS))  # fmt: skip
LABELLED = ("sentence\tlabel\n" + "".join(f"{stated(number)}\n" for number in range(40))).encode()
VALID: dict[str, dict[str, bytes]] = {
    "sentences": {
        ".tsv": world("sentences.tsv"), ".jsonl": as_json_lines(world("sentences.tsv")),
        ".pubtator": as_pubtator(world("sentences.tsv")),
        ".json": as_bioc(world("sentences.tsv")), ".txt": as_text(world("sentences.tsv")),
    },
    "gold": {".pubtator": world("gold.pubtator"), ".json": gold_bioc()},
    "lexicon": {".tsv": world("diseases.tsv"), ".obo": as_obo(world("diseases.tsv"))},
    "stop-list": {".txt": b"# names\nfever\nGout\n"},
    "relations": {
        ".tsv": world("relations.tsv"), ".csv": world("relations.tsv").replace(b"\t", b","),
        ".jsonl": as_json_lines(world("relations.tsv")),
    },
    "pairs": {
        ".csv": world("candidates.csv"), ".tsv": world("candidates.csv").replace(b",", b"\t"),
        ".jsonl": as_json_lines(world("candidates.csv"), ","),
    },
    "edges": {".tsv": world("edges.sif"), ".csv": world("edges.sif").replace(b"\t", b",")},
    "sif": {".sif": world("edges.sif"), ".tsv": world("edges.sif")},
    "nodes": {".tsv": world("nodes.tsv")},
    "named-nodes": {".tsv": world("nodes.tsv").replace(b"kind", b"type"), ".csv": b"id,type,name\n1,GENE,one\n"},
    "dates": {".tsv": DATES, ".jsonl": as_json_lines(DATES)},
    "labelled": {".tsv": LABELLED, ".pubtator": labelled_pubtator()},
    "labelled-as-learned": {".tsv": LABELLED},
    "kgx": {".jsonl": b'{"subject": "A:1", "predicate": "biolink:affects", "object": "B:2"}\n'},
    "reviews": {".sqlite": world("reviews.sqlite")},
    "scored": {".csv": world("scored.csv"), ".jsonl": as_json_lines(world("scored.csv"), ",")},
    "mapping": {
        ".yaml": b"relations:\n  DISEASE-GENE:\n    predicate: biolink:associated_with\n",
        ".toml": b'[relations.DISEASE-GENE]\npredicate = "biolink:associated_with"\n',
    },
}  # fmt: skip
"""Kind of file → ending → content that is read without complaint."""

EXPORTED = f"A/world/scored.csv --pairs A/pairs {SOURCE} --threshold 0"
LISTED = "--corpus A/corpus --relations A/world/relations.tsv"
WEIGHED = "--folds 2 --validation-share 0.3 --test-share 0.3 --device cpu"
PLACES = [
    Place("build-corpus", "inputs", f"FILE {LEXICON} --lexicon DISEASE=A/world/diseases.tsv --out OUT", "sentences"),
    Place("build-corpus", "lexicons", f"A/world/sentences.tsv {LEXICON} --lexicon DISEASE=FILE --out OUT", "lexicon"),
    Place("build-corpus", "stop_list", f"A/world/sentences.tsv {LEXICON} --stop-list FILE --out OUT", "stop-list"),
    Place("build-corpus", "typing", f"A/world/sentences.tsv {LEXICON} --typing FILE --out OUT", "artifact"),
    Place("build-corpus", "from_graph", "--from-graph FILE --out OUT", "artifact"),
    Place("build-corpus", "corpus", "--from-graph A/graph --corpus FILE --out OUT", "artifact"),
    Place("build-corpus", "pairs", "--from-graph A/graph --pairs FILE --out OUT", "relations"),
    Place("build-corpus", "held_out", "--from-graph A/graph --held-out FILE --out OUT", "relations"),
    Place("train-typing", "inputs", f"FILE {LEXICON} --lexicon DISEASE=A/world/diseases.tsv {TYPING} --out OUT",
          "sentences"),
    Place("train-typing", "lexicons", f"A/world/sentences.tsv {LEXICON} --lexicon DISEASE=FILE {TYPING} --out OUT",
          "lexicon"),
    Place("train-typing", "gold", f"A/world/sentences.tsv {LEXICON} --lexicon DISEASE=A/world/diseases.tsv --gold FILE "
          f"{TYPING} --out OUT", "gold"),
    Place("import-relvm", "directory", "FILE --out OUT", "artifact"),
    Place("describe-corpus", "corpus", "FILE", "artifact"),
    Place("show-evidence", "corpus", "FILE GENE::1 GENE::2 --verify", "artifact"),
    Place("import-graph", "files", "A/world/nodes.tsv FILE --out OUT", "sif"),
    Place("import-graph", "files", "FILE A/world/edges.sif --out OUT", "nodes"),
    Place("describe-graph", "graph", "FILE", "artifact"),
    Place("export-subgraph", "graph", "FILE GENE::1 GENE::2", "artifact"),
    Place("evaluate-tagging", "gold", f"FILE {LEXICON} --lexicon DISEASE=A/world/diseases.tsv", "gold"),
    Place("evaluate-tagging", "lexicons", f"A/world/gold.pubtator {LEXICON} --lexicon DISEASE=FILE", "lexicon"),
    Place("evaluate-tagging", "stop_list", f"A/world/gold.pubtator {LEXICON} --stop-list FILE", "stop-list"),
    Place("evaluate-tagging", "typing", f"A/world/gold.pubtator {LEXICON} --typing FILE", "artifact"),
    Place("pretrain", "corpus", f"FILE --size tiny {TRAIN} --out OUT", "artifact"),
    Place("pretrain", "relations", f"A/corpus --size tiny {TRAIN} --relations FILE --out OUT", "relations"),
    Place("pretrain", "init_from", f"A/corpus --size tiny {TRAIN} --init-from FILE --out OUT", "artifact"),
    Place("hold-out-pairs", "corpus", "FILE --relations A/world/relations.tsv --positives 3 --out OUT", "artifact"),
    Place("hold-out-pairs", "relations", "A/corpus --relations FILE --positives 3 --out OUT", "relations"),
    Place("train-pairs", "representation", f"FILE {LISTED} {TRAIN} --batch-negatives 4 --out OUT", "artifact"),
    Place("train-pairs", "corpus", f"A/representation --corpus FILE --relations A/world/relations.tsv {TRAIN} "
          "--batch-negatives 4 --out OUT", "artifact"),
    Place("train-pairs", "relations", f"A/representation --corpus A/corpus --relations FILE {TRAIN} "
          "--batch-negatives 4 --out OUT", "relations"),
    Place("train-pairs", "graph", f"A/representation --corpus A/corpus --graph FILE {TRAIN} --batch-negatives 4 "
          "--out OUT", "artifact"),
    Place("train-pairs", "graph_encoder", f"A/representation {LISTED} --graph-encoder FILE {TRAIN} --batch-negatives 4 "
          "--out OUT", "artifact"),
    Place("train-pairs", "dates", f"A/representation {LISTED} --split date --dates FILE {TRAIN} --batch-negatives 4 "
          "--out OUT", "dates"),
    Place("tune-threshold", "pairs", "FILE --out OUT", "artifact"),
    Place("calibrate", "pairs", "FILE --out OUT", "artifact"),
    Place("train-combined", "representation", f"FILE {LISTED} {WEIGHED} --out OUT", "artifact"),
    Place("train-combined", "corpus", f"A/representation --corpus FILE --relations A/world/relations.tsv {WEIGHED} "
          "--out OUT", "artifact"),
    Place("train-combined", "relations", f"A/representation --corpus A/corpus --relations FILE {WEIGHED} --out OUT",
          "relations"),
    Place("train-combined", "graph", f"A/representation {LISTED} {WEIGHED} --graph FILE --out OUT", "artifact"),
    Place("train-combined", "members", f"A/representation {LISTED} {WEIGHED} --members FILE --out OUT", "artifact"),
    Place("train-combined", "dates", f"A/representation {LISTED} --split date --dates FILE {WEIGHED} --out OUT",
          "dates"),
    Place("combine-pairs", "members", "A/degree FILE --folds 2 --out OUT", "artifact"),
    *(
        place
        for kind, more in {
            "attention": f"--hidden 2 --word-dimensions 2 --learning-rates 0.01 {TRAIN} --batch-negatives 4",
            "cooccurrence": "", "degree": "", "label-only": f"{TRAIN.removesuffix('--device cpu')} --batch-negatives 4",
            "kge": "--dimensions 2 --epochs 1 --no-search --device cpu", "path-counts": "--graph A/graph",
        }.items()
        for place in (
            Place(f"train-baseline {kind}", "corpus", f"--corpus FILE --relations A/world/relations.tsv {more} "
                  "--out OUT", "artifact"),
            Place(f"train-baseline {kind}", "relations", f"--corpus A/corpus --relations FILE {more} --out OUT",
                  "relations"),
            Place(f"train-baseline {kind}", "dates", f"{LISTED} --split date --dates FILE {more} --out OUT", "dates"),
        )
    ),
    Place("train-baseline path-counts", "graph", f"{LISTED} --graph FILE --out OUT", "artifact"),
    Place("train-inductive", "model", f"FILE A/graph {INDUCTIVE} --out OUT", "artifact"),
    Place("train-inductive", "graph", f"A/pairs FILE {INDUCTIVE} --out OUT", "artifact"),
    Place("train-inductive", "held_out", f"A/pairs A/graph --held-out FILE {INDUCTIVE} --out OUT", "relations"),
    Place("evaluate-pairs", "pairs", "FILE --draws 100", "artifact"),
    Place("evaluate-pairs", "beside", "A/pairs --beside FILE --draws 100", "artifact"),
    Place("evaluate-ranking", "pairs", "FILE", "artifact"),
    Place("propose-pairs", "pairs", "FILE --types GENE,DISEASE --out OUT.csv", "artifact"),
    Place("propose-pairs", "graph", "A/pairs --types GENE,DISEASE --by neighbours --graph FILE --out OUT.csv", "edges"),
    Place("rank-pairs", "pairs", "FILE --source-type GENE --target-type DISEASE --out OUT.csv", "artifact"),
    Place("report", "run", "FILE --out OUT.html", "artifact"),
    Place("report", "beside", "A/pairs --evaluate --beside FILE --draws 100 --out OUT.html", "artifact"),
    Place("report", "corpus", "A/pairs --evaluate --corpus FILE --draws 100 --out OUT.html", "artifact"),
    Place("score-pairs", "pairs", "FILE A/world/candidates.csv --out OUT.csv", "artifact"),
    Place("score-pairs", "candidates", "A/pairs FILE --out OUT.csv", "pairs"),
    Place("score-pairs", "ensemble", "A/pairs A/world/candidates.csv --ensemble FILE --out OUT.csv", "artifact"),
    Place("score-pairs", "inductive", "A/pairs A/world/candidates.csv --inductive FILE --out OUT.csv", "artifact"),
    Place("train-mentions", "representation", f"FILE A/world/mentions.tsv {TRAIN} --out OUT", "artifact"),
    Place("train-mentions", "sentences", f"A/representation FILE {TRAIN} --out OUT", "labelled"),
    Place("classify-mentions", "mentions", "FILE A/world/mentions.tsv --out OUT.csv", "artifact"),
    Place("classify-mentions", "sentences", "A/mentions FILE --out OUT.csv", "labelled"),
    Place("evaluate-mentions", "mentions", "FILE A/world/mentions.tsv", "artifact"),
    Place("evaluate-mentions", "sentences", "A/mentions FILE", "labelled-as-learned"),
    Place("embed-mentions", "artifact", "FILE A/world/mentions.tsv --out OUT.jsonl", "artifact"),
    Place("embed-mentions", "sentences", "A/mentions FILE --out OUT.jsonl", "labelled"),
    Place("explain-mention", "mentions", "FILE the~@GENE$~causes~@DISEASE$", "artifact"),
    Place("cross-validate-mentions", "directory", f"FILE --representation A/representation --folds 2 {TRAIN} --out OUT",
          "artifact"),
    Place("cross-validate-mentions", "representation", f"A/world/folds --representation FILE --folds 2 {TRAIN} "
          "--out OUT", "artifact"),
    Place("build-index", "representation", "FILE --from-corpus A/corpus --out OUT", "artifact"),
    Place("build-index", "pairs", "A/representation --pairs FILE --out OUT", "pairs"),
    Place("build-index", "from_corpus", "A/representation --from-corpus FILE --out OUT", "artifact"),
    Place("build-index", "from_graph", "A/representation --from-graph FILE --out OUT", "edges"),
    Place("build-index", "relations", "A/representation --from-corpus A/corpus --relations FILE --out OUT",
          "relations"),
    Place("build-index", "corpus", "A/representation --pairs A/world/candidates.csv --corpus FILE --out OUT",
          "artifact"),
    Place("search-index", "index", "FILE --pair GENE::1 GENE::2", "artifact"),
    Place("search-index", "pairs", "A/index --pairs FILE --out OUT.csv", "pairs"),
    Place("search-index", "representation", "A/index --pair GENE::1 GENE::2 --representation FILE", "artifact"),
    Place("search-index", "lexicons", "A/index --sentence kevrulathaemia~and~plastumisopathy --lexicon DISEASE=FILE",
          "lexicon"),
    Place("update-index", "index", "FILE --add A/world/candidates.csv --out OUT", "artifact"),
    Place("update-index", "add", "A/index --add FILE --out OUT", "pairs"),
    Place("update-index", "remove", "A/index --remove FILE --out OUT", "pairs"),
    Place("update-index", "relations", "A/index --add A/world/candidates.csv --relations FILE --out OUT", "relations"),
    Place("update-index", "corpus", "A/index --add A/world/candidates.csv --corpus FILE --out OUT", "artifact"),
    Place("rebuild-index", "index", "FILE --out OUT", "artifact"),
    Place("relation-modes", "representation", "FILE GENE::1 GENE::2", "artifact"),
    Place("relation-modes", "index", "A/representation GENE::1 GENE::2 --index FILE", "artifact"),
    Place("relation-modes", "corpus", "A/representation GENE::1 GENE::2 --corpus FILE", "artifact"),
    Place("map-relations", "index", "FILE --png OUT.png", "artifact"),
    Place("explain", "pairs", "FILE GENE::1 GENE::2", "artifact"),
    Place("explain", "index", "A/pairs GENE::1 GENE::2 --index FILE", "artifact"),
    Place("explain", "corpus", "A/pairs GENE::1 GENE::2 --corpus FILE", "artifact"),
    Place("explain", "graph", "A/pairs GENE::1 GENE::2 --graph FILE", "edges"),
    Place("explain", "representation", "A/pairs GENE::1 GENE::2 --representation FILE", "artifact"),
    Place("explore", "pairs", f"FILE {EXPLORE}", "artifact"),
    Place("explore", "predictions", f"A/pairs --predictions FILE {EXPLORE}", "scored"),
    Place("explore", "index", f"A/pairs --index FILE {EXPLORE}", "artifact"),
    Place("explore", "corpus", f"A/pairs --corpus FILE {EXPLORE}", "artifact"),
    Place("explore", "graph", f"A/pairs --graph FILE {EXPLORE}", "edges"),
    Place("explore", "representation", f"A/pairs --representation FILE {EXPLORE}", "artifact"),
    Place("explore", "reviews", "A/pairs --reviews FILE --port 0 --no-browser", "reviews"),
    Place("export-reviews", "reviews", "FILE --out OUT.csv", "reviews"),
    Place("export-reviews", "pairs", "A/world/reviews.sqlite --pairs FILE --out OUT.csv", "artifact"),
    Place("doctor", "where", "--where FILE", "artifact"),
    *(
        place
        for format in ("cx2", "graphml", "kgx", "ladybug", "neo4j", "neo4j-csv", "neptune", "rdf", "trapi")
        for out in ({"neo4j": "--dry-run", "rdf": "--out OUT.nq"}.get(format, "--out OUT"),)
        for place in (
            Place(f"export {format}", "scored", f"FILE --pairs A/pairs {SOURCE} {out}", "scored"),
            Place(f"export {format}", "pairs", f"A/world/scored.csv --pairs FILE {SOURCE} {out}", "artifact"),
            Place(f"export {format}", "nodes", f"{EXPORTED} --nodes FILE {out}", "named-nodes"),
            Place(f"export {format}", "graph", f"{EXPORTED} --graph FILE {out}", "artifact"),
            Place(f"export {format}", "corpus", f"{EXPORTED} --corpus FILE {out}", "artifact"),
            Place(f"export {format}", "mapping", f"{EXPORTED} --mapping FILE {out}", "mapping"),
        )
    ),
    Place("validate-export", "export", "FILE", "artifact"),
]  # fmt: skip


def file_parameters() -> Iterator[tuple[str, str]]:
    """Verb and name of every parameter of the command line that names a file to read."""
    for verb in VERBS:
        command = cli.get_command(click.Context(cli), verb)
        assert command is not None
        yield from parameters_of(verb, command)


def parameters_of(verb: str, command: click.Command) -> Iterator[tuple[str, str]]:
    """Those of one command, or of all under a group."""
    if isinstance(command, click.Group):
        for name, under in command.commands.items():
            yield from parameters_of(f"{verb} {name}", under)
    for parameter in command.params:
        assert parameter.name is not None
        if parameter.name not in OUTPUTS and (
            isinstance(parameter.type, click.Path) or parameter.name in FILES_AS_TEXT
        ):
            yield verb, parameter.name
