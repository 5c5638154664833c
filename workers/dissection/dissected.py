"""What Wireshark says of the packets that show a summary's findings, asked in a child process."""

import json
import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from workers.summary.decoded import Decoded
from workers.summary.exchange import CallExchange, DnsExchange, Exchange, HttpExchange
from workers.summary.finding import Finding
from workers.summary.limited import run_limited
from workers.summary.summary import Summary

log = logging.getLogger(__name__)

SECONDS = 20
MEMORY = 1 << 30
"""Bytes of address space: tshark needs 400 MB of it to read anything."""

MOST = 8
"""Findings that are dissected, the gravest."""

_CALLS = {"Redis": "resp", "PostgreSQL": "pgsql", "Kafka": "kafka"}

# tshark takes 160 MB: many captures that end together take turns.
_ONE_AT_A_TIME = threading.Lock()


class DissectionError(Exception):
    """Nothing was dissected; the message is one sentence."""


def dissected(path: Path, summary: Summary, *, seconds: int = SECONDS) -> Summary:
    """The same with `Finding.packets`, of those findings that tell of trouble.

    Findings that are good to know only stay as they are: without trouble, no tshark.

    Args:
        path: The capture file.
        summary: What podcap found in it; a digest is enough.
        seconds: To wait for others' dissections, and then for this one.

    Raises:
        DissectionError: tshark is missing, failed, or took too long.
        OSError: The file cannot be opened.
    """
    frames = _frames(summary.findings)
    if not frames:
        return summary
    if not path.is_file():
        raise DissectionError("Wireshark was not asked about the findings: that takes a file, not a pipe.")
    if not _ONE_AT_A_TIME.acquire(timeout=seconds):
        raise DissectionError("Wireshark was not asked about the findings: too many captures end at once.")
    try:
        decoded = _run(path, frames, _decode_as(summary.exchanges, frames), seconds)
    finally:
        _ONE_AT_A_TIME.release()
    findings = (
        replace(each, packets=decoded.get(each.frame or 0, ())) if each.severity != "info" else each
        for each in summary.findings
    )
    return replace(summary, findings=tuple(findings))


def _frames(findings: Iterable[Finding]) -> list[int]:
    grave = [each.frame for each in findings if each.severity != "info" and each.frame is not None]
    return list(dict.fromkeys(grave))[:MOST]


def _decode_as(exchanges: Iterable[Exchange], frames: Sequence[int]) -> list[str]:
    """As what tshark is to take these packets' ports: podcap knows it from the packets."""
    wanted = set(frames)
    return list(dict.fromkeys(_as(each) for each in exchanges if each.frame in wanted))


def _as(exchange: Exchange) -> str:
    transport = "tcp"
    if isinstance(exchange, HttpExchange):
        protocol = "http2" if exchange.version == "2" else "http"
    elif isinstance(exchange, DnsExchange):
        transport, protocol = exchange.transport.lower(), "dns"
    elif isinstance(exchange, CallExchange):
        protocol = _CALLS[exchange.service]
    else:
        protocol = "tls"
    return f"{transport}.port=={exchange.server.port},{protocol}"


def _run(
    path: Path, frames: Sequence[int], decode_as: Sequence[str], seconds: int
) -> Mapping[int, tuple[Decoded, ...]]:
    arguments = [*(f"--decode-as={each}" for each in decode_as), *map(str, frames)]
    with path.open("rb") as source:
        output, failure = run_limited(
            "workers.dissection.child", arguments, source, seconds=seconds, memory=MEMORY
        )
    try:
        # The child read hostile packets: what it says is text and numbers, cut, or nothing.
        told = {
            int(frame): tuple(map(Decoded.from_json, near))
            for frame, near in json.loads(output).items()
            if near
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        told = {}
    if not told:
        raise DissectionError(
            f"Wireshark says nothing about the findings: {failure or 'the answer was not understood'}."
        )
    if failure:
        log.warning("some packets of findings were not dissected: %s", failure)
    return told
