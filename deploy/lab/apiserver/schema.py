"""The fields of each kind, as Kubernetes' published OpenAPI description has them.

The description is read from the model classes of the official Python client, which are generated from it, so
that every field of every kind is known without a list of our own. Objects stay plain JSON; no model is ever
instantiated.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from kubernetes.client import models

from deploy.lab.apiserver import quantity

Object = dict[str, Any]

_LIST = re.compile(r"[Ll]ist\[(.+)\]")
_DICT = re.compile(r"[Dd]ict[\[(]str, ?(.+)[\])]")
_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "datetime": (str,),
    "bytes": (str,),
    "int": (int,),
    "bool": (bool,),
    "float": (int, float),
}
_GO_TYPES = {"str": "string", "datetime": "string", "int": "int32", "bool": "bool", "float": "float64"}
_QUANTITY_FIELDS = frozenset(
    {"limits", "requests", "sizeLimit", "capacity", "allocatable", "divisor", "overhead"}
)
"""Kubernetes takes a bare number for a quantity; the description calls quantities strings."""


class MismatchError(Exception):
    """A value is of another JSON type than its field, or a quantity is none. The message is Go's."""


@dataclass
class Conformed:
    """An object with the fields its kind has, and the paths of those it has not."""

    value: Object
    unknown: list[str] = field(default_factory=list)


@cache
def fields_of(model: str) -> dict[str, str]:
    """JSON name -> type of every field of a model such as `V1PodSpec`."""
    described = getattr(models, model)
    return {described.attribute_map[name]: kind for name, kind in described.openapi_types.items()}


def is_model(kind: str) -> bool:
    """Whether a type is one with fields of its own."""
    return hasattr(models, kind)


def element_of(kind: str) -> str | None:
    """The element type of a list type, else None."""
    found = _LIST.fullmatch(kind)
    return found[1] if found else None


def conform(model: str, value: Object) -> Conformed:
    """Takes what the kind has from an object and notes what it has not.

    Raises:
        MismatchError: A value has the wrong JSON type.
    """
    conformed = Conformed({})
    conformed.value = _model(model, value, "", conformed.unknown)
    return conformed


def _model(model: str, value: Object, path: str, unknown: list[str]) -> Object:
    known = fields_of(model)
    taken: Object = {}
    for name, item in value.items():
        at = f"{path}.{name}" if path else name
        if name not in known:
            unknown.append(at)
        elif item is not None:
            taken[name] = _value(known[name], item, at, unknown, model.removeprefix("V1"))
    return taken


def _value(kind: str, value: Any, path: str, unknown: list[str], owner: str) -> Any:
    if kind == "object":
        return value
    if not _fits(value, kind, path):
        raise _mismatch(value, kind, path, owner)
    if element := element_of(kind):
        return [_value(element, item, f"{path}[{n}]", unknown, owner) for n, item in enumerate(value)]
    if found := _DICT.fullmatch(kind):
        return {key: _value(found[1], item, path, unknown, owner) for key, item in value.items()}
    if is_model(kind):
        return _model(kind, value, path, unknown)
    return _quantity(str(value)) if _is_quantity(path) else value


def _quantity(text: str) -> str:
    try:
        quantity.parse(text)
    except ValueError as error:
        raise MismatchError(str(error)) from None
    return text


def _fits(value: Any, kind: str, path: str) -> bool:
    return isinstance(value, _json_types(kind, path)) and (kind == "bool" or not isinstance(value, bool))


def _is_quantity(path: str) -> bool:
    return path.rpartition(".")[2] in _QUANTITY_FIELDS


def _json_types(kind: str, path: str) -> tuple[type, ...]:
    if element_of(kind):
        return (list,)
    if _DICT.fullmatch(kind) or is_model(kind):
        return (dict,)
    return (str, int, float) if _is_quantity(path) else _JSON_TYPES[kind]


def _mismatch(value: Any, kind: str, path: str, owner: str) -> MismatchError:
    is_a = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object"}
    element = element_of(kind)
    go = f"[]{_go(element)}" if element else _go(kind)
    plain = re.sub(r"\[\d+\]", "", path)
    return MismatchError(
        f"json: cannot unmarshal {is_a[type(value)]} into Go struct field {owner}.{plain} of type {go}"
    )


def _go(kind: str) -> str:
    if is_model(kind):
        return f"v1.{kind.removeprefix('V1')}"
    if found := _DICT.fullmatch(kind):
        return f"map[string]{_go(found[1])}"
    return _GO_TYPES.get(kind, kind)
