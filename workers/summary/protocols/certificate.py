"""What is shown of a server's X.509 certificate: names, issuer, validity (RFC 5280). Pure.

A reader of DER that knows only that much: what is not as it should be gives None. It must not need anything
that Python imports at first use, as `strptime` and most codecs do: where packets are read that is over.
"""

import encodings.utf_16_be
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from workers.summary.exchange import Certificate

_SEQUENCE, _SET, _VERSION, _EXTENSIONS = 0x30, 0x31, 0xA0, 0xA3
_OID, _OCTETS, _UTC_TIME, _TIME, _DNS_NAME = 0x06, 0x04, 0x17, 0x18, 0x82
_COMMON_NAME, _ORGANISATION = b"\x55\x04\x03", b"\x55\x04\x0a"
_ALTERNATIVE_NAMES = b"\x55\x1d\x11"
_MOST_NAMES, _LONGEST = 20, 255
_BMP_STRING = 0x1E
_BMP_CODEC = encodings.utf_16_be.getregentry()
_DIGITS = re.compile(rb"(?:\d\d)?\d{12}Z")


class _MalformedError(Exception):
    pass


def read(der: bytes) -> Certificate | None:
    """What a certificate says, None when it cannot be read."""
    try:
        return _read(der)
    except (_MalformedError, ValueError, OverflowError):
        return None


def _read(der: bytes) -> Certificate:
    fields = iter(list(_children(_only(_only(der, _SEQUENCE), _SEQUENCE))))
    kind, value = _next(fields)
    if kind == _VERSION:
        _next(fields)
    _next(fields)  # the signature's algorithm; the serial number, or the version, was before it
    issuer = _next(fields)[1]
    begins, expires = (_seconds(*each) for each in list(_children(_next(fields)[1]))[:2])
    subject = _next(fields)[1]
    _next(fields)
    names: list[str] = []
    for kind, value in fields:
        if kind == _EXTENSIONS:
            names = _alternative_names(value)
    named = names or [name for name in [_name(subject, _COMMON_NAME)] if name]
    issued = _name(issuer, _COMMON_NAME) or _name(issuer, _ORGANISATION)
    return Certificate(tuple(named[:_MOST_NAMES]), issued, begins, expires)


def _alternative_names(extensions: bytes) -> list[str]:
    for _, extension in _children(_only(extensions, _SEQUENCE)):
        parts = list(_children(extension))
        if parts and parts[0] == (_OID, _ALTERNATIVE_NAMES) and parts[-1][0] == _OCTETS:
            names = _children(_only(parts[-1][1], _SEQUENCE))
            return [_text(kind, value) for kind, value in names if kind == _DNS_NAME]
    return []


def _name(distinguished: bytes, wanted: bytes) -> str:
    """The last value of an attribute, or nothing."""
    found = ""
    for _, relative in _children(distinguished):
        for _, attribute in _children(relative):
            parts = list(_children(attribute))
            if len(parts) > 1 and parts[0] == (_OID, wanted):
                found = _text(*parts[1])
    return found


def _text(kind: int, value: bytes) -> str:
    begin = value[: 4 * _LONGEST]
    text = _BMP_CODEC.decode(begin, "replace")[0] if kind == _BMP_STRING else begin.decode("utf-8", "replace")
    return text[:_LONGEST]


def _seconds(kind: int, value: bytes) -> int:
    if not _DIGITS.fullmatch(value):
        raise _MalformedError
    if kind == _UTC_TIME:  # of two digits, 50 and later are of the last century
        value = (b"19" if value[:2] >= b"50" else b"20") + value
    month, day, hour, minute, second = (int(value[at : at + 2]) for at in range(4, 14, 2))
    return int(datetime(int(value[:4]), month, day, hour, minute, second, tzinfo=UTC).timestamp())


def _next(fields: Iterator[tuple[int, bytes]]) -> tuple[int, bytes]:
    found = next(fields, None)
    if found is None:
        raise _MalformedError
    return found


def _only(data: bytes, kind: int) -> bytes:
    """The contents of the first element, which must be of this kind."""
    for found, value in _children(data):
        if found != kind:
            break
        return value
    raise _MalformedError


def _children(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and contents of each element."""
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise _MalformedError
        kind, size = data[at], data[at + 1]
        at += 2
        if size & 0x80:
            more = size & 0x7F
            if not 1 <= more <= 3 or at + more > len(data):  # noqa: PLR2004, nothing here is longer than 16 MB
                raise _MalformedError
            size = int.from_bytes(data[at : at + more], "big")
            at += more
        if at + size > len(data):
            raise _MalformedError
        yield kind, data[at : at + size]
        at += size
