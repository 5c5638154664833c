"""Label and field selectors: reading them from a query and from an object's `selector`, and matching."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from deploy.lab.apiserver.status import Object, bad_request

Labels = Mapping[str, str]
Matcher = Callable[[Object], bool]
Requirement = Callable[[Labels], bool]

_KEY = r"[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?"
_EXISTS = re.compile(rf"\s*(!?)\s*({_KEY})\s*")
_EQUALS = re.compile(rf"\s*({_KEY})\s*(==|=|!=)\s*([-A-Za-z0-9_.]*)\s*")
_SET = re.compile(rf"\s*({_KEY})\s+(in|notin)\s*\(([^()]*)\)\s*")
_ORDER = re.compile(rf"\s*({_KEY})\s*([<>])\s*(-?\d+)\s*")

_METADATA: dict[str, Callable[[Object], str]] = {
    "metadata.name": lambda o: str(o["metadata"]["name"]),
    "metadata.namespace": lambda o: str(o["metadata"].get("namespace", "")),
}
_INVOLVED = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")


def _involved(part: str) -> Callable[[Object], str]:
    return lambda o: str(o.get("involvedObject", {}).get(part, ""))


FIELDS: dict[str, dict[str, Callable[[Object], str]]] = {
    "pods": {
        "spec.nodeName": lambda o: o["spec"].get("nodeName", ""),
        "spec.restartPolicy": lambda o: o["spec"].get("restartPolicy", ""),
        "spec.schedulerName": lambda o: o["spec"].get("schedulerName", ""),
        "spec.serviceAccountName": lambda o: o["spec"].get("serviceAccountName", ""),
        "spec.hostNetwork": lambda o: str(bool(o["spec"].get("hostNetwork"))).lower(),
        "status.phase": lambda o: o.get("status", {}).get("phase", ""),
        "status.podIP": lambda o: o.get("status", {}).get("podIP", ""),
        "status.nominatedNodeName": lambda o: o.get("status", {}).get("nominatedNodeName", ""),
    },
    "nodes": {"spec.unschedulable": lambda o: str(bool(o.get("spec", {}).get("unschedulable"))).lower()},
    "namespaces": {"status.phase": lambda o: o.get("status", {}).get("phase", "")},
    "replicasets": {"status.replicas": lambda o: str(o.get("status", {}).get("replicas", 0))},
    "services": {
        "spec.clusterIP": lambda o: o["spec"].get("clusterIP", ""),
        "spec.type": lambda o: o["spec"].get("type", ""),
    },
    "events": {
        **{f"involvedObject.{part}": _involved(part) for part in _INVOLVED},
        **{f"regarding.{part}": _involved(part) for part in _INVOLVED},
        "reason": lambda o: o.get("reason", ""),
        "reportingController": lambda o: o.get("reportingComponent", ""),
        "reportingComponent": lambda o: o.get("reportingComponent", ""),
        "source": lambda o: o.get("source", {}).get("component") or o.get("reportingComponent", ""),
        "type": lambda o: o.get("type", ""),
    },
}
"""The fields a list of each resource can be selected by, besides its name and namespace."""


def by_query(label_selector: str, field_selector: str, resource: str) -> Matcher:
    """What `labelSelector` and `fieldSelector` of a list, watch or deletecollection let through.

    Args:
        label_selector: As in the query; empty lets everything through.
        field_selector: Likewise.
        resource: Plural, for the fields that exist.

    Raises:
        ApiError: 400 with Kubernetes' words.
    """
    requirements = parse_labels(label_selector)
    fields = parse_fields(field_selector, resource)

    def matches(item: Object) -> bool:
        labels = item["metadata"].get("labels") or {}
        return all(met(labels) for met in requirements) and all(met(item) for met in fields)

    return matches


def parse_labels(text: str) -> list[Requirement]:
    """Reads `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>3`.

    Raises:
        ApiError: 400.
    """
    return [_requirement(part, text) for part in _split(text) if part.strip()]


def _split(text: str) -> list[str]:
    return re.split(r",(?![^(]*\))", text)


def _requirement(part: str, whole: str) -> Requirement:
    if found := _EQUALS.fullmatch(part):
        key, operator, value = found[1], found[3], found[4]
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _SET.fullmatch(part):
        return _operator(found[1], "In" if found[3] == "in" else "NotIn", _words(found[4]))
    if found := _ORDER.fullmatch(part):
        return _ordered(found[1], found[3], int(found[4]))
    if found := _EXISTS.fullmatch(part):
        return _operator(found[2], "DoesNotExist" if found[1] else "Exists", [])
    raise bad_request(
        f'unable to parse requirement: found "{part.strip()}", expected: a selector in "{whole}"'
    )


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


def _ordered(key: str, operator: str, bound: int) -> Requirement:
    def met(labels: Labels) -> bool:
        try:
            value = int(labels[key])
        except (KeyError, ValueError):
            return False
        return value > bound if operator == ">" else value < bound

    return met


def _operator(key: str, operator: str, values: list[str]) -> Requirement:
    known: dict[str, Requirement] = {
        "In": lambda labels: labels.get(key) in values,
        "NotIn": lambda labels: labels.get(key) not in values,
        "Exists": lambda labels: key in labels,
        "DoesNotExist": lambda labels: key not in labels,
    }
    return known[operator]


def of_object(selector: Mapping[str, Any] | None) -> Requirement:
    """A `metav1.LabelSelector`: None selects nothing, an empty one everything."""
    if selector is None:
        return lambda _labels: False
    wanted = dict(selector.get("matchLabels") or {})
    expressions = [
        _operator(e["key"], e["operator"], e.get("values") or [])
        for e in selector.get("matchExpressions") or []
    ]
    expressions += [_operator(key, "In", [value]) for key, value in wanted.items()]
    return lambda labels: all(met(labels) for met in expressions)


def parse_fields(text: str, resource: str) -> list[Matcher]:
    """Reads `metadata.name=x,spec.nodeName!=y`.

    Raises:
        ApiError: 400, unknown field or operator.
    """
    return [_field(part, text, resource) for part in text.split(",") if part.strip()]


def _field(part: str, whole: str, resource: str) -> Matcher:
    found = re.fullmatch(r"([^=!]+)(==|=|!=)(.*)", part)
    if not found:
        raise bad_request(f"invalid selector: '{whole}'; can't understand '{part}'")
    name, operator, value = found[1], found[2], found[3]
    read = _METADATA.get(name) or FIELDS.get(resource, {}).get(name)
    if read is None:
        raise bad_request(_unknown_field(name, resource))
    if operator == "!=":
        return lambda item: read(item) != value
    return lambda item: read(item) == value


def _unknown_field(name: str, resource: str) -> str:
    if resource in FIELDS:
        return f"field label not supported: {name}"
    return f'"{name}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def sole_name(field_selector: str) -> str:
    """The one name that a field selector admits; empty when it admits more."""
    for part in field_selector.split(","):
        if found := re.fullmatch(r"metadata\.name==?([^=!]+)", part):
            return found[1]
    return ""
