"""The vocabulary of Biolink 4.4.4 that exports are held to, and what may stand in an identifier."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from kgrel.data.errors import KgrelError, did_you_mean

NAMESPACE = "biolink:"
CURIE = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*:[^\s\x00-\x20\x7f-\xa0\ud800-\udfff|;\"<>\\^`{}]+")
"""Prefix, colon, local part without what no IRI holds: white space, control characters, quotes, brackets; and without
the separators of lists."""
INFORES = re.compile(r"infores:[a-z0-9][a-z0-9._\-]*")
_KEPT = "!$&'()*+,-./:=?@_~#"


@dataclass(frozen=True)
class Biolink:
    """The parts of the model that are needed here; all names are CURIEs but for the enumerations and ``required``."""

    version: str
    licence: str
    source: str
    knowledge_level: frozenset[str]
    agent_type: frozenset[str]
    required: frozenset[str]
    """Slots that every association must have."""
    gene_to_disease_predicates: frozenset[str]
    """The only predicates of a GeneToDiseaseAssociation."""
    symmetric_predicates: frozenset[str]
    predicates: frozenset[str]
    qualifiers: frozenset[str]
    associations: frozenset[str]
    """Categories of edges."""
    categories: frozenset[str]
    """Categories of nodes."""


@cache
def biolink() -> Biolink:
    """The vendored vocabulary, extracted from the published model (CC0)."""
    values = json.loads(files("kgrel.export").joinpath("biolink-4.4.4.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = {k: frozenset(v) if isinstance(v, list) else v for k, v in values.items()}
    return Biolink(**found)


def problem_of_term(name: str, known: frozenset[str], what: str) -> str | None:
    """What is wrong with a predicate, category or qualifier; terms of other vocabularies need only be CURIEs."""
    if not CURIE.fullmatch(name):
        return f"{name!r} is no CURIE; a {what} looks like {min(known)}"
    if name.startswith(NAMESPACE) and name not in known:
        return f"{name!r} is no {what} of Biolink {biolink().version}{did_you_mean(name, known)}"
    return None


def require_text(text: str, what: str, item: bool = False) -> str:
    """``text`` itself, if it can stand in every format as it is.

    Args:
        item: it is an item of a list, so that it may not hold a separator either.

    Raises:
        KgrelError: it is empty, or holds a control character, half a surrogate pair, or for an item ``|`` or ``;``.
    """
    if not text or not all(map(_plain, text)):
        raise KgrelError(f"{what} {text!r} is empty or holds a control character")
    if item and not {"|", ";"}.isdisjoint(text):
        raise KgrelError(f"{what} {text!r} holds | or ;, which part the items of lists; write it without")
    return text


def _plain(character: str) -> bool:
    code = ord(character)
    return not (code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code in (0x2028, 0x2029))


def require_infores(text: str, what: str) -> str:
    """``text`` itself, if it is an ``infores:`` identifier.

    Raises:
        KgrelError: it is not.
    """
    if not INFORES.fullmatch(text):
        raise KgrelError(f"{what} must be one identifier infores:NAME in lower case, not {text!r}")
    return text


def curie_of(identifier: str, prefix: str) -> str:
    """An identifier as CURIE: one that has a prefix keeps it, others get ``prefix``.

    Characters of the local part that no IRI holds, ``|``, ``;`` and ``%`` are percent-encoded (as UTF-8), so that
    different identifiers stay different, and every format holds them.
    """
    if not _plain_identifier(identifier):
        identifier = quote(identifier, safe=_KEPT)
    return identifier if CURIE.fullmatch(identifier) else f"{prefix}:{identifier}"


def _plain_identifier(identifier: str) -> bool:
    return identifier.isascii() and identifier.replace(":", "").replace("_", "").replace("-", "").isalnum()
