"""The process in which packets are cut: a pcap file on standard input, the cut one into an open file.

How it went is told as in `workers.summary.outcome`. Its parent is `cut_file`.
"""

import argparse
import os
import sys

from workers.cut.headers import Cut, cut
from workers.summary.confine import confine
from workers.summary.outcome import tell


def main() -> int:
    """Cuts the file; 0 when it was cut to its end."""
    parser = argparse.ArgumentParser(prog="python -m workers.cut.child")
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--memory", type=int, required=True)
    parser.add_argument("--into", type=int, required=True, help="descriptor of the file to write")
    parser.add_argument("--since", type=int, default=0, help="nanoseconds since 1970")
    parser.add_argument("--whole", action="store_true", help="leave packets as they are")
    arguments = parser.parse_args()
    # What is cut is never longer than what it was cut from.
    confine(seconds=arguments.seconds, memory=arguments.memory, written=os.fstat(0).st_size)

    def write() -> Cut:
        with (
            open(0, "rb", buffering=0, closefd=False) as source,
            open(arguments.into, "wb", closefd=False) as target,
        ):
            return cut(source, target, since=arguments.since, whole=arguments.whole)

    return tell(write)


if __name__ == "__main__":
    sys.exit(main())
