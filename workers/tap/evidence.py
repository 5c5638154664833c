"""What a node says about where a pod's packets pass, in types. Pure; `gather.py` fetches it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workers.tap.framing import Section, sections
from workers.tap.procfs import Namespace, namespace


@dataclass(frozen=True)
class Link:
    """A link of the node's own network namespace (`ip -j -d link`).

    Attributes:
        kind: What the kernel calls it: `veth`, `bridge`, `macvlan`, …; None for hardware and loopback.
        peer_index: ifindex of the link it is paired with or built on, in that link's namespace.
        netns_id: Id of that namespace; None when it is this one.
    """

    ifindex: int
    name: str
    kind: str | None = None
    master: str | None = None
    peer_index: int | None = None
    netns_id: int | None = None


@dataclass(frozen=True)
class Neighbour:
    """An address and the MAC address that answers for it on a device."""

    address: str
    device: str
    mac: str


@dataclass(frozen=True)
class Forwarding:
    """A MAC address that a bridge has learned behind one of its ports."""

    mac: str
    port: str
    bridge: str


@dataclass(frozen=True)
class Process:
    """A process of the pod: its PID on the node and its cgroup path."""

    pid: int
    cgroup: str


@dataclass(frozen=True)
class Evidence:
    """Everything one visit to the node brought.

    Attributes:
        namespaces: PID to what its network namespace shows, of a few processes of the pod.
        netns_ids: PID to the id of its network namespace, None for a namespace that has none.
        routes: Pod address to the device that the node sends it through.
        missing: What could not be asked, and why, a clause each.
    """

    processes: tuple[Process, ...] = ()
    namespaces: Mapping[int, Namespace] = field(default_factory=dict)
    netns_ids: Mapping[int, int | None] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    forwarding: tuple[Forwarding, ...] = ()
    routes: Mapping[str, str] = field(default_factory=dict)
    tcpdump: str = ""
    missing: tuple[str, ...] = ()


def parse(output: bytes, nonce: str) -> Evidence:
    """Reads the script's output; a section that is missing or unreadable is named in `missing`.

    Raises:
        TornError: The output is incomplete.
    """
    found = sections(output, nonce)
    missing: list[str] = []

    def rows(name: str, command: str) -> list[dict[str, Any]]:
        section = found.get(name, Section("", 127))
        try:
            listed = json.loads(section.text or "[]") if section.code == 0 else None
        except ValueError:
            listed = None
        if not isinstance(listed, list):
            missing.append(f"`{command}` does not answer ({_first_line(section)})")
            return []
        return [row for row in listed if isinstance(row, dict)]

    links = tuple(_link(row) for row in rows("links", "ip -j -d link") if "ifindex" in row)
    neighbours = tuple(_neighbours(rows("neighbours", "ip -j neigh")))
    forwarding = tuple(_forwarding(rows("forwarding", "bridge -j fdb")))
    addresses = [name.partition("/")[2] for name in found if name.startswith("route/")]
    routes = {
        a: row["dev"] for a in addresses for row in rows(f"route/{a}", "ip -j route get") if "dev" in row
    }
    nsid = found.get("nsid", Section("", 127))
    if nsid.code != 0:
        missing.append(f"namespace ids are unavailable ({_first_line(nsid)})")
    return Evidence(
        processes=_processes(found.get("processes", Section("", 127)).text),
        namespaces=_namespaces(found.get("net", Section("", 127)).text),
        netns_ids=_netns_ids(nsid.text),
        links=links,
        neighbours=neighbours,
        forwarding=forwarding,
        routes=routes,
        tcpdump=_first_line(found.get("tcpdump", Section("", 127))),
        missing=tuple(missing),
    )


def _first_line(section: Section) -> str:
    text = section.text.strip()
    return text.splitlines()[0][:120] if text else f"exit code {section.code}"


def _link(row: Mapping[str, Any]) -> Link:
    return Link(
        ifindex=row["ifindex"],
        name=row["ifname"],
        kind=row.get("linkinfo", {}).get("info_kind"),
        master=row.get("master"),
        peer_index=row.get("link_index"),
        netns_id=row.get("link_netnsid"),
    )


def _neighbours(rows: list[dict[str, Any]]) -> list[Neighbour]:
    return [
        Neighbour(row["dst"], row["dev"], row["lladdr"].lower())
        for row in rows
        if "lladdr" in row and "dev" in row and "FAILED" not in row.get("state", [])
    ]


def _forwarding(rows: list[dict[str, Any]]) -> list[Forwarding]:
    # `permanent` are the ports' own addresses; without a master it is no bridge's entry.
    return [
        Forwarding(row["mac"].lower(), row["ifname"], row["master"])
        for row in rows
        if row.get("master") and row.get("state") != "permanent"
    ]


def _processes(text: str) -> tuple[Process, ...]:
    found = re.findall(r"^/proc/(\d+)/cgroup:\d+:[^:]*:(\S+)$", text, re.MULTILINE)
    return tuple(Process(pid, path) for pid, path in sorted({(int(pid), path) for pid, path in found}))


def _namespaces(text: str) -> dict[int, Namespace]:
    files: dict[int, dict[str, list[str]]] = {}
    for pid, name, line in re.findall(r"^/proc/(\d+)/net/(\w+):(.*)$", text, re.MULTILINE):
        files.setdefault(int(pid), {}).setdefault(name, []).append(line)
    return {
        pid: namespace({name: "\n".join(lines) for name, lines in of_pid.items()})
        for pid, of_pid in files.items()
    }


def _netns_ids(text: str) -> dict[int, int | None]:
    found = re.findall(r"^(\d+) (-?\d+)$", text, re.MULTILINE)
    return {int(pid): int(netns_id) if int(netns_id) >= 0 else None for pid, netns_id in found}
