"""Which rows make the batch of a step, and which noise it sees: functions of (seed, step) alone.

Nothing here has a state that a checkpoint would have to save, so a resumed run sees the same batches and noise
as an undisturbed one.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt
import torch

Rows = npt.NDArray[np.int64]


class Stream(IntEnum):
    """Independent streams of randomness that one seed gives."""

    INITIALISATION = 0
    HOLD_OUT = 1
    EPOCH = 2
    NOISE = 3
    SPLIT = 4
    PAIR_BATCH = 5
    NEGATIVES = 6
    PREDICTION = 7
    TYPING_BATCH = 8
    NEIGHBOURS = 9


def rng_of(seed: int, stream: Stream, step: int = 0) -> np.random.Generator:
    """numpy generator of one stream at one step."""
    return np.random.default_rng([seed, int(stream), step])


def torch_seed(seed: int, stream: Stream, step: int = 0) -> int:
    """Seed for torch of one stream at one step."""
    return int(np.random.SeedSequence([seed, int(stream), step]).generate_state(1, np.uint64)[0]) >> 1


def torch_generator(seed: int, stream: Stream, step: int = 0) -> torch.Generator:
    """CPU generator of one stream at one step; noise is drawn on the CPU so that every device sees the same."""
    return torch.Generator().manual_seed(torch_seed(seed, stream, step))


class LengthBuckets:
    """Batches of rows of similar length: seeded, shuffled, each row once an epoch.

    Args:
        rows: the rows to draw from (N,).
        lengths: their lengths (N,).
        batch_size: rows a batch; the last batch of an epoch may be smaller.
        pool: batches whose rows are sorted by length together. Rows stay random beyond a pool.
    """

    def __init__(self, rows: Rows, lengths: npt.NDArray[np.int32], batch_size: int, seed: int, pool: int) -> None:
        self.rows, self.lengths, self.batch_size = rows, lengths, batch_size
        self.seed, self.pool = seed, pool
        self.batches_per_epoch = -(-len(rows) // batch_size)
        self._epoch, self._batches = -1, list[Rows]()

    def batch(self, step: int) -> Rows:
        """Rows of the batch at ``step``, which counts from 0."""
        epoch, index = divmod(step, self.batches_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._epoch_batches(epoch)
        return self._batches[index]

    def _epoch_batches(self, epoch: int) -> list[Rows]:
        rng = rng_of(self.seed, Stream.EPOCH, epoch)
        order = rng.permutation(len(self.rows))
        width = self.batch_size * self.pool
        batches = []
        for start in range(0, len(order), width):
            chunk = order[start : start + width]
            chunk = chunk[np.argsort(self.lengths[chunk], kind="stable")]
            batches += [chunk[i : i + self.batch_size] for i in range(0, len(chunk), self.batch_size)]
        return [self.rows[batches[i]] for i in rng.permutation(len(batches))]
