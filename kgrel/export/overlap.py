"""Writing to a file while the next lines are made: both let go of the interpreter, so that they take two cores."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import BinaryIO, Self

from kgrel.export.fragments import Content

WAITING = 8
"""Blocks that may wait to be written: so many that writing goes on while the next batch is prepared."""


class Overlapped:
    """A stream whose writes happen in a thread; a context manager that waits for the last of them.

    A write that fails is raised by a later call, or at the end.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._blocks: queue.Queue[Content | None] = queue.Queue(WAITING)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="kgrel-write", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (block := self._blocks.get()) is not None:
            if self._error is None:  # after a failure what waits is taken and dropped, so that nobody waits forever
                try:
                    self._stream.write(block)
                except BaseException as error:
                    self._error = error

    def write(self, block: Content) -> None:
        """Hand over a block, which must not be changed afterwards."""
        self._refuse()
        self._blocks.put(block)

    def writelines(self, blocks: Iterable[Content]) -> None:
        """Hand over blocks one by one."""
        for block in blocks:
            self.write(block)

    def _refuse(self) -> None:
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._blocks.put(None)
        self._thread.join()
        if kind is None:
            self._refuse()
