"""What makes z informative soonest: the probe's average precision against the processor time of pretraining.

    python benchmarks/recipes.py                  # every recipe that is not in the results yet
    python benchmarks/recipes.py --only bag       # one of them

Each recipe gets about the same processor time with one thread, so that a machine that does other work beside does not
matter; validation and probe are not counted. The probe is a small classifier on the frozen representation, judged on
validation pairs: test pairs are never looked at. Needs the corpus that real_pairs.py builds. Each recipe is kept under
its name in results/recipes.json.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Any

from common import RELATIONS, WORK, Lines, hardware, load, save, today
from real_pairs import corpus_of

from kgrel.data.artifact import Kind, open_artifact
from kgrel.model.representation import Representation
from kgrel.train.pretrain import pretrain
from kgrel.train.probe import PairProbe
from kgrel.train.settings import PRETRAIN_RECIPES, PairSettings, PretrainSettings

BAG = PRETRAIN_RECIPES["default"]
# About 1,000 held-out contexts: exact validation of an LSTM takes as long as many of its steps.
PAPER = dataclasses.replace(PRETRAIN_RECIPES["paper"], validation_share=0.0025)
LSTM = dataclasses.replace(PAPER, softmax="sampled", learning_rate=1e-3, warm_up_steps=100, kl_steps=200)


@dataclasses.dataclass(frozen=True)
class Trial:
    """A recipe to try."""

    text: str
    settings: PretrainSettings
    steps: int
    """About as many as 180 processor seconds hold, of those that are compared with one another."""
    init_from: str | None = None
    """Name of the trial whose representation it goes on from."""


def bag(steps: int = 360, **changes: Any) -> Any:
    """A bag-of-words recipe with changes."""
    return dataclasses.replace(BAG, **({"latent": "mixture"} | changes)), steps


def lstm(steps: int = 210, **changes: Any) -> Any:
    """A recipe with recogniser and LSTM decoder, with changes."""
    return dataclasses.replace(LSTM, **changes), steps


TRIALS: dict[str, Trial] = {
    "bag": Trial("bag of words alone, u ~ p(u), batches of 768, rate 3e-3", *bag()),
    "paper": Trial("paper: LSTM decoder and recogniser, batches of 192, rate 1e-4", PAPER, 66),
    "paper plain": Trial("paper, torch's initialisation", dataclasses.replace(PAPER, initialisation="plain"), 66),
    "lstm": Trial("LSTM decoder and recogniser, sampled softmax, rate 1e-3 with warm-up", *lstm()),
    "lstm + bag": Trial("LSTM as above + bag of words", *lstm(bag_weight=1.0)),
    "bag, then lstm": Trial("bag of words first, LSTM and bag after it", *lstm(bag_weight=1.0), init_from="bag"),
    "lstm exact": Trial("LSTM as above, exact softmax in training", *lstm(66, softmax="exact")),
    "lstm free bits": Trial("LSTM as above, 8 bits of u a context for free", *lstm(free_bits=8.0)),
    "lstm cycles": Trial("LSTM as above, four cycles of the KL weight", *lstm(kl_cycles=4)),
    "lstm two latents": Trial("LSTM as above, a second latent layer, 8 bits for free", *lstm(latents=2, free_bits=8.0)),
    "bag two latents": Trial("bag of words, a second latent layer", *bag(latents=2)),
    "bag plain": Trial("bag of words, torch's initialisation", *bag(initialisation="plain")),
    "bag unit": Trial("bag of words, mean heads of unit standard deviation", *bag(initialisation="unit")),
    "bag small batches": Trial(
        "bag of words, batches of 192, rate 1e-3", *bag(1080, batch_size=192, learning_rate=1e-3)
    ),
    "bag slow": Trial("bag of words, rate 1e-3", *bag(learning_rate=1e-3)),
    "bag rare words": Trial("bag of words, smoothing 1e-4: frequent words count less", *bag(bag_smoothing=1e-4)),
    "bag all words": Trial("bag of words, smoothing 1: all words count alike", *bag(bag_smoothing=1.0)),
    "bag weighted": Trial(
        "bag of words, 4 samples weighted by how well they explain a context, batches of 192, rate 3e-3",
        *bag(360, posterior="weighted", samples=4, batch_size=192),
    ),
    "gaussian": Trial("bag of words, one Gaussian a pair (no u)", *bag(latent="gaussian")),
    "gaussian whole": Trial("one Gaussian a pair, all steps of the default recipe", *bag(2_400, latent="gaussian")),
    "point": Trial("bag of words, a point estimate of z", *bag(latent="point")),
}


def run(name: str, trial: Trial) -> dict[str, Any]:
    """Pretrain and probe one recipe."""
    corpus, _ = corpus_of(quick=False)
    third = trial.steps // 3
    settings = dataclasses.replace(
        trial.settings,
        steps=3 * third,
        validate_every=third,
        probe_every=third,
        checkpoint_every=third,
        precision="bf16",
    )
    out = WORK / f"recipe-{name.replace(' ', '-').replace(',', '')}"
    start = Representation.open(WORK / f"recipe-{trial.init_from}") if trial.init_from else None
    if not (out / "manifest.json").exists():
        probe = PairProbe(corpus, RELATIONS, PairSettings())
        pretrain(corpus, out, settings, init_from=start, probe=probe, progress=Lines())
    curve = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    trained = open_artifact(out, Kind.REPRESENTATION, verify=False).manifest.settings
    result = {"date": today(), "text": trial.text, "settings": trained, "curve": curve}
    return result | {"hardware": hardware(), "init_from": trial.init_from}


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(TRIALS), action="append", help="this one again; repeatable")
    parser.add_argument("--json", action="store_true", help="print the results as one JSON line, last")
    options = parser.parse_args()
    for name, trial in TRIALS.items():
        if name in options.only if options.only else name not in load("recipes"):
            found = run(name, trial)
            save("recipes", load("recipes") | {name: found})
    if options.json:
        print(json.dumps(load("recipes"), allow_nan=False))


if __name__ == "__main__":
    main()
