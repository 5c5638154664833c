"""Which interface is a pod's, told from outside, by the inode of its network namespace.

podcap may not enter that; this does, and asks in both directions: from the pod's interface to the link of its
node that it is paired with, and from that link back to the namespace that it leads into.
"""

import json
import socket
import struct
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deploy.lab.cgroups import Tree
from deploy.lab.namespaces import in_network, inside_network
from deploy.lab.node.start import first_process
from deploy.lab.places import Places
from deploy.lab.plan import node_named

_RTM_NEWNSID, _RTM_GETNSID = 88, 90
_NETNSA_NSID, _NETNSA_FD = 1, 3


@dataclass(frozen=True)
class Truth:
    """Where a pod's packets pass.

    Attributes:
        namespace: The inode of its network namespace.
        process: One of its processes, by its id on this machine.
        inside: The interface in there that has its address.
        inside_index: That one's ifindex there.
        kind: What the kernel calls it, such as `veth`.
        interface: The link of the node that it is paired with; "" when there is none.
        ifindex: That one's ifindex; 0 when there is none.
    """

    node: str
    namespace: int
    process: int
    inside: str
    inside_index: int
    kind: str
    interface: str
    ifindex: int


def truth(places: Places, pod: Mapping[str, Any]) -> Truth:
    """The truth about a pod that runs and has a network of its own.

    Args:
        places: Its lab's.
        pod: The Pod as the API shows it.

    Raises:
        LookupError: No process of it runs, or its interface is not to be found.
        RuntimeError: What one direction says the other denies.
    """
    node = node_named(pod["spec"].get("nodeName", "none"))
    tree = Tree(places.cgroup)
    on_node = first_process(tree, node)
    process = _process(tree, node.name, pod["metadata"]["uid"])
    namespace = _namespace(process)
    if namespace == _namespace(on_node):
        raise LookupError("the pod uses its node's network: no interface is its own")
    own = _with_address(_links(process), {one["ip"] for one in pod["status"]["podIPs"]})
    kind = own.get("linkinfo", {}).get("info_kind", "")
    peer: Mapping[str, Any] = _peer(on_node, process, own) if kind == "veth" else {}
    return Truth(
        node=node.name,
        namespace=namespace,
        process=process,
        inside=own["ifname"],
        inside_index=own["ifindex"],
        kind=kind,
        interface=peer.get("ifname", ""),
        ifindex=peer.get("ifindex", 0),
    )


def describe(found: Truth) -> str:
    """As JSON, for a terminal."""
    return json.dumps(asdict(found), indent=1)


def _process(tree: Tree, node: str, uid: str) -> int:
    """The first process of the pod, by the cgroup that holds it."""
    for process in sorted(tree.processes(node)):
        try:
            groups = Path(f"/proc/{process}/cgroup").read_text()
        except OSError:
            continue
        if f"/pod{uid}/" in groups:
            return process
    raise LookupError(f"no process of pod {uid} runs on {node}")


def _namespace(process: int) -> int:
    return Path(f"/proc/{process}/ns/net").stat().st_ino


def _peer(on_node: int, process: int, own: Mapping[str, Any]) -> dict[str, Any]:
    """The node's link that the pod's interface points at, if it points back into the pod's namespace."""
    for link in _links(on_node):
        if link["ifindex"] == own["link_index"]:
            back = (link.get("link_netnsid"), link.get("link_index"))
            if back == (_number(on_node, process), own["ifindex"]):
                return link
            raise RuntimeError(f"{link['ifname']} does not lead back to the pod but to {back}")
    raise LookupError(f"the node has no link {own['link_index']}")


def _number(on_node: int, process: int) -> int:
    """The id that the node's namespace has given to that of a process; -1 when it has none."""
    with Path(f"/proc/{process}/ns/net").open() as namespace:
        return inside_network(on_node, lambda: _ask_number(namespace.fileno()))


def _ask_number(namespace: int) -> int:
    """Asks for an open namespace's id, in the words of linux/net_namespace.h."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        attribute = struct.pack("=HHI", 8, _NETNSA_FD, namespace)
        kernel.send(struct.pack("=IHHIIB3x", 20 + len(attribute), _RTM_GETNSID, 1, 1, 0, 0) + attribute)
        answer = kernel.recv(4096)
    (kind,) = struct.unpack_from("=H", answer, 4)
    # Its first attribute, behind two headers, is the id itself.
    length, name, number = struct.unpack_from("=HHi", answer, 20)
    if (kind, length, name) != (_RTM_NEWNSID, 8, _NETNSA_NSID):
        raise LookupError("the kernel does not say which id the namespace has")
    return int(number)


def _with_address(links: list[dict[str, Any]], addresses: set[str]) -> dict[str, Any]:
    for link in links:
        if addresses & {one.get("local") for one in link["addr_info"]}:
            return link
    raise LookupError(f"no interface in the pod has {', '.join(sorted(addresses))}")


def _links(process: int) -> list[dict[str, Any]]:
    argv = in_network(process, ["ip", "-j", "-d", "address"])
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LookupError(f"ip failed: {done.stderr.strip()}")
    links: list[dict[str, Any]] = json.loads(done.stdout)
    return links
