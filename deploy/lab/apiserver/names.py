"""Names of objects: which are allowed (RFC 1123 as Kubernetes words it) and how they are made up."""

import re
import secrets

from deploy.lab.apiserver.status import FieldError, invalid_value

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = rf"({_QUALIFIED})?"

_LABEL_WHY = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
    "and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_DNS1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_DNS1035_WHY = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
    "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN_WHY = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_QUALIFIED_WHY = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE_WHY = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    "for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_CONFIG_KEY_WHY = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_LONGEST_PORT_NAME = 15
_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Kubernetes' alphabet for made-up names: no vowels and no digits that could spell a word."""


def subdomain(field: str, value: str) -> list[FieldError]:
    """Errors of a name that must be an RFC 1123 subdomain (most objects)."""
    return _matches(field, value, _SUBDOMAIN, _SUBDOMAIN_WHY, 253)


def label(field: str, value: str) -> list[FieldError]:
    """Errors of a name that must be an RFC 1123 label (namespaces, containers, volumes)."""
    return _matches(field, value, _LABEL, _LABEL_WHY, 63)


def dns1035(field: str, value: str) -> list[FieldError]:
    """Errors of a name that must start with a letter (services)."""
    return _matches(field, value, _DNS1035, _DNS1035_WHY, 63)


def path_segment(field: str, value: str) -> list[FieldError]:
    """Errors of a name that must only fit into a path (roles and bindings)."""
    if value in {".", ".."}:
        return [invalid_value(field, value, f"may not be '{value}'")]
    return [
        invalid_value(field, value, f"may not contain '{character}'")
        for character in "/%"
        if character in value
    ]


def labels(field: str, value: dict[str, str]) -> list[FieldError]:
    """Errors of a set of labels: keys are `prefix/name` or `name`, values are words."""
    errors = []
    for key, word in value.items():
        errors += label_key(field, key)
        errors += _matches(field, word, _VALUE, _VALUE_WHY, 63)
    return errors


def label_key(field: str, key: str) -> list[FieldError]:
    """Errors of a qualified name: `prefix/name` or `name`."""
    prefix, _, name = key.rpartition("/")
    errors = []
    if prefix:
        errors += [
            invalid_value(field, key, f"prefix part {_SUBDOMAIN_WHY}") for _ in subdomain(field, prefix)[:1]
        ]
    return errors + _matches(field, name, _QUALIFIED, _QUALIFIED_WHY, 63, key)


def config_key(field: str, key: str) -> list[FieldError]:
    """Errors of a key of a ConfigMap or Secret, which becomes the name of a file."""
    errors = _matches(field, key, r"[-._a-zA-Z0-9]+", _CONFIG_KEY_WHY, 253)
    if key in {".", ".."}:
        errors.append(invalid_value(field, key, f"must not be '{key}'"))
    elif key.startswith(".."):
        errors.append(invalid_value(field, key, "must not start with '..'"))
    return errors


def port_name(field: str, name: str) -> list[FieldError]:
    """Errors of the name of a port (IANA_SVC_NAME)."""
    errors = []
    if len(name) > _LONGEST_PORT_NAME:
        errors.append(invalid_value(field, name, f"must be no more than {_LONGEST_PORT_NAME} characters"))
    if not re.fullmatch(r"[-a-z0-9]+", name):
        why = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
        errors.append(invalid_value(field, name, why))
    if not re.search("[a-z]", name):
        errors.append(invalid_value(field, name, "must contain at least one letter (a-z)"))
    if "--" in name:
        errors.append(invalid_value(field, name, "must not contain consecutive hyphens"))
    if name.startswith("-") or name.endswith("-"):
        errors.append(invalid_value(field, name, "must not begin or end with a hyphen"))
    return errors


def _matches(
    field: str, value: str, pattern: str, why: str, longest: int, shown: str | None = None
) -> list[FieldError]:
    shown = value if shown is None else shown
    errors = []
    if len(value) > longest:
        errors.append(invalid_value(field, shown, f"must be no more than {longest} bytes"))
    if not re.fullmatch(pattern, value):
        errors.append(invalid_value(field, shown, why))
    return errors


def generated(prefix: str) -> str:
    """A name for `metadata.generateName`: the prefix, cut to 58 characters, and five more."""
    return prefix[:58] + suffix(5)


def suffix(length: int) -> str:
    """Characters as Kubernetes makes them up."""
    return "".join(secrets.choice(_SUFFIX_ALPHABET) for _ in range(length))


def safely_encoded(text: str) -> str:
    """Digits of a hash written in the same alphabet (how a pod-template-hash looks)."""
    return "".join(_SUFFIX_ALPHABET[ord(character) % len(_SUFFIX_ALPHABET)] for character in text)
