"""Records what the evidence script answers in namespaces made for it.

`python -m tests.workers.tap.recorded`, as root, writes tests/evidence/tap/NAME.txt: a line of JSON with the
kernel's release, the pod, and the ifindex of its link as the namespaces were made (0: it has none), then the
script's output as it came.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.workers.tap.node import Node, made_node
from workers.cluster.pod import Pod
from workers.tap.evidence import Evidence, parse
from workers.tap.gather import arguments

FOLDER = Path(__file__).parents[2] / "evidence" / "tap"
NONCE = "5f1e"
_BARE = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all")


@dataclass(frozen=True)
class Recording:
    """One answer, and what it was an answer about."""

    name: str
    pod: Pod
    ifindex: int
    evidence: Evidence


def recordings() -> list[Recording]:
    """All that were made, by name."""
    return [_read(path) for path in sorted(FOLDER.glob("*.txt"))]


def _read(path: Path) -> Recording:
    head, _, output = path.read_bytes().partition(b"\n")
    facts = json.loads(head)
    pod = Pod("shop", "web-1", facts["uid"], "Running", node="n1", ips=tuple(facts["ips"]))
    return Recording(path.stem, pod, facts["ifindex"], parse(output, NONCE))


def _pods(node: Node) -> Mapping[str, tuple[Pod, int]]:
    """Pods of every kind that this kernel can connect, with the index of each one's link on the node."""
    found = {
        f"bridge-{index}": (node.bridged(10 + at, index), index) for at, index in enumerate((11, 111, 1110))
    }
    found["routed"] = (node.routed(7, 1111), 1111)
    found["routed-ipv6"] = (node.routed(8, 1112, 6), 1112)
    found["routed-dual-stack"] = (node.routed(9, 1113, 4, 6), 1113)
    found["two-interfaces"] = (node.bridged(20, 1120), 1120)
    node.second(found["two-interfaces"][0], 1121)
    found["sandbox-without-address"] = (node.bridged(21, 1122), 1122)
    node.take_address(found["sandbox-without-address"][0])
    found["macvlan"] = (node.macvlan(8), 0)
    return found


def main() -> None:
    """Records every pod, with all the others on the node."""
    FOLDER.mkdir(exist_ok=True)
    with made_node() as node:
        for name, (pod, ifindex) in _pods(node).items():
            command = ["nsenter", "-t", str(node.pid), "-n", *_BARE, *arguments(NONCE, pod)]
            output = subprocess.run(command, capture_output=True, check=True).stdout
            facts = {
                "kernel": os.uname().release.partition("-")[0],
                "uid": pod.uid,
                "ips": pod.ips,
                "ifindex": ifindex,
            }
            (FOLDER / f"{name}.txt").write_bytes(json.dumps(facts).encode() + b"\n" + output)


if __name__ == "__main__":
    main()
