"""Recorded evidence of a real cluster, framed as the evidence script frames it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from workers.cluster.pod import Pod, pod_from_json
from workers.tap.evidence import Evidence, parse

EVIDENCE = Path(__file__).parents[2] / "evidence"
NONCE = "5f1e"
ROUTE = {"dst": "10.244.0.0/16", "dev": "cni0"}


@dataclass
class Visit:
    """One run of the script, before it is framed: a test may change any section.

    What was recorded with iproute2 is handed over as the netlink program prints it; with a `netlink` section
    of a test's own, as iproute2 does.
    """

    sections: dict[str, str]
    codes: dict[str, int] = field(default_factory=dict)
    nsid: str = ""

    def evidence(self) -> Evidence:
        sections = self.sections
        if "netlink" not in sections:
            told = {name: text for name, text in sections.items() if name in ("processes", "net")}
            sections = told | {"netlink": self._netlink()}
        framed = "".join(
            f"{text}\n@{NONCE} {name} {self.codes.get(name, 0)}\n" for name, text in sections.items()
        )
        return parse(f"{framed}\n@{NONCE} end 0\n".encode(), NONCE)

    def _netlink(self) -> str:
        links = self.rows("links")
        index = {row["ifname"]: row["ifindex"] for row in links}
        lines = [
            f"link {row['ifindex']} {row.get('link_index', '-')} {row.get('link_netnsid', '-')} "
            f"{index.get(row.get('master'), '-')} {row.get('linkinfo', {}).get('info_kind', '-')} "
            f"{row['ifname']}"
            for row in links
        ]
        lines += [
            f"neighbour {ip_address(row['dst']).packed.hex()} {index[row['dev']]} "
            f"{_STATES[row['state'][0]]} {row['lladdr'].replace(':', '')}"
            for row in self.rows("neighbours")
            if "lladdr" in row
        ]
        lines += [
            f"learned {row['mac'].replace(':', '')} {index[row['ifname']]} {index[row['master']]}"
            for row in self.rows("forwarding")
            if "master" in row and row.get("state") != "permanent"
        ]
        return "\n".join(lines) + "\n" + self.nsid

    def rows(self, name: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = json.loads(self.sections[name])
        return listed

    def change(self, name: str, rows: list[dict[str, Any]]) -> None:
        self.sections[name] = json.dumps(rows)


_STATES = {"REACHABLE": 2, "STALE": 4, "DELAY": 8, "PROBE": 16, "FAILED": 32, "NOARP": 64, "PERMANENT": 128}
"""linux/neighbour.h"""


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
        f"{pid}/net/{file.name}:{line}\n"
        for pid, _, _ in mine
        for file in sorted((folder / f"proc-{pid}-net").glob("*"))
        for line in file.read_text().splitlines()
    )
    sections = {
        "processes": "".join(f"{pid}/cgroup:2:cpuacct:/{cgroup}\n" for pid, _, cgroup in mine),
        "net": net,
        "links": (folder / "ip-link.json").read_text(),
        "neighbours": (folder / "ip-neigh.json").read_text(),
        "forwarding": (folder / "bridge-fdb.json").read_text(),
    }
    for ip in pod.ips:
        sections[f"route/{ip}"] = json.dumps([ROUTE])
    nsid = "".join(
        f"nsid {pid} {-1 if netns_ids[inode] == 'unassigned' else netns_ids[inode]}\n"
        for pid, inode, _ in mine
    )
    return Visit(sections, nsid=nsid)
