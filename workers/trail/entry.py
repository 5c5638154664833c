"""One entry of the trail, and the texts in it that are hashed byte for byte."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """One row of the trail; the fields are the columns of `schema.trail`, in their order.

    What is read from a database that somebody has changed can be of any type; `chain` finds that.
    """

    number: int
    """1, 2, 3, … without a gap."""
    at: str
    """When, in UTC: `2026-01-31T09:30:00.000000Z`."""
    event: str
    """The name of a state for a move, else what happened, such as `stop requested`."""
    capture_id: str | None
    namespace: str | None
    pod: str | None
    by: str
    """Who: a Slack user id, a Kubernetes user name, or a process such as `worker@host`."""
    facts: str
    """What is known of it, as canonical JSON (`canonical`)."""
    hash: str
    """SHA-256, 64 hexadecimal digits, of this entry and the hash of the one before (`chain.entry_hash`)."""

    def known(self) -> dict[str, Any]:
        """The facts as values; what cannot be read as a JSON object stands under the key `facts`."""
        try:
            facts = json.loads(self.facts)
        except (TypeError, ValueError, RecursionError):
            facts = None
        return facts if isinstance(facts, dict) else {"facts": str(self.facts)}

    @property
    def about(self) -> str:
        """The pod that it is about, or all that its capture was asked to take; empty: about none."""
        of = self.known().get("of")
        if isinstance(of, str):
            return of
        if self.namespace is None or not self.pod:
            return ""
        return f"{self.namespace}/{self.pod}".removeprefix("/")


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry: what proves, kept elsewhere, that the trail was not cut before it."""

    number: int
    hash: str


def timestamp(at: datetime) -> str:
    """A point in time as the trail writes it; texts of this form sort as the times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def canonical(facts: Mapping[str, Any]) -> str:
    """Facts as JSON text: sorted keys, no spaces, nothing escaped that need not be.

    Args:
        facts: Values that JSON has, and points in time.

    Raises:
        TypeError: A value of another type.
        ValueError: A number that JSON does not have.
    """
    return clean(_ENCODER.encode(dict(facts)))


def clean(text: str) -> str:
    """Text that every database stores as it is: half a surrogate pair and NUL become visible escapes."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\u0000")


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return timestamp(value)
    raise TypeError(f"a fact in the trail cannot be of type {type(value).__name__}")


_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), default=_plain
)
