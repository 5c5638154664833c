"""The process in which packets are read: a capture file on standard input, a JSON object on standard output.

It is the summary (docs/summary.md), all of it or a digest, or `{"error": SENTENCE}`. Its parent is
`workers.summary.summarise`.
"""

import argparse
import gc
import json
import shutil
import sys
import traceback
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from workers.summary.confine import confine
from workers.summary.context import Context
from workers.summary.files.capturefile import Content, open_capture
from workers.summary.files.pcapfile import PcapError
from workers.summary.findings.explained import explained
from workers.summary.flows import by_tshark
from workers.summary.flows.counting import Counting
from workers.summary.summary import Summary, Totals

_WRITE = 1 << 18

_FILE_HEADER, _RECORD_HEADER = 24, 16
_CUT = (
    "Packets in this file are cut short: what they lack of HTTP, DNS and TLS is not told, and one without "
    "the whole header of TCP is in no flow, as in tshark."
)


def main() -> int:
    """Reads the file; 0 when the summary was written."""
    arguments = _arguments()
    context = Context.from_json(json.loads(arguments.names.read_bytes())) if arguments.names else Context()
    tshark = shutil.which("tshark")
    confine(seconds=arguments.seconds, memory=arguments.memory)
    # Nothing here makes cycles in numbers; looking for them would take a tenth of the time.
    gc.disable()
    summary, failure = None, ""
    try:
        summary = _summary(tshark, payload=arguments.payload, seconds=arguments.seconds)
        summary = _explained(summary, context)
        if arguments.digest:
            summary = summary.digest()
    except PcapError as error:
        failure = str(error)
    except MemoryError:
        failure = f"It needs more than {arguments.memory // 1_000_000:,} MB of memory."
    if summary is None:  # said only here: until the exception is gone, it holds on to the memory
        _write([json.dumps({"error": failure}, separators=(",", ":"))])
        return 1
    _write(summary.json_pieces())
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m workers.summary.child")
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--memory", type=int, required=True)
    parser.add_argument("--payload", action="store_true")
    parser.add_argument("--digest", action="store_true")
    parser.add_argument("--names", type=Path)
    return parser.parse_args()


def _summary(tshark: str | None, *, payload: bool, seconds: int) -> Summary:
    with open(0, "rb", buffering=0, closefd=False) as source:
        content = Content(source)
        file = open_capture(content)
        counting = Counting(payload=payload)
        for link_type, packets in file.runs():
            counting.packets(packets, link_type)
    counted = counting.result()
    notes = [file.trouble] if file.trouble else []
    if payload and _cut(content.size, counted.totals):
        notes.append(_CUT)
    summary = counted.summary(payload=payload, notes=tuple(notes))
    summary = replace(summary, names={host: file.names[host] for host in summary.hosts if host in file.names})
    if not counted.unknown or not summary.totals.packets:
        return summary
    return _by_tshark(summary, counted.unknown, tshark, seconds / 2)


def _cut(size: int, totals: Totals) -> bool:
    """Whether a file of this size surely lacks bytes of its packets: pcapng needs more room than pcap."""
    return size < _FILE_HEADER + totals.packets * _RECORD_HEADER + totals.bytes


def _explained(summary: Summary, context: Context) -> Summary:
    """With findings and names; should those fail, what was counted is worth more."""
    try:
        return explained(summary, context)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001, whatever a mistake in a finding raises
        traceback.print_exc()
        note = "There are no findings, because podcap made a mistake: the log of whoever runs it says which."
        return replace(summary, notes=(*summary.notes, note))


def _by_tshark(summary: Summary, unknown: tuple[str, ...], tshark: str | None, seconds: float) -> Summary:
    """The same with the flows that tshark counts."""
    what = ", ".join(unknown)
    try:
        flows = by_tshark.count(0, tshark, seconds)
    except by_tshark.TsharkError as error:
        note = f"The file holds {what}, of which podcap's own counting does not know what is inside: {error}"
        return replace(summary, notes=(*summary.notes, note))
    note = f"The file holds {what}: flows were counted by tshark, which tells packets and bytes of them only."
    events = tuple(replace(event, flow=None) for event in summary.events)
    return replace(
        summary,
        flows=flows,
        flow_count=len(flows),
        events=events,
        counted_by="tshark",
        notes=(*summary.notes, note),
    )


def _write(pieces: Iterable[str]) -> None:
    with open(1, "wb", buffering=_WRITE, closefd=False) as output:
        output.writelines(piece.encode("ascii") for piece in pieces)
        output.write(b"\n")


if __name__ == "__main__":
    sys.exit(main())
