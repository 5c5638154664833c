import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from workers.cluster.pod import Pod, Port
from workers.tap.evidence import Evidence, Process
from workers.tap.links import Forwarding, Link, Neighbour
from workers.tap.own_stream import OwnStream
from workers.tap.procfs import Namespace
from workers.tap.tap import NoTap, Tap, decide, explain

Visits = Callable[[Pod], Any]


@pytest.mark.parametrize(
    ("name", "interface", "ifindex", "netns_id"),
    [
        ("cheddar-655d8555f-f7d7z", "vethbcf479f2", 4, 1),
        ("cheddar-655d8555f-rhg54", "veth2e80349a", 5, 2),
        ("cheddar-655d8555f-5hfjj", "veth9286f7ad", 4, 1),
        ("distroless", "veth860ac1e8", 7, 3),
    ],
)
def test_every_recorded_pod_gets_its_own_interface_with_high_confidence(
    pods: dict[str, Pod], visit: Visits, name: str, interface: str, ifindex: int, netns_id: int
) -> None:
    tap = decide(visit(pods[name]).evidence(), pods[name])
    assert (tap.interface, tap.ifindex, tap.netns_id) == (interface, ifindex, netns_id)
    assert (tap.node, tap.method, tap.confidence) == (pods[name].node, "namespace", "high")


def test_the_line_for_the_thread_names_interface_node_proof_and_confidence(
    pods: dict[str, Pod], visit: Visits
) -> None:
    pod = pods["distroless"]
    assert explain(decide(visit(pod).evidence(), pod)) == (
        "veth860ac1e8 on node1 (namespace id 3, peer index 2; the bridge's forwarding table agrees) "
        "— confidence high"
    )


def test_without_namespace_ids_the_forwarding_table_alone_makes_it_medium_and_the_proof_says_why(
    pods: dict[str, Pod], visit: Visits
) -> None:
    pod = pods["cheddar-655d8555f-rhg54"]
    there = visit(pod)
    there.sections["netlink"] = "sh: 1: perl: not found\n"
    there.codes["netlink"] = 127
    tap = decide(there.evidence(), pod)
    assert (tap.interface, tap.method, tap.confidence) == ("veth2e80349a", "forwarding", "medium")
    assert tap.proof == (
        "the bridge's forwarding table",
        "namespace ids are unavailable (sh: 1: perl: not found)",
    )


def test_without_json_from_ip_and_bridge_nothing_is_proven_and_the_sentence_says_so(
    pods: dict[str, Pod], visit: Visits
) -> None:
    pod = pods["cheddar-655d8555f-rhg54"]
    there = visit(pod)
    there.sections["netlink"] = "sh: 1: perl: not found\n"
    there.sections["links"] = "BusyBox v1.35.0: unrecognized option: j\n"
    there.codes |= {"netlink": 127, "links": 1}
    with pytest.raises(NoTap, match=r"`ip -j -d link` does not answer \(BusyBox"):
        decide(there.evidence(), pod)


def test_without_a_learned_mac_address_the_namespace_alone_makes_it_medium(
    pods: dict[str, Pod], visit: Visits
) -> None:
    pod = pods["distroless"]
    there = visit(pod)
    there.change("forwarding", [row for row in there.rows("forwarding") if row.get("state") == "permanent"])
    tap = decide(there.evidence(), pod)
    assert (tap.interface, tap.confidence) == ("veth860ac1e8", "medium")


def test_two_methods_that_contradict_each_other_are_refused_and_both_are_named(
    pods: dict[str, Pod], visit: Visits
) -> None:
    pod = pods["distroless"]
    there = visit(pod)
    moved = [
        row | {"ifname": "veth2e80349a"} if row["mac"] == "52:b0:0e:9a:de:fa" else row
        for row in there.rows("forwarding")
    ]
    there.change("forwarding", moved)
    with pytest.raises(NoTap, match=r"namespace id 3.* veth860ac1e8.* forwarding table .* veth2e80349a"):
        decide(there.evidence(), pod)


def test_a_pod_recreated_under_the_same_name_is_not_found_by_its_old_uid(
    pods: dict[str, Pod], visit: Visits
) -> None:
    again = replace(pods["distroless"], uid="00000000-9d95-452f-874a-0f89bc95f839", containers={})
    with pytest.raises(NoTap, match="No process of pod distroless was found on node node1"):
        decide(visit(again).evidence(), again)


def test_processes_that_do_not_have_the_pods_address_prove_nothing_about_its_namespace(
    pods: dict[str, Pod], visit: Visits
) -> None:
    pod = pods["distroless"]
    moved = replace(pod, ips=("10.244.1.77",))
    with pytest.raises(NoTap, match="do not have its address"):
        decide(visit(moved).evidence(), moved)


# From here on evidence is constructed.


def inside(*addresses: str, index: int = 2, name: str = "eth0", mac: str | None = None) -> Namespace:
    return Namespace(
        addresses=frozenset(addresses),
        indexes={"lo": 1, name: index},
        carriers=dict.fromkeys(addresses, name),
        link_local={name: mac} if mac else {},
    )


POD = Pod("shop", "web-1", "0a0a0a0a-0000-4000-8000-000000000001", "Running", node="n1", ips=("10.0.0.9",))


def evidence(*links: Link, netns_id: int | None = 7, index: int = 2) -> Evidence:
    return Evidence(
        processes=(Process(41, "/kubepods/x"),),
        namespaces={41: inside("10.0.0.9", index=index)},
        netns_ids={41: netns_id},
        links=links,
    )


def veth(ifindex: int, *, peer: int = 2, netns_id: int | None = 7, name: str | None = None) -> Link:
    return Link(ifindex, name or f"veth{ifindex}", "veth", None, peer, netns_id)


def test_an_index_that_contains_the_digits_of_another_is_another() -> None:
    links = [veth(n + 1, peer=n, netns_id=7) for n in (1, 11, 111, 1110, 2111)]
    assert decide(evidence(*links, index=111), POD).ifindex == 112
    assert decide(evidence(*links, index=11), POD).ifindex == 12


def test_only_the_namespace_id_tells_apart_links_with_the_same_peer_index() -> None:
    links = [veth(20 + n, netns_id=n) for n in range(10)]
    assert decide(evidence(*links), POD).ifindex == 27


def test_the_same_namespace_id_with_another_peer_index_is_the_pods_second_interface() -> None:
    assert decide(evidence(veth(5, peer=3), veth(6, peer=2)), POD).ifindex == 6


def test_two_links_that_claim_the_same_peer_prove_nothing() -> None:
    with pytest.raises(NoTap):
        decide(evidence(veth(5), veth(6)), POD)


@pytest.mark.parametrize("kind", ["macvlan", "vlan", "ipvlan", "macvtap", None])
def test_a_child_of_an_uplink_is_not_taken_for_a_pair(kind: str | None) -> None:
    with pytest.raises(NoTap):
        decide(evidence(Link(5, "veth5", kind, None, 2, 7)), POD)


def test_a_kind_that_bypasses_the_host_is_named_in_the_refusal() -> None:
    with pytest.raises(NoTap, match=r"lxc5 is a netkit device, .* `namespace_tap: true`"):
        decide(evidence(Link(5, "lxc5", "netkit", None, 2, 7)), POD)


def test_a_pod_without_any_link_on_the_host_is_refused_with_the_likely_reasons() -> None:
    with pytest.raises(NoTap, match="no link that is paired with eth0: macvlan, ipvlan"):
        decide(evidence(Link(2, "eth0")), POD)


def test_a_namespace_without_an_id_is_never_matched_to_a_link_without_one() -> None:
    with pytest.raises(NoTap):
        decide(evidence(Link(5, "veth5", "veth", None, 2, None), netns_id=None), POD)


def test_interfaces_are_found_whatever_they_are_called() -> None:
    names = ["cali0a1b", "lxc_health", "eni3fe", "azv99", "4f1c2b3a4d5e6f7", "veth: evil"]
    for name in names:
        assert decide(evidence(veth(9, name=name)), POD).interface == name


def test_a_routed_cni_gets_its_second_opinion_from_the_route() -> None:
    there = replace(evidence(veth(9, name="cali1")), routes={"10.0.0.9": "cali1"})
    tap = decide(there, POD)
    assert (tap.confidence, tap.proof[1]) == ("high", "the route to the pod's address agrees")


def test_a_route_over_an_uplink_or_a_bridge_is_no_opinion() -> None:
    uplink = veth(3, peer=6, netns_id=0, name="eth0")
    bridge = Link(4, "cni0", "bridge")
    for device in ("cni0", "gone"):
        there = replace(evidence(veth(9), uplink, bridge), routes={"10.0.0.9": device})
        assert decide(there, POD).confidence == "medium"


def test_a_route_to_another_pods_interface_contradicts() -> None:
    there = replace(evidence(veth(9), veth(10, netns_id=8)), routes={"10.0.0.9": "veth10"})
    with pytest.raises(NoTap, match="contradicts itself"):
        decide(there, POD)


def bridged(*forwarding: Forwarding, neighbour: str = "02:00:00:00:00:09") -> Evidence:
    return Evidence(
        processes=(Process(41, "/x"),),
        namespaces={41: inside("10.0.0.9")},
        links=(Link(4, "cni0", "bridge"), veth(9), veth(10, netns_id=8), Link(11, "vxlan0", "vxlan", "cni0")),
        neighbours=(Neighbour("10.0.0.9", "cni0", neighbour),),
        forwarding=forwarding,
    )


def test_a_mac_address_behind_a_tunnel_is_on_another_node() -> None:
    with pytest.raises(NoTap):
        decide(bridged(Forwarding("02:00:00:00:00:09", "vxlan0", "cni0")), POD)


def test_a_mac_address_behind_two_ports_is_no_opinion() -> None:
    both = [Forwarding("02:00:00:00:00:09", port, "cni0") for port in ("veth9", "veth10")]
    with pytest.raises(NoTap):
        decide(bridged(*both), POD)


def test_a_neighbour_that_has_the_pods_address_is_looked_up_in_the_forwarding_table() -> None:
    tap = decide(bridged(Forwarding("02:00:00:00:00:09", "veth9", "cni0")), POD)
    assert (tap.interface, tap.confidence) == ("veth9", "medium")


def test_a_dual_stack_pod_is_found_by_either_address() -> None:
    pod = replace(POD, ips=("10.0.0.9", "fd00::9"))
    six = replace(evidence(veth(9)), namespaces={41: inside("fd00::9")})
    assert decide(six, pod).ifindex == 9


# hostNetwork


def test_a_host_network_pod_is_tapped_at_its_node_narrowed_to_its_ports(pods: dict[str, Pod]) -> None:
    pod = replace(pods["hostnet"], ports=(Port(8080, "TCP"), Port(53, "UDP")))
    tap = decide(Evidence(), pod)
    assert (tap.interface, tap.ifindex, tap.confidence) == ("any", 0, "medium")
    assert tap.filter("host 10.0.0.1 or icmp") == (
        "((tcp port 8080 or udp port 53) and not tcp port 10250) and (host 10.0.0.1 or icmp)"
    )
    assert explain(tap) == (
        "node2's own network, narrowed to the ports that the pod declares (tcp 8080, udp 53) because it "
        "uses hostNetwork; a packet that passes a bridge may be there twice, since the node's links are "
        "unknown — confidence medium"
    )


def test_a_host_network_pods_packets_are_captured_at_a_bridge_and_not_at_its_ports_as_well(
    pods: dict[str, Pod], visit: Visits
) -> None:
    pod = replace(pods["hostnet"], ports=(Port(8080, "TCP"),))
    tap = decide(Evidence(links=visit(pods["distroless"]).evidence().links), pod)
    assert tap.narrow == (
        "(tcp port 8080) and not tcp port 10250 and not (ifindex 4 or ifindex 7 or "
        "(link[4:4] > 4 and link[4:4] < 7))"
    )
    assert tap.proof[-1] == "each packet once, so not at the ports of cni0"


def test_podcaps_own_connections_are_left_out_of_a_host_network_pods_packets_and_nothing_else(
    pods: dict[str, Pod],
) -> None:
    pod = replace(pods["hostnet"], ports=(Port(6443, "TCP"), Port(8443, "TCP")))
    own = (OwnStream(6443, "10.0.0.7"), OwnStream(8443, "fd00::7"))
    tap = decide(Evidence(own_streams=own), pod)
    assert tap.narrow == (
        "(tcp port 6443 or tcp port 8443) and not tcp port 10250 and not (host 10.0.0.7 and tcp port 6443) "
        "and not (host fd00::7 and tcp port 8443)"
    )
    assert "not captured: tcp 6443 with 10.0.0.7, where podcap's own connections pass" in explain(tap)


def test_an_api_servers_port_is_left_out_when_podcaps_connections_were_not_seen_there(
    pods: dict[str, Pod],
) -> None:
    pod = replace(pods["hostnet"], ports=(Port(6443, "TCP"), Port(2379, "TCP")))
    tap = decide(Evidence(), pod)
    assert tap.narrow == "(tcp port 2379) and not tcp port 10250"
    assert "not captured: tcp 6443, where podcap's own connections could not be told apart" in explain(tap)
    with pytest.raises(NoTap, match="serves the API that podcap itself works through"):
        decide(Evidence(), replace(pod, ports=(Port(6443, "TCP"),)))


def test_a_host_network_pod_without_ports_is_refused_because_it_cannot_be_told_apart(
    pods: dict[str, Pod],
) -> None:
    with pytest.raises(NoTap, match="declares no ports"):
        decide(Evidence(), replace(pods["hostnet"], ports=()))


def test_a_tap_at_a_pods_own_interface_leaves_the_filter_as_it_was_asked() -> None:
    tap = Tap("n1", "veth9", 9, "namespace", ("x",), "high")
    assert tap.filter(" port 80 or port 443 ") == "port 80 or port 443"
    assert tap.filter("") == ""


def test_the_recorded_links_are_all_understood(pods: dict[str, Pod], visit: Visits) -> None:
    there = visit(pods["distroless"])
    links = there.evidence().links
    assert [link.ifindex for link in links] == [row["ifindex"] for row in json.loads(there.sections["links"])]
    assert {link.kind for link in links} == {None, "veth", "bridge"}
