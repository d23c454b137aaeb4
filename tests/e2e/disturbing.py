"""Commands in processes of their own that are disturbed at a chosen change of the file system.

The processes are forked from one that has loaded everything, so that each costs its work and no start.
"""

from __future__ import annotations

import errno
import io
import multiprocessing
import os
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHANGES = frozenset({"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.truncate"})
PRELOADED = [
    "tests.e2e.disturbing", "kgrel_cli.main", "kgrel.text.build", "kgrel.train.pretrain", "kgrel.train.train_pairs",
    "kgrel.train.train_mentions", "kgrel.train.train_typing", "kgrel.score.stream", "kgrel.search.build",
    "kgrel.export.dispatch", "kgrel.baselines.baseline", "kgrel.baselines.attention", "kgrel.graph.build",
    "kgrel.baselines.kge", "kgrel.score.combine", "kgrel.train.train_inductive", "lightning.fabric",
]  # fmt: skip
WAYS = ("SIGKILL", "SIGTERM", "SIGINT", "ENOSPC", "EFBIG")
PATIENCE = 600.0

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(PRELOADED)


@dataclass(frozen=True)
class End:
    """How a command ended.

    Attributes:
        code: its exit code; negative where a signal ended it.
        changes: changes of the file system that it came to make.
    """

    code: int
    changes: int
    err: str


class Disturbance:
    """An audit hook that counts changes of the file system, and acts at one of them."""

    def __init__(self, way: str, at: int) -> None:
        self.way, self.at, self.count = way, at, 0

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
        if event not in CHANGES and not writes:
            return
        self.count += 1
        if self.at and self.count == self.at:
            if self.way == "ENOSPC":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(arguments[0]))
            os.kill(os.getpid(), getattr(signal, self.way))


def command_in_this_process(arguments: list[str], way: str, at: int, pipe: Any) -> None:
    """Run ``kgrel`` and tell what came of it; the process ends with its exit code."""
    import torch

    from kgrel_cli.main import main

    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv, sys.stderr, sys.stdout = ["kgrel", *arguments], io.StringIO(), io.StringIO()
    disturbance = Disturbance(way, 0 if way == "EFBIG" else at)
    if way == "EFBIG" and at:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (at, at))
    sys.addaudithook(disturbance)
    code: Any = 0
    try:
        main()
    except SystemExit as exit_:
        code = exit_.code or 0
    except BaseException as error:
        code, _ = 70, sys.stderr.write(f"Traceback: {error!r}")
    pipe.send((code, disturbance.count, sys.stderr.getvalue()))
    pipe.close()
    os._exit(code)


def run(arguments: list[str], way: str = "", at: int = 0) -> End:
    """Run a command in a process of its own.

    Args:
        way: one of :data:`WAYS`.
        at: the change of the file system at which it happens, from 1; for EFBIG the bytes a file may have.
    """
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=command_in_this_process, args=(arguments, way, at, sender))
    process.start()
    sender.close()
    process.join(PATIENCE)
    if process.exitcode is None:
        process.kill()
        raise TimeoutError(f"the command hangs: {arguments}")
    try:
        code, changes, err = receiver.recv() if receiver.poll() else (process.exitcode, 0, "")
    except EOFError:
        code, changes, err = process.exitcode, 0, ""
    return End(code, changes, err)


def content_of(directory: Path, apart: frozenset[str]) -> dict[str, bytes]:
    """Every file below a directory by its name, those of some names left out."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name not in apart
    }
