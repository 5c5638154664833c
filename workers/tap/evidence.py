"""What a node says about where a pod's packets pass, in types. Pure; `gather.py` fetches it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from workers.tap.counters import Counters, counters
from workers.tap.framing import Section, sections
from workers.tap.iproute import iproute
from workers.tap.links import Forwarding, Link, Neighbour
from workers.tap.netlink import netlink
from workers.tap.own_stream import OwnStream
from workers.tap.procfs import Namespace, namespace, started


@dataclass(frozen=True)
class Process:
    """A process of the pod.

    Attributes:
        pid: Its PID on the node.
        cgroup: Its cgroup path.
        started: When it started, in clock ticks since the node booted; with the PID it names one process for
            ever. None where that was not asked.
    """

    pid: int
    cgroup: str
    started: int | None = None


@dataclass(frozen=True)
class Evidence:
    """Everything one visit to the node brought.

    Attributes:
        namespaces: PID to what its network namespace shows, of a few processes of the pod.
        later: PID to the counters of its namespace's interfaces, read again after the links' own.
        netns_ids: PID to the id of its network namespace, None for a namespace that has none.
        inodes: PID to its network namespace's inode, where that may be read (it needs SYS_PTRACE).
        marks: PID to a number that its network namespace has as long as it exists: the inode of the
            namespace's own `/proc/PID/net/dev`, which anybody may read (fs/proc/generic.c in the kernel).
        routes: Pod address to the device that a route for this address alone leads to.
        iflinks: The pod's interface to the index of the link that it is paired with, as the pod itself says.
        own_streams: Of a hostNetwork pod alone: where its ports see podcap's own streams.
        missing: What could not be asked, and why, a clause each.
    """

    processes: tuple[Process, ...] = ()
    namespaces: Mapping[int, Namespace] = field(default_factory=dict)
    later: Mapping[int, Mapping[str, Counters]] = field(default_factory=dict)
    netns_ids: Mapping[int, int | None] = field(default_factory=dict)
    inodes: Mapping[int, int] = field(default_factory=dict)
    marks: Mapping[int, int] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    forwarding: tuple[Forwarding, ...] = ()
    routes: Mapping[str, str] = field(default_factory=dict)
    iflinks: Mapping[str, int] = field(default_factory=dict)
    own_streams: tuple[OwnStream, ...] = ()
    missing: tuple[str, ...] = ()


def parse(output: bytes, nonce: str) -> Evidence:
    """Reads the script's output; a section that is missing or unreadable is named in `missing`.

    Raises:
        TornError: The output is incomplete.
    """
    found = sections(output, nonce)
    files = _files(found.get("net", _NONE).text)
    told = netlink(found.get("netlink", _NONE).text)
    links, neighbours, forwarding, routes = told.links, told.neighbours, told.forwarding, told.routes
    missing: list[str] = []
    if found.get("netlink", _NONE).code != 0:
        missing.append(f"namespace ids are unavailable ({found.get('netlink', _NONE).first_line})")
        links, neighbours, forwarding, routes = iproute(found, missing)
    return Evidence(
        processes=_processes(found.get("processes", _NONE).text, files),
        namespaces={pid: namespace(of_pid) for pid, of_pid in files.items()},
        later={
            pid: counters(of_pid["dev"]) for pid, of_pid in _files(found.get("later", _NONE).text).items()
        },
        netns_ids=told.netns_ids,
        inodes=told.inodes,
        marks=told.marks,
        links=tuple(replace(link, counters=told.counted.get(link.ifindex)) for link in links),
        neighbours=tuple(neighbours),
        forwarding=tuple(forwarding),
        routes=routes,
        missing=tuple(missing),
    )


_NONE = Section("", 127)


def _processes(text: str, files: Mapping[int, Mapping[str, str]]) -> tuple[Process, ...]:
    found = re.findall(r"^(\d+)/cgroup:\d+:[^:]*:(\S+)$", text, re.MULTILINE)
    # Under version 1 a process has a path for each controller, all the same but for odd ones.
    paths = {int(pid): path for pid, path in sorted(found, reverse=True)}
    return tuple(
        Process(pid, path, started(files.get(pid, {}).get("stat", ""))) for pid, path in sorted(paths.items())
    )


def _files(text: str) -> dict[int, dict[str, str]]:
    """What `grep -H '' PID/FILE…` printed, by PID and the file's name."""
    lines: dict[int, dict[str, list[str]]] = {}
    for pid, name, line in re.findall(r"^(\d+)/(?:net/)?(\w+):(.*)$", text, re.MULTILINE):
        lines.setdefault(int(pid), {}).setdefault(name, []).append(line)
    return {pid: {name: "\n".join(some) for name, some in of_pid.items()} for pid, of_pid in lines.items()}
