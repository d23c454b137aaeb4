"""Settings of a stage: one frozen dataclass, whose attribute docstrings become the command line's help.

The JSON form goes into the manifest of what the stage made, and comes back through :func:`from_json`.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import types
import typing
from typing import Any, TypeVar

from kgrel.data.errors import KgrelError, did_you_mean

T = TypeVar("T")


def to_json(settings: Any) -> dict[str, Any]:
    """A settings dataclass as a plain dictionary, tuples as lists."""
    plain = dataclasses.asdict(settings)
    return {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()}


def from_json(cls: type[T], values: dict[str, Any]) -> T:
    """Build a settings dataclass from a dictionary.

    Raises:
        KgrelError: an unknown key (with the nearest known one), a missing one, or a value of the wrong type.
    """
    hints = typing.get_type_hints(cls)
    known = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            raise KgrelError(f"{cls.__name__}: unknown setting {key!r}{did_you_mean(key, known)}")
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        optional = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        if not optional and field.name not in values:
            raise KgrelError(f"{cls.__name__}: the setting {field.name!r} is missing")
    return cls(**{key: _coerce(cls, key, hints[key], value) for key, value in values.items()})


def _coerce(cls: type, key: str, hint: Any, value: Any) -> Any:
    """Check ``value`` against the annotation; lists become tuples, ints pass where floats are wanted."""
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        return _coerce_union(cls, key, hint, value)
    if origin is typing.Literal:
        if value not in typing.get_args(hint):
            raise KgrelError(f"{cls.__name__}: {key} must be one of {typing.get_args(hint)}, not {value!r}")
        return value
    if origin is tuple and isinstance(value, list | tuple):
        return _coerce_tuple(cls, key, typing.get_args(hint), value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    expected = origin or hint
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        raise KgrelError(f"{cls.__name__}: {key} must be {getattr(hint, '__name__', hint)}, not {value!r}")
    return value


def _coerce_tuple(cls: type, key: str, elements: tuple[Any, ...], value: list[Any] | tuple[Any, ...]) -> Any:
    """Each item against its own annotation, or against the one before the ellipsis."""
    if elements[-1] is Ellipsis:
        elements = (elements[0],) * len(value)
    if len(elements) != len(value):
        raise KgrelError(f"{cls.__name__}: {key} must have {len(elements)} values, not {len(value)}")
    return tuple(_coerce(cls, key, hint, item) for hint, item in zip(elements, value, strict=True))


def _coerce_union(cls: type, key: str, hint: Any, value: Any) -> Any:
    """The first option of a union that takes ``value``; the last one states the failure."""
    options = [option for option in typing.get_args(hint) if option is not type(None)]
    if value is None and len(options) < len(typing.get_args(hint)):
        return None
    for option in options[:-1]:
        try:
            return _coerce(cls, key, option, value)
        except KgrelError:
            continue
    return _coerce(cls, key, options[-1], value)


def descriptions(cls: type) -> dict[str, str]:
    """For each attribute of a dataclass and its bases, the docstring that follows it in the source."""
    texts: dict[str, str] = {}
    for base in filter(dataclasses.is_dataclass, reversed(cls.__mro__)):
        texts |= _own_descriptions(base)
    return texts


def _own_descriptions(cls: type) -> dict[str, str]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)
    texts: dict[str, str] = {}
    for statement, following in zip(definition.body, definition.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            texts[statement.target.id] = " ".join(str(following.value.value).split())
    return texts


def require(settings: Any, least: dict[str, int], positive: tuple[str, ...], shares: tuple[str, ...]) -> None:
    """Refuse values out of range: below ``least``, not above 0, or not in 0 ≤ share < 1.

    Raises:
        KgrelError: names the setting, its range and its value.
    """
    ranges = [(name, f"at least {low}", getattr(settings, name) >= low) for name, low in least.items()]
    ranges += [(name, "greater than 0", getattr(settings, name) > 0) for name in positive]
    ranges += [(name, "at least 0 and below 1", 0 <= getattr(settings, name) < 1) for name in shares]
    for name, range_, holds in ranges:
        if not holds:
            raise KgrelError(f"{name} must be {range_}, not {getattr(settings, name)}")
