"""Three replicas behind a node port, two clients, both nodes, affinity: recorded on a real cluster."""

import pytest

from tests.workers.service_truth.recorded import cluster, sights
from workers.names.names import Names
from workers.service_truth.findings.found import findings
from workers.service_truth.told import service_truths
from workers.service_truth.truth import ServiceTruth
from workers.summary.finding import Finding

FIRST, SECOND = "10.10.0.100", "10.10.0.101"


def truth(policy: str) -> ServiceTruth:
    (found,) = service_truths(sights(policy), cluster(policy))
    return found


def found(policy: str) -> dict[str, Finding]:
    return {each.id: each for each in findings([truth(policy)], cluster(policy), Names(cluster(policy)))}


@pytest.mark.parametrize("policy", ["Cluster", "Local"])
def test_each_replicas_share_is_told_without_the_kubelets_probes(policy: str) -> None:
    shares = {each.pod[-5:]: (each.connections, each.requests) for each in truth(policy).replicas}
    assert shares == {"f7d7z": (5, 5), "rhg54": (5, 5), "5hfjj": (10, 10)}


def test_behind_cluster_the_nodes_are_told_and_the_clients_are_unknown() -> None:
    told = {(each.client, each.entry, each.seen, each.connections) for each in truth("Cluster").reached}
    assert told == {
        ("", "node1", "10.10.0.11", 5),
        ("", "node2", "10.10.0.12", 5),
        ("", "node1", "10.244.1.1", 5),
        ("", "node2", "10.244.2.1", 5),
    }
    assert set(found("Cluster")) == {"service-path"}
    finding = found("Cluster")["service-path"]
    assert (finding.numbers["unknown"], finding.numbers["value"]) == (20, "Cluster")
    assert "Service `traefik/cheddar` are cannot be seen: 20 connections" in finding.sentence


def test_behind_cluster_nothing_is_claimed_of_the_affinity_of_clients_that_nobody_saw() -> None:
    assert {each.kept for each in truth("Cluster").affinity} == {"unknown"}


def test_behind_local_the_clients_are_told() -> None:
    told = {(each.client, each.entry, each.replica) for each in truth("Local").reached}
    assert told == {
        (FIRST, "node1", "10.244.1.2"),
        (FIRST, "node2", "10.244.2.2"),
        (SECOND, "node1", "10.244.1.3"),
        (SECOND, "node2", "10.244.2.2"),
    }
    finding = found("Local")["service-path"]
    assert finding.severity == "info"
    assert f"`{FIRST}` (10) and `{SECOND}` (10)" in finding.sentence


def test_behind_local_each_client_stays_at_one_replica_of_each_node() -> None:
    finding = found("Local")["affinity-kept"]
    assert (finding.numbers["clients"], finding.numbers["times"]) == (2, 10)
    assert f"`{FIRST}` came in at `node1` and `node2` and so reached 2 replicas" in finding.sentence
    # On node2 there was nothing to choose from.
    kept = {(each.client, each.entry): each.kept for each in truth("Local").affinity}
    assert kept[FIRST, "node1"] == "kept"
    assert kept[FIRST, "node2"] == "untested"


def test_one_tap_alone_says_how_much_it_does_not_know() -> None:
    (told,) = service_truths(sights("Local", ("rhg54",)), cluster("Local"))
    assert told.connections == 5
    assert told.notes == ("Of 3 ready endpoints 1 was captured; what the others got is not known.",)
