"""The fields of an object one by one, as `managedFields` names them. Pure.

A path is a tuple of parts as in FieldsV1: `f:NAME` a field or key, `k:{"name":"web"}` an item of a list
that merges by keys, `v:"word"` an item of a set, `.` at the end for the item itself. What is replaced as a
whole (most lists, selectors, references) is one field.
"""

import json
from collections.abc import Iterator
from typing import Any

from deploy.lab.apiserver.schema import element_of, fields_of, is_model
from deploy.lab.apiserver.status import Object
from deploy.lab.apiserver.strategic import MERGE_KEYS

Path = tuple[str, ...]
Leaves = dict[Path, Any]
SELF = "."

_KEYS: dict[tuple[str, str], tuple[str, ...]] = {
    **{where: (key,) for where, key in MERGE_KEYS.items()},
    ("V1Container", "ports"): ("containerPort", "protocol"),
    ("V1ServiceSpec", "ports"): ("port", "protocol"),
    ("V1PodSpec", "topologySpreadConstraints"): ("topologyKey", "whenUnsatisfiable"),
    ("V1ValidatingAdmissionPolicySpec", "matchConditions"): ("name",),
    ("V1ValidatingAdmissionPolicySpec", "variables"): ("name",),
}
"""Lists that merge by keys (`x-kubernetes-list-map-keys`), which a patch sometimes knows fewer of."""

_KEY_DEFAULTS = {"protocol": "TCP"}
_SETS = frozenset({("V1ObjectMeta", "finalizers"), ("V1NodeSpec", "podCIDRs")})
_WHOLE = frozenset(
    {
        "V1ConfigMapKeySelector",
        "V1LabelSelector",
        "V1LocalObjectReference",
        "V1MatchResources",
        "V1NodeSelector",
        "V1ObjectFieldSelector",
        "V1ObjectReference",
        "V1ParamKind",
        "V1ParamRef",
        "V1ResourceFieldSelector",
        "V1RoleRef",
        "V1SecretKeySelector",
        "V1TypedLocalObjectReference",
    }
)
"""Kinds of fields that are replaced as a whole (`x-kubernetes-map-type: atomic`)."""
_WHOLE_MAPS = frozenset({("V1ServiceSpec", "selector"), ("V1PodSpec", "nodeSelector")})
_NOBODYS = frozenset({"apiVersion", "kind"})
_SERVERS = frozenset(
    {"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"}
    | {"selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "generateName"}
)


def leaves(model: str, value: Object) -> Leaves:
    """Every field that somebody can own, with its value."""
    found: Leaves = {}
    for name, part in value.items():
        if name == "metadata":
            owned = {key: item for key, item in part.items() if key not in _SERVERS}
            found |= dict(_inside("V1ObjectMeta", owned, ("f:metadata",)))
        elif name not in _NOBODYS:
            found |= dict(_field(model, name, part, ()))
    return found


def _inside(model: str, value: Object, at: Path) -> Iterator[tuple[Path, Any]]:
    for name, part in value.items():
        yield from _field(model, name, part, at)


def _field(model: str, name: str, value: Any, at: Path) -> Iterator[tuple[Path, Any]]:
    path = (*at, f"f:{name}")
    kind = fields_of(model).get(name, "") if model else ""
    if isinstance(value, dict) and value and kind not in _WHOLE and (model, name) not in _WHOLE_MAPS:
        yield from _inside(kind if is_model(kind) else "", value, path)
    elif isinstance(value, list) and (model, name) in _KEYS:
        for item in value:
            yield from _item(model, name, item, path)
    elif isinstance(value, list) and (model, name) in _SETS:
        for word in value:
            yield (*path, f"v:{_json(word)}"), word
    else:
        yield path, value


def _item(model: str, name: str, item: Object, at: Path) -> Iterator[tuple[Path, Any]]:
    here = (*at, item_part(model, name, item))
    yield (*here, SELF), None
    yield from _inside(element_of(fields_of(model)[name]) or "", item, here)


def keys_of(model: str, name: str) -> tuple[str, ...]:
    """The keys by which a list merges; none for one that is replaced."""
    return _KEYS.get((model, name), ())


def is_set(model: str, name: str) -> bool:
    """Whether a list merges as a set."""
    return (model, name) in _SETS


def is_whole(model: str, name: str, kind: str) -> bool:
    """Whether an object is replaced as a whole."""
    return kind in _WHOLE or (model, name) in _WHOLE_MAPS


def item_part(model: str, name: str, item: Object) -> str:
    """The part of a path that names an item of a list."""
    keys = {key: item.get(key, _KEY_DEFAULTS.get(key)) for key in _KEYS[model, name]}
    return f"k:{_json(keys)}"


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def words(path: Path) -> str:
    """A path in messages: `.spec.containers[name="web"].image`."""
    text = ""
    for part in path:
        kind, _, rest = part.partition(":")
        if kind == "f":
            text += f".{rest}"
        elif kind == "k":
            text += "[" + ",".join(f"{key}={_json(value)}" for key, value in json.loads(rest).items()) + "]"
        elif kind == "v":
            text += f"[={rest}]"
    return text
