"""The process in which packets are cut while they arrive: pcap on standard input, pcap on standard output."""

import argparse
import os
import sys

from workers.cut.headers import cut
from workers.summary.confine import confine
from workers.summary.files.packets import PcapError

NO_PCAP, NOBODY_READS = 1, 2


def main() -> int:
    """Cuts until the source ends; the exit code says how it went."""
    parser = argparse.ArgumentParser(prog="python -m workers.cut.stream_child")
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--memory", type=int, required=True)
    parser.add_argument("--most", type=int, required=True, help="bytes that a file may get")
    arguments = parser.parse_args()
    confine(seconds=arguments.seconds, memory=arguments.memory, written=arguments.most)
    target = open(1, "wb", closefd=False)  # noqa: SIM115, closing writes once more what could not be written
    try:
        with open(0, "rb", buffering=0, closefd=False) as source:
            cut(source, target)
    except PcapError:
        return NO_PCAP
    except OSError:
        return NOBODY_READS
    return 0


if __name__ == "__main__":
    code = main()
    # Without Python's own last flush, which would fail on a pipe that nobody reads.
    os._exit(code) if code else sys.exit(code)
