"""What ConfigMaps and Secrets may hold, in the words of Kubernetes' validation."""

import base64
import binascii

from deploy.lab.apiserver import names
from deploy.lab.apiserver.status import (
    ApiError,
    FieldError,
    Object,
    bad_request,
    forbidden_field,
    invalid_value,
    required,
)

LARGEST_BYTES = 1 << 20
_REQUIRED_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
_BYTES_OF = {"secrets": "data", "configmaps": "binaryData"}


def check_base64(plural: str, kind: str, value: Object) -> None:
    """Bytes in an object's JSON are base64.

    Raises:
        ApiError: 400, before anything else is looked at.
    """
    for encoded in value.get(_BYTES_OF.get(plural, ""), {}).values():
        try:
            base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise _not_base64(kind, encoded) from None


def _not_base64(kind: str, encoded: str) -> ApiError:
    digits = encoded.rstrip("=")
    good = next((n for n, c in enumerate(digits) if not (c.isascii() and (c.isalnum() or c in "+/"))), None)
    at = len(encoded) if good is None else good
    return bad_request(
        f'{kind} in version "v1" cannot be handled as a {kind}: illegal base64 data at input byte {at}'
    )


def merge_string_data(secret: Object) -> None:
    """Puts `stringData`, which is for writing only, into `data`."""
    for key, text in secret.pop("stringData", {}).items():
        secret.setdefault("data", {})[key] = base64.b64encode(text.encode()).decode()


def secret(value: Object) -> list[FieldError]:
    """Errors of a Secret."""
    data = value.get("data", {})
    errors = [error for key in data for error in names.config_key(f"data[{key}]", key)]
    if sum(len(base64.b64decode(text)) for text in data.values()) > LARGEST_BYTES:
        errors.append(_too_long("data"))
    errors += [required(f"data[{key}]") for key in _REQUIRED_KEYS.get(value["type"], ()) if key not in data]
    if value["type"] == "kubernetes.io/basic-auth" and not {"username", "password"} & set(data):
        errors += [required("data[username]"), required("data[password]")]
    if value["type"] == "kubernetes.io/service-account-token":
        name = "kubernetes.io/service-account.name"
        if not value["metadata"].get("annotations", {}).get(name):
            errors.append(required(f"metadata.annotations[{name}]"))
    return errors


def secret_update(new: Object, old: Object) -> list[FieldError]:
    """Errors of a change to a Secret."""
    errors = []
    if new["type"] != old["type"]:
        errors.append(invalid_value("type", new["type"], "field is immutable"))
    return errors + _immutable(new, old, ("data",))


def configmap(value: Object) -> list[FieldError]:
    """Errors of a ConfigMap."""
    data, binary = value.get("data", {}), value.get("binaryData", {})
    errors = []
    for field, keys in (("data", data), ("binaryData", binary)):
        for key in keys:
            errors += names.config_key(f"{field}[{key}]", key)
    errors += [
        invalid_value(f"data[{key}]", key, "duplicate of key present in binaryData")
        for key in data
        if key in binary
    ]
    size = sum(len(text.encode()) for text in data.values())
    if size + sum(len(base64.b64decode(text)) for text in binary.values()) > LARGEST_BYTES:
        errors.append(_too_long(""))
    return errors


def configmap_update(new: Object, old: Object) -> list[FieldError]:
    """Errors of a change to a ConfigMap."""
    return _immutable(new, old, ("data", "binaryData"))


def _immutable(new: Object, old: Object, fields: tuple[str, ...]) -> list[FieldError]:
    if not old.get("immutable"):
        return []
    why = "field is immutable when `immutable` is set"
    changed = [field for field in fields if new.get(field, {}) != old.get(field, {})]
    if new.get("immutable") is not True:
        changed.insert(0, "immutable")
    return [forbidden_field(field, why) for field in changed]


def _too_long(field: str) -> FieldError:
    return FieldError("FieldValueTooLong", field, f"Too long: may not be more than {LARGEST_BYTES} bytes")
