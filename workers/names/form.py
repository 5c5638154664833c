"""A snapshot as JSON's own types, and back. Pure.

What is as it is by default is left out: a pod takes some 200 bytes.
"""

from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

from workers.names.snapshot import (
    Endpoint,
    EndpointSlice,
    Node,
    Pod,
    Port,
    Probe,
    Service,
    ServicePort,
    Snapshot,
)

VERSION = 1

_PARTS: dict[tuple[type, str], type] = {
    (Snapshot, "pods"): Pod,
    (Snapshot, "services"): Service,
    (Snapshot, "slices"): EndpointSlice,
    (Snapshot, "nodes"): Node,
    (Pod, "ports"): Port,
    (Pod, "probes"): Probe,
    (Service, "ports"): ServicePort,
    (EndpointSlice, "ports"): Port,
    (EndpointSlice, "endpoints"): Endpoint,
}


def to_json(snapshot: Snapshot) -> dict[str, Any]:
    """As JSON's own types; `from_json` reads it back."""
    return {"version": VERSION, **_flat(snapshot)}


def from_json(value: dict[str, Any]) -> Snapshot:
    """What `to_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: It is something else.
    """
    given = dict(value)
    if given.pop("version") != VERSION:
        raise ValueError("this version of a snapshot is unknown here")
    built = _built(Snapshot, given)
    if not isinstance(built, Snapshot):
        raise TypeError("no snapshot")
    return built


def _flat(part: Any) -> Any:
    if isinstance(part, tuple):
        return [_flat(each) for each in part]
    if not is_dataclass(part):
        return part
    values = ((each, getattr(part, each.name)) for each in fields(part))
    return {each.name: _flat(value) for each, value in values if value != _default(each)}


def _default(each: "Field[Any]") -> Any:
    if each.default_factory is not MISSING:
        return each.default_factory()
    return each.default


def _built(kind: type, value: dict[str, Any]) -> Any:
    return kind(**{name: _part(kind, name, given) for name, given in value.items()})


def _part(kind: type, name: str, given: Any) -> Any:
    if not isinstance(given, list):
        return given
    inner = _PARTS.get((kind, name))
    return tuple(given) if inner is None else tuple(_built(inner, each) for each in given)
