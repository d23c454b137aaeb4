"""What is handed over arrives in order, and a write that fails is not lost."""

from __future__ import annotations

import io

import pytest

from kgrel.export.overlap import WAITING, Overlapped


def test_blocks_arrive_in_order() -> None:
    stream, blocks = io.BytesIO(), [bytes([number]) * 1000 for number in range(50)]
    with Overlapped(stream) as out:
        out.write(blocks[0])
        out.writelines(blocks[1:])
    assert stream.getvalue() == b"".join(blocks)


class Full(io.BytesIO):
    """A disk that is full from the second block on."""

    def write(self, block: object) -> int:
        if self.tell():
            raise OSError(28, "No space left on device")
        return super().write(block)  # type: ignore[arg-type]


@pytest.mark.parametrize("blocks", [2, 10 * WAITING])
def test_a_failed_write_is_raised_at_the_next_or_at_the_end(blocks: int) -> None:
    stream = Full()
    with pytest.raises(OSError, match="No space left"), Overlapped(stream) as out:  # noqa: PT012
        for number in range(blocks):
            out.write(b"%d" % number)
    assert stream.getvalue() == b"0"


def test_an_error_of_the_caller_wins() -> None:
    with pytest.raises(ValueError, match="mine"), Overlapped(Full()) as out:  # noqa: PT012
        out.write(b"1")
        out.write(b"2")
        raise ValueError("mine")
