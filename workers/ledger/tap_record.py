"""A tap as the ledger knows it: one pod of a capture, or a node's uplink."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping


class TapKind(StrEnum):
    """What is tapped."""

    POD = "pod"
    UPLINK = "uplink"
    """The interface by which a node reaches the other nodes and the world."""


class TapState(StrEnum):
    """How far a tap has come."""

    WAITING = "waiting"
    READY = "ready"
    CAPTURING = "capturing"
    COLLECTED = "collected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TapRecord:
    """One row of `schema.taps`, which belongs to a capture.

    Attributes:
        number: Which of the capture's taps, from 0.
        kind: What is tapped.
        namespace: The pod's; empty for an uplink.
        pod: The pod's name; empty for an uplink.
        pod_uid: Which pod of that name.
        node: Where it is; known for every uplink.
        target: Of which of the capture's targets it is, from 0.
        state: How far it has come.
        filter: What narrows it besides the capture's filter (pcap-filter(7)); empty: nothing.
        interface: Where its packets are taken.
        tap: Why there.
        confidence: How sure that is.
        addresses: The pod's addresses, or the node's.
        began: When its capturing began, in nanoseconds since 1970 by the node's clock.
        packets: What it took.
        bytes: What its spool holds.
        dropped: What the node could not keep up with.
        ended_by: What ended it.
        spool_sha256: Of its spool.
        sentence: Why it failed.
    """

    number: int
    kind: TapKind = TapKind.POD
    namespace: str = ""
    pod: str = ""
    pod_uid: str | None = None
    node: str | None = None
    target: int = 0
    state: TapState = TapState.WAITING
    filter: str = ""
    interface: str | None = None
    tap: str | None = None
    confidence: str | None = None
    addresses: tuple[str, ...] = ()
    began: int | None = None
    packets: int | None = None
    bytes: int | None = None
    dropped: int | None = None
    ended_by: str | None = None
    spool_sha256: str | None = None
    sentence: str | None = None

    @property
    def name(self) -> str:
        """As people read it: `traefik/cheddar-0`, `node/node1`."""
        return f"{self.namespace}/{self.pod}" if self.kind is TapKind.POD else f"node/{self.node}"

    @classmethod
    def of(cls, row: RowMapping) -> "TapRecord":
        """The tap of a row of `schema.taps`."""
        values = {field.name: row[field.name] for field in fields(cls)}
        values["kind"], values["state"] = TapKind(values["kind"]), TapState(values["state"])
        values["addresses"] = tuple(json.loads(values["addresses"]))
        return cls(**values)

    def row(self, capture_id: str) -> dict[str, Any]:
        """The row of it."""
        return {"capture_id": capture_id} | columns(asdict(self))


def columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a tap as `schema.taps` has them."""
    if "addresses" not in values:
        return dict(values)
    return {**values, "addresses": json.dumps(list(values["addresses"]))}
