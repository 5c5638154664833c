"""The process in which packets are dissected: a capture file on standard input, JSON on standard output.

On one line: for each frame that was asked for, as far as it was found, the `Decoded` that are shown of it.
Its parent is `workers.dissection.dissected`. tshark gets the few packets through a pipe: nothing is written.
"""

import argparse
import json
import shutil
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from workers.dissection.file import file_of
from workers.dissection.said import said
from workers.dissection.selection import Selected, select
from workers.dissection.tshark import TsharkCapture
from workers.summary.confine import confine
from workers.summary.decoded import Decoded

_MOST_BYTES = 4 << 20


def main() -> int:
    """Dissects; 0 when all went well, 1 when something is missing."""
    parser = argparse.ArgumentParser(prog="python -m workers.dissection.child")
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--memory", type=int, required=True)
    parser.add_argument("--decode-as", action="append", default=[])
    parser.add_argument("frames", type=int, nargs="+")
    arguments = parser.parse_args()
    tshark = shutil.which("tshark")
    confine(seconds=arguments.seconds, memory=arguments.memory)
    decoded: dict[int, Decoded] = {}
    shown: dict[int, list[int]] = {}
    whole = False
    try:
        with open(0, "rb", buffering=0, closefd=False) as source:
            packets, shown = select(source, arguments.frames, most_bytes=_MOST_BYTES)
        for each in _decoded(tshark or "tshark", packets, arguments.decode_as):
            decoded[each.frame] = each
        whole = len(decoded) == len(packets)
    except Exception as error:  # noqa: BLE001, pyshark raises anything; what came before that is told
        # For the log: where and what kind, but not its words, which may be those of a packet.
        traceback.print_tb(error.__traceback__)
        sys.stderr.write(f"{type(error).__name__}\n")
    told = {frame: [asdict(decoded[one]) for one in near if one in decoded] for frame, near in shown.items()}
    json.dump(told, sys.stdout)
    sys.stdout.write("\n")
    return 0 if whole else 1


def _decoded(tshark: str, packets: Sequence[Selected], decode_as: Sequence[str]) -> Iterator[Decoded]:
    capture = TsharkCapture(tshark, file_of(packets), decode_as)
    for packet in capture.read():
        yield said(packet, packets[int(packet.number) - 1].frame)


if __name__ == "__main__":
    sys.exit(main())
