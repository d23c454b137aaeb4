"""The one record that every writer writes, and its nodes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
import typing
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from kgrel.data.errors import KgrelError, NonFiniteError
from kgrel.export.biolink import CURIE, biolink, problem_of_term, require_infores, require_text

Qualifiers = tuple[tuple[str, str], ...]
Kind = Literal["text", "texts", "number", "whole", "flag"]
EDGE_ID = re.compile(r"kgrel:[0-9a-f]{32}")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Node(NamedTuple):
    """An entity that an edge ends at."""

    id: str
    """CURIE."""
    category: tuple[str, ...]
    """Biolink categories, such as ``biolink:Gene``."""
    name: str | None = None
    """Name for people: any text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A predicted edge. What is None or an empty list is not written; 0.0 and False are.

    The names without ``kgrel_`` are those of Biolink's association slots.

    Raises:
        KgrelError: a field that Biolink requires is missing or not of its enumeration, a text that not every format
            can hold.
        NonFiniteError: a number is NaN or infinite.
    """

    subject: str
    """CURIE of the node that the edge begins at."""
    predicate: str
    """``biolink:`` or the user's."""
    object: str
    """CURIE of the node that the edge ends at."""
    primary_knowledge_source: str
    """Who publishes the edge: one ``infores:`` identifier."""
    id: str = ""
    """``kgrel:`` and 32 hexadecimal digits; see :func:`edge_id`, which makes it if it is empty."""
    category: tuple[str, ...] = ("biolink:Association",)
    """Biolink association categories."""
    qualifiers: Qualifiers = ()
    """(name, value) pairs, such as ``("object_direction_qualifier", "increased")``; each becomes a property."""
    knowledge_level: str = "prediction"
    """Of Biolink's enumeration."""
    agent_type: str = "computational_model"
    """Of Biolink's enumeration."""
    supporting_data_source: tuple[str, ...] = ()
    """Resources that the model was trained on."""
    supporting_data_set: tuple[str, ...] = ()
    """Data sets that the model was trained on."""
    has_confidence_score: float | None = None
    """Calibrated probability, 0 … 1; None without calibration."""
    publications: tuple[str, ...] = ()
    """Documents whose sentences name both nodes: ``PMID:``, ``PMC:``, ``doi:``."""
    has_evidence: tuple[str, ...] = ()
    """Such documents that are no publications."""
    update_date: str | None = None
    """Day of the prediction, UTC, as ``2026-01-31``."""
    negated: bool = False
    """A predicted edge is never negated."""
    kgrel_score: float | None = None
    """What the model gave."""
    kgrel_score_kind: str | None = None
    """What kind of number the score is."""
    kgrel_score_std: float | None = None
    """Its spread over samples."""
    kgrel_rank: int | None = None
    """Place among the edges of its head, from 1, best first; or that of the list."""
    kgrel_threshold: float | None = None
    """The score had to exceed this."""
    kgrel_model_id: str = ""
    """Name of the model."""
    kgrel_model_version: str = ""
    """Version of the model."""
    kgrel_run_ids: tuple[str, ...] = ()
    """Exports that gave this edge."""
    kgrel_known_edge: bool | None = None
    """Whether the relations table that the model was trained on, or a given graph, has the pair."""

    def __post_init__(self) -> None:
        if not self.id:
            model = self.kgrel_model_id, self.kgrel_model_version
            made = edge_id(self.subject, self.predicate, self.object, self.qualifiers, *model)
            object.__setattr__(self, "id", made)
        check_edge(self)


class Field(NamedTuple):
    """A property of an edge."""

    name: str
    kind: Kind
    slot: bool
    """Whether Biolink has it; otherwise it is kgrel's own."""


def _kind(hint: Any) -> Kind:
    kinds: dict[Any, Kind] = {str: "text", float: "number", int: "whole", bool: "flag"}
    options = [option for option in typing.get_args(hint) if option is not type(None)]
    return "texts" if typing.get_origin(hint) is tuple else kinds[options[0] if options else hint]


_HINTS = typing.get_type_hints(Edge)
_ORDER = ("id", "subject", "predicate", "object", "category", "knowledge_level", "agent_type")
FIELDS: tuple[Field, ...] = tuple(
    Field(name, _kind(_HINTS[name]), not name.startswith("kgrel_"))
    for name in dict.fromkeys([*_ORDER, *(field.name for field in dataclasses.fields(Edge))])
    if name != "qualifiers"
)
"""The fields in the order in which they are written; those of qualifiers come behind."""


def qualifier_fields(names: typing.Iterable[str]) -> tuple[Field, ...]:
    """The fields of qualifiers, sorted by name."""
    return tuple(Field(name, "text", True) for name in sorted(set(names)))


def edge_id(
    subject: str, predicate: str, object: str, qualifiers: Qualifiers, model_id: str, model_version: str
) -> str:
    """``kgrel:`` and the first 32 hexadecimal digits of the SHA-256 of the parts as canonical JSON (UTF-8).

    Equal for equal statements of equal models, so that loading twice changes nothing, and different for the same
    statement of another model, so that both stand.
    """
    parts = [subject, predicate, object, sorted(map(list, qualifiers)), model_id, model_version]
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return "kgrel:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def check_edge(edge: Edge) -> None:
    """Raise for an edge that not every writer could write, or that Biolink does not take; see :class:`Edge`."""
    model = biolink()
    for end in (edge.subject, edge.object):
        if not CURIE.fullmatch(end):
            raise KgrelError(f"the node identifier {end!r} is no CURIE, such as NCBIGene:10144")
    terms = [(edge.predicate, model.predicates, "predicate")]
    terms += [(name, model.associations, "association category") for name in edge.category]
    for problem in (problem_of_term(*term) for term in terms):
        if problem:
            raise KgrelError(problem)
    if not edge.category:
        raise KgrelError("an edge needs a category; biolink:Association says nothing more")
    require_infores(edge.primary_knowledge_source, "primary_knowledge_source")
    for value, known in ((edge.knowledge_level, model.knowledge_level), (edge.agent_type, model.agent_type)):
        if value not in known:
            raise KgrelError(f"{value!r} is not one of {', '.join(sorted(known))}")
    if not EDGE_ID.fullmatch(edge.id):
        raise KgrelError(f"the edge identifier {edge.id!r} is not kgrel: and 32 hexadecimal digits")
    if edge.update_date is not None and not DATE.fullmatch(edge.update_date):
        raise KgrelError(f"update_date must be a day such as 2026-01-31, not {edge.update_date!r}")
    _check_values(edge)


def _check_values(edge: Edge) -> None:
    for name, value in edge.qualifiers:
        problem = problem_of_term("biolink:" + name, biolink().qualifiers, "qualifier")
        if problem:
            raise KgrelError(problem)
        require_text(value, name)
    for name, kind, _ in FIELDS:
        value = getattr(edge, name)
        if kind == "texts":
            for item in value:
                require_text(item, f"an item of {name}", item=True)
        elif kind == "text" and value:
            require_text(value, name)
        elif kind == "number" and value is not None and not math.isfinite(value):
            raise NonFiniteError(f"{name} is {value}; only finite numbers are exported")
    confidence = edge.has_confidence_score
    if confidence is not None and not 0 <= confidence <= 1:
        raise KgrelError(f"has_confidence_score must lie in 0 … 1, not {confidence}")
