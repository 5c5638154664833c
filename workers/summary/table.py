"""A summary as text: the table of flows, and lines of what was said. Pure.

The table goes into a code block of a Slack message: 76 columns at most, what matters on the left. Text from
packets appears only in `said_lines`, cut and without power over the message.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median

from workers.request.quoting import inert, verbatim
from workers.summary.endpoint import Endpoint
from workers.summary.exchange import CallExchange, DnsExchange, Exchange, HttpExchange, without_answer
from workers.summary.flow import Flow
from workers.summary.summary import Summary, Totals
from workers.thread.words import count, size

WIDTH = 76
_LONGEST_SAID = 120
_LEAST_OF_A_BEGINNING = 4
_FIRST_HTTP_ERROR = 400


def flow_table(summary: Summary, *, limit: int = 15, width: int = WIDTH) -> str:
    """The busiest flows, client before server, and a line that sums up all of them; or `without_flows`.

    Args:
        summary: Of a capture file.
        limit: How many flows are shown.
        width: Columns at most; addresses are shortened to fit. At least 60.
    """
    if not summary.flows:
        return without_flows(summary.totals)
    busiest = sorted(summary.flows, key=lambda flow: (-flow.bytes, -flow.packets, flow.start))
    lines = _aligned([_row(flow, summary.names) for flow in busiest[:limit]], width)
    if summary.flow_count > limit:
        lines.append(f"… and {summary.flow_count - limit:,} more")
    return "\n".join([*lines, *_sum(summary)])


def without_flows(totals: Totals) -> str:
    """The sentence that stands in the place of a table without rows: what there is instead."""
    if not totals.packets:
        return "There is no packet in the file."
    apart = _apart(totals)
    amount = f"{count(totals.packets, 'packet')} ({size(totals.bytes)} in {span(totals.duration)})"
    return f"There is no TCP or UDP flow in {amount}{f': {apart}' if apart else ''}."


def said_lines(summary: Summary, *, limit: int = 10) -> list[str]:
    """What was said, in mrkdwn: failures first, then what was said most often.

    For example ``12 × `GET cheddar/path?…` → 200, 3 ms median``.
    """  # noqa: RUF002, the sign for how many times
    groups = _grouped(summary.exchanges)
    groups.sort(key=lambda group: (not group.failed, -group.times))
    lines = [group.line() for group in groups[:limit]]
    if len(groups) > limit:
        lines.append(f"… and {len(groups) - limit:,} more")
    return lines


def span(seconds: float) -> str:
    """`40 µs`, `0.3 ms`, `12 ms`, `3.2 s`, `5 min`."""
    if 0 < seconds < 0.0000995:  # noqa: PLR2004, below it "0.1 ms" or "0.0 ms" would be printed
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 0.00995:  # noqa: PLR2004, one decimal as long as it says something
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:  # noqa: PLR2004, above it "1000 ms" would be printed
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"  # noqa: PLR2004


_HEAD = ("", "client", "server", "packets", "bytes", "time", "")
_CLIENT, _SERVER = 1, 2
_RIGHT = (3, 4, 5)


def _row(flow: Flow, names: Mapping[str, str]) -> tuple[str, ...]:
    client, server = (flow.a, flow.b) if flow.client == "a" else (flow.b, flow.a)
    return (
        flow.protocol,
        _shown(client, names),
        _shown(server, names),
        f"{flow.packets:,}",
        size(flow.bytes),
        span(flow.duration),
        _mark(flow),
    )


def _shown(end: Endpoint, names: Mapping[str, str]) -> str:
    """By its name in the cluster, where it has one; a name is no address, so its port needs no brackets."""
    name = names.get(str(end)) or names.get(end.address)
    return str(end) if name is None else f"{verbatim(name)}:{end.port}"


def _mark(flow: Flow) -> str:
    """The one thing to know about a flow, if there is one."""
    if not flow.packets_ab or not flow.packets_ba:
        return "one way"
    if flow.resets_ab or flow.resets_ba:
        return "reset"
    repeated = flow.retransmitted_ab + flow.retransmitted_ba
    return f"{repeated:,} again" if repeated else ""


def _aligned(rows: list[tuple[str, ...]], width: int) -> list[str]:
    rows = [_HEAD, *rows]
    columns = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    client, server = columns[_CLIENT], columns[_SERVER]
    spaces = sum(1 for column in columns[1:] if column)
    room = width - spaces - (sum(columns) - client - server)
    # Each may have half of the room, and what the other leaves of its half.
    columns[_CLIENT] = min(client, max(room // 2, room - server))
    columns[_SERVER] = min(server, room - columns[_CLIENT])
    return [_line(row, columns) for row in rows]


def _line(row: tuple[str, ...], columns: list[int]) -> str:
    cells = []
    for column, (text, room) in enumerate(zip(row, columns, strict=True)):
        shown = shortened(text, room)
        if room:
            cells.append(shown.rjust(room) if column in _RIGHT else shown.ljust(room))
    return " ".join(cells).rstrip()


def shortened(text: str, room: int) -> str:
    """Cut in its middle: how an address begins and its port say more.

    Where a name is cut already, as `traefik/cheddar-…zcdjm`, that gap grows: what tells pods apart stays.
    """
    if len(text) <= room:
        return text
    tail = len(text) - text.rfind("…") - 1
    if not 0 < tail < room - _LEAST_OF_A_BEGINNING:
        tail = (room - 1) // 2
    return text[: room - 1 - tail].rstrip("…") + "…" + text[len(text) - tail :].lstrip("…")


def _sum(summary: Summary) -> list[str]:
    totals = summary.totals
    flows = count(summary.flow_count, "flow")
    line = f"{flows}, {count(totals.packets, 'packet')}, {size(totals.bytes)} in {span(totals.duration)}"
    apart = _apart(totals)
    return [line, *([f"of these {apart} in no flow"] if apart else [])]


def _apart(totals: Totals) -> str:
    kinds = {
        "ARP": totals.arp,
        "ICMP": totals.icmp,
        "ICMPv6": totals.icmpv6,
        "fragments": totals.fragments,
        "other": totals.other,
    }
    return ", ".join(f"{number:,} {name}" for name, number in kinds.items() if number)


@dataclass(slots=True)
class _Group:
    """Exchanges that read the same."""

    asked: str
    answer: str
    failed: bool
    seconds: list[float] = field(default_factory=list)
    times: int = 0

    def line(self) -> str:
        often = f"{self.times:,} × " if self.times > 1 else ""  # noqa: RUF001, the sign for how many times
        typical = f", {span(median(self.seconds))}" if self.seconds else ""
        return f"{often}{self.asked} → {self.answer}{typical}{' median' if len(self.seconds) > 1 else ''}"


def _grouped(exchanges: Iterable[Exchange]) -> list[_Group]:
    groups: dict[tuple[str, str], _Group] = {}
    for exchange in exchanges:
        asked, answer, failed = _words(exchange)
        group = groups.setdefault((asked, answer), _Group(asked, answer, failed))
        group.times += 1
        if exchange.seconds is not None:
            group.seconds.append(exchange.seconds)
    return list(groups.values())


def _words(exchange: Exchange) -> tuple[str, str, bool]:
    """Question and answer in mrkdwn, and whether it failed."""
    if isinstance(exchange, HttpExchange):
        said = without_answer(exchange)
        if exchange.status is not None:
            said = str(exchange.status), exchange.status >= _FIRST_HTTP_ERROR
        return _code(f"{exchange.method} {exchange.host}{exchange.path}"), *said
    if isinstance(exchange, DnsExchange):
        answer = exchange.rcode or "no answer"
        return f"DNS {_code(f'{exchange.type} {exchange.name}')}", answer, exchange.rcode != "NOERROR"
    if isinstance(exchange, CallExchange):
        said = exchange.error or "answered", bool(exchange.error)
        if exchange.seconds is None:
            said = without_answer(exchange)
        return f"{exchange.service} {_code(exchange.call)}", *said
    told = [*filter(None, [exchange.version]), *(f"alert {alert}" for alert in exchange.alerts)]
    said = ", ".join(told), exchange.version is None or bool(exchange.alerts)
    if not told:
        said = without_answer(exchange)
    return f"TLS {_code(exchange.server_name or str(exchange.server))}", *said


def _code(text: str) -> str:
    return f"`{inert(text, _LONGEST_SAID) or '-'}`"
