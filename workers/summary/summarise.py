"""Summarising a capture file, in a child process: `workers.summary.child`, started by `limited`."""

import json
from pathlib import Path
from typing import Any

from workers.summary.exchange import exchange_from_json
from workers.summary.limited import run_limited
from workers.summary.summary import Summary

MEMORY = 1 << 30
"""Bytes of address space: tshark needs 400 MB of it to read anything."""


class SummaryError(Exception):
    """There is no summary of this file; the message is one sentence."""


def summarise(path: Path, *, seconds: int = 120, memory: int = MEMORY, payload: bool) -> Summary:
    """The summary of a pcap file.

    Args:
        path: The file.
        seconds: Of time, CPU and wall, after which the child is ended.
        memory: Bytes of address space each process may have.
        payload: Whether packets are whole, so that HTTP, DNS and TLS can be decoded.

    Returns:
        Flows at least. What was missed of HTTP, DNS and TLS, because decoding failed or took too long, and
        what could not be read of a damaged file is said in `notes`.

    Raises:
        SummaryError: Not even flows could be counted.
        OSError: The file cannot be opened.
    """
    arguments = ["--seconds", str(seconds), "--memory", str(memory), *(["--payload"] if payload else [])]
    with path.open("rb") as source:
        output, failure = run_limited("workers.summary.child", arguments, source, seconds=seconds)
    return _summary(output.split(b"\n"), failure, payload=payload)


def _summary(lines: list[bytes], failure: str | None, *, payload: bool) -> Summary:
    """From the lines the child finished; the last one is empty, or was cut off."""
    finished = [_object(line) for line in lines[:-1]]
    if not finished:
        raise SummaryError(f"The capture could not be summarised: {failure or 'nothing was said'}.")
    if "error" in finished[0]:
        raise SummaryError(f"The capture could not be summarised. {finished[0]['error']}")
    summary = Summary.from_json(finished[0])
    if len(finished) > 1:
        exchanges = tuple(exchange_from_json(each) for each in finished[1]["exchanges"])
        notes = (*summary.notes, *finished[1]["notes"])
        return Summary(summary.totals, summary.flows, payload, exchanges, notes)
    if failure:
        notes = (*summary.notes, f"HTTP, DNS and TLS are not listed: {failure}.")
        return Summary(summary.totals, summary.flows, payload, (), notes)
    return summary


def _object(line: bytes) -> dict[str, Any]:
    value = json.loads(line)
    if not isinstance(value, dict):
        raise SummaryError("The capture could not be summarised: the answer was not understood.")
    return value
