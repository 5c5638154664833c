"""Request bodies: from bytes to an object of the resource's kind, with Kubernetes' field validation."""

import json
from dataclasses import dataclass, field
from typing import Any

import yaml

from deploy.lab.apiserver import protobuf
from deploy.lab.apiserver.config_validation import check_base64
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.schema import MismatchError, conform
from deploy.lab.apiserver.status import ApiError, Object, bad_request, unsupported_media_type

_BODIES = ("application/json", protobuf.MEDIA_TYPE)
_HOW = ("Ignore", "Strict", "Warn")


@dataclass
class Decoded:
    """An object and the warnings to send with the answer."""

    value: Object
    warnings: list[str] = field(default_factory=list)


def read_body(body: bytes, content_type: str) -> Any:
    """Parses a body, JSON or protobuf.

    Raises:
        ApiError: 415 for another format, 400 for what is no JSON.
    """
    media = content_type.partition(";")[0].strip().lower()
    if media == protobuf.MEDIA_TYPE:
        try:
            return protobuf.decode(body)
        except protobuf.NotProtobufError:
            raise unsupported_media_type(_BODIES[:1]) from None
    if media not in {"", *_BODIES}:
        raise unsupported_media_type(_BODIES)
    return parse_json(body)


def parse_json(body: bytes) -> Any:
    """Parses JSON.

    Raises:
        ApiError: 400.
    """
    try:
        return json.loads(body)
    except ValueError as error:
        raise bad_request(
            "the object provided is unrecognized (must be of type Object): couldn't get version/kind; "
            f"json parse error: {error}"
        ) from None


def parse_yaml(body: bytes) -> Any:
    """Parses YAML, which JSON is as well.

    Raises:
        ApiError: 400.
    """
    try:
        return yaml.safe_load(body)
    except yaml.YAMLError as error:
        raise bad_request(f"error decoding YAML: {error}") from None


def decode(resource: Resource, raw: Any, field_validation: str = "") -> Decoded:
    """Makes an object of the resource's kind from JSON.

    Args:
        resource: What it must be.
        raw: The parsed body.
        field_validation: `Strict` refuses unknown fields, `Warn` (also when empty) warns, `Ignore`
            drops them.

    Raises:
        ApiError: 400, 415 or 422 in Kubernetes' words.
    """
    if field_validation and field_validation not in _HOW:
        words = ", ".join(f'"{word}"' for word in _HOW)
        message = (
            f'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: '
            f'"{field_validation}": supported values: {words}'
        )
        raise ApiError(422, "Invalid", message, {"group": "meta.k8s.io", "kind": "CreateOptions"})
    if not isinstance(raw, dict):
        raise bad_request(f"the object provided is unrecognized (must be of type {resource.kind})")
    _check_kind(resource, raw)
    intro = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'
    try:
        conformed = conform(resource.model, raw)
    except MismatchError as error:
        raise bad_request(f"{intro}: {error}") from None
    check_base64(resource.plural, resource.kind, conformed.value)
    value: Object = {"apiVersion": resource.group_version, "kind": resource.kind} | conformed.value
    value.setdefault("metadata", {})
    unknown = [f'unknown field "{path}"' for path in conformed.unknown]
    if unknown and field_validation == "Strict":
        raise bad_request(f"{intro}: strict decoding error: {', '.join(unknown)}")
    return Decoded(value, [] if field_validation == "Ignore" else unknown)


def _check_kind(resource: Resource, raw: Object) -> None:
    version, kind = raw.get("apiVersion"), raw.get("kind")
    if version not in {None, resource.group_version}:
        raise bad_request(
            f"the API version in the data ({version}) does not match the expected API version "
            f"({resource.group_version})"
        )
    if kind not in {None, resource.kind}:
        raise bad_request(
            f'{kind} in version "{resource.version}" cannot be handled as a {resource.kind}: converting '
            f"(v1.{kind}) to (v1.{resource.kind}): unknown conversion"
        )
