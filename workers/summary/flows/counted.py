"""What a pass over a file gives. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workers.summary.event import Event
from workers.summary.exchange import Exchange, Group
from workers.summary.flow import Flow
from workers.summary.flows.bins import Bins
from workers.summary.flows.conversation import Conversation
from workers.summary.flows.listening import Listening
from workers.summary.host import Host, busiest
from workers.summary.summary import Summary, Totals
from workers.summary.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Counted:
    """As in `Summary`; `unknown` names the encapsulations that only tshark opens."""

    totals: Totals
    flows: tuple[Flow, ...]
    unknown: tuple[str, ...]
    exchanges: tuple[Exchange, ...] = ()
    groups: tuple[Group, ...] = ()
    events: tuple[Event, ...] = ()
    event_counts: Mapping[str, int] = field(default_factory=dict)
    timeline: Timeline | None = None
    hosts: Mapping[str, Host] = field(default_factory=dict)

    def summary(self, *, payload: bool, notes: tuple[str, ...]) -> Summary:
        """The summary of the file, without findings and names."""
        return Summary(
            self.totals,
            self.flows,
            payload,
            self.exchanges,
            notes,
            self.groups,
            self.events,
            self.event_counts,
            self.timeline,
            self.hosts,
        )


def counted(
    conversations: Sequence[Conversation],
    begin: int,
    times: tuple[int, int],
    apart: tuple[Mapping[str, int], int],
    twice: tuple[Mapping[str, int], int],
    listening: Listening,
    bins: Bins,
    unknown: tuple[str, ...],
) -> Counted:
    """Put together.

    Args:
        conversations: TCP before UDP.
        begin: The time of the first packet.
        times: Of the earliest and the latest packet outside of flows.
        apart: Packets by kind and bytes outside of flows.
        twice: Packets by protocol and bytes that are in two flows each.
        listening: What was said and what happened.
        bins: The timeline.
        unknown: See `Counted`.
    """
    flows = tuple(conversation.flow(begin) for conversation in conversations)
    first, last = times
    by_protocol = {"TCP": 0, "UDP": 0}
    size = 0
    for conversation, flow in zip(conversations, flows, strict=True):
        by_protocol[flow.protocol] += flow.packets_ab + flow.packets_ba
        size += flow.bytes_ab + flow.bytes_ba
        first = min(first, conversation.forth.first, conversation.back.first)
        last = max(last, conversation.last)
    tcp, udp = (by_protocol[protocol] - twice[0][protocol] for protocol in ("TCP", "UDP"))
    totals = Totals(
        tcp + udp + sum(apart[0].values()), size + apart[1] - twice[1], first, last, tcp, udp, **apart[0]
    )
    streams = sum(conversation.protocol == "TCP" for conversation in conversations)
    return Counted(
        totals,
        flows,
        unknown,
        listening.said.exchanges(),
        listening.said.groups(),
        listening.events.result(streams),
        dict(listening.events.counts.items()),
        bins.result(),
        busiest(flows),
    )
