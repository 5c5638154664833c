"""The process in which packets are read: a capture file on standard input, a JSON object on standard output.

It is the summary (docs/summary.md), all of it or a digest, or `{"error": SENTENCE}`. Its parent is
`workers.summary.summarise`.
"""

import argparse
import gc
import json
import shutil
import sys
import time
import traceback
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from workers.summary.confine import confine
from workers.summary.context import Context
from workers.summary.counted_file import FELL, TOO_LONG, TOO_MUCH, CountedFile, counted_file
from workers.summary.files.packets import PcapError
from workers.summary.findings.explained import explained
from workers.summary.flows import by_tshark
from workers.summary.limited import OUT_OF_MEMORY
from workers.summary.summary import Summary

_WRITE = 1 << 18

_READING, _TSHARK = 1 / 3, 1 / 6
"""Parts of the time. The rest is for what was read: the flows that memory holds take seconds to list."""


def main() -> int:
    """Reads the file; 0 when the summary was written."""
    arguments = _arguments()
    context = Context.from_json(json.loads(arguments.names.read_bytes())) if arguments.names else Context()
    tshark = shutil.which("tshark")
    confine(seconds=arguments.seconds, memory=arguments.memory)
    # Nothing here makes cycles in numbers; looking for them would take a tenth of the time.
    gc.disable()
    try:
        _write(_summary(arguments, context, tshark).json_pieces())
    except PcapError as error:
        _write([json.dumps({"error": str(error)}, separators=(",", ":"))])
        return 1
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m workers.summary.child")
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--memory", type=int, required=True)
    parser.add_argument("--payload", action="store_true")
    parser.add_argument("--digest", action="store_true")
    parser.add_argument("--most", type=int, help="bytes of the file to read")
    parser.add_argument("--fell", action="store_true", help="reading all of it failed")
    parser.add_argument("--names", type=Path)
    return parser.parse_args()


def _summary(arguments: argparse.Namespace, context: Context, tshark: str | None) -> Summary:
    counted = _counted(arguments)
    summary = _explained(_with_tshark(counted, tshark, arguments.seconds * _TSHARK), context)
    return summary.digest() if arguments.digest else summary


def _counted(arguments: argparse.Namespace) -> CountedFile:
    """Counts the file, for a part of the time and so many bytes of it."""
    ends = time.monotonic() + arguments.seconds * _READING
    with open(0, "rb", buffering=0, closefd=False) as file:

        def over() -> str:
            if time.monotonic() >= ends:
                return TOO_LONG
            if arguments.most is None or file.tell() < arguments.most:
                return ""
            return FELL if arguments.fell else TOO_MUCH

        return counted_file(file, payload=arguments.payload, over=over)


def _with_tshark(counted: CountedFile, tshark: str | None, seconds: float) -> Summary:
    if not counted.unknown or not counted.summary.totals.packets:
        return counted.summary
    if counted.early:  # tshark is slower
        return _half_known(counted, "for tshark, which does, there is no time.")
    return _by_tshark(counted, tshark, seconds)


def _half_known(counted: CountedFile, why: str) -> Summary:
    what = ", ".join(counted.unknown)
    note = f"The file holds {what}, of which podcap's own counting does not know what is inside: {why}"
    return replace(counted.summary, notes=(*counted.summary.notes, note))


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


def _by_tshark(counted: CountedFile, tshark: str | None, seconds: float) -> Summary:
    """The same with the flows that tshark counts."""
    try:
        flows = by_tshark.count(0, tshark, seconds)
    except by_tshark.TsharkError as error:
        return _half_known(counted, str(error))
    summary, what = counted.summary, ", ".join(counted.unknown)
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
