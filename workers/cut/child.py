"""The process in which packets are cut: a pcap file on standard input, the cut one into an open file.

On standard output one JSON object: what was cut, or `{"error": SENTENCE}`. Its parent is `cut_file`.
"""

import argparse
import dataclasses
import json
import os
import sys

from workers.cut.headers import cut
from workers.summary.confine import confine
from workers.summary.files.pcapfile import PcapError


def main() -> int:
    """Cuts the file; 0 when it was cut to its end."""
    parser = argparse.ArgumentParser(prog="python -m workers.cut.child")
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--memory", type=int, required=True)
    parser.add_argument("--into", type=int, required=True, help="descriptor of the file to write")
    arguments = parser.parse_args()
    # What is cut is never longer than what it was cut from.
    confine(seconds=arguments.seconds, memory=arguments.memory, written=os.fstat(0).st_size)
    try:
        with (
            open(0, "rb", buffering=0, closefd=False) as source,
            open(arguments.into, "wb", closefd=False) as target,
        ):
            said = dataclasses.asdict(cut(source, target))
    except PcapError as error:
        said = {"error": str(error)}
    except OSError as error:
        said = {"error": f"Writing failed: {error.strerror}."}
    json.dump(said, sys.stdout)
    sys.stdout.write("\n")
    return 1 if "error" in said else 0


if __name__ == "__main__":
    sys.exit(main())
