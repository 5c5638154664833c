"""Faults on demand: the next calls of a method fail in a way that is told beforehand."""

import asyncio
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """How a call fails."""

    ERROR = "error"
    """Answered with HTTP 200 and an error code; nothing happens."""
    HTTP_500 = "http_500"
    """Answered with HTTP 500 and no JSON; nothing happens."""
    HANG = "hang"
    """Not answered for `seconds`, or until the faults are cleared, then the connection is closed; nothing
    happens."""
    RATELIMITED = "ratelimited"
    """Answered with HTTP 429 and Retry-After `seconds`; nothing happens."""
    LOST = "lost"
    """It takes effect, and the connection is closed in place of an answer."""


@dataclass(slots=True)
class Fault:
    """A fault for the next `times` calls of `method`; `*` is any. `upload` and `response_url` are, too.

    Attributes:
        containing: Only calls are met whose arguments have this text: those of an upload are the file's name,
            those of a response URL the id of the user it is for.
    """

    method: str
    kind: Kind
    times: int = 1
    error: str = "internal_error"
    seconds: float = 30.0
    containing: str = ""


@dataclass(slots=True)
class Faults:
    """The faults that wait."""

    waiting: list[Fault] = field(default_factory=list)
    _cleared: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, fault: Fault) -> None:
        """Puts a fault behind those of the same method."""
        self.waiting.append(fault)

    def take(self, method: str, arguments: str) -> Fault | None:
        """The fault for this call, which uses it up by one; `arguments` is any text that holds them."""
        for fault in self.waiting:
            if fault.method in {method, "*"} and fault.containing in arguments:
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Forgets every fault, and lets go of the calls that hang."""
        self.waiting.clear()
        self._cleared.set()
        self._cleared = asyncio.Event()

    async def hang(self, fault: Fault) -> None:
        """Waits as long as a call hangs."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._cleared.wait(), fault.seconds)

    def as_json(self) -> list[dict[str, Any]]:
        """For /_lab/state."""
        return [asdict(fault) for fault in self.waiting]


def parse(body: dict[str, Any]) -> Fault:
    """A fault from JSON.

    Args:
        body: `method`, `kind`, and where they matter `times`, `error`, `seconds`, `containing`.

    Raises:
        ValueError: Something is missing or unknown; the message says what.
    """
    unknown = set(body) - {"method", "kind", "times", "error", "seconds", "containing"}
    if unknown:
        raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
    if not body.get("method"):
        raise ValueError("a fault needs a method")
    try:
        kind = Kind(body.get("kind", ""))
    except ValueError:
        raise ValueError(f"a fault's kind is one of {', '.join(Kind)}") from None
    fault = Fault(
        str(body["method"]), kind, int(body.get("times", 1)), str(body.get("error") or "internal_error")
    )
    fault.seconds = float(body.get("seconds", fault.seconds))
    fault.containing = str(body.get("containing", ""))
    if fault.times < 1:
        raise ValueError("a fault is for at least one call")
    return fault
