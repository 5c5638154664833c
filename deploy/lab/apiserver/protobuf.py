"""Request bodies in Kubernetes' protobuf form, for the kinds kubectl sends so (`kubectl create namespace`).

Answers are always JSON, which every client accepts beside protobuf. The field numbers are those of the
published `generated.proto` files; other kinds are refused (415), and `kubectl create -f` sends JSON.
"""

import base64
from collections.abc import Iterator
from typing import Any

from deploy.lab.apiserver.status import Object

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_VARINT, _BYTES = 0, 2

Fields = dict[int, tuple[str, str]]
"""Field number -> JSON name and type: a word of `_WORDS`, `map`, `bytes map`, or a message.

A `*` before the type makes a list of it.
"""

_WORDS = {"string", "int", "bool"}
_METADATA = (1, ("metadata", "ObjectMeta"))
_MESSAGES: dict[str, Fields] = {
    "ObjectMeta": {
        1: ("name", "string"),
        2: ("generateName", "string"),
        3: ("namespace", "string"),
        5: ("uid", "string"),
        6: ("resourceVersion", "string"),
        11: ("labels", "map"),
        12: ("annotations", "map"),
        14: ("finalizers", "*string"),
    },
    "Namespace": dict([_METADATA]),
    "ServiceAccount": dict([_METADATA, (4, ("automountServiceAccountToken", "bool"))]),
    "ConfigMap": dict([_METADATA, (2, ("data", "map")), (4, ("immutable", "bool"))]),
    "Secret": dict(
        [_METADATA, (2, ("data", "bytes map")), (3, ("type", "string")), (5, ("immutable", "bool"))]
    ),
    "PolicyRule": {
        1: ("verbs", "*string"),
        2: ("apiGroups", "*string"),
        3: ("resources", "*string"),
        4: ("resourceNames", "*string"),
        5: ("nonResourceURLs", "*string"),
    },
    "Role": dict([_METADATA, (2, ("rules", "*PolicyRule"))]),
    "ClusterRole": dict([_METADATA, (2, ("rules", "*PolicyRule"))]),
    "Subject": {
        1: ("kind", "string"),
        2: ("apiGroup", "string"),
        3: ("name", "string"),
        4: ("namespace", "string"),
    },
    "RoleRef": {1: ("apiGroup", "string"), 2: ("kind", "string"), 3: ("name", "string")},
    "RoleBinding": dict([_METADATA, (2, ("subjects", "*Subject")), (3, ("roleRef", "RoleRef"))]),
    "ClusterRoleBinding": dict([_METADATA, (2, ("subjects", "*Subject")), (3, ("roleRef", "RoleRef"))]),
    "ResourceAttributes": {
        1: ("namespace", "string"),
        2: ("verb", "string"),
        3: ("group", "string"),
        4: ("version", "string"),
        5: ("resource", "string"),
        6: ("subresource", "string"),
        7: ("name", "string"),
    },
    "NonResourceAttributes": {1: ("path", "string"), 2: ("verb", "string")},
    "AccessReviewSpec": {
        1: ("resourceAttributes", "ResourceAttributes"),
        2: ("nonResourceAttributes", "NonResourceAttributes"),
        3: ("user", "string"),
        4: ("groups", "*string"),
        6: ("uid", "string"),
    },
    "SelfSubjectAccessReview": dict([_METADATA, (2, ("spec", "AccessReviewSpec"))]),
    "SubjectAccessReview": dict([_METADATA, (2, ("spec", "AccessReviewSpec"))]),
    "RulesReviewSpec": {1: ("namespace", "string")},
    "SelfSubjectRulesReview": dict([_METADATA, (2, ("spec", "RulesReviewSpec"))]),
    "LocalSubjectAccessReview": dict([_METADATA, (2, ("spec", "AccessReviewSpec"))]),
    "SelfSubjectReview": dict([_METADATA]),
    "TokenRequestSpec": {1: ("audiences", "*string"), 4: ("expirationSeconds", "int")},
    "TokenRequest": dict([_METADATA, (2, ("spec", "TokenRequestSpec"))]),
    "TypeMeta": {1: ("apiVersion", "string"), 2: ("kind", "string")},
    "Unknown": {1: ("type", "TypeMeta"), 2: ("raw", "bytes")},
    "BytesEntry": {1: ("key", "string"), 2: ("value", "bytes")},
    "MapEntry": {1: ("key", "string"), 2: ("value", "string")},
}
_KINDS = frozenset(name for name, fields in _MESSAGES.items() if fields.get(1) == _METADATA[1])


class NotProtobufError(ValueError):
    """The bytes are not what they are said to be, or of a kind that is not read here."""


def decode(body: bytes) -> Object:
    """The object in a protobuf body.

    Raises:
        NotProtobufError: It cannot be read.
    """
    if not body.startswith(_MAGIC):
        raise NotProtobufError("the magic number is missing")
    try:
        unknown = _message("Unknown", body[len(_MAGIC) :])
        kind = unknown["type"]["kind"]
        if kind not in _KINDS:
            raise NotProtobufError(f"{kind} is not read as protobuf here")
        value = _message(kind, unknown.get("raw", b""))
    except (KeyError, IndexError, UnicodeDecodeError) as error:
        raise NotProtobufError(str(error)) from error
    return {**unknown["type"], **value}


def _message(name: str, data: bytes) -> Object:
    fields = _MESSAGES[name]
    found: Object = {}
    for number, raw in _fields(data):
        if number not in fields:
            continue
        key, kind = fields[number]
        if kind in {"map", "bytes map"}:
            entry = _message("MapEntry" if kind == "map" else "BytesEntry", _as_bytes(raw))
            empty = "" if kind == "map" else b""
            found.setdefault(key, {})[entry.get("key", "")] = _json(entry.get("value", empty))
        elif kind.startswith("*"):
            found.setdefault(key, []).append(_value(kind[1:], raw))
        elif raw not in (b"", 0):
            # Go writes its zero values; JSON leaves them out.
            found[key] = _value(kind, raw)
    return found


def _json(value: str | bytes) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _value(kind: str, raw: bytes | int) -> Any:
    if kind == "string":
        return _as_bytes(raw).decode()
    if kind == "bytes":
        return _as_bytes(raw)
    if kind in _WORDS:
        return bool(raw) if kind == "bool" else raw
    return _message(kind, _as_bytes(raw))


def _as_bytes(raw: bytes | int) -> bytes:
    if isinstance(raw, int):
        raise NotProtobufError("a number where bytes belong")
    return raw


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Field numbers and contents, in their order."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
        elif kind == _BYTES:
            length, at = _varint(data, at)
            if at + length > len(data):
                raise NotProtobufError("a field is longer than the message")
            yield number, data[at : at + length]
            at += length
        else:
            raise NotProtobufError(f"wire type {kind}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - the top bit says that more follows
            return value, at
