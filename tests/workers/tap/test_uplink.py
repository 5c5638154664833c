"""Recorded with iproute2 in network namespaces: one with a default route, a bridge, two interfaces, none."""

import json
from pathlib import Path
from typing import Any

import pytest

from workers.request.capture_filter import check
from workers.tap.tap import NoTap, Tap, explain
from workers.tap.uplink import decide_uplink, node_network

EVIDENCE = Path(__file__).parents[2] / "evidence/uplink"
ADDRESS = "192.168.1.101"
API = [("192.168.1.100", 6443)]


def uplink(name: str, *addresses: str) -> Tap:
    network = node_network((EVIDENCE / f"{name}.txt").read_text())
    return decide_uplink(network, "k8s-node01", addresses or (ADDRESS,), API)


def written(*interfaces: dict[str, Any], routes: tuple[dict[str, Any], ...] = ()) -> str:
    return json.dumps(interfaces) + "\n" + json.dumps(routes) + "\n[]\n"


def interface(index: int, name: str, kind: str | None = None, address: str | None = None) -> dict[str, Any]:
    info = [{"family": "inet", "local": address}] if address else []
    linkinfo = {"linkinfo": {"info_kind": kind}} if kind else {}
    return {"ifindex": index, "ifname": name, "addr_info": info, **linkinfo}


def test_the_interface_with_the_nodes_address_and_the_default_route_is_certain() -> None:
    tap = uplink("plain")
    assert (tap.interface, tap.confidence, tap.method, tap.pid) == ("eth0", "high", "uplink", None)
    assert explain(tap).startswith(
        "eth0 on k8s-node01 (it has the node's address 192.168.1.101, and the default route agrees"
    )


def test_a_bridge_with_the_nodes_address_is_captured_itself() -> None:
    tap = uplink("bridge")
    assert (tap.interface, tap.confidence) == ("br0", "high")
    assert "a bridge" in tap.proof


@pytest.mark.parametrize(("name", "kind"), [("bond0", "bond"), ("eth0.100", "vlan"), ("team0", "team")])
def test_so_is_a_bond_and_a_vlan(name: str, kind: str) -> None:
    text = written(
        interface(1, "lo", None, "127.0.0.1"),
        interface(2, "eth0"),
        interface(7, name, kind, ADDRESS),
        routes=({"dst": "default", "gateway": "192.168.1.1", "dev": name},),
    )
    tap = decide_uplink(node_network(text), "n", [ADDRESS], API)
    assert (tap.interface, tap.ifindex, tap.confidence) == (name, 7, "high")
    assert f"a {kind}" in tap.proof


def test_where_the_way_out_is_another_interface_clients_come_in_at_the_nodes_address() -> None:
    tap = uplink("vagrant")
    assert (tap.interface, tap.confidence) == ("eth1", "medium")
    assert "not captured: eth0" in tap.proof


def test_of_two_default_routes_the_one_with_the_lower_metric_counts() -> None:
    assert (uplink("twodefaults").interface, uplink("twodefaults").confidence) == ("eth1", "high")
    # Nobody knows the node by an address of its own: the default route alone speaks.
    alone = uplink("twodefaults", "203.0.113.9")
    assert (alone.interface, alone.confidence) == ("eth1", "medium")


def test_without_a_default_route_the_address_alone_speaks() -> None:
    tap = uplink("isolated")
    assert (tap.interface, tap.confidence) == ("eth1", "medium")


def test_where_nothing_speaks_for_one_nothing_is_captured() -> None:
    with pytest.raises(NoTap, match="there is no default route"):
        uplink("isolated", "203.0.113.9")
    routes = tuple({"dst": "default", "dev": name} for name in ("eth0", "eth1"))
    text = written(interface(2, "eth0"), interface(3, "eth1"), routes=routes)
    with pytest.raises(NoTap, match=r"several default routes \(eth0, eth1\)"):
        decide_uplink(node_network(text), "n", [], API)


@pytest.mark.parametrize("api", [API, [*API, ("2001:db8::1", 443)], []])
def test_podcaps_own_connections_are_left_out(api: list[tuple[str, int]]) -> None:
    network = node_network((EVIDENCE / "plain.txt").read_text())
    tap = decide_uplink(network, "n", [ADDRESS], api)
    compiled = tap.filter("tcp port 32604")
    check(compiled)
    assert "tcp port 10250" in tap.narrow
    assert all(f"(host {address} and tcp port {port})" in tap.narrow for address, port in api)
    assert api or "tcp port 6443" in tap.narrow
    assert compiled.startswith("(not (")


@pytest.mark.parametrize("text", ["", "[]", "ip: not found", "[]\n[]", "{}", '[{"ifindex": 1}'])
def test_what_is_no_answer_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expecting|Extra|no (list|interface)|delimiter"):
        node_network(text)
