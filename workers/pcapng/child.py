"""The process in which pcap files of one or more taps become one pcapng file.

On standard input what `merged_file` says of the file, as JSON; how it went is told as in
`workers.summary.outcome`. Its parent is `merged_file`.
"""

import argparse
import json
import os
import sys
from contextlib import ExitStack

from workers.pcapng.about import About
from workers.pcapng.merge import Merged, merge
from workers.summary.confine import confine
from workers.summary.outcome import tell

# A packet of no bytes takes 16 bytes in pcap and 32 in pcapng; of names and comments there is less than this.
_GROWTH, _BESIDE = 2, 16 << 20


def main() -> int:
    """Writes the file; 0 when it was written to its end."""
    parser = argparse.ArgumentParser(prog="python -m workers.pcapng.child")
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--memory", type=int, required=True)
    parser.add_argument("--into", type=int, required=True, help="descriptor of the file to write")
    parser.add_argument("sources", type=int, nargs="+", help="descriptors of the pcap files")
    arguments = parser.parse_args()
    said = json.load(sys.stdin.buffer)
    about, taps = About(**said["about"]), [About(**each) for each in said["taps"]]
    confine(
        seconds=arguments.seconds,
        memory=arguments.memory,
        written=_GROWTH * sum(os.fstat(each).st_size for each in arguments.sources) + _BESIDE,
    )

    def write() -> Merged:
        with ExitStack() as files:
            sources = [
                files.enter_context(open(each, "rb", buffering=0, closefd=False))
                for each in arguments.sources
            ]
            target = files.enter_context(open(arguments.into, "wb", closefd=False))
            return merge(sources, target, about, taps)

    return tell(write)


if __name__ == "__main__":
    sys.exit(main())
