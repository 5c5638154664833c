"""Many people who ask at once, and what they were answered."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from workers.ledger.engine import open_engine
from workers.ledger.ledger import Ledger
from workers.ledger.states import State

PEOPLE = tuple(f"person{number:02}" for number in range(1, 21))
CHANNEL = "general"

POLICY = """\
rules:
  - users: ["@oncall"]
    namespaces: [traefik]
    max_duration: 10m
    payload: true
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the capture it became (empty: none), and how long its ack took, as Slack saw it."""

    capture: str
    milliseconds: int
    said: str


def let_in(world: Any) -> None:
    """Brings twenty people into the workspace."""
    world.control("join", {"users": list(PEOPLE), "channels": [CHANNEL, "incidents"], "groups": ["oncall"]})


def ask(world: Any, count: int, *, seconds: float, text: str, filters: Sequence[str] = ("",)) -> list[Asked]:
    """So many requests of twenty people with these filters, evenly over so many seconds."""
    start = time.monotonic()

    def one(number: int) -> Asked:
        time.sleep(max(0.0, start + number * seconds / count - time.monotonic()))
        user = PEOPLE[number % len(PEOPLE)]
        answer = world.control(
            "command", {"user": user, "channel": CHANNEL, "text": f"{text} {filters[number % len(filters)]}"}
        )
        body: Mapping[str, Any] = answer["ack_body"] if isinstance(answer["ack_body"], dict) else {}
        said = str(body.get("text", answer["error"]))
        return Asked(said.split("`")[1] if said.startswith("Capture `") else "", answer["ack_ms"], said)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def figures(asked: list[Asked]) -> str:
    """The acks in one line."""
    times = sorted(one.milliseconds for one in asked)
    named = {"median": times[len(times) // 2], "99 %": times[-(len(times) // 100) - 1], "longest": times[-1]}
    return ", ".join(f"{name} {value} ms" for name, value in named.items())


class Books:
    """The ledger behind a world, to look into."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._ledger = Ledger(self._engine)

    def states(self, asked: list[Asked]) -> dict[State, int]:
        """How many of them are in which state."""
        found: dict[State, int] = {}
        for one in asked:
            state = self._ledger.get(one.capture).state
            found[state] = found.get(state, 0) + 1
        return found

    def without_message(self, asked: list[Asked]) -> list[str]:
        """Those that have no message in their channel yet."""
        return [one.capture for one in asked if self._ledger.get(one.capture).message_ts is None]

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()
