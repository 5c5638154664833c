"""What an app asked of the stand-in, and what a reviewer would object to."""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

log = logging.getLogger(__name__)

_KEPT = 10_000


@dataclass(slots=True)
class Calls:
    """A log of calls; counts are of all of them, entries of the last 10,000.

    Attributes:
        clock: Seconds since 1970.
        deliveries: What was sent to the app: kind, time, HTTP status, milliseconds to its ack, error.
        violations: Sentences about what Slack tolerates or refuses and an app should not do.
    """

    clock: Callable[[], float]
    counts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    entries: list[dict[str, Any]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)

    def note(self, method: str, arguments: dict[str, Any], *, status: int, error: str | None) -> None:
        """Logs a call with its outcome; arguments never hold a token."""
        self.counts[method] += 1
        if error:
            self.errors[f"{method} {error}"] += 1
        self.entries.append(
            {"at": self.clock(), "method": method, "status": status, "error": error, "arguments": arguments}
        )
        del self.entries[:-_KEPT]

    def delivered(self, kind: str, *, status: int | None, milliseconds: int, error: str | None) -> None:
        """Logs what was sent to the app, and how it answered."""
        self.deliveries.append(
            {"at": self.clock(), "kind": kind, "status": status, "ms": milliseconds, "error": error}
        )
        if error == "operation_timeout":
            self.object(f"{kind}: no ack came in time")

    def object(self, sentence: str) -> None:
        """Notes a violation."""
        log.warning("%s", sentence)
        self.violations.append(sentence)

    def as_json(self) -> dict[str, Any]:
        """For /_lab/state."""
        return {
            "counts": dict(self.counts),
            "errors": dict(self.errors),
            "log": self.entries,
            "deliveries": self.deliveries,
            "violations": self.violations,
        }
