"""The time of a pretraining step: this implementation against textbook ones, and against the machine's own limit.

    python benchmarks/pretrain_step.py                     # this machine's processor, x-small
    python benchmarks/pretrain_step.py --device cuda --size large

All variants compute the paper's objective, forward, backward and Adam, on batches of the same contexts: lengths are
log-normal with mean 29 and at most 140, words follow Zipf's law. *Textbook* pads every sentence to 140 tokens and makes
one tensor of all logits in fp32; *packed* leaves padding out of the softmax but makes one tensor of the logits of the
real tokens. Variants are timed in turns within one run, so that a noisy machine slows all alike; each variant runs in
a process of its own for its peak memory. Results go to results/pretrain_step.json, by device and size.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

import numpy as np
import torch
from common import hardware, load, peak_kib, save, today
from torch import Tensor, nn
from torch.nn import functional as F

from kgrel.model.gaussian import Gaussian
from kgrel.model.presets import SIZES
from kgrel.model.relvm import PAD, RELVM
from kgrel.model.softmax import draw_proposal
from kgrel.train.batches import LengthBuckets
from kgrel.train.devices import make_fabric
from kgrel.train.optimizers import clip_gradients, make_optimizers

WORDS, ENTITIES, BATCH, LONGEST = 20_000, 14_000, 192, 140
SAMPLES = 2_048
VARIANTS = ("textbook", "packed", "exact", "exact fp32", "sampled")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--size", default="x-small", choices=list(SIZES))
    parser.add_argument("--rounds", type=int, default=5, help="rounds of turns; the median of each variant counts")
    parser.add_argument("--variant", choices=VARIANTS, help="only this one, and print its peak memory")
    parser.add_argument("--compile", action="store_true", help="time the exact step under torch.compile as well")
    parser.add_argument("--quick", action="store_true", help="two rounds, not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    return parser.parse_args()


def batches(count: int, seed: int = 0) -> list[Tensor]:
    """Batches of token rows (B, T) as pretraining draws them: of similar length, from a pool."""
    rng = np.random.default_rng(seed)
    sigma = 0.45
    lengths = rng.lognormal(np.log(29) - sigma**2 / 2, sigma, 50 * BATCH).round().clip(4, LONGEST).astype(np.int32)
    ranks = np.arange(4, WORDS)
    zipf = (1.0 / ranks) / (1.0 / ranks).sum()
    buckets = LengthBuckets(np.arange(len(lengths)), lengths, BATCH, seed, pool=50)
    found = []
    for step in range(count):
        of_batch = lengths[buckets.batch(step)]
        tokens = np.zeros((BATCH, of_batch.max()), np.int64)
        for row, length in enumerate(of_batch):
            tokens[row, :length] = rng.choice(ranks, length, p=zipf)
        found.append(torch.from_numpy(tokens))
    return found


class Textbook(nn.Module):
    """The objective as one would first write it; ``packed`` leaves padding out of the softmax."""

    def __init__(self, model: RELVM, packed: bool) -> None:
        super().__init__()
        self.model, self.packed = model, packed

    def forward(self, x: Tensor, y: Tensor, tokens: Tensor, noise_u: Tensor, noise_z: Tensor, keep: Tensor) -> Tensor:
        """The loss of a batch (B, T)."""
        model = self.model
        if not self.packed:
            wider = LONGEST - tokens.shape[1]
            tokens, keep = F.pad(tokens, (0, wider)), F.pad(keep, (0, wider))
        mask = tokens != PAD
        counts = mask.sum(-1)
        words, pair = model.word_embedding(tokens), model.pair_features(x, y)
        q = model.recogniser(pair, words, counts)
        u = Gaussian(q.mean.unsqueeze(1), q.log_var.unsqueeze(1)).sample(noise_u)
        z = model.prior(pair, u).sample(noise_z)[:, 0]
        previous = F.pad(words, (0, 0, 1, -1)) * keep.unsqueeze(-1)
        every = torch.ones_like(mask)
        outputs = model.decoder(z, previous, mask if self.packed else every)
        logits = outputs @ model.word_embedding.weight.T  # (tokens, V), whole
        targets = tokens[mask if self.packed else every]
        log_p = F.log_softmax(logits, dim=-1).gather(1, targets.unsqueeze(1)).squeeze(1)
        of_tokens = torch.zeros(mask.shape, dtype=log_p.dtype, device=log_p.device)
        of_tokens[mask if self.packed else every] = log_p
        likelihood = (of_tokens * mask).sum(-1) / counts
        return -(likelihood - q.kl_to_standard() / counts).mean()


class Variant:
    """One way to take a step."""

    def __init__(self, name: str, size: str, device: str, compiled: bool = False) -> None:
        torch.manual_seed(0)
        self.name = name
        plain = name in ("textbook", "packed", "exact fp32")
        self.fabric = make_fabric(device, "fp32" if plain else "bf16")
        self.model = RELVM(SIZES[size], ENTITIES, WORDS)
        module: nn.Module = Textbook(self.model, name == "packed") if name in ("textbook", "packed") else self.model
        optimizers = make_optimizers(module, 1e-4, 0.0)
        if compiled:
            module = torch.compile(module, dynamic=True)  # type: ignore[assignment]
        self.module, *self.optimizers = self.fabric.setup(module, *optimizers)
        self.frequencies = 1.0 / torch.arange(1, WORDS + 1, dtype=torch.float64)
        self.generator = torch.Generator().manual_seed(1)

    def step(self, tokens: Tensor) -> float:
        """Take one step and give its loss."""
        count, d, device = len(tokens), self.model.dimensions, self.fabric.device
        x, y = (torch.randint(0, ENTITIES, (count,), generator=self.generator).to(device) for _ in range(2))
        noise = [torch.randn(count, 1, width, generator=self.generator).to(device) for width in (d.u, d.z)]
        keep = (2.0 * (torch.rand(tokens.shape, generator=self.generator) < 0.5)).to(device)
        inputs = (x, y, tokens.to(device), *noise, keep)
        if self.name in ("textbook", "packed"):
            loss = self.module(*inputs)
        else:
            draw = draw_proposal(self.frequencies, SAMPLES, self.generator) if self.name == "sampled" else None
            draw = draw if draw is None else type(draw)(*(part.to(device) for part in draw))
            loss = -self.module(*inputs, draw=draw).elbo().mean()
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        self.fabric.backward(loss)
        clip_gradients(self.model, 1.0, 0)
        for optimizer in self.optimizers:
            optimizer.step()
        return float(loss.item())


def seconds(variant: Variant, tokens: list[Tensor]) -> float:
    """Mean seconds of a step over some batches."""
    start = time.perf_counter()
    for batch in tokens:
        variant.step(batch)
    return (time.perf_counter() - start) / len(tokens)


def matrix_rate(device: str, dtype: torch.dtype, size: int) -> float:
    """Matrix product rate in GFLOP/s, best of ten."""
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    best = float("inf")
    for _ in range(10):
        if device == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        a @ b
        if device == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best / 1e9


def arithmetic(size: str, tokens: float) -> float:
    """GFLOP of matrix products of one exact step: forward once, backward twice."""
    d = SIZES[size]
    lstms = 2 * 4 * d.hidden * (d.embedding + d.hidden) + 4 * d.hidden * (d.hidden + d.embedding + d.hidden)
    softmax = d.embedding * WORDS + d.hidden * d.embedding
    a_token = 2 * (lstms + softmax)
    recogniser = (3 * d.embedding + 2 * d.hidden + d.hidden + 2 * d.u) * d.hidden
    prior = (3 * d.embedding + d.u + d.hidden + d.u + 2 * d.z) * d.hidden + 2 * d.u * d.z
    decoder = (d.z + d.hidden) * d.hidden
    return 3 * (tokens * a_token + BATCH * 2 * (recogniser + prior + decoder)) / 1e9


def peak_mb(name: str, options: argparse.Namespace) -> float:
    """Peak memory in MB of a process that takes three steps of a variant; on an accelerator, of its memory."""
    command = [sys.executable, __file__, "--variant", name, "--size", options.size, "--device", options.device]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, float] = json.loads(printed.splitlines()[-1])
    return found["peak_mb"]


def only(options: argparse.Namespace) -> None:
    """Eight steps of one variant, and its peak memory in MB on stdout."""
    variant = Variant(options.variant, options.size, options.device)
    tokens = batches(2 if options.variant == "textbook" else 8)
    seconds(variant, tokens[:1])
    seconds(variant, tokens)
    on_device = options.device == "cuda"
    peak = torch.cuda.max_memory_allocated() / 2**20 if on_device else peak_kib() / 1024
    print(json.dumps({"peak_mb": peak}))


def main() -> None:
    """Time all variants in turns."""
    options = arguments()
    if options.variant:
        only(options)
        return
    rounds = 2 if options.quick else options.rounds
    tokens = batches(4 * rounds + 4)
    variants = {name: Variant(name, options.size, options.device) for name in VARIANTS}
    if options.compile:
        variants["exact compiled"] = Variant("exact", options.size, options.device, compiled=True)
    for variant in variants.values():
        seconds(variant, tokens[:1] if variant.name == "textbook" else tokens[:4])  # warm up
    times: dict[str, list[float]] = {name: [] for name in variants}
    real = []
    rates: dict[str, list[float]] = {"fp32": [], "bf16": []}
    for number in range(rounds):
        part = tokens[4 * (number + 1) : 4 * (number + 2)]
        real += [float((batch != PAD).sum()) for batch in part]
        for name, variant in variants.items():
            times[name].append(seconds(variant, part[:2] if name == "textbook" else part))
        for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            rates[name].append(matrix_rate(options.device, dtype, 2048 if options.device == "cpu" else 8192))
    median = {name: float(np.median(values)) for name, values in times.items()}
    gflop, rate = arithmetic(options.size, float(np.mean(real))), float(np.median(rates["bf16"]))
    result: dict[str, Any] = {
        "date": today(),
        "hardware": hardware(),
        "settings": {"size": options.size, "batch": BATCH, "words": WORDS, "samples": SAMPLES, "rounds": rounds},
        "mean_tokens": round(float(np.mean(real)) / BATCH, 1),
        "seconds": median,
        "spread": {name: [min(values), max(values)] for name, values in times.items()},
        "tokens_per_second": {name: float(np.mean(real)) / value for name, value in median.items()},
        "matrix_gflops": {name: float(np.median(values)) for name, values in rates.items()},
        "gflop": gflop,
        "floor_seconds": gflop / rate,
        "share_of_matrix_rate": gflop / rate / median["exact"],
        "hours_for_400000_steps_extrapolated": {name: 400_000 * value / 3600 for name, value in median.items()},
        "peak_mb": {} if options.quick else {name: peak_mb(name, options) for name in VARIANTS},
    }
    if not options.quick:
        save("pretrain_step", load("pretrain_step") | {f"{options.device} {options.size}": result})
    print(f"{'variant':<16}{'s/step':>9}{'times textbook':>16}{'times packed':>14}")
    for name, value in median.items():
        print(f"{name:<16}{value:>9.3f}{median['textbook'] / value:>16.1f}{median['packed'] / value:>14.1f}")
    print(f"share of the bf16 matrix rate ({rate:.0f} GFLOP/s): {result['share_of_matrix_rate']:.2f}")
    if options.json:
        print(json.dumps(result, allow_nan=False))


if __name__ == "__main__":
    main()
