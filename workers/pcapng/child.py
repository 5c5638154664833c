"""The process in which a pcap file becomes pcapng: pcap on standard input, pcapng into an open file.

How it went is told as in `workers.summary.outcome`. Its parent is `pcapng_file`.
"""

import argparse
import json
import os
import sys

from workers.pcapng.about import About
from workers.pcapng.write import Written, write
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
    parser.add_argument("--about", type=int, required=True, help="descriptor of a file with `About` as JSON")
    arguments = parser.parse_args()
    with os.fdopen(arguments.about) as file:
        about = About(**json.load(file))
    confine(
        seconds=arguments.seconds,
        memory=arguments.memory,
        written=_GROWTH * os.fstat(0).st_size + _BESIDE,
    )

    def writing() -> Written:
        with (
            open(0, "rb", buffering=0, closefd=False) as source,
            open(arguments.into, "wb", closefd=False) as target,
        ):
            return write(source, target, about)

    return tell(writing)


if __name__ == "__main__":
    sys.exit(main())
