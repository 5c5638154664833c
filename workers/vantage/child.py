"""The process in which vantage points are compared: the merged file comes in, a comparison as JSON goes out.

It is a digest, or `{"error": SENTENCE}`. Its parent is `workers.vantage.compared`.
"""

import argparse
import gc
import json
import os
import sys
import time

from workers.names.form import from_json
from workers.names.snapshot import Snapshot
from workers.pcapng.own_file import OwnFileError
from workers.summary.confine import confine
from workers.summary.limited import OUT_OF_MEMORY
from workers.vantage.compare import compare
from workers.vantage.vantage import Vantage

_READING = 1 / 3
"""Part of the time. The rest is for what was read: of a flood of connections it takes as long."""


def main() -> int:
    """Compares; 0 when the comparison was written."""
    parser = argparse.ArgumentParser(prog="python -m workers.vantage.child")
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--memory", type=int, required=True)
    parser.add_argument("--about", type=int, required=True, help="descriptor of vantages and cluster as JSON")
    arguments = parser.parse_args()
    with os.fdopen(arguments.about) as file:
        about = json.load(file)
    vantages = [Vantage.from_json(each) for each in about["vantages"]]
    cluster = from_json(about["cluster"]) if about["cluster"] else Snapshot()
    confine(seconds=arguments.seconds, memory=arguments.memory)
    # Nothing here makes cycles in numbers; looking for them would take time.
    gc.disable()
    said, failure = None, ""
    ends = time.monotonic() + arguments.seconds * _READING
    try:
        with open(0, "rb", buffering=0, closefd=False) as source:
            compared = compare(vantages, source, cluster, over=lambda: time.monotonic() >= ends)
            said = compared.digest().to_json()
    except OwnFileError as error:
        failure = str(error)
    except MemoryError:
        return OUT_OF_MEMORY
    json.dump({"error": failure} if said is None else said, sys.stdout, separators=(",", ":"))
    sys.stdout.write("\n")
    return 1 if said is None else 0


if __name__ == "__main__":
    sys.exit(main())
