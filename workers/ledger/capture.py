"""A capture as the ledger knows it."""

import secrets
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import RowMapping

from workers.ledger.states import State

# Without vowels and look-alikes: an id is read aloud in incidents and never spells a word.
_ALPHABET = "23456789bcdfghjkmnpqrstvwxz"


SLACK = "slack"
TERMINAL = "terminal"
"""Where a capture was asked for."""


def new_id() -> str:
    """A fresh capture id, such as `cap-7f3k9q` (27^6, about 387 million)."""
    return "cap-" + "".join(secrets.choice(_ALPHABET) for _ in range(6))


@dataclass(frozen=True, slots=True)
class Order:
    """What the bot writes down when somebody asks for a capture.

    `idempotency_key` is the same for every delivery of the same click or command; `origin` is `SLACK` or
    `TERMINAL`, and what only Slack has is empty at a terminal; `pcap` asks for a plain pcap file;
    `targets` is all that was asked for as one types it, None where that is the one pod.
    """

    idempotency_key: str
    cluster: str
    namespace: str
    pod: str
    seconds: int
    filter: str
    full: bool
    team_id: str
    channel_id: str
    user_id: str
    user_name: str
    response_url: str | None
    origin: str = SLACK
    user_email: str | None = None
    pcap: bool = False
    targets: str | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """One row of the ledger; the fields are the columns of `schema.captures`."""

    id: str
    idempotency_key: str
    state: State
    cluster: str
    namespace: str
    pod: str
    targets: str | None
    seconds: int
    filter: str
    full: bool
    team_id: str
    channel_id: str
    user_id: str
    user_name: str
    response_url: str | None
    origin: str
    user_email: str | None
    pcap: bool | None
    message_ts: str | None
    shown: str | None
    closing_ts: str | None
    file_id: str | None
    picture_id: str | None
    context_id: str | None
    requested_at: datetime
    expires_at: datetime
    published_at: datetime | None
    started_at: datetime | None
    worker: str | None
    token: int
    ended_at: datetime | None
    stop_requested_by: str | None
    approved_by: str | None
    turn_at: datetime | None
    place: int | None
    waits_for: str | None
    pod_uid: str | None
    node: str | None
    interface: str | None
    tap: str | None
    confidence: str | None
    packets: int | None
    bytes: int | None
    dropped: int | None
    ended_by: str | None
    spool_sha256: str | None
    file_sha256: str | None
    file_url: str | None
    file_bytes: int | None
    stored_at: datetime | None
    sentence: str | None

    @property
    def what(self) -> str:
        """What was asked for, as people read it: `traefik/cheddar-0`, `shop/deploy/web shop/svc/db`."""
        return self.targets or f"{self.namespace}/{self.pod}"

    @classmethod
    def of(cls, row: RowMapping) -> "Capture":
        """The capture of a row of `schema.captures`."""
        values = {field.name: row[field.name] for field in fields(cls)}
        values["state"] = State(values["state"])
        return cls(**values)
