"""Recorded evidence of a real cluster, framed as the evidence script frames it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from workers.cluster.pod import Pod, pod_from_json
from workers.tap.evidence import Evidence, parse

EVIDENCE = Path(__file__).parents[2] / "evidence"
NONCE = "5f1e"
ROUTES_OVER_THE_BRIDGE = "cni0"


@dataclass
class Visit:
    """One run of the script, before it is framed: a test may change any section."""

    sections: dict[str, str]
    codes: dict[str, int] = field(default_factory=dict)

    def evidence(self) -> Evidence:
        framed = "".join(
            f"{text}\n@{NONCE} {name} {self.codes.get(name, 0)}\n" for name, text in self.sections.items()
        )
        return parse(f"{framed}\n@{NONCE} end 0\n".encode(), NONCE)

    def rows(self, name: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = json.loads(self.sections[name])
        return listed

    def change(self, name: str, rows: list[dict[str, Any]]) -> None:
        self.sections[name] = json.dumps(rows)


@pytest.fixture
def pods() -> dict[str, Pod]:
    """The recorded pods by name."""
    items = json.loads((EVIDENCE / "pods.json").read_text())["items"]
    return {pod.name: pod for pod in map(pod_from_json, items)}


@pytest.fixture
def visit() -> Callable[[Pod], Visit]:
    return recorded_visit


def recorded_visit(pod: Pod) -> Visit:
    """What the script would have written on the pod's node when the recording was made."""
    folder = EVIDENCE / str(pod.node)
    rows = [line.split() for line in (folder / "pid-netns-cgroup.txt").read_text().splitlines()]
    mine = [(int(pid), inode, cgroup) for pid, inode, cgroup in rows if pod.uid in cgroup]
    namespaces = json.loads((folder / "lsns.json").read_text())["namespaces"]
    netns_ids = {str(row["ns"]): row["netnsid"] for row in namespaces}
    net = "".join(
        f"/proc/{pid}/net/{file.name}:{line}\n"
        for pid, _, _ in mine
        for file in sorted((folder / f"proc-{pid}-net").glob("*"))
        for line in file.read_text().splitlines()
    )
    sections = {
        "processes": "".join(f"/proc/{pid}/cgroup:2:cpuacct:/{cgroup}\n" for pid, _, cgroup in mine),
        "net": net,
        "links": (folder / "ip-link.json").read_text(),
        "nsid": "".join(
            f"{pid} {-1 if netns_ids[inode] == 'unassigned' else netns_ids[inode]}\n"
            for pid, inode, _ in mine
        ),
        "neighbours": (folder / "ip-neigh.json").read_text(),
        "forwarding": (folder / "bridge-fdb.json").read_text(),
        "tcpdump": "tcpdump version 4.99.3\n",
    }
    for ip in pod.ips:
        sections[f"route/{ip}"] = json.dumps([{"dst": ip, "dev": ROUTES_OVER_THE_BRIDGE, "flags": []}])
    return Visit(sections)
