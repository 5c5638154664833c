"""Whose an address is, in a recorded cluster and in made ones."""

from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.names.recorded import recorded
from workers.names.name import Kind, Name
from workers.names.names import Names
from workers.names.snapshot import (
    Endpoint,
    EndpointSlice,
    Node,
    Pod,
    Port,
    Service,
    ServicePort,
    Snapshot,
)
from workers.summary.endpoint import Endpoint as End

NAMES = Names(recorded())


@pytest.mark.parametrize(
    ("address", "port", "kind", "shown"),
    [
        ("10.244.1.2", 80, Kind.POD, "traefik/cheddar-…f7d7z:80"),
        ("::ffff:10.244.1.2", 80, Kind.POD, "traefik/cheddar-…f7d7z:80"),
        ("10.244.1.5", None, Kind.POD, "traefik/distroless"),
        ("10.96.1.20", 80, Kind.SERVICE, "svc traefik/cheddar:80"),
        ("10.10.0.12", 32604, Kind.SERVICE, "svc traefik/cheddar at node2:32604"),
        ("10.10.0.12", 51234, Kind.NODE, "node node2:51234"),
        ("10.244.1.1", 47000, Kind.GATEWAY, "gateway of node1:47000"),
        ("10.244.2.0", None, Kind.NODE, "node node2"),
        ("10.244.1.77", 80, Kind.POD, "10.244.1.77:80"),
        ("10.10.0.100", 40000, Kind.EXTERNAL, "10.10.0.100:40000"),
        ("2001:db8::1", 443, Kind.EXTERNAL, "[2001:db8::1]:443"),
    ],
)
def test_every_address_of_the_recorded_cluster_has_its_name(
    address: str, port: int | None, kind: Kind, shown: str
) -> None:
    assert (NAMES.name(address, port).kind, NAMES.shown(address, port)) == (kind, shown)


def test_an_address_that_many_share_is_the_nodes_and_says_so() -> None:
    name = NAMES.name("10.10.0.12")
    assert name.sentence == "node node2 or one of those that share its address: traefik/hostnet"
    assert NAMES.name("10.10.0.11").also == ()


def test_a_port_that_a_host_network_pod_declares_decides() -> None:
    pod = Pod("shop", "ingress", "n1", ("10.0.0.1",), host_network=True, ports=(Port(8443),))
    names = Names(Snapshot(pods=(pod,), nodes=(Node("n1", ("10.0.0.1",)),)))
    name = names.name("10.0.0.1", 8443)
    assert (name.text, name.host_network) == ("shop/ingress", True)
    assert name.sentence == "shop/ingress in the host network of node n1"
    assert names.name("10.0.0.1", 8444).text == "node n1"


def test_a_host_port_leads_to_its_pod() -> None:
    pod = Pod("shop", "web", "n1", ("10.1.0.5",), ports=(Port(8080, host=80),))
    names = Names(Snapshot(pods=(pod,), nodes=(Node("n1", ("10.0.0.1", "fd00::1")),)))
    assert names.name("fd00::1", 80).text == "shop/web"
    assert names.name("10.0.0.1", 8080).kind is Kind.NODE


def test_api_server_and_dns_are_called_what_they_are() -> None:
    dns = Service("kube-system", "coredns", cluster_ips=("10.96.0.10",), labels={"k8s-app": "kube-dns"})
    api = Service("default", "kubernetes", cluster_ips=("10.96.0.1", "fd00:96::1"))
    ends = EndpointSlice(
        "default", "kubernetes", (Endpoint(("10.0.0.1",)), Endpoint(("192.0.2.7",))), (Port(6443),)
    )
    names = Names(Snapshot(services=(api, dns), slices=(ends,), nodes=(Node("n1", ("10.0.0.1",)),)))
    assert [names.shown(*at) for at in (("10.96.0.10", 53), ("fd00:96::1", 443), ("10.0.0.1", 6443))] == [
        "DNS kube-system/coredns:53",
        "API server:443",
        "API server:6443",
    ]
    # a control plane that is no node of the cluster
    assert names.name("192.0.2.7").kind is Kind.API_SERVER
    assert names.name("10.0.0.1", 22).text == "node n1"


def test_a_load_balancer_at_a_nodes_own_address_has_only_its_ports() -> None:
    service = Service(
        "shop", "web", load_balancer_ips=("10.0.0.1", "198.51.100.1"), ports=(ServicePort(443),)
    )
    names = Names(Snapshot(services=(service,), nodes=(Node("n1", ("10.0.0.1",)),)))
    assert names.name("10.0.0.1", 443).text == "svc shop/web at n1"
    assert names.name("10.0.0.1", 22).text == "node n1"
    assert names.name("198.51.100.1").text == "svc shop/web"


def test_without_the_right_to_list_pods_the_endpoints_name_them() -> None:
    given = recorded()
    names = Names(Snapshot(services=given.services, slices=given.slices, nodes=given.nodes))
    assert names.name("10.244.1.2", 80).text == "traefik/cheddar-655d8555f-f7d7z"


def test_endpoints_that_are_no_pods_are_named_by_their_service() -> None:
    outside = EndpointSlice("shop", "billing", (Endpoint(("192.0.2.9",)),), (Port(443),))
    assert Names(Snapshot(slices=(outside,))).shown("192.0.2.9", 443) == "endpoint shop/billing:443"


def test_a_pod_that_has_the_first_address_of_a_range_is_not_taken_for_a_gateway() -> None:
    node = Node("n1", ("10.0.0.1",), pod_cidrs=("10.1.0.0/24", "fd00:1::/64"))
    names = Names(Snapshot(pods=(Pod("shop", "web", "n1", ("10.1.0.1",)),), nodes=(node,)))
    assert names.name("10.1.0.1").text == "shop/web"
    assert names.name("fd00:1::1").text == "gateway of n1"


def test_what_the_node_showed_counts_more_than_what_is_usual() -> None:
    node = Node("n1", ("10.0.0.1",), pod_cidrs=("10.1.0.0/24",), gateways=("10.1.0.254",))
    names = Names(Snapshot(nodes=(node,)))
    assert (names.name("10.1.0.254").text, names.name("10.1.0.254").note) == ("gateway of n1", "")


@pytest.mark.parametrize(
    ("address", "note"),
    [
        ("192.168.1.35", "private"),
        ("8.8.8.8", "public"),
        ("127.0.0.1", "loopback"),
        ("169.254.169.254", "link-local"),
        ("224.0.0.251", "multicast"),
        ("ff02::2", "multicast"),
        ("100.64.0.1", "shared"),
        ("255.255.255.255", "broadcast"),
        ("::", "unspecified"),
        ("fe80::1%eth0", "link-local"),
        ("no address", "no address"),
    ],
)
def test_of_an_address_outside_it_is_said_what_kind_it_is(address: str, note: str) -> None:
    name = NAMES.name(address)
    assert (name.kind, name.note, name.host) == (Kind.EXTERNAL, note, None)


def test_a_table_names_what_the_cluster_has_and_nothing_that_it_has_not() -> None:
    ends = (("10.244.1.2", 80), ("10.10.0.12", 32604), ("10.10.0.12", 9), ("8.8.8.8", 53))
    assert NAMES.table(End(*end) for end in ends) == {
        "10.244.1.2": "traefik/cheddar-…f7d7z",
        "10.10.0.12:32604": "svc traefik/cheddar at node2",
        "10.10.0.12": "node node2",
    }


ADDRESSES = st.one_of(st.ip_addresses().map(str), st.ip_addresses(network="10.244.0.0/16").map(str))


@given(ADDRESSES | st.text(min_size=1), st.none() | st.integers(0, 65_535))
def test_every_address_gets_a_name_whatever_it_is(address: str, port: int | None) -> None:
    name = NAMES.name(address, port)
    assert name.short
    assert name.text
    assert NAMES.shown(address, port).endswith("" if port is None else f":{port}")


@given(st.lists(ADDRESSES, max_size=20))
def test_pruning_to_the_addresses_seen_changes_no_name(addresses: list[str]) -> None:
    pruned = Names(recorded().only(addresses))
    for address in addresses:
        for port in (None, 80, 32604):
            assert pruned.name(address, port) == NAMES.name(address, port)


def test_pruning_keeps_what_can_explain_the_addresses_and_nothing_else() -> None:
    crowd = tuple(Pod("crowd", f"p{n}", "far", (str(ip_address("10.9.0.0") + n),)) for n in range(2000))
    given = recorded()
    whole = Snapshot(
        pods=(*given.pods, *crowd), services=given.services, slices=given.slices, nodes=given.nodes
    )
    pruned = whole.only(["10.244.1.2", "10.10.0.100", "10.9.3.3"])
    assert [pod.name for pod in pruned.pods] == ["cheddar-655d8555f-f7d7z", "p771"]
    assert [service.name for service in pruned.services] == ["cheddar"]
    assert [node.name for node in pruned.nodes] == ["node1"]


_WORDS: Any = st.text(max_size=300)


@given(st.sampled_from(Kind), _WORDS, _WORDS, _WORDS)
def test_a_host_name_has_only_what_host_names_have(kind: Kind, namespace: str, name: str, node: str) -> None:
    host = Name(kind, "10.0.0.1", namespace, name, node).host
    assert (host is None) == (kind is Kind.EXTERNAL)
    assert host is None or (
        len(host) <= 253 and host.isascii() and not set(host) & set("\0\n /<>&`'\"|;:$\\")
    )
