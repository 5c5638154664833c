"""What stands around a pod, with `lab/decoys: "true"`, to be taken for its link: pure.

- A pair of veths, both ends on the node, of which one has the name that another CNI plugin would give the
  pod's link.
- Out of date, on a bridge that is not the pod's: a neighbour with its address, and that neighbour behind the
  pair.
- On the node a child of the uplink: its `link_index` says what it is built on, and names no peer. A VLAN's
  says the same, but some kernels are built without VLANs.
"""

from dataclasses import dataclass

from deploy.lab.kubelet.addresses import interface_name
from deploy.lab.kubelet.topologies import Place, Wiring, routed_name
from deploy.lab.node.network import BRIDGE, OVERLAY_BRIDGE, SECOND_BRIDGE

_BRIDGES = (BRIDGE, OVERLAY_BRIDGE, SECOND_BRIDGE)


@dataclass(frozen=True)
class Decoys:
    """Commands of ip(8) and bridge(8) that make them, and of ip(8) that remove them.

    Attributes:
        child: Of ip(8); a kernel without macvlan refuses it, and then there is one decoy less.
    """

    ip: tuple[str, ...]
    bridge: tuple[str, ...]
    child: tuple[str, ...]
    removal: tuple[str, ...]


def decoys(place: Place, wiring: Wiring) -> Decoys:
    """Those around one pod."""
    names = (routed_name(place.namespace, place.pod), interface_name(f"{place.uid}/before"))
    name = next(name for name in names if name != wiring.link)
    peer, child = interface_name(f"{place.uid}/decoy"), interface_name(f"{place.uid}/child")
    bridge = next(one for one in _BRIDGES if not any(f"master {one}" in line for line in wiring.on_node))
    mac = "0a:58:de:c0:" + ":".join(f"{place.process >> shift & 255:02x}" for shift in (8, 0))
    first, second = place.next_index(), place.next_index()
    return Decoys(
        (
            f"link add {name} index {first} type veth peer name {peer} index {second}",
            f"link set {name} master {bridge}",
            f"link set {name} up",
            f"link set {peer} up",
            *(f"neigh replace {one} lladdr {mac} dev {bridge} nud stale" for one in wiring.addresses),
        ),
        (f"fdb replace {mac} dev {name} master dynamic",),
        (f"link add link eth0 name {child} index {place.next_index()} type macvlan mode bridge",),
        (
            *(f"neigh del {one} dev {bridge}" for one in wiring.addresses),
            f"link delete {name}",
            f"link delete {child}",
        ),
    )
