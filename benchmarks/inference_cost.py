"""Parameters and seconds a sentence at inference: the four sizes beside a BERT-base encoder (paper, Table 1).

    python benchmarks/inference_cost.py

A sentence is embedded as mention-level work does it: z from q(u|x,y,c) and p(z|x,y,u), 4 samples, then the linear
classifier. The BERT-base encoder of 110 million parameters has random weights (extra ``bench``): its cost is the same.
All see the same sentences, in batches of similar length, in bf16, in turns within one run. Lengths are those of
pretrain_step.py, in words; BERT's word pieces would be about a third more, which is not counted against it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import torch
from common import hardware, load, save, today
from pretrain_step import WORDS, batches
from torch import Tensor

from kgrel.model.classifier import RelationClassifier
from kgrel.model.presets import SIZES
from kgrel.model.relvm import PAD, RELVM

SAMPLES = 4
PAPER = {"bert-base": 0.0087, "x-small": 0.0004, "small": 0.0004, "medium": 0.0005, "large": 0.0007}
"""Seconds a sentence in the paper, on a V100; bert-base is BioBERT."""


def relvm(size: str, device: str) -> tuple[Callable[[Tensor], Tensor], int]:
    """Class probabilities of a batch of sentences by a model of a size, and its parameters without tables."""
    model, classifier = RELVM(SIZES[size], entities=3, words=WORDS).eval(), RelationClassifier(300, 2, hidden=0).eval()
    model.to(device)
    classifier.to(device)
    tables = model.entity_embedding.weight.numel() + model.word_embedding.weight.numel()
    x, y = torch.zeros(1, dtype=torch.long, device=device), torch.ones(1, dtype=torch.long, device=device)

    def classify(tokens: Tensor) -> Tensor:
        count = len(tokens)
        noise = [torch.randn(count, SAMPLES, 300, device=device) for _ in range(2)]
        z = model.sample_contexts(x.expand(count), y.expand(count), tokens, *noise)
        p: Tensor = classifier(z).exp().mean(1)
        return p

    return classify, sum(p.numel() for p in model.parameters()) - tables


def bert(device: str) -> tuple[Callable[[Tensor], Tensor], int]:
    """The same by a BERT-base encoder with random weights."""
    from transformers import BertConfig, BertForSequenceClassification

    model = BertForSequenceClassification(BertConfig()).eval().to(device)

    def classify(tokens: Tensor) -> Tensor:
        logits: Tensor = model(input_ids=tokens, attention_mask=(tokens != PAD).long()).logits
        return logits.softmax(-1)

    return classify, sum(p.numel() for p in model.parameters())


def main() -> None:
    """Time all in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one round, not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    models = {"bert-base": bert(options.device)}
    models |= {size: relvm(size, options.device) for size in ("x-small", "small", "medium", "large")}
    times: dict[str, list[float]] = {name: [] for name in models}
    with torch.inference_mode(), torch.autocast(options.device, torch.bfloat16):
        for number, tokens in enumerate(batches(rounds + 1)):
            tokens = tokens.to(options.device)
            for name, (classify, _) in models.items():
                start = time.perf_counter()
                classify(tokens).sum().item()
                if number:  # the first batch warms up
                    times[name].append((time.perf_counter() - start) / len(tokens))
    median = {name: float(np.median(values)) for name, values in times.items()}
    result = {
        "date": today(),
        "hardware": hardware(),
        "parameters": {name: count for name, (_, count) in models.items()},
        "seconds_a_sentence": median,
        "times_bert": {name: median["bert-base"] / value for name, value in median.items()},
        "paper_seconds_a_sentence": PAPER,
        "samples": SAMPLES,
    }
    if not options.quick:
        save("inference_cost", load("inference_cost") | {options.device: result})
    for name, value in median.items():
        print(f"{name:<10}{models[name][1]:>13,}{value * 1e3:>9.3f} ms{median['bert-base'] / value:>8.1f}x")
    if options.json:
        print(json.dumps(result, allow_nan=False))


if __name__ == "__main__":
    main()
