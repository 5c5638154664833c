"""Where the packets of a pod pass, network by network: a table of evidence, with where each row comes from.

All of it is constructed, from the documentation or the source that stands beside it. Bridge, macvlan, a route
for each pod, two interfaces, IPv6 and both families are built for real in test_evidence_script.py; what a
real cluster with a bridge answered is in test_tap.py.
"""

from dataclasses import dataclass, replace

import pytest

from tests.workers.tap.built import (
    CONTAINERD,
    CRIO,
    DIGITS,
    DOCKER,
    ETH0,
    KIND,
    POD,
    Interface,
    Process,
    built,
    mirrored,
    veth,
)
from workers.cluster.pod import Pod
from workers.tap.evidence import Evidence
from workers.tap.opinions import opinions
from workers.tap.tap import NoTap, decide, explain

LO = "link 1 - - - - lo"
ENS5 = "link 2 - - - - ens5"
BRIDGE = "link 4 - - - bridge cni0"
OTHER_PODS = (veth(20, "vethaaaa", nsid=1), veth(21, "vethbbbb", nsid=2), veth(22, "vethcccc", nsid=17))
"""Each with the same peer index, in another namespace."""
BRIDGED = (LO, ENS5, BRIDGE, *OTHER_PODS, veth(9, "veth09b7438a", master="4"), mirrored(9))
LEARNED = ("neighbour 0a000009 4 2 020000000009", "learned 020000000009 9 4")


def routed(name: str, *, index: int = 9) -> tuple[str, ...]:
    """A node that routes each pod's address to the pod's own link."""
    route = f"route 0a000009 1 32 {index} -"
    return (LO, ENS5, veth(20, f"{name[:4]}0000000000a", nsid=1), veth(index, name), mirrored(index), route)


@dataclass(frozen=True)
class Row:
    """Evidence, and the tap that it proves."""

    network: str
    source: str
    evidence: Evidence
    interface: str
    ifindex: int
    method: str
    confidence: str
    says: str = ""
    pod: Pod = POD


def on_bridge(network: str, source: str, cgroup: str) -> Row:
    evidence = built(*BRIDGED, *LEARNED, processes=(Process(cgroup=cgroup),))
    return Row(network, source, evidence, "veth09b7438a", 9, "namespace", "high", "forwarding table agrees")


def at(network: str, source: str, name: str, *told: str, says: str = "", confidence: str = "high") -> Row:
    return Row(network, source, built(*(told or routed(name))), name, 9, "namespace", confidence, says)


def inside(
    network: str, source: str, why: str, *told: str, process: Process | None = None, name: str = "eth0"
) -> Row:
    process = process or Process()
    evidence = built(*told, processes=(process,))
    return Row(network, source, evidence, name, process.interfaces[name].index, "inside", "high", why)


DUAL = {"eth0": Interface(2, ("10.0.0.9/24", "fd00::9/64"))}
SIX = {"eth0": Interface(2, ("fd00::9/128",))}
SIX_ROUTE = f"route {'fd' + '0' * 29 + '9'} 1 128 9 -"
WITH_NET1 = {**ETH0, "net1": Interface(3, ("192.168.7.9/24",))}
CILIUM = ("link 5 6 - - veth cilium_net", "link 6 5 - - veth cilium_host")
BARE = {"eth0": Interface(2)}
IN_VM = {**ETH0, "tap0_kata": Interface(3)}

ROWS = [
    on_bridge("flannel, docker, cgroup v1", "kubelet's cgroupfs driver: /kubepods/QOS/podUID/ID", DOCKER),
    on_bridge("flannel, containerd, cgroup v2", "systemd driver: kubepods-QOS-podUID.slice", CONTAINERD),
    on_bridge("bridge, CRI-O, cgroup v1", "CRI-O names scopes crio-ID.scope", CRIO),
    on_bridge("kindnet in kind", "kind runs the kubelet below kubelet.slice", KIND),
    at(
        "Calico",
        "Felix programs a /32 route to cali* for each pod",
        f"cali{DIGITS}",
        says="Calico gives it agrees",
    ),
    at(
        "Amazon VPC CNI",
        "docs/cni-proposal.md: a /32 route to eni* in the main table",
        f"eni{DIGITS}",
        says="route",
    ),
    at(
        "Amazon VPC CNI, security groups for pods",
        "routed-eni-cni-plugin/driver: veth vlan*, VLAN child vlan.eth.N, a routing table of its own",
        f"vlan{DIGITS}",
        *(LO, ENS5, "link 5 2 - - vlan vlan.eth.1", veth(9, f"vlan{DIGITS}"), mirrored(9)),
        says="the name that the Amazon VPC CNI gives it agrees",
    ),
    at("GKE", "the ptp plugin with a gke* link: a route for each pod", "gke1b2c3d4e5f6"),
    at(
        "Azure CNI, transparent mode",
        "azure-container-networking: azv* and a route for each pod",
        "azv5f6a7b8c9d0",
    ),
    at(
        "OVN-Kubernetes",
        "go-controller/pkg/cni: the link has the sandbox's first 15 digits and is a port of Open vSwitch",
        "4f1c2b3a4d5e6f7",
        *(
            LO,
            ENS5,
            "link 3 - - - openvswitch ovs-system",
            veth(9, "4f1c2b3a4d5e6f7", master="3"),
            mirrored(9),
        ),
        says="both ends count the same packets",
        confidence="medium",
    ),
    inside(
        "Cilium",
        "docs.cilium.io Tuning Guide, eBPF host routing",
        "Cilium's datapath",
        *routed("lxc1a2b3c"),
        *CILIUM,
    ),
    inside(
        "GKE Dataplane V2",
        "Cilium behind gke* links",
        "Cilium's datapath",
        *routed("gke1b2c3d4e5f6"),
        *CILIUM,
    ),
    inside(
        "Cilium, netkit",
        "linux/if_link.h IFLA_NETKIT",
        "netkit device",
        LO,
        "link 9 2 7 - netkit lxc1a2b3c",
        *CILIUM,
    ),
    inside(
        "Calico, eBPF",
        "Felix: BPFRedirectToPeer",
        "Calico's eBPF",
        *routed("cali1"),
        "link 7 8 - - veth bpfin.cali",
    ),
    inside(
        "a datapath by bpf_redirect_peer, Linux 6.7 and later",
        "net/core/filter.c counts such packets at the pod's end alone",
        "50 packets reached the pod that veth09b7438a has not sent",
        *(LO, veth(9, "veth09b7438a"), mirrored(9, sent=0)),
    ),
    inside(
        "macvlan",
        "the pod's link is built on ens5; its namespace has no id on the node",
        "no link that is paired with eth0",
        *(LO, ENS5, *OTHER_PODS),
        process=Process(nsid=None),
    ),
    inside(
        "ipvlan",
        "Documentation/networking/ipvlan.rst: children share the parent's MAC address",
        "no link that is paired with eth0",
        *(LO, ENS5, "neighbour 0a000009 2 2 020000000002"),
        process=Process(nsid=None),
    ),
    inside(
        "SR-IOV",
        "sriov-cni moves the virtual function itself, of no kind, into the pod",
        "no link that is paired with net1",
        *(LO, ENS5),
        process=Process(interfaces={"net1": Interface(31, ("10.0.0.9/24",))}, nsid=None),
        name="net1",
    ),
    Row(
        "Multus, macvlan as second interface",
        "the pod's address is the cluster network's; net1 is the second one's",
        built(*BRIDGED, *LEARNED, processes=(Process(interfaces=WITH_NET1),)),
        *("veth09b7438a", 9, "namespace", "high", "not captured: the pod's net1"),
    ),
    Row(
        "Multus, bridge as second interface",
        "both interfaces have a veth, in the same namespace",
        built(*BRIDGED, *LEARNED, veth(8, "vethnet1", peer=3), processes=(Process(interfaces=WITH_NET1),)),
        *("veth09b7438a", 9, "namespace", "high", "not captured: the pod's net1"),
    ),
    Row(
        "gVisor on a bridge",
        "runsc/sandbox/network.go takes the addresses off the namespace's interface",
        built(*BRIDGED, *LEARNED, processes=(Process(interfaces=BARE),)),
        *("veth09b7438a", 9, "namespace", "high", "sandbox that keeps its address to itself"),
    ),
    Row(
        "gVisor, nothing learned",
        "the same",
        built(*BRIDGED, processes=(Process(interfaces=BARE),)),
        *("veth09b7438a", 9, "namespace", "medium", "sandbox"),
    ),
    Row(
        "Kata Containers",
        "the hypervisor runs in the sandbox's namespace, whose eth0 is mirrored to tap0_kata by tc",
        built(*BRIDGED, *LEARNED, processes=(Process(interfaces=IN_VM),)),
        *("veth09b7438a", 9, "namespace", "high", "not captured: the pod's tap0_kata"),
    ),
    Row(
        "Kata Containers, hypervisor in /kata_overhead",
        "without sandbox_cgroup_only no process has the pod's UID in its cgroup path",
        built(*routed(f"cali{DIGITS}"), processes=()),
        *(f"cali{DIGITS}", 9, "route", "medium", "no process of the pod was seen"),
    ),
    Row(
        "dual-stack",
        "status.podIPs names both families",
        built(*BRIDGED, *LEARNED, processes=(Process(interfaces=DUAL),)),
        *("veth09b7438a", 9, "namespace", "high"),
        pod=replace(POD, ips=("10.0.0.9", "fd00::9")),
    ),
    Row(
        "IPv6 only, routed",
        "the same with /128",
        built(LO, ENS5, veth(9, "cali1"), mirrored(9), SIX_ROUTE, processes=(Process(interfaces=SIX),)),
        *("cali1", 9, "namespace", "high", "route to the pod's address agrees"),
        pod=replace(POD, ips=("fd00::9",)),
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.network for row in ROWS])
def test_each_networks_pods_are_tapped_where_their_packets_pass(row: Row) -> None:
    tap = decide(row.evidence, row.pod, may_enter=True)
    assert (tap.interface, tap.ifindex, tap.method, tap.confidence) == (
        row.interface,
        row.ifindex,
        row.method,
        row.confidence,
    )
    assert row.says in explain(tap)
    assert (tap.pid, tap.started) == ((41, 5000) if row.method == "inside" else (None, None))


@pytest.mark.parametrize("row", ROWS, ids=[row.network for row in ROWS])
def test_a_tap_inside_the_pod_is_refused_with_its_reason_where_the_policy_does_not_allow_it(row: Row) -> None:
    if row.method != "inside":
        assert decide(row.evidence, row.pod) == decide(row.evidence, row.pod, may_enter=True)
        return
    with pytest.raises(NoTap, match="`namespace_tap: true`") as refused:
        decide(row.evidence, row.pod)
    assert row.says in str(refused.value)


# Decoys: the wrong link is there, and looks like the right one.

STALE = (
    veth(30, "vethstale", nsid=8, master="4"),
    "neighbour 0a000009 4 4 020000000030",
    "learned 020000000030 30 4",
)
"""The link of a pod that had this address before, and is still behind it in the bridge's tables."""


def test_a_stale_entry_of_the_bridge_is_reported_and_not_believed_when_the_pair_points_both_ways() -> None:
    tap = decide(built(*BRIDGED, *STALE), POD)
    assert (tap.interface, tap.confidence) == ("veth09b7438a", "medium")
    assert "the bridge's forwarding table says vethstale and is not believed" in tap.proof


def test_a_stale_entry_of_the_bridge_makes_a_refusal_when_the_pair_is_known_one_way_only() -> None:
    told = [line for line in BRIDGED if not line.startswith("count")]
    with pytest.raises(NoTap, match="contradicts itself"):
        decide(built(*told, *STALE), POD)


def test_a_stale_entry_of_the_bridge_is_no_tap_for_a_pod_that_shows_no_process() -> None:
    with pytest.raises(NoTap, match="No process of pod web-1 was found"):
        decide(built(BRIDGE, *STALE, processes=()), POD)


def test_a_link_left_behind_that_route_and_bridge_lead_to_is_no_tap_without_a_process() -> None:
    with pytest.raises(NoTap, match="No process of pod web-1 was found"):
        decide(built(BRIDGE, *STALE, "route 0a000009 1 32 30 -", processes=()), POD)


def test_an_iflink_that_is_the_index_of_another_link_does_not_count_as_the_other_direction() -> None:
    evidence = replace(built(*BRIDGED, *LEARNED), iflinks={"eth0": 20})
    with pytest.raises(NoTap, match=r"contradicts itself: .* but the pod's own iflink 20 says vethaaaa"):
        decide(replace(evidence, links=tuple(replace(link, counters=None) for link in evidence.links)), POD)


def test_an_iflink_that_is_the_index_of_a_pair_with_another_peer_is_no_opinion() -> None:
    evidence = replace(built(*BRIDGED, *LEARNED, veth(23, "vethdddd", peer=5)), iflinks={"eth0": 23})
    assert [opinion.method for opinion in opinions(evidence, POD)] == ["namespace", "forwarding"]


def test_the_pods_own_iflink_is_a_second_opinion() -> None:
    evidence = replace(built(LO, veth(9, "veth9"), *OTHER_PODS), iflinks={"eth0": 9})
    tap = decide(evidence, POD)
    assert (tap.interface, tap.confidence) == ("veth9", "high")
    assert "the pod's own iflink 9 agrees" in tap.proof


def test_a_macvlans_iflink_which_is_the_nodes_uplink_is_no_opinion() -> None:
    evidence = replace(built(LO, ENS5, processes=(Process(nsid=None),)), iflinks={"eth0": 2})
    assert decide(evidence, POD, may_enter=True).method == "inside"


def test_a_cnis_name_never_stands_alone() -> None:
    evidence = built(LO, veth(9, f"cali{DIGITS}", nsid=8), processes=(Process(interfaces={}, nsid=None),))
    with pytest.raises(NoTap, match="do not have its address"):
        decide(evidence, POD)


def test_a_link_with_the_cnis_name_in_another_namespace_only_lowers_the_confidence() -> None:
    tap = decide(built(*BRIDGED, *LEARNED, veth(31, f"cali{DIGITS}", nsid=8)), POD)
    assert (tap.interface, tap.confidence) == ("veth09b7438a", "medium")


def test_a_vlan_child_whose_index_below_is_the_pods_is_not_taken_for_its_pair() -> None:
    tap = decide(built(*BRIDGED, *LEARNED, "link 10 2 7 - vlan vlan.eth.1"), POD)
    assert (tap.ifindex, tap.confidence) == (9, "high")


def test_a_route_to_a_whole_network_or_through_a_gateway_is_no_opinion() -> None:
    for route in ("route 0a000009 1 24 20 -", "route 0a000009 1 32 20 via", "route 0a000009 7 32 20 -"):
        tap = decide(built(*BRIDGED, route), POD)
        assert (tap.interface, tap.confidence, len(tap.proof)) == ("veth09b7438a", "medium", 1)


def test_of_several_processes_one_that_left_the_pods_network_does_not_mislead() -> None:
    left = Process(pid=43, interfaces={"eth0": Interface(2, ("10.0.0.77/24",))}, nsid=1)
    for processes in ((Process(), left), (left, Process())):
        assert decide(built(*BRIDGED, *LEARNED, processes=processes), POD).ifindex == 9


def test_counters_that_moved_between_the_two_looks_at_the_pod_still_mirror() -> None:
    evidence = built(*BRIDGED[:-1], mirrored(9, received=45, sent=57), *LEARNED)
    later = {41: {"eth0": replace(evidence.later[41]["eth0"], received=60, sent=50)}}
    assert "both ends count the same packets" in decide(replace(evidence, later=later), POD).proof[0]
