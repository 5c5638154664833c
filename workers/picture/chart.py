"""What the picture of a capture is made of: numbers and a title, with its form in JSON. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from workers.summary.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Chart:
    """No text of packets is in it.

    Attributes:
        title: Whose traffic it is: `traefik/cheddar-845749dbd6-zcdjm`, or the file's name.
        packets: Of the whole capture.
        bytes: Likewise, on the wire.
        first: Nanoseconds since 1970 of the first packet; None when there is none.
        seconds: From the first packet to the last.
        payload: Whether packets are whole, so that failures of HTTP, DNS and TLS would be seen.
        timeline: Traffic and events over time.
    """

    title: str
    packets: int
    bytes: int
    first: int | None
    seconds: float
    payload: bool
    timeline: Timeline

    def to_json(self) -> dict[str, Any]:
        """`from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Chart":
        """What `to_json` wrote.

        Raises:
            KeyError, TypeError: It is something else.
        """
        return cls(**{**value, "timeline": Timeline(**value["timeline"])})
