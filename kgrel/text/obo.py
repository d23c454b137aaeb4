"""Reader of OBO 1.2 ontologies (the flat-file format of the OBO Foundry) as lexicons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from kgrel.data.errors import InputError
from kgrel.data.files import decode_line, lines_of
from kgrel.text.terms import Term, bare_id, clean_name

_SYNONYM = re.compile(r'"((?:[^"\\]|\\.)*)"\s*([A-Z]+)?')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": " ", "t": " ", "W": " "}
_TRAILING = re.compile(r"(?<!\\)\s+!.*$|\s+\{[^{}]*\}\s*(?:!.*)?$")

Stanza = dict[str, list[str]]


def read_obo(type_: str, path: Path, related: bool = False) -> Iterator[Term]:
    """Read the ``[Term]`` stanzas that are not obsolete: id, name, EXACT synonyms, alt_id, xref.

    Args:
        type_: canonical type of every entry.
        related: read RELATED synonyms too (the scope that a synonym without a scope has).

    Raises:
        InputError: the file is empty, damaged or no OBO file; a term has no id or no name; a synonym that is
            not quoted; a NUL byte or invalid UTF-8.
    """
    scopes = {"EXACT", "RELATED"} if related else {"EXACT"}
    for number, stanza in _stanzas(path):
        if stanza.get("is_obsolete", [""])[0].split()[:1] == ["true"]:
            continue
        for tag in ("id", "name"):
            if tag not in stanza:
                raise InputError(path, f"the [Term] that begins here has no {tag!r}", number)
        synonyms = [_synonym(path, number, text) for text in stanza.get("synonym", [])]
        yield Term(
            type_,
            bare_id(_plain(stanza["id"][0]), type_),
            names=(clean_name(_plain(stanza["name"][0])),),
            synonyms=tuple(name for name, scope in synonyms if name and scope in scopes),
            alternatives=tuple(bare_id(_plain(other), type_) for other in stanza.get("alt_id", [])),
            references=tuple(_plain(other).split()[0] for other in stanza.get("xref", []) if _plain(other)),
        )


def _stanzas(path: Path) -> Iterator[tuple[int, Stanza]]:
    """Each ``[Term]`` as tag → values, with the number of the line at which it begins."""
    began, lines, stanzas = 0, 0, 0
    stanza: Stanza | None = None
    for lines, raw in lines_of(path):
        text = decode_line(path, lines, raw).strip()
        if text.startswith("["):
            if stanza is not None:
                yield began, stanza
            stanzas += 1
            began, stanza = lines, ({} if text == "[Term]" else None)
        elif stanza is not None and text and not text.startswith("!"):
            tag, colon, value = text.partition(":")
            if not colon:
                raise InputError(path, "is neither 'tag: value' nor a stanza", lines)
            stanza.setdefault(tag, []).append(value.strip())
    if stanza is not None:
        yield began, stanza
    if not lines:
        raise InputError(path, "is empty; an OBO file is needed")
    if not stanzas:
        raise InputError(path, "has no [Term]; is this an OBO file?")


def _synonym(path: Path, number: int, text: str) -> tuple[str, str]:
    match = _SYNONYM.match(text)
    if match is None:
        raise InputError(path, f"the [Term] that begins here has an unquoted synonym: {text!r}", number)
    return clean_name(_unescape(match[1])), match[2] or "RELATED"


def _plain(value: str) -> str:
    """A value without its trailing comment and modifiers, escapes resolved."""
    return _unescape(_TRAILING.sub("", value)).strip()


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text)
