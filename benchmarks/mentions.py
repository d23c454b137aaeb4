"""Which relation does a sentence state? GAD and EU-ADR: what each ingredient gives, and the final tables.

    python benchmarks/mentions.py representations --types runs/repr-types --corpus runs/corpus
    python benchmarks/mentions.py ingredients --types runs/repr-types --identifiers runs/repr
    python benchmarks/mentions.py final --types runs/repr-types

*representations* makes, in runs/mentions, REPRs of larger sizes whose weights are only drawn, and one of types that
went on with the training sentences of GAD's fold 1, without their labels. *ingredients* trains on fold 1 of GAD and
looks at its inner validation sentences alone: settings are chosen by it.
*final* cross-validates the chosen settings, whose test sentences are answered once. Both go on where they were killed;
answers stand in runs/mentions.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
from common import DATA, WORK, Lines, hardware, load, save, today

from kgrel.data.artifact import Kind, open_artifact, settings_of
from kgrel.data.settings import to_json
from kgrel.evaluate.cross_validation import cross_validate, text_tables
from kgrel.evaluate.mention_folds import read_folds
from kgrel.evaluate.mention_settings import CrossValidationSettings
from kgrel.model.representation import Representation
from kgrel.text.build import build_corpus
from kgrel.text.corpus import Corpus
from kgrel.text.settings import BuildCorpusSettings
from kgrel.train.mention_data import LabelledSentences
from kgrel.train.mention_settings import PARTS, MentionSettings
from kgrel.train.pretrain import pretrain
from kgrel.train.settings import PretrainSettings
from kgrel.train.train_mentions import fit_mentions

TYPES, IDENTIFIERS, IN_DOMAIN, SMALL, MEDIUM = "types", "identifiers", "in-domain", "small", "medium"
INGREDIENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "random start, last state": (TYPES, {"start": "random", "pooling": "last"}),
    "random start, max pooling": (TYPES, {"start": "random"}),
    "identifiers, max pooling": (IDENTIFIERS, {}),
    "types, last state (paper)": (TYPES, {"pooling": "last"}),
    "types, max pooling": (TYPES, {}),
    "types, mentions": (TYPES, {"pooling": "mentions"}),
    "types, attention": (TYPES, {"pooling": "attention"}),
    "types, max pooling, two-layer classifier": (TYPES, {"hidden": 300}),
    "types, max pooling, words frozen": (TYPES, {"fine_tune": PARTS[1:]}),
    "types, max pooling, all frozen": (TYPES, {"fine_tune": ()}),
    "types, max pooling, no word dropout": (TYPES, {"word_dropout": 0.0}),
    "types, max pooling, 1 sample": (TYPES, {"samples": 1}),
    "types, then the fold's own sentences, max pooling": (IN_DOMAIN, {}),
    "random start, max pooling, size small": (SMALL, {"start": "random"}),
    "random start, max pooling, size medium": (MEDIUM, {"start": "random"}),
}
"""Name → representation and settings other than the default ones."""
CHOSEN: dict[str, dict[str, Any]] = {
    "random start": {"start": "random"},
    "pretrained types": {},
}
"""Settings of the final tables."""
BY_TASK: dict[str, dict[str, Any]] = {"gad": {}, "euadr": {"steps": 100, "validate_every": 20}}
TUNED_FOLDS = 1
FURTHER_STEPS = 100
"""Of pretraining on the sentences of the fold, about four epochs."""
MARKS = {"GENE": "markedgene", "DISEASE": "markeddisease"}
PROTOCOLS = ("published", "grouped")
KEPT = WORK / "mentions"


def make_representations(types: Path, corpus: Path, quick: bool) -> None:
    """Make those that are not there."""
    place = KEPT / ("quick" if quick else "representations")
    place.mkdir(parents=True, exist_ok=True)
    base = Representation.open(types, verify=False)
    assert base.artifact is not None
    settings = settings_of(base.artifact, PretrainSettings, {"latent": "mixture"})
    for size in (SMALL, MEDIUM):
        if not (place / size).exists():
            drawn = dataclasses.replace(settings, size=size, steps=1, batch_size=8)
            pretrain(Corpus.open(corpus, verify=False), place / size, drawn, progress=Lines())
    if not (place / IN_DOMAIN).exists():
        further = dataclasses.replace(settings, steps=2 if quick else FURTHER_STEPS, learning_rate=1e-3)
        own = sentences_as_corpus(place / "sentences")
        pretrain(Corpus.open(own), place / IN_DOMAIN, further, init_from=base, progress=Lines())


def sentences_as_corpus(place: Path) -> Path:
    """The training sentences of GAD's fold 1 as a corpus; their marks become names of a lexicon."""
    place.mkdir(exist_ok=True)
    lines = (DATA / "mention" / "gad" / "1" / "train.tsv").read_text(encoding="utf-8").splitlines()
    rows = ["doc_id\tsentence"]
    for number, line in enumerate(lines):
        sentence = line.rpartition("\t")[0].replace("@GENE$", MARKS["GENE"]).replace("@DISEASE$", MARKS["DISEASE"])
        rows.append(f"{number}\t{sentence}")
    (place / "sentences.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    for kind, name in MARKS.items():
        (place / f"{kind}.tsv").write_text(f"id\tname\n1\t{name}\n", encoding="utf-8")
    lexicons = [(kind, place / f"{kind}.tsv") for kind in MARKS]
    build_corpus([place / "sentences.tsv"], lexicons, place / "corpus", BuildCorpusSettings(), overwrite=True)
    return place / "corpus"


def ingredients(representations: dict[str, Path], names: list[str], quick: bool) -> dict[str, Any]:
    """Log-probability and F1 on the inner validation sentences of the first folds of GAD."""
    folds = read_folds(DATA / "mention" / "gad", CrossValidationSettings()).folds[: 1 if quick else TUNED_FOLDS]
    found = {}
    for name in names:
        which, changes = INGREDIENTS[name]
        if which not in representations:
            continue
        settings = dataclasses.replace(MentionSettings(), **changes, **({"steps": 5} if quick else {}))
        runs = [
            tuned(name, number, fold.train, settings, representations[which], quick)
            for number, fold in enumerate(folds)
        ]
        found[name] = {
            "settings": changes,
            "representation": which,
            "runs": runs,
            "validation_log_p": float(np.mean([run["validation_log_p"] for run in runs])),
            "validation_f1": float(np.mean([run["validation_f1"] for run in runs])),
        }
        print(f"{name:<45} log p {found[name]['validation_log_p']:.4f}  F1 {100 * found[name]['validation_f1']:.2f}")
    return found


def tuned(
    name: str, number: int, sentences: LabelledSentences, settings: MentionSettings, path: Path, quick: bool
) -> dict[str, Any]:
    """Figures of one training, kept."""
    kept = KEPT / ("quick" if quick else "ingredients") / f"{name.replace(' ', '-')}-{number}.json"
    if not kept.exists():
        _, _, figures = fit_mentions(Representation.open(path, verify=False), sentences, settings)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(figures))
    found: dict[str, Any] = json.loads(kept.read_text())
    return found


def final(
    representation: Representation, options: argparse.Namespace, seeds: tuple[int, ...], quick: bool
) -> dict[str, Any]:
    """The report of each task, protocol and configuration."""
    found: dict[str, Any] = {}
    for task in options.tasks:
        for protocol in options.protocols:
            for name in options.starts:
                settings = dataclasses.replace(MentionSettings(), **CHOSEN[name], **BY_TASK[task])
                if quick:
                    settings = dataclasses.replace(settings, steps=5)
                cv = CrossValidationSettings(protocol=protocol, seeds=seeds)
                out = KEPT / ("quick" if quick else "final") / f"{task}-{protocol}-{name.replace(' ', '-')}"
                out.parent.mkdir(parents=True, exist_ok=True)
                report = cross_validate(representation, DATA / "mention" / task, out, cv, settings, progress=Lines())
                found.setdefault(task, {}).setdefault(protocol, {})[name] = report
                print(f"{task}, {name}:\n{text_tables(report)}", flush=True)
    return found


def merged(kept: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """What was kept, with what was found in its place; of a part that was run only some is replaced."""
    if "methods" in found or "runs" in found:
        return found
    return kept | {name: merged(kept.get(name, {}), value) for name, value in found.items()}


def main() -> None:
    """Run one part, and keep it unless it was quick."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["representations", "ingredients", "final"])
    parser.add_argument("--types", type=Path, required=True, help="REPR of types, trained with the recogniser")
    parser.add_argument("--identifiers", type=Path, help="REPR of identifiers")
    parser.add_argument("--corpus", type=Path, default=WORK / "corpus", help="CORPUS, for representations")
    parser.add_argument("--tasks", nargs="+", default=["euadr", "gad"])
    parser.add_argument("--protocols", nargs="+", default=list(PROTOCOLS), choices=PROTOCOLS)
    parser.add_argument("--starts", nargs="+", default=list(CHOSEN), choices=list(CHOSEN))
    parser.add_argument("--ingredients", nargs="+", default=list(INGREDIENTS), choices=list(INGREDIENTS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="five steps, one fold or seed, not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    options = parser.parse_args()
    if options.part == "representations":
        make_representations(options.types, options.corpus, options.quick)
        return
    made = {name: KEPT / "representations" / name for name in (IN_DOMAIN, SMALL, MEDIUM)}
    representations = {TYPES: options.types, IDENTIFIERS: options.identifiers} | made
    representations = {name: path for name, path in representations.items() if path is not None and path.exists()}
    if options.part == "ingredients":
        found = ingredients(representations, options.ingredients, options.quick)
    else:
        seeds = tuple(range(1 if options.quick else options.seeds))
        found = final(Representation.open(options.types, verify=False), options, seeds, options.quick)
    pretraining = open_artifact(options.types, Kind.REPRESENTATION, verify=False).manifest
    result = {
        "date": today(), "hardware": hardware(), "settings": to_json(MentionSettings()),
        "pretraining": {"settings": pretraining.settings, "summary": pretraining.summary}, "found": found,
    }  # fmt: skip
    if not options.quick:
        kept = load("mentions")
        result["found"] = merged(kept.get(options.part, {}).get("found", {}), found)
        save("mentions", kept | {options.part: result})
    if options.json:
        print(json.dumps(result, allow_nan=False))


if __name__ == "__main__":
    main()
