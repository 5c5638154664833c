"""`/openapi/v2` in protobuf, the one form kubectl asks for: which kinds there are, none of their fields.

kubectl reads it before it takes a `kind: List` apart, to see whether it knows the items' kinds. It then sends
each item, and the server validates it.
"""

import json

from deploy.lab.apiserver.resources import RESOURCES

MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""Clients ask for it with an `@` before the version, which no media type may contain."""

# Field numbers of gnostic's OpenAPIv2.proto.
_DOCUMENT_SWAGGER, _DOCUMENT_DEFINITIONS = 1, 9
_DEFINITIONS_SCHEMA = 1
_NAME, _VALUE = 1, 2
_SCHEMA_EXTENSION = 31
_ANY_YAML = 2


def document() -> bytes:
    """The document: a definition for every kind, that says its group, version and kind."""
    definitions = b"".join(
        _field(_DEFINITIONS_SCHEMA, _definition(one.group, one.version, one.kind)) for one in RESOURCES
    )
    return _field(_DOCUMENT_SWAGGER, b"2.0") + _field(_DOCUMENT_DEFINITIONS, definitions)


def _definition(group: str, version: str, kind: str) -> bytes:
    known = json.dumps([{"group": group, "version": version, "kind": kind}]).encode()
    extension = _named("x-kubernetes-group-version-kind", _field(_ANY_YAML, known))
    return _named(f"{group or 'core'}.{version}.{kind}", _field(_SCHEMA_EXTENSION, extension))


def _named(name: str, value: bytes) -> bytes:
    return _field(_NAME, name.encode()) + _field(_VALUE, value)


def _field(number: int, value: bytes) -> bytes:
    """A protobuf field of bytes."""
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(number: int) -> bytes:
    more, last = number >> 7, number & 0x7F
    return bytes([last | 0x80]) + _varint(more) if more else bytes([last])
