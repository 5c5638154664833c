"""What the picture shows, in words: for who hears it, and for where it cannot be shown. Pure."""

from collections.abc import Mapping, Sequence

from workers.picture.chart import Chart
from workers.picture.columns import columns
from workers.picture.plot import when
from workers.picture.ticks import clock
from workers.summary.table import span
from workers.thread.words import count, size

LONGEST = 1000
"""Slack takes so many characters with a file (files.getUploadURLExternal: alt_txt_too_large)."""

_TITLE = 320
_EVENTS = {
    "reset": ("reset", "resets"),
    "refused": ("refused connection", "refused connections"),
    "retransmission": ("retransmission", "retransmissions"),
    "unanswered": ("unanswered connection", "unanswered connections"),
    "zero-window": ("full receive window", "full receive windows"),
    "http-failure": ("HTTP error", "HTTP errors"),
    "dns-failure": ("DNS error", "DNS errors"),
    "tls-failure": ("TLS error", "TLS errors"),
    "call-failure": ("failed call", "failed calls"),
    "icmp-error": ("ICMP error", "ICMP errors"),
    "arp-unanswered": ("unanswered ARP request", "unanswered ARP requests"),
    "neighbour-unanswered": ("unanswered neighbour solicitation", "unanswered neighbour solicitations"),
    "arp-conflict": ("ARP conflict", "ARP conflicts"),
    "neighbour-conflict": ("neighbour conflict", "neighbour conflicts"),
    "neighbour-moved": ("moved neighbour", "moved neighbours"),
}


def alt_text(chart: Chart) -> str:
    """Sentences, at most `LONGEST` characters: how much and when, each direction's peak, events and when."""
    plain = "".join(one if one.isprintable() else "?" for one in chart.title)
    title = plain if len(plain) <= _TITLE else f"{plain[: _TITLE - 1]}…"
    if chart.packets == 0 or not chart.timeline.packets:
        return f"Traffic of {title}: no packet."
    whole = f"{count(chart.packets, 'packet')}, {size(chart.bytes)} in {span(chart.seconds)}"
    sentences = [
        f"Traffic of {title}: {', '.join(part for part in (whole, when(chart)) if part)}.",
        *_directions(chart),
        _events(chart),
    ]
    return _whole_sentences(sentences)


def _directions(chart: Chart) -> list[str]:
    line, shown = chart.timeline, columns(chart.timeline)
    directions = (
        ("To clients", line.to_client, shown.to_client),
        ("To servers", line.to_server, shown.to_server),
        ("Neither TCP nor UDP", line.other, shown.other),
    )
    sentences = []
    for name, counts, rates in directions:
        if any(counts):
            peak = max(rates)
            at = clock(chart.first, rates.index(peak) * shown.width, chart.seconds)
            course = f", at most {size(round(peak))}/s, at {at}" if len(counts) > 1 else ""
            sentences.append(f"{name}: {size(sum(counts))}{course}.")
    return sentences


def _events(chart: Chart) -> str:
    marks: Mapping[str, Sequence[int]] = chart.timeline.marks
    told = []
    for kind, (one, many) in _EVENTS.items():
        counts = marks.get(kind, ())
        if any(counts):
            times = [number * chart.timeline.width for number, here in enumerate(counts) if here]
            first, last = (clock(chart.first, each, chart.seconds) for each in (times[0], times[-1]))
            between = f"at {first}" if first == last else f"from {first} to {last}"
            told.append(f"{count(sum(counts), one, many)} {between}")
    return f"Marked: {'; '.join(told)}." if told else "No event is marked."


def _whole_sentences(sentences: Sequence[str]) -> str:
    text = " ".join(sentences)
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rsplit("; ", 1)[0] + "…"
