"""A summary as one HTML page that needs nothing else. Pure, but for reading its style and its script.

All that comes from packets goes through `workers.page.text`. Besides, the page's policy (CSP) lets nothing
run or load but its own style and script, which are named by their hashes.
"""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from importlib.resources import files

from workers.page.table import Cell, table
from workers.page.text import prose, shown
from workers.picture.alt_text import alt_text
from workers.picture.picture import chart_of
from workers.picture.plot import drawing, when
from workers.picture.svg import COLOURS, svg
from workers.service_truth.table import truth_page
from workers.summary.decoded import Decoded
from workers.summary.endpoint import Endpoint
from workers.summary.exchange import Group
from workers.summary.finding import Finding
from workers.summary.flow import Flow
from workers.summary.summary import Summary
from workers.summary.table import span, without_flows
from workers.thread.words import count, size

MOST_FLOWS = 2_000
"""Rows: a browser lays out and sorts them at once. The others are in `--json`."""

MOST_GROUPS = 500
_LONGEST = 300


def page(summary: Summary, title: str) -> str:
    """The page.

    Args:
        summary: With all flows.
        title: Whose traffic it is.
    """
    style = _asset("style.css").replace("COLOURS", COLOURS)
    script = _asset("script.js")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    chart = chart_of(summary, title)
    totals = summary.totals
    drawn = svg(drawing(chart), alt_text(chart))
    amount = f"{count(totals.packets, 'packet')}, {size(totals.bytes)} in {span(totals.duration)}"
    parts = [
        f"<header><h1>{shown(title)}</h1>",
        f'<p class="soft">{" · ".join(part for part in (when(chart), amount) if part)}</p></header>',
        f"<main><section><h2>Findings</h2>{_findings(summary.findings)}</section>",
        f'<section><h2>Over time</h2><figure tabindex="0">{drawn}</figure></section>',
        f"<section><h2>Flows</h2>{_flows(summary)}</section>",
        f"<section><h2>What was said</h2>{_groups(summary)}</section>" if summary.groups else "",
        f"<section><h2>Services</h2>{_services(summary)}</section>" if summary.services else "",
        _notes(summary),
        "</main>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{shown(title)}: packets</title>\n<style>{style}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + f"\n<script>{script}</script>\n</body>\n</html>\n"
    )


def _asset(name: str) -> str:
    return files("workers.page").joinpath(name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


def _findings(findings: Iterable[Finding]) -> str:
    items = "".join(
        f'<li class="{finding.severity}"><p><span class="severity">{finding.severity}</span>'
        f"{prose(finding.sentence)}</p>{_more(finding)}{_packets(finding)}</li>\n"
        for finding in findings
    )
    return f'<ol class="findings">\n{items}</ol>' if items else "<p>Nothing was found.</p>"


def _more(finding: Finding) -> str:
    next_ = f"<p>{prose(finding.next)}</p>" if finding.next else ""
    frame = "" if finding.frame is None else f", first in frame {finding.frame}"
    if not finding.display_filter:
        return next_
    return f'{next_}<p class="soft">In Wireshark: <code>{shown(finding.display_filter)}</code>{frame}</p>'


def _packets(finding: Finding) -> str:
    if not finding.packets:
        return ""
    items = "".join(f"<li>{_packet(each)}</li>\n" for each in finding.packets)
    return f"<details><summary>What Wireshark says of these packets</summary><ul>\n{items}</ul></details>"


def _packet(packet: Decoded) -> str:
    said = ": ".join([packet.protocol, *filter(None, ["; ".join(packet.expert)])])
    fields = " · ".join(f"<code>{shown(name)}</code> {shown(text)}" for name, text in packet.fields.items())
    return f'<p>Frame {packet.frame:,}, {shown(said)}</p><p class="soft">{fields}</p>'


_MOST_SERVICES = 20

_FLOW_HEADS = (
    "Protocol",
    "Client",
    "Server",
    "Remarks",
    "Packets",
    "Bytes",
    "To server",
    "To client",
    "Start",
    "Duration",
    "Handshake",
)


def _flows(summary: Summary) -> str:
    if not summary.flows:
        return f"<p>{shown(without_flows(summary.totals))}</p>"
    busiest = sorted(summary.flows, key=lambda flow: (-flow.bytes, -flow.packets, flow.start))
    rows = [_flow(flow, summary) for flow in busiest[:MOST_FLOWS]]
    left = summary.flow_count - len(rows)
    caption = count(summary.flow_count, "flow")
    if left:
        caption = f"The {len(rows):,} busiest of {caption}; all are in the output of podcap summarize --json"
    return _filter("flows") + table(caption, _FLOW_HEADS, rows, sorted_by=_FLOW_HEADS.index("Bytes"))


def _services(summary: Summary) -> str:
    return "\n".join(truth_page(truth, summary.names) for truth in summary.services[:_MOST_SERVICES])


def _filter(what: str) -> str:
    return (
        f'<p class="filter" hidden><label for="filter-{what}">Show {what} with</label>'
        f'<input id="filter-{what}" type="search" autocomplete="off" spellcheck="false">'
        f'<output for="filter-{what}"></output></p>'
    )


def _flow(flow: Flow, summary: Summary) -> list[Cell]:
    client, server = flow.ends
    to_server, to_client = flow.bytes_ab, flow.bytes_ba
    if flow.client == "b":
        to_server, to_client = to_client, to_server
    handshake = Cell("") if flow.handshake is None else Cell(span(flow.handshake), flow.handshake)
    return [
        Cell(flow.protocol),
        Cell(_end(client, summary)),
        Cell(_end(server, summary)),
        Cell(", ".join(_remarks(flow))),
        Cell(f"{flow.packets:,}", flow.packets),
        Cell(size(flow.bytes), flow.bytes),
        Cell(size(to_server), to_server),
        Cell(size(to_client), to_client),
        Cell(f"{flow.start:,.3f} s", flow.start),
        Cell(span(flow.duration), flow.duration),
        handshake,
    ]


def _end(end: Endpoint, summary: Summary) -> str:
    name = summary.names.get(str(end)) or summary.names.get(end.address)
    return str(end) if name is None else f"{name}:{end.port} ({end})"


def _remarks(flow: Flow) -> Iterable[str]:
    if not flow.packets_ab or not flow.packets_ba:
        yield "one way"
    for number, one, many in (
        (flow.resets_ab + flow.resets_ba, "reset", "resets"),
        (flow.retransmitted_ab + flow.retransmitted_ba, "sent again", "sent again"),
        (flow.out_of_order_ab + flow.out_of_order_ba, "out of order", "out of order"),
        (flow.zero_windows_ab + flow.zero_windows_ba, "window full", "windows full"),
    ):
        if number:
            yield count(number, one, many)
    if flow.tunnel is not None:
        yield f"in {flow.tunnel.kind}" + ("" if flow.tunnel.id is None else f" {flow.tunnel.id}")
    if flow.vlan is not None:
        yield f"VLAN {flow.vlan}"


_GROUP_HEADS = (
    "Protocol",
    "Asked",
    "Server",
    "Answer",
    "Times",
    "Median",
    "95 of 100 within",
    "Slowest",
    "First frame",
)


def _groups(summary: Summary) -> str:
    groups = summary.groups[:MOST_GROUPS]
    caption = count(len(summary.groups), "kind of exchange", "kinds of exchange") + ", failures first"
    if len(groups) < len(summary.groups):
        caption = f"The first {len(groups):,} of {caption}"
    rows = (_group(group, summary) for group in groups)
    return f"<div>{_filter('exchanges')}{table(caption, _GROUP_HEADS, rows)}</div>"


def _group(group: Group, summary: Summary) -> list[Cell]:
    def seconds(value: float | None) -> Cell:
        return Cell("") if value is None else Cell(span(value), value)

    return [
        Cell(group.protocol),
        Cell(_cut(group.asked)),
        Cell(_end(group.server, summary)),
        Cell(_cut(group.answer)),
        Cell(f"{group.times:,}", group.times),
        seconds(group.median),
        seconds(group.p95),
        seconds(group.slowest),
        Cell(f"{group.frame:,}", group.frame),
    ]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _notes(summary: Summary) -> str:
    if not summary.notes:
        return ""
    items = "".join(f"<li>{prose(note)}</li>" for note in summary.notes)
    return f"<section><h2>What to know</h2><ul>{items}</ul></section>"
