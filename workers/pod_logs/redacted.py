"""What of a log's line may be shown: never a password, a token, a cookie or a query. Pure.

An application writes what it likes, so this errs on the side of hiding: a trace id looks like a token.
"""

import re

from workers.masking import mask
from workers.summary.protocols.redact import HIDDEN, looks_secret, path

LONGEST = 400
"""Characters of a line that are shown."""

_READ = 8192
"""Characters of a line that are looked at; what a secret may be is decided before a line is cut."""

_PRIVATE_KEY = re.compile(r"-----BEGIN.*", re.DOTALL)
_COOKIE = re.compile(r"(\b(?:set-)?cookie2?\b\\?[\"']?\s*[:=]\s*\\?[\"']?)[^\"'\\]*", re.IGNORECASE)
_QUOTED = r"\\?\"(?:[^\"\\]|\\(?!\"))*\\?\"|'[^']*'"
_NAMED = re.compile(
    r"([\w.-]{0,64}(?:passw|pwd|token|secret|api[_-]?key|access[_-]?key|private[_-]?key|credential|session|"
    r"signature|authori[sz]ation|jwt|bearer)[\w.-]{0,64}\\?[\"']?\s{0,8}(?:=>|[:=])\s{0,8})"
    rf"(?:(?:basic|bearer|digest|negotiate|token)\s+)?(?:{_QUOTED}|[^\s,;&|}}\])]+)",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"(\b(?:basic|bearer|digest|negotiate)\s+)[\w.~+/=-]{6,}", re.IGNORECASE)
_USER = re.compile(r"(://)[^\s/@\"']+@")
_TARGET = re.compile(
    r"(?<![^\s\"'=(\[,<])([A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s\"'<>/?#]{0,300})?(/[^\s\"'<>]*)"
)
_QUERY = re.compile(r"(?<=[^\s?\"'(])([?;#&]|%(?:3[fFbB]|23|26))[^\s\"']+")
_WORD = re.compile(r"[A-Za-z0-9+/_=-]{16,}")
_PIECES = re.compile(r"[-_/=+]")


def shown(line: str) -> str:
    """The line, cut, with `…` where there was or may have been a secret. It is not inert."""
    text = line[:_READ]
    text = _PRIVATE_KEY.sub(HIDDEN, text)
    text = _COOKIE.sub(rf"\1{HIDDEN}", text)
    text = _NAMED.sub(rf"\1{HIDDEN}", text)
    text = _SCHEME.sub(rf"\1{HIDDEN}", text)
    text = _USER.sub(rf"\1{HIDDEN}@", text)
    text = mask(text).replace("***", HIDDEN)
    text = _TARGET.sub(lambda found: f"{found[1] or ''}{path(found[2])}", text)
    text = _QUERY.sub(rf"\1{HIDDEN}", text)
    text = _WORD.sub(_without_secrets, text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + HIDDEN


def _without_secrets(found: re.Match[str]) -> str:
    """A word of which no piece looks like a secret, or what stands for it."""
    word = found[0]
    return HIDDEN if any(looks_secret(piece) for piece in _PIECES.split(word)) else word
