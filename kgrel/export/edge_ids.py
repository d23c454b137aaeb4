"""Identifiers of many edges at once; see :func:`kgrel.export.record.edge_id` for one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import pairwise
from json.encoder import encode_basestring
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kgrel.export.batch import Coded, Column
from kgrel.export.fragments import concatenated, json_text
from kgrel.export.record import Qualifiers

_BYTES = 16
"""Of the digest, which become the 32 digits of an identifier."""


class Statement(Protocol):
    """What a relation says."""

    @property
    def predicate(self) -> str:
        """CURIE."""
        ...

    @property
    def qualifier_pairs(self) -> Qualifiers:
        """Sorted."""
        ...


def edge_ids(
    columns: dict[str, Column],
    size: int,
    statement: Callable[[int], Statement],
    relation: npt.NDArray[np.int64],
    model: tuple[str, str],
) -> pa.Array:
    """The identifier of each edge: strings (n,).

    Args:
        columns: the coded columns ``subject`` and ``object``.
        statement: relation → its predicate and qualifiers.
        relation: number of each edge's relation (n,).
        model: name and version.
    """
    subject, object_ = columns["subject"], columns["object"]
    assert isinstance(subject, Coded)
    assert isinstance(object_, Coded)
    numbers, codes = np.unique(relation, return_inverse=True)
    said = [statement(number) for number in numbers.tolist()]
    predicates = [f",{json_text(s.predicate)}," for s in said]
    ends = [f",{json_text([list(pair) for pair in s.qualifier_pairs])},{json_text(list(model))[1:]}" for s in said]
    parts = [
        _spread(["[" + encode_basestring(value) for value in subject.values], subject.codes),
        _spread(predicates, codes),
        _spread([encode_basestring(value) for value in object_.values], object_.codes),
        _spread(ends, codes),
    ]
    joined = concatenated(parts, size)
    content = memoryview(joined.buffers()[2])
    offsets = np.frombuffer(joined.buffers()[1], np.int64)[joined.offset : joined.offset + size + 1].tolist()
    sha256 = hashlib.sha256
    digests = b"".join([sha256(content[begin:end]).digest()[:_BYTES] for begin, end in pairwise(offsets)])
    return pc.binary_join_element_wise("kgrel:", _hexadecimal(digests, size), "")


def _hexadecimal(digests: bytes, size: int) -> pa.Array:
    """Digests that stand one behind the other, as hexadecimal digits: strings (n,)."""
    offsets = np.arange(size + 1, dtype=np.int32) * (2 * _BYTES)
    digits = pa.py_buffer(digests.hex().encode())
    return pa.Array.from_buffers(pa.string(), size, [None, pa.py_buffer(offsets), digits])


def _spread(values: list[str], codes: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(values, pa.large_string()).take(pa.array(codes))
