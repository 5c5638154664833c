"""Flows as tshark counts them, for files with what podcap's own pass does not know.

tshark lists, of each packet, its layers in order and the fields of each; packets in an ICMP error are no
traffic of their own, neither here nor for `tshark -z conv`.
"""

import os
import subprocess
import threading
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Literal

from workers.summary.confine import end_with
from workers.summary.endpoint import Endpoint
from workers.summary.flow import Flow

_FIELDS = (
    "frame.time_relative",
    "frame.len",
    "frame.protocols",
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "tcp.stream",
    "tcp.srcport",
    "tcp.dstport",
    "udp.stream",
    "udp.srcport",
    "udp.dstport",
)
_ERRORS = frozenset(("icmp", "icmpv6"))
_Protocol = Literal["TCP", "UDP"]
_PROTOCOLS: dict[str, _Protocol] = {"tcp": "TCP", "udp": "UDP"}


class TsharkError(Exception):
    """tshark could not count; the message is one sentence."""


class _Counted:
    __slots__ = ("a", "b", "counts", "first", "frame", "last")

    def __init__(self, a: Endpoint, b: Endpoint, time: float, frame: int) -> None:
        self.a, self.b = a, b
        self.first = self.last = time
        self.frame = frame
        self.counts = [0, 0, 0, 0]


def count(source: int, tshark: str | None, seconds: float) -> tuple[Flow, ...]:
    """The flows of a file, TCP before UDP, in the order of their first packets.

    Args:
        source: Descriptor of the file; read from its beginning.
        tshark: The program's path.
        seconds: How long it may take.

    Raises:
        TsharkError: There is no tshark, or it failed or took longer.
    """
    if tshark is None:
        raise TsharkError("tshark, which does, is not installed.")
    os.lseek(source, 0, os.SEEK_SET)
    fields = [part for field in _FIELDS for part in ("-e", field)]
    with subprocess.Popen(  # noqa: S603, found in PATH before
        [tshark, "-n", "-Q", "-r", "-", "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,", *fields],
        stdin=source,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        errors="replace",
        # Safe here: this process has one thread. What kills it would leave tshark to its limit of CPU time.
        preexec_fn=partial(end_with, os.getpid()),  # noqa: PLW1509
    ) as process:
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        try:
            flows = flows_of(process.stdout or ())
        finally:
            timer.cancel()
        status = process.wait()
        # Of a damaged file it tells what could be read, and fails.
        if status > 0 and not flows:
            raise TsharkError("tshark, which does, failed.")
        if status < 0:
            raise TsharkError("tshark, which does, took too long or too much memory.")
    return flows


def flows_of(lines: Iterable[str]) -> tuple[Flow, ...]:
    """The flows in tshark's lines of `_FIELDS`."""
    found: dict[tuple[_Protocol, int], _Counted] = {}
    for number, line in enumerate(lines, 1):
        values = line.rstrip("\n").split("\t")
        if len(values) != len(_FIELDS):
            continue
        time, length = float(values[0] or 0), int(values[1] or 0)
        for protocol, stream, source, target in _segments(values):
            flow = found.setdefault((protocol, stream), _Counted(source, target, time, number))
            back = 0 if source == flow.a else 2
            flow.counts[back] += 1
            flow.counts[back + 1] += length
            flow.first, flow.last = min(flow.first, time), max(flow.last, time)
    return tuple(
        Flow(
            protocol,
            flow.a,
            flow.b,
            flow.counts[0],
            flow.counts[1],
            flow.counts[2],
            flow.counts[3],
            flow.first,
            round(flow.last - flow.first, 9),
            first_frame=flow.frame,
        )
        for (protocol, _), flow in sorted(found.items())
    )


def _segments(values: list[str]) -> Iterator[tuple[_Protocol, int, Endpoint, Endpoint]]:
    """TCP and UDP headers of one packet, from the outermost on, each with the addresses around it."""
    fields = {
        name: iter(value.split(",") if value else ()) for name, value in zip(_FIELDS, values, strict=True)
    }
    source = target = None
    for layer in values[2].split(":"):
        if layer in _ERRORS:
            return
        if layer in ("ip", "ipv6"):
            source, target = (next(fields[f"{layer}.{end}"], None) for end in ("src", "dst"))
        elif layer in _PROTOCOLS:
            stream, from_port, to_port = (
                next(fields[f"{layer}.{name}"], None) for name in ("stream", "srcport", "dstport")
            )
            if source and target and stream and from_port and to_port:
                ends = Endpoint(source, int(from_port)), Endpoint(target, int(to_port))
                yield _PROTOCOLS[layer], int(stream), *ends
