"""What Wireshark's dissectors say about one packet, with its form in JSON. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

LONGEST = 120
"""Characters of any text in it."""

MOST_FIELDS, MOST_EXPERTS = 12, 5


@dataclass(frozen=True, slots=True)
class Decoded:
    """A packet that shows a finding, or one of its connection just before or after that.

    Its texts are Wireshark's own, cut and without secrets, but not inert: names in them come from packets.

    Attributes:
        frame: Wireshark's number of it in the whole file.
        protocol: The innermost that is known: `TCP`, `HTTP`.
        fields: Names as in display filters, with the lines that Wireshark shows, the innermost first:
            `{"tcp.flags": "Flags: 0x014 (RST, ACK)"}`.
        expert: Its expert information: `Connection reset (RST)`.
    """

    frame: int
    protocol: str
    fields: Mapping[str, str] = field(default_factory=dict)
    expert: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """All of it but the frame: `TCP: Connection reset (RST); Flags: 0x014 (RST, ACK)`."""
        return self._line(self.fields.values())

    @property
    def brief(self) -> str:
        """The same with fields of its own protocol alone, and without sequence numbers."""
        own = f"{self.protocol.lower()}."
        return self._line(
            text
            for name, text in self.fields.items()
            if name.startswith(own) and name not in ("tcp.seq", "tcp.ack")
        )

    def _line(self, fields: Iterable[str]) -> str:
        said = "; ".join([*self.expert, *fields])
        return f"{self.protocol}: {said}" if said else self.protocol

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Decoded":
        """What `dataclasses.asdict` made of it, as far as it is as short as that.

        Raises:
            KeyError, TypeError, ValueError: It is something else.
        """
        fields = [(str(name)[:LONGEST], str(text)[:LONGEST]) for name, text in dict(value["fields"]).items()]
        expert = tuple(str(text)[:LONGEST] for text in value["expert"])
        return cls(
            int(value["frame"]),
            str(value["protocol"])[:LONGEST],
            dict(fields[:MOST_FIELDS]),
            expert[:MOST_EXPERTS],
        )
