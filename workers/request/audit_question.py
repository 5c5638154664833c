"""`/podcap audit [NAMESPACE/POD | CAPTURE] [since 7d]`: a question about the audit trail. Pure."""

import re
from dataclasses import dataclass
from datetime import timedelta

from workers.request.quoting import inert
from workers.request.request import DEFAULT_CLUSTER, TargetKind
from workers.request.since import since
from workers.request.target import UsageError, parse_target

_WORD = "audit"
_CAPTURE = re.compile(r"cap-[a-z0-9]{6}", re.ASCII)
_EXAMPLE = "/podcap audit traefik/cheddar-845749dbd6-zcdjm since 7d"


@dataclass(frozen=True, slots=True)
class AuditQuestion:
    """Which captures somebody asks about; None: any.

    `namespace` and `pod` are given together. `since`: how far back.
    """

    namespace: str | None = None
    pod: str | None = None
    capture_id: str | None = None
    since: timedelta | None = None


def asks_about_trail(text: str) -> bool:
    """Whether a command's text (already `slack_text.plain`) is such a question, right or wrong."""
    return text.split(None, 1)[:1] in ([_WORD], [_WORD.upper()], [_WORD.title()])


def parse_audit(text: str) -> AuditQuestion:
    """The question in a command's text, which begins with `audit`.

    Raises:
        UsageError: In one sentence what to type instead.
    """
    words = text.split()[1:]
    span = None
    if len(words) >= 2 and words[-2].lower() == "since":  # noqa: PLR2004, `since` and its span
        span = since(words[-1])
        if span is None:
            raise UsageError(
                f"`{inert(words[-1])}` is no time span: write a number and s, m, h, d or w, "
                f"as in `{_EXAMPLE}`."
            )
        words = words[:-2]
    if len(words) > 1 or (words and words[0].lower() == "since"):
        raise UsageError(f"Write at most one pod and `since` with a time span, as in `{_EXAMPLE}`.")
    if not words:
        return AuditQuestion(since=span)
    if _CAPTURE.fullmatch(words[0]):
        return AuditQuestion(capture_id=words[0], since=span)
    target = parse_target(words[0], (DEFAULT_CLUSTER,))
    if target.kind is not TargetKind.POD:
        raise UsageError(f"Ask about one pod by its whole name, as in `{_EXAMPLE}`.")
    return AuditQuestion(target.namespace, target.name, since=span)
