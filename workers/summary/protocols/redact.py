"""What of a request's target may be shown: never a query, a password or a token. Pure."""

import re
from urllib.parse import unquote

HIDDEN = "…"
"""Stands where something was left out."""

_LONGEST = 300
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_AUTHORITY = re.compile(r"[/?#]")  # what ends it (RFC 3986, 3.2)
_BEHIND_PATH = re.compile(r"[?#;&]|%(?:3[fFbB]|23|26)")
_PIECES = re.compile(r"[-._~:@+!$*'(),%]")
_SECRET_WORDS = frozenset(
    [
        "token",
        "tokens",
        "password",
        "passwords",
        "passwd",
        "pwd",
        "secret",
        "secrets",
        "apikey",
        "api_key",
        "api-key",
        "access_token",
        "access-token",
        "credential",
        "credentials",
    ]
)
_LONG_MIXED, _LONG = 16, 32


def host(authority: str) -> str:
    """A host (and port) without user and password: `user:pw@example.com` is `example.com`."""
    return _AUTHORITY.split(authority, maxsplit=1)[0].rpartition("@")[2][:_LONGEST]


def split_target(target: str) -> tuple[str, str]:
    """Host and path of a request target: `http://u:p@a.example/b?c` gives `a.example` and `/b?c`.

    The host is empty for the usual form that begins with a slash (RFC 9112, 3.2).
    """
    scheme = _SCHEME.match(target)
    if not scheme:
        return "", target
    rest = target[scheme.end() :]
    authority = _AUTHORITY.split(rest, maxsplit=1)[0]
    return host(authority), rest[len(authority) :]


def path(target: str) -> str:
    """The path of a request target, with `…` in place of what could be a secret.

    That is: everything behind the path (`?`, `#`, `;`, also percent-encoded), values (`key=…`), what follows
    a word such as `token`, and whatever looks like one: 16 letters and digits mixed, or 32 of any.
    """
    whole = split_target(target)[1]
    shown = _BEHIND_PATH.split(whole, maxsplit=1)[0]
    ended = "" if shown == whole else "?" + HIDDEN
    segments = shown[: _LONGEST + 1].split("/")
    kept = [
        HIDDEN if segment and before.lower() in _SECRET_WORDS else _segment(segment)
        for before, segment in zip(["", *segments], segments, strict=False)
    ]
    text = "/".join(kept)
    return (text if len(shown) <= _LONGEST else text[: _LONGEST - 1] + HIDDEN) + ended


def _segment(segment: str) -> str:
    name, equals, _ = segment.partition("=")
    if equals:
        return f"{_segment(name)}={HIDDEN}"
    plain = unquote(segment)
    if "@" in plain or any(looks_secret(piece) for piece in _PIECES.split(plain)):
        return HIDDEN
    return segment


def looks_secret(piece: str) -> bool:
    """Whether a word may be a secret: 16 letters and digits mixed, or 32 of any."""
    mixed = any(character.isdigit() for character in piece) and any(
        character.isalpha() for character in piece
    )
    return len(piece) >= _LONG or (mixed and len(piece) >= _LONG_MIXED)
