"""The log of a training for TensorBoard. Needs the extra ``tensorboard``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kgrel.data.errors import KgrelError


def tensorboard_listener(directory: Path) -> Callable[[int, dict[str, float]], None]:
    """A listener of :class:`kgrel.train.run.Run` that writes each figure to a TensorBoard directory.

    Raises:
        KgrelError: the package tensorboard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise KgrelError("--tensorboard needs the package tensorboard: pip install 'kgrel[tensorboard]'") from None
    writer = SummaryWriter(str(directory))

    def listen(step: int, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            writer.add_scalar(name, value, step)
        writer.flush()

    return listen
