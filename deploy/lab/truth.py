"""Which interface is a pod's, told from outside, by the inode of its network namespace.

podcap may not enter that; this does, and asks in both directions: from the pod's interface to the link of its
node that it is paired with, and from that link back to the namespace that it leads into.
"""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deploy.lab.cgroups import Tree
from deploy.lab.namespaces import in_network
from deploy.lab.node.start import first_process
from deploy.lab.places import Places
from deploy.lab.plan import node_named


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
    """The id that the node's namespace has given to that of a process (lsns(8)); -1 when it has none."""
    argv = ("lsns", "--json", "--type", "net", "--task", str(process), "--output", "NS,NETNSID")
    for row in _json(on_node, *argv)["namespaces"]:
        if int(row["ns"]) == _namespace(process) and str(row["netnsid"]).isdigit():
            return int(row["netnsid"])
    return -1


def _with_address(links: list[dict[str, Any]], addresses: set[str]) -> dict[str, Any]:
    for link in links:
        if addresses & {one.get("local") for one in link["addr_info"]}:
            return link
    raise LookupError(f"no interface in the pod has {', '.join(sorted(addresses))}")


def _links(process: int) -> list[dict[str, Any]]:
    links: list[dict[str, Any]] = _json(process, "ip", "-j", "-d", "address")
    return links


def _json(process: int, *argv: str) -> Any:
    done = subprocess.run(in_network(process, argv), capture_output=True, text=True, check=False)
    if done.returncode:
        raise LookupError(f"{argv[0]} failed: {done.stderr.strip()}")
    return json.loads(done.stdout)
