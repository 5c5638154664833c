"""Whether a pod's packets pass where the node's side of its link does not see them. Pure."""

from workers.tap.evidence import Evidence
from workers.tap.links import Link
from workers.tap.seat import Seat, passed_by

_REDIRECTING = {
    "cilium_host": "Cilium's",
    "bpfin.cali": "Calico's eBPF",
}
"""Devices that stand for a datapath which can hand packets straight to the pod's end of its veth.

With eBPF host routing Cilium does so (docs.cilium.io, Tuning Guide), on a veth by bpf_redirect_peer
(linux/bpf.h), and so does Calico's eBPF mode (`BPFRedirectToPeer` in Felix's configuration). From outside it
cannot be told whether that is switched on, and before Linux 6.7 neither end counts such packets; in the pod's
namespace they are seen in any case.
"""


def why_inside(evidence: Evidence, place: Seat) -> str | None:
    """Why the packets must be taken in the pod's network namespace, a clause; None when they need not.

    Args:
        evidence: What the node said.
        place: The pod's interface.
    """
    paired = [link for link in evidence.links if place.is_paired_with(link)]
    if not paired:
        # Only who asked for both links and ids may say that there is none.
        if not evidence.links or not place.is_numbered:
            return None
        ends = f"the node has no link that is paired with {place.interface}"
        return f"{ends}: macvlan, ipvlan or a device of its own"
    return _why_past(evidence, place, paired[0]) if len(paired) == 1 else None


def _why_past(evidence: Evidence, place: Seat, link: Link) -> str | None:
    if link.kind == "netkit":
        return f"{link.name} is a netkit device, which hands packets over without passing the node's side"
    missed = passed_by(evidence, place, link)
    if missed:
        return f"{missed} packets reached the pod that {link.name} has not sent"
    for device, whose in _REDIRECTING.items():
        if any(other.name == device for other in evidence.links):
            return f"{whose} datapath can hand packets to the pod past {link.name}"
    return None
