"""The process in which packets are read: a pcap file on standard input, JSON lines on standard output.

The first line is the summary with its flows, or `{"error": SENTENCE}`. Where packets are whole a second one
follows when decoding is done: `{"exchanges": […], "notes": […]}`. Its parent is `workers.summary.summarise`.
"""

import argparse
import json
import os
import sys
from typing import Any

from workers.summary.confine import confine
from workers.summary.exchange import exchange_to_json
from workers.summary.files.pcapfile import PcapError, PcapFile
from workers.summary.flows.flows import count
from workers.summary.layers import layers
from workers.summary.summary import Summary


def main() -> int:
    """Reads the file; 0 when the first line was written."""
    arguments = _arguments()
    decoder = _Decoder(arguments.seconds) if arguments.payload else None
    confine(seconds=arguments.seconds, memory=arguments.memory)
    summary, failure = None, ""
    try:
        summary = _count(payload=arguments.payload)
    except PcapError as error:
        failure = str(error)
    except MemoryError:
        failure = f"It needs more than {arguments.memory // 1_000_000:,} MB of memory."
    if summary is None:  # said only here: until the exception is gone, it holds on to the memory
        _write({"error": failure})
        return 1
    _write(summary.to_json())
    if decoder and summary.totals.packets:
        _write(decoder.run(damaged=bool(summary.notes)))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m workers.summary.child")
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--memory", type=int, required=True)
    parser.add_argument("--payload", action="store_true")
    return parser.parse_args()


def _count(*, payload: bool) -> Summary:
    with open(0, "rb", buffering=0, closefd=False) as source:
        file = PcapFile(source)
        totals, flows = count(file.packets(), file.link_type)
    notes = [file.trouble] if file.trouble else []
    if not layers.understood(file.link_type):
        notes.append(
            f"Packets of link type {file.link_type} are counted only: flows cannot be told apart in them."
        )
    return Summary(totals, flows, payload, notes=tuple(notes))


class _Decoder:
    """Loads pyshark and looks for tshark while this process may still read everything."""

    def __init__(self, seconds: int) -> None:
        # Only here: it takes a third of a second, which a file of headers need not wait for.
        from workers.summary.protocols import decode  # noqa: PLC0415

        self._decode = decode
        # Counting comes first, and what was decoded in time has to be written still.
        self._seconds = seconds / 2
        try:
            self._tshark: decode.Tshark | None = decode.find_tshark()
        except decode.DecodeError as error:
            self._tshark, self._error = None, str(error)

    def run(self, *, damaged: bool) -> dict[str, Any]:
        if self._tshark is None:
            return {"exchanges": [], "notes": [f"HTTP, DNS and TLS are not listed: {self._error}"]}
        os.lseek(0, 0, os.SEEK_SET)
        decoded = self._decode.decode(0, self._tshark, seconds=self._seconds, damaged=damaged)
        return {
            "exchanges": [exchange_to_json(each) for each in decoded.exchanges],
            "notes": list(decoded.notes),
        }


def _write(value: dict[str, Any]) -> None:
    json.dump(value, sys.stdout, separators=(",", ":"))
    sys.stdout.write("\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
