"""Faults on demand: requests that match are answered with an error, delayed, or their exec stream is cut.

`POST /_lab/faults` (as a member of system:masters) adds one, as JSON:

    {"match": {"verb": "create", "resource": "pods", "subresource": "exec", "namespace": "…", "name": "…",
               "user": "…"},
     "times": 3,            how many requests it meets; left out: one
     "delay_seconds": 1.5,  how long the answer waits, or until the faults are forgotten; left out: not at all
     "code": 503,           429, 500, 503 or 504 instead of an answer; left out: the answer is given
     "drop": true,          closes the connection without an answer
     "lost": true,          does what is asked, and closes the connection in place of the answer
     "cut_after": 65536}    breaks an exec stream after so many bytes to the client

What is left out of `match` matches everything. `GET` lists what is still waiting, `DELETE` forgets it.
Requests under `/_lab/` are never met.
"""

import asyncio
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from deploy.lab.apiserver.requestinfo import RequestInfo
from deploy.lab.apiserver.status import ApiError, bad_request

_FIELDS = frozenset({"verb", "group", "resource", "subresource", "namespace", "name", "user"})
_REFUSALS = {
    429: ("TooManyRequests", "Too many requests, please try again later."),
    500: ("InternalError", "Internal error occurred: the lab was asked for this"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: ("Timeout", "Timeout: request did not complete within the allotted timeout"),
}


@dataclass
class Fault:
    """One fault, see above."""

    match: dict[str, str] = field(default_factory=dict)
    times: int = 1
    delay_seconds: float = 0.0
    code: int = 0
    drop: bool = False
    lost: bool = False
    cut_after: int | None = None

    def meets(self, user: str, info: RequestInfo) -> bool:
        """Whether a request is one of those it is for."""
        known = asdict(info) | {"user": user}
        return all(known[key] == value for key, value in self.match.items())

    def refusal(self) -> ApiError | None:
        """The error it answers with, if any."""
        if not self.code:
            return None
        reason, message = _REFUSALS[self.code]
        headers = {"Retry-After": "1"} if self.code in {429, 503} else {}
        details = {"retryAfterSeconds": 1} if headers else None
        return ApiError(self.code, reason, message, details, headers)


class Faults:
    """The faults that wait for requests."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._forgotten = asyncio.Event()

    def add(self, raw: Any) -> None:
        """Adds a fault from JSON.

        Raises:
            ApiError: 400 for one that is none.
        """
        try:
            fault = Fault(**raw)
        except TypeError as error:
            raise bad_request(f"not a fault: {error}") from None
        if unknown := set(fault.match) - _FIELDS:
            raise bad_request(f"not a fault: cannot match {', '.join(sorted(unknown))}")
        if fault.code not in {0, *_REFUSALS}:
            raise bad_request(f"not a fault: code {fault.code}")
        self._waiting.append(fault)

    def clear(self) -> None:
        """Forgets all faults, and lets go of the requests that wait."""
        self._waiting.clear()
        self._forgotten.set()
        self._forgotten = asyncio.Event()

    async def delay(self, fault: Fault) -> None:
        """Waits as long as an answer waits."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._forgotten.wait(), fault.delay_seconds)

    def listed(self) -> list[dict[str, Any]]:
        """The faults that still wait."""
        return [asdict(fault) for fault in self._waiting]

    def take(self, user: str, info: RequestInfo) -> Fault | None:
        """The first fault that meets a request, counted down."""
        for fault in self._waiting:
            if fault.meets(user, info):
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None
