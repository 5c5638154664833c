"""Whose address a pod sees behind a node port: recorded on a real cluster, and constructed."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hangs import HANGS
from tests.workers.names.recorded import recorded as cluster
from tests.workers.summary.findings.wire import Wire, ids, summary_of
from workers.names.form import to_json
from workers.names.snapshot import Probe, Snapshot
from workers.summary.context import Context
from workers.summary.finding import Finding
from workers.summary.summarise import summarise

_EVIDENCE = Path(__file__).parents[3] / "evidence"
PODS = ("5hfjj", "f7d7z", "rhg54")
GATEWAY, OTHER_NODE, POD = "10.244.1.1", "10.10.0.12", "10.244.1.2"


def context(policy: str, *, probes: tuple[Probe, ...] = (Probe("readiness", "tcp", 80, 2),)) -> Context:
    """The recorded cluster, its Service with that policy, its pods with these probes."""
    snapshot = cluster()
    services = tuple(
        replace(
            each, external_traffic_policy=policy if each.name == "cheddar" else each.external_traffic_policy
        )
        for each in snapshot.services
    )
    pods = tuple(replace(each, probes=probes) for each in snapshot.pods)
    return Context(cluster=to_json(Snapshot(0.0, pods, services, snapshot.slices, snapshot.nodes)))


def of_recorded(policy: str, pod: str, told: Context) -> list[Finding]:
    path = _EVIDENCE / f"nodeport-{policy}" / f"cheddar-655d8555f-{pod}.pcap"
    return list(summary_of(path.read_bytes(), told).findings)


def of(wire: Wire, told: Context, *, payload: bool = True) -> list[Finding]:
    return [each for each in wire.findings(told, payload=payload) if each.id == "source-rewritten"]


@pytest.mark.parametrize("pod", PODS)
def test_behind_cluster_the_service_and_its_field_are_named(pod: str) -> None:
    (finding,) = of_recorded("Cluster", pod, context("Cluster"))
    assert finding.id == "source-rewritten"
    assert finding.numbers["service"] == "traefik/cheddar"
    assert (finding.numbers["field"], finding.numbers["value"]) == ("spec.externalTrafficPolicy", "Cluster")
    assert finding.numbers["certain"] == 1
    assert "`externalTrafficPolicy: Local`" in finding.next


def test_wireshark_shows_the_rewritten_connections_and_the_frame_first(tmp_path: Path) -> None:
    file = _EVIDENCE / "nodeport-Cluster" / "cheddar-655d8555f-5hfjj.pcap"
    (finding,) = of_recorded("Cluster", "5hfjj", context("Cluster"))
    command = ["tshark", "-n", "-r", file, "-Y", finding.display_filter, "-T", "fields", "-e", "frame.number"]
    command += ["-e", "tcp.stream"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=HANGS, cwd=tmp_path)
    shown = [line.split() for line in done.stdout.splitlines()]
    assert shown[0][0] == str(finding.frame)
    assert len({stream for _, stream in shown}) == 10


def test_its_sentence_says_who_is_hidden_behind_whom_and_why() -> None:
    (finding,) = of_recorded("Cluster", "5hfjj", context("Cluster"))
    assert finding.sentence == (
        "`traefik/cheddar-655d8555f-5hfjj` does not see who its clients are: 10 connections to port 80 "
        "came from "
        "`10.10.0.11` (address of node `node1`) (5) and `10.244.2.1` (address of node `node2`) (5), because "
        "Service `traefik/cheddar` has `externalTrafficPolicy: Cluster`, so that nodes replace the client's "
        "address by their own."
    )


@pytest.mark.parametrize("pod", PODS)
@pytest.mark.parametrize("probes", [(Probe("readiness", "tcp", 80, 2),), ()])
def test_behind_local_nothing_is_said_although_probes_come_from_the_gateway(
    pod: str, probes: tuple[Probe, ...]
) -> None:
    assert ids(of_recorded("Local", pod, context("Local", probes=probes))) == {"healthy"}


@pytest.mark.parametrize("pod", PODS)
def test_probes_and_real_clients_are_no_rewriting_whatever_the_service_says(pod: str) -> None:
    assert ids(of_recorded("Local", pod, context("Cluster"))) == {"healthy"}


def test_without_a_snapshot_of_the_cluster_nothing_is_said() -> None:
    assert ids(of_recorded("Cluster", "5hfjj", Context())) == {"healthy"}


HTTP_PROBE = (Probe("liveness", "http", 80, 5, "/healthz"),)


def test_http_probes_are_told_by_their_path() -> None:
    wire = Wire()
    for _ in range(30):
        wire.tcp(client=GATEWAY, server=POD, source=2000 + len(wire.records)).get("/healthz").close()
    assert of(wire, context("Cluster", probes=HTTP_PROBE)) == []
    wire.tcp(client=GATEWAY, server=POD, source=1024).get("/orders").close()
    (finding,) = of(wire, context("Cluster", probes=HTTP_PROBE))
    assert finding.numbers["times"] == 1
    assert finding.frame == len(wire.records) - 8


def test_where_paths_cannot_be_read_as_many_as_the_kubelet_may_have_sent_count_as_its_probes() -> None:
    wire = Wire()
    for _ in range(4):
        wire.tcp(client=GATEWAY, server=POD, source=2000 + len(wire.records)).says(bytes(50)).hears(bytes(50))
        wire.wait(5)
    told = context("Cluster", probes=HTTP_PROBE)
    assert of(wire, told, payload=False) == []
    for _ in range(10):
        wire.tcp(client=GATEWAY, server=POD, source=2000 + len(wire.records)).says(bytes(50)).hears(bytes(50))
    assert len(of(wire, told, payload=False)) == 1


def test_a_process_of_the_node_is_thought_of_where_no_port_proves_the_rewriting() -> None:
    wire = Wire()
    wire.tcp(client=OTHER_NODE, server=POD, source=40_000).get("/").close()
    (finding,) = of(wire, context("Cluster"))
    assert "(or processes on those nodes themselves ask)" in finding.sentence
    assert finding.numbers["certain"] == 0


def test_a_port_that_no_service_leads_to_from_outside_is_the_nodes_own_business() -> None:
    wire = Wire()
    wire.tcp(9100, client=OTHER_NODE, server=POD, source=1024).get("/metrics").close()
    assert of(wire, context("Cluster")) == []


def test_the_process_that_reads_packets_is_told_of_the_cluster_and_finds_the_same(tmp_path: Path) -> None:
    file = tmp_path / "context.json"
    told = context("Cluster")
    file.write_text(json.dumps(told.to_json()))
    path = _EVIDENCE / "nodeport-Cluster" / "cheddar-655d8555f-5hfjj.pcap"
    summary = summarise(path, payload=True, names=file, digest=True)
    assert list(summary.findings) == of_recorded("Cluster", "5hfjj", told)
    assert summary.names["10.244.2.2"] == "traefik/cheddar-…5hfjj"
