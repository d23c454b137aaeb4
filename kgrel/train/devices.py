"""Where a training runs: device, precision, and how many processes train together.

Several processes train as one: each computes its share of every batch, gradients are averaged (Fabric's DDP), and all
take the same step. They are started by torchrun, by the user or by :func:`relaunch`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Literal

import torch

from kgrel.data.errors import KgrelError

if TYPE_CHECKING:
    from lightning.fabric import Fabric

_PRECISION: dict[str, Literal["32-true", "bf16-mixed"]] = {"fp32": "32-true", "bf16": "bf16-mixed"}


def resolve_device(device: str) -> Literal["cpu", "cuda"]:
    """The device that ``auto`` means here.

    Raises:
        KgrelError: CUDA was asked for and is not there.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise KgrelError("device cuda was asked for, but torch sees no CUDA device; use --device cpu")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return "cpu" if device == "cpu" else "cuda"


def resolve_precision(precision: str, device: str) -> Literal["fp32", "bf16"]:
    """What ``auto`` means on a device: bf16 where the hardware multiplies it, else fp32."""
    if precision != "auto":
        return "bf16" if precision == "bf16" else "fp32"
    if resolve_device(device) == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if _cpu_multiplies_bf16() else "fp32"


def _cpu_multiplies_bf16() -> bool:
    """Whether the processor has AVX-512 BF16 or AMX; torch has no public question for it."""
    asked = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(ask() for ask in asked if ask is not None)


def launched() -> bool:
    """Whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def processes() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", 1)) if launched() else 1


def rank() -> int:
    """Which of them this is; the first, 0, writes."""
    return int(os.environ.get("RANK", 0)) if launched() else 0


def relaunch(devices: int, arguments: list[str]) -> None:
    """Run ``kgrel`` with these arguments in ``devices`` processes on this machine, and wait for them.

    Raises:
        KgrelError: a process ended with a failure, or was killed; torchrun then ends the others.
        KeyboardInterrupt: interrupted; every process has written what it writes then.
    """
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={devices}"]
    process = subprocess.Popen([*command, "-m", "kgrel_cli", *arguments])
    try:
        status = process.wait()
    except KeyboardInterrupt:  # the terminal has told the processes too
        process.wait()
        raise
    if status:
        raise KgrelError(
            f"one of the {devices} processes failed or was killed, see above; "
            "the same command goes on from the last checkpoint"
        )


def make_fabric(device: str, precision: str, together: bool = False) -> Fabric:
    """Fabric on one device, or with ``together`` on this process' share of those that torchrun started."""
    from lightning.fabric import Fabric  # two seconds that a process which only scores need not spend

    device, precision = resolve_device(device), _PRECISION[resolve_precision(precision, device)]
    if not together or processes() == 1:
        return Fabric(accelerator=device, devices=1, precision=precision)
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    fabric = Fabric(
        accelerator=device,
        devices=here,
        num_nodes=processes() // here,
        strategy="ddp",
        precision=precision,
    )
    fabric.launch()
    return fabric
