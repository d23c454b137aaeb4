"""An output directory in which a training run lives until it is finished: checkpoints, log, resuming.

A checkpoint holds weights and the optimisers' moments. A run is resumed by the same settings and inputs only.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from kgrel.data.artifact import LOG, UNFINISHED, refuse_foreign
from kgrel.data.claims import claim, release, staging_of, sweep
from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.data.files import canonical_json, move_into_place, remove_tree, sha256_of, sync, write_text
from kgrel.data.json_values import parse_json

TRIES = "tries"
"""Directory of the unfinished trainings of a run of which one will be kept."""
TEMPORARY = ".tmp??????"
"""What safetensors calls the file that it is writing."""
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What Adam keeps of each parameter."""


@dataclass
class State:
    """Where a run stands."""

    step: int = 0
    best: float = -math.inf
    since_best: int = 0
    stopped: bool = False
    weights: dict[str, Tensor] = field(default_factory=dict)
    """The best weights so far, where the task stops early."""
    figures: dict[str, float] = field(default_factory=dict)
    """What the last validation gave."""


class Run:
    """An output directory in which a training run lives until it is finished; one process at a time writes there.

    Args:
        identity: everything the result depends on (settings, parents' hashes); a run is only resumed by the same.
        writes: whether this process writes; of several that train together one does, and it opens the run first.
        listeners: called with each line of the log, as step and figures.
    """

    def __init__(
        self,
        directory: Path,
        identity: dict[str, Any],
        overwrite: bool = False,
        writes: bool = True,
        listeners: Sequence[Callable[[int, dict[str, float]], None]] = (),
    ) -> None:
        self.directory, self.writes, self.listeners = directory, writes, listeners
        if writes and directory.is_dir():
            claim(directory, directory)
        if writes and (overwrite or not directory.exists() or not any(directory.iterdir())):
            self._start(identity)
        else:
            check_identity(directory, identity)
            self._drop_partial_files()

    @contextmanager
    def or_nothing(self) -> Iterator[None]:
        """A stated failure in the block, before anything is kept, leaves no directory behind."""
        try:
            yield
        except KgrelError:
            if self.writes and [path.name for path in self.directory.iterdir()] == [UNFINISHED]:
                release(self.directory)
                remove_tree(self.directory)
            raise

    def _start(self, identity: dict[str, Any]) -> None:
        """The directory appears with the identity in it, or not at all."""
        if not self.directory.name:
            raise KgrelError(f"{self.directory} cannot be an output; give the name of a new directory")
        refuse_foreign(self.directory)
        sweep(self.directory)
        staging = staging_of(self.directory)
        remove_tree(staging)
        staging.mkdir(parents=True)
        claim(staging, self.directory)
        write_text(staging / UNFINISHED, canonical_json(identity))
        move_into_place(staging, self.directory, overwrite=self.directory.exists())

    def _drop_partial_files(self) -> None:
        """What a killed process was writing; the finished artifact would list it among its files."""
        if not self.writes:
            return
        for path in [*self.directory.glob(".*.partial"), *self.directory.glob(TEMPORARY)]:
            if path.is_dir():
                remove_tree(path)
            else:
                path.unlink()

    def checkpoint(self) -> Path | None:
        """The newest complete checkpoint."""
        found = [(int(m[1]), p) for p in self.directory.iterdir() if (m := _CHECKPOINT.fullmatch(p.name))]
        return max(found)[1] if found else None

    def save(self, module: nn.Module, optimizers: Sequence[torch.optim.Optimizer], state: State) -> None:
        """Write a checkpoint whole, then drop the older ones.

        Raises:
            KgrelError: it cannot be written (the disk is full, say); the checkpoint before it stays.
        """
        if not self.writes:
            return
        try:
            self._save(module, optimizers, state)
        except (OSError, SafetensorError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise KgrelError(
                f"{self.directory}: the checkpoint of step {state.step} cannot be written ({reason}); "
                "the one before it is intact: make room and give the same command again"
            ) from None

    def _save(self, module: nn.Module, optimizers: Sequence[torch.optim.Optimizer], state: State) -> None:
        target = self.directory / f"checkpoint-{state.step:09d}"
        staging = self.directory / ".checkpoint.partial"
        remove_tree(staging)
        staging.mkdir()
        tensors = {f"weights/{name}": tensor for name, tensor in module.state_dict().items()}
        tensors |= {f"best/{name}": tensor for name, tensor in state.weights.items()}
        moments = {parameter: kept for optimizer in optimizers for parameter, kept in optimizer.state.items()}
        for name, parameter in module.named_parameters():
            for key, value in moments.get(parameter, {}).items():
                tensors[f"adam/{key}/{name}"] = torch.as_tensor(value)
        save_file(
            {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
            staging / "tensors",
        )
        record: dict[str, Any] = {"step": state.step, "since_best": state.since_best, "stopped": state.stopped}
        record |= {"best": None if state.best == -math.inf else state.best, "sha256": sha256_of(staging / "tensors")}
        (staging / "state.json").write_text(canonical_json(record), encoding="utf-8")
        for file in staging.iterdir():
            sync(file)
        sync(staging)
        remove_tree(target)
        os.rename(staging, target)
        sync(self.directory)
        for path in self.directory.iterdir():
            if _CHECKPOINT.fullmatch(path.name) and path != target:
                remove_tree(path)

    def restore(self, module: nn.Module, optimizers: Sequence[torch.optim.Optimizer]) -> State:
        """Load the newest checkpoint into module and optimisers; a fresh state if there is none.

        Raises:
            ArtifactError: the checkpoint is damaged, or its tensors are not those of the module; it names which.
        """
        path = self.checkpoint()
        if path is None:
            self._truncate_log(0)
            return State()
        state, tensors = read_checkpoint(path)
        problem = misfit(tensors, module)
        if problem is not None:
            raise ArtifactError(f"{path}: {problem}; pass --overwrite to start afresh")
        module.load_state_dict(part_of(tensors, "weights/"))
        owners = {p: optimizer for optimizer in optimizers for group in optimizer.param_groups for p in group["params"]}
        for name, parameter in module.named_parameters():
            if f"adam/step/{name}" in tensors:
                # The fused Adam wants its step count where the parameter is, like the moments; the sparse one a number.
                moments: dict[str, Any] = {key: tensors[f"adam/{key}/{name}"].to(parameter.device) for key in _MOMENTS}
                if isinstance(owners[parameter], torch.optim.SparseAdam):
                    moments["step"] = int(moments["step"])
                owners[parameter].state[parameter] = moments
        state.weights = part_of(tensors, "best/")
        self._truncate_log(state.step)
        return state

    def _truncate_log(self, step: int) -> None:
        """Forget what was logged after the checkpoint: those steps will be logged again."""
        file = self.directory / LOG
        if not (self.writes and file.exists()):
            return
        kept = []
        for line in file.read_text(encoding="utf-8").splitlines(keepends=True):
            try:
                if json.loads(line)["step"] <= step:
                    kept.append(line)
            except (ValueError, KeyError):
                break  # the line that the kill cut short
        write_text(file, "".join(kept))

    def log(self, step: int, figures: dict[str, float]) -> None:
        """Append one line to the log and tell the listeners."""
        if not self.writes:
            return
        for listener in self.listeners:
            listener(step, figures)
        with (self.directory / LOG).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"step": step, **figures}, allow_nan=False) + "\n")

    def close(self) -> None:
        """Drop what only an unfinished run needs. Called after the manifest is written."""
        for path in self.directory.iterdir():
            if _CHECKPOINT.fullmatch(path.name):
                # Renamed first: half a checkpoint must not be taken for one.
                remove_tree(path.rename(path.with_name(f".{path.name}.partial")))
        remove_tree(self.directory / TRIES)
        self._drop_partial_files()
        (self.directory / UNFINISHED).unlink(missing_ok=True)
        release(self.directory)


def check_identity(directory: Path, identity: dict[str, Any]) -> None:
    """Raise :class:`KgrelError` unless a directory holds an unfinished run of the same identity."""
    if not (directory / UNFINISHED).is_file():
        raise KgrelError(f"{directory} exists already; choose another output or pass --overwrite")
    stored = read_identity(directory, "pass --overwrite to start afresh")
    current = json.loads(canonical_json(identity))
    if stored != current:
        raise KgrelError(
            f"{directory} holds an unfinished run that was started with another "
            f"{', '.join(differing_keys(stored, current))}; "
            "repeat the command as it was, or pass --overwrite to start afresh"
        )


def read_identity(directory: Path, remedy: str) -> dict[str, Any]:
    """What an unfinished run was started with.

    Args:
        remedy: what to do where the file is damaged.
    """
    file = directory / UNFINISHED
    try:
        stored = parse_json(file.read_bytes())
        if not isinstance(stored, dict):
            raise TypeError("no JSON object")
    except (ValueError, TypeError) as error:
        raise ArtifactError(f"{file} is damaged ({error}); {remedy}") from None
    return stored


def differing_keys(stored: dict[str, Any], current: dict[str, Any]) -> list[str]:
    """The keys, of nested objects theirs, whose values differ."""
    found = []
    for key in sorted(stored.keys() | current.keys()):
        old, new = stored.get(key), current.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += differing_keys(old, new)
        elif old != new:
            found.append(key)
    return found


def read_checkpoint(path: Path) -> tuple[State, dict[str, Tensor]]:
    """State and tensors of a checkpoint directory."""
    try:
        record = parse_json((path / "state.json").read_bytes())
        if sha256_of(path / "tensors") != record["sha256"]:
            raise ValueError("the SHA-256 of tensors is not the one in state.json")
        best = -math.inf if record["best"] is None else record["best"]
        return State(record["step"], best, record["since_best"], record["stopped"]), load_file(path / "tensors")
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        message = f"{path}: the checkpoint is damaged ({error}); pass --overwrite to start afresh"
        raise ArtifactError(message) from None


def part_of(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with ``prefix``, which is cut off."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def misfit(tensors: dict[str, Tensor], module: nn.Module) -> str | None:
    """The first tensor of a checkpoint that does not fit the module, and how; None if all do."""
    weights = {name: tensor.shape for name, tensor in module.state_dict().items()}
    expected = {f"weights/{name}": shape for name, shape in weights.items()}
    if part_of(tensors, "best/"):
        expected |= {f"best/{name}": shape for name, shape in weights.items()}
    for name, parameter in module.named_parameters():
        shapes = {"step": torch.Size(), "exp_avg": parameter.shape, "exp_avg_sq": parameter.shape}
        moments = {f"adam/{key}/{name}": shapes[key] for key in _MOMENTS}
        if moments.keys() & tensors.keys():  # a parameter without gradient has none
            expected |= moments
    for name in sorted(expected.keys() | tensors.keys()):
        if name not in tensors:
            return f"the tensor {name} is missing"
        if name not in expected:
            return f"the tensor {name} is none of the model's"
        if tensors[name].shape != expected[name]:
            return f"the tensor {name} has the shape {list(tensors[name].shape)}, not {list(expected[name])}"
    return None
