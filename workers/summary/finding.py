"""What a finding is: one sentence that answers a question, with its evidence. Pure.

A finding is made by a pure function `find(evidence: Evidence) -> Iterable[Finding]`, one file each in
`workers.summary.findings`. `Evidence` is all it may look at.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from workers.names.names import Names
from workers.names.snapshot import Snapshot
from workers.summary.context import Context
from workers.summary.decoded import Decoded

if TYPE_CHECKING:
    from workers.summary.summary import Summary

Severity = Literal["critical", "warning", "info"]
"""critical: something does not work. warning: it works badly, or will fail. info: good to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes:
        id: Stable, such as `source-rewritten`; several findings of a file may share it.
        severity: How bad it is.
        sentence: In plain words, with names in place of addresses. What comes from packets in it is inert
            (`workers.request.quoting.inert`), cut and without secrets.
        numbers: The figures in the sentence, and those behind it; `times` and `clients` rank it.
        display_filter: What shows it in Wireshark, `frame` first; empty where no packet does.
        frame: Wireshark's number of the first packet that shows it; None where no packet does.
        next: What to do, as one sentence.
        packets: What Wireshark says of the packet at `frame`, and of some of its connection before and after
            it, by frame; empty where it was not asked.
    """

    id: str
    severity: Severity
    sentence: str
    numbers: Mapping[str, float | int | str] = field(default_factory=dict)
    display_filter: str = ""
    frame: int | None = None
    next: str = ""
    packets: tuple[Decoded, ...] = ()

    @property
    def telling(self) -> tuple[Decoded, ...]:
        """The packet at `frame`, and the next of that protocol of which Wireshark says something else."""
        of_it = [each for each in self.packets if each.frame == self.frame]
        later = (
            each
            for each in self.packets
            for first in of_it
            if each.frame > first.frame and each.protocol == first.protocol and each.line != first.line
        )
        return (*of_it, *islice(later, 1))

    def to_json(self) -> dict[str, Any]:
        """As JSON's own types; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Finding":
        """What `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: It is something else.
        """
        return cls(**{**value, "packets": tuple(map(Decoded.from_json, value["packets"]))})


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a finding can be made of.

    Attributes:
        summary: With all flows; `findings` are empty still.
        context: What is known besides the packets; of a file from elsewhere it is empty.
        cluster: The snapshot of the cluster, with what concerns addresses of the file; may be empty.
        names: Of addresses, from that snapshot.
    """

    summary: "Summary"
    context: Context = field(default_factory=Context)
    cluster: Snapshot = field(default_factory=Snapshot)
    names: Names = field(default_factory=Names.none)
