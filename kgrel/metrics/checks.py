"""What every metric demands of its input: the right shapes, finite numbers, class numbers in range."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def finite(name: str, values: npt.ArrayLike, shape: tuple[int | None, ...]) -> Floats:
    """``values`` as float64 of the given shape (None = any length).

    Raises:
        ValueError: another shape, not numeric, or a NaN or an infinity.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be numbers, not {array.dtype}")
    _check_shape(name, array, shape)
    floats = array.astype(np.float64, copy=False)
    wrong = floats.size - int(np.isfinite(floats).sum())
    if wrong:
        raise ValueError(f"{name} holds {wrong} values that are NaN or infinite")
    return floats


def booleans(name: str, values: npt.ArrayLike, shape: tuple[int | None, ...]) -> Bools:
    """``values`` as bool of the given shape.

    Raises:
        ValueError: another shape or not bool (0/1 integers are not taken: they may be class numbers).
    """
    array = np.asarray(values)
    if array.dtype != np.bool_:
        raise ValueError(f"{name} must be bool, not {array.dtype}")
    _check_shape(name, array, shape)
    return array


def class_numbers(name: str, values: npt.ArrayLike, length: int | None, low: int, classes: int) -> Ints:
    """``values`` as int64 [length] with low <= value < classes.

    Raises:
        ValueError: another shape, not whole numbers, or out of range.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name} must be whole numbers, not {array.dtype}")
    _check_shape(name, array, (length,))
    if array.size and (array.min() < low or array.max() >= classes):
        raise ValueError(f"{name} must lie in {low}..{classes - 1}, but reach from {array.min()} to {array.max()}")
    return array.astype(np.int64, copy=False)


def _check_shape(name: str, array: npt.NDArray[Any], shape: tuple[int | None, ...]) -> None:
    fits = array.ndim == len(shape)
    if not fits or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        wanted = ", ".join("any" if want is None else str(want) for want in shape)
        raise ValueError(f"{name} has shape {list(array.shape)}, but [{wanted}] is needed")
