from typing import Any

import pytest

from workers.entrances import Entrance, entered_nodes, entrance, is_about_ports
from workers.request.capture_filter import check


def service(**spec: Any) -> dict[str, Any]:
    status = spec.pop("status", {})
    return {
        "metadata": {"name": "cheddar"},
        "spec": {"ports": [{"port": 80, "protocol": "TCP"}], **spec},
        "status": status,
    }


NODE_PORTS = [
    {"port": 80, "protocol": "TCP", "nodePort": 32604},
    {"port": 53, "protocol": "UDP", "nodePort": 30053},
]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (service(), None),
        (service(type="ExternalName", ports=None), None),
        (service(ports=NODE_PORTS), "tcp port 32604 or udp port 30053"),
        (service(externalIPs=["192.0.2.7"]), "(host 192.0.2.7 and tcp port 80)"),
        (
            service(
                ports=NODE_PORTS[:1],
                status={"loadBalancer": {"ingress": [{"ip": "203.0.113.5"}, {"hostname": "x"}]}},
            ),
            "tcp port 32604 or (host 203.0.113.5 and tcp port 80)",
        ),
        (service(ports=[{"port": 80, "nodePort": 30080}]), "tcp port 30080"),
    ],
)
def test_a_service_is_entered_by_its_node_ports_and_its_addresses(
    given: dict[str, Any], expected: str | None
) -> None:
    entered = entrance(given)
    assert (None if entered is None else entered.filter) == expected
    if entered is not None:
        check(entered.filter)


def test_clients_come_in_at_every_node_or_at_those_with_pods_alone() -> None:
    ready = ["n3", "n1", "n2"]
    assert entered_nodes(Entrance("x", local=False), pods_on=["n2", "n9"], ready=ready) == ["n2", "n1", "n3"]
    assert entered_nodes(Entrance("x", local=True), pods_on=["n2", "n9"], ready=ready) == ["n2"]
    assert entered_nodes(Entrance("x", local=False), pods_on=["n3"], ready=ready, most=2) == ["n3", "n1"]
    many = [f"n{number}" for number in range(100)]
    assert len(entered_nodes(Entrance("x", local=False), pods_on=[], ready=many)) == 20


def test_the_policy_that_keeps_clients_addresses_is_told() -> None:
    local = entrance(service(ports=NODE_PORTS, externalTrafficPolicy="Local"))
    assert local is not None
    assert local.local


@pytest.mark.parametrize(
    ("wanted", "ports"),
    [
        ("", False),
        ("host 192.0.2.7 and tcp", False),
        ("icmp", False),
        ("tcp port 80", True),
        ("dst portrange 80-90", True),
        ("tcp[2:2] = 80", True),
    ],
)
def test_a_filter_by_ports_says_nothing_in_front_of_a_service(wanted: str, ports: bool) -> None:
    assert is_about_ports(wanted) is ports
