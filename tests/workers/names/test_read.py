"""From the API's objects to a snapshot, and to JSON and back."""

import json
from dataclasses import replace
from typing import Any

from tests.workers.names.recorded import items, recorded
from workers.names import read
from workers.names.form import from_json, to_json
from workers.names.snapshot import Port, Probe, ServicePort


def test_a_recorded_pod_has_what_explains_its_packets() -> None:
    pod = recorded().pods[0]
    assert (pod.namespace, pod.node, pod.ips, pod.owner) == (
        "traefik",
        "node2",
        ("10.244.2.2",),
        "ReplicaSet/cheddar-655d8555f",
    )
    assert pod.ports == (Port(80),)
    assert pod.probes == (Probe("readiness", "tcp", 80, 2),)


def test_a_recorded_service_has_the_fields_that_rewrite_addresses() -> None:
    (service,) = recorded().services
    assert (service.type, service.external_traffic_policy, service.internal_traffic_policy) == (
        "NodePort",
        "Cluster",
        "Cluster",
    )
    assert (service.session_affinity, service.affinity_seconds) == ("ClientIP", 10_800)
    assert service.ports == (ServicePort(80, "TCP", "http", 32604, "80"),)


def test_a_recorded_node_has_its_ranges_and_its_system() -> None:
    node = recorded().nodes[0]
    assert (node.addresses, node.pod_cidrs, node.machine) == (("10.10.0.11",), ("10.244.1.0/24",), "amd64")
    assert node.system.startswith("Linux 6.18")


def test_a_probe_may_name_its_port_and_one_that_runs_a_command_sends_nothing() -> None:
    given: dict[str, Any] = json.loads(json.dumps(items("pods")[0]))
    (container,) = given["spec"]["containers"]
    container |= {
        "ports": [{"containerPort": 9000, "name": "health"}],
        "livenessProbe": {"httpGet": {"port": "health", "path": "/healthz?verbose"}},
        "readinessProbe": {"exec": {"command": ["true"]}},
        "startupProbe": {"grpc": {"port": 50_051}, "periodSeconds": 1},
    }
    pod = read.pod(given)
    assert pod is not None
    assert pod.probes == (
        Probe("liveness", "http", 9000, path="/healthz"),
        Probe("startup", "grpc", 50_051, 1),
    )


def test_a_pod_that_ended_has_no_address_any_more() -> None:
    given = items("pods")[0]
    assert read.pod(given | {"status": given["status"] | {"phase": "Succeeded"}}) is None
    assert read.pod(given | {"status": {"phase": "Pending"}}) is None


def test_a_headless_service_has_no_address() -> None:
    spec = {"clusterIP": "None", "clusterIPs": ["None"]}
    assert read.service({"metadata": {"namespace": "a", "name": "b"}, "spec": spec}).addresses == ()


def test_what_cnis_write_on_a_node_is_the_nodes() -> None:
    annotations = {"projectcalico.org/IPv4IPIPTunnelAddr": "10.244.7.64"}
    node = read.node({"metadata": {"name": "n", "annotations": annotations}})
    assert node.tunnel_ips == ("10.244.7.64",)


def test_a_snapshot_goes_through_json_unchanged() -> None:
    snapshot = replace(recorded(), notes=("Services could not be listed.",))
    assert from_json(json.loads(json.dumps(to_json(snapshot)))) == snapshot
