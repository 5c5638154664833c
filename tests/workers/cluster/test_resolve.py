"""What targets mean, by what a cluster's API answers, some of it recorded from a real one."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.workers.cluster.conftest import Client, Server
from tests.workers.names.recorded import items
from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError, NodeNotReadyError, NotRunningError, PodNotFoundError
from workers.cluster.workloads import selector_text
from workers.ledger.tap_record import TapKind, TapState
from workers.request.grammar import parse
from workers.request.request import Request
from workers.resolve import Resolved, resolve

HASH = "655d8555f"
Objects = dict[str, list[dict[str, Any]]]


def served(server: Server, objects: Objects) -> None:
    """Lists and gets these, by namespace and label as an API server does; owners alone select nothing."""

    def answer(client: Client) -> None:
        url = urlsplit(client.target)
        match = re.fullmatch(
            r"/apis?(?:/[^/]+)?/v1(?:/namespaces/(?P<ns>[^/]+))?/(?P<kind>[a-z]+)(?:/(?P<name>.+))?", url.path
        )
        assert match is not None, url.path
        found = [
            one
            for one in objects.get(match["kind"], [])
            if match["ns"] in (None, one["metadata"].get("namespace"))
        ]
        if match["name"] is not None:
            named = [one for one in found if one["metadata"]["name"] == match["name"]]
            body = (
                named[0]
                if named
                else {"kind": "Status", "details": {"kind": match["kind"], "name": match["name"]}}
            )
            client.answer(200 if named else 404, body)
            return
        wanted = parse_qs(url.query).get("labelSelector", [""])[0]
        pairs = dict(part.partition("=")[::2] for part in wanted.split(",") if part)
        chosen = [one for one in found if pairs.items() <= (one["metadata"].get("labels") or {}).items()]
        client.answer(200, {"items": chosen, "metadata": {}})

    server.on("GET ", answer)


@pytest.fixture
def objects() -> Objects:
    recorded = {kind: items(kind) for kind in ("pods", "services", "endpointslices", "nodes")}
    workloads = items("deployments")
    return recorded | {
        "deployments": [one for one in workloads if not one["metadata"].get("ownerReferences")],
        "replicasets": [one for one in workloads if one["metadata"].get("ownerReferences")],
        "namespaces": [{"metadata": {"name": "traefik"}}],
    }


def means(cluster: Cluster, text: str, *uplinks: str) -> Resolved:
    request = parse(text)
    assert isinstance(request, Request)
    return resolve(cluster, request, uplinks=frozenset(uplinks))


def refused(cluster: Cluster, text: str) -> str:
    with pytest.raises(ClusterError) as error:
        means(cluster, text)
    return str(error.value)


def names(resolved: Resolved) -> list[str]:
    return [tap.name for tap in resolved.taps]


def cheddars(objects: Objects) -> list[dict[str, Any]]:
    return [one for one in objects["pods"] if one["metadata"]["name"].startswith("cheddar")]


@pytest.mark.parametrize(
    "text", ["traefik/deploy/cheddar", f"traefik/rs/cheddar-{HASH}", "traefik/svc/cheddar"]
)
def test_a_workload_or_service_is_its_pods(
    cluster: Cluster, server: Server, objects: Objects, text: str
) -> None:
    served(server, objects)
    found = means(cluster, text)
    assert names(found) == sorted(f"traefik/{one['metadata']['name']}" for one in cheddars(objects))
    first = cheddars(objects)[0]
    (tap,) = [one for one in found.taps if one.pod_uid == first["metadata"]["uid"]]
    assert (tap.node, tap.addresses[0]) == (first["spec"]["nodeName"], first["status"]["podIP"])
    assert [one.number for one in found.taps] == [0, 1, 2]


def test_pods_that_only_bear_a_workloads_labels_are_not_its(
    cluster: Cluster, server: Server, objects: Objects
) -> None:
    stray, owned, *_ = cheddars(objects)
    stray["metadata"]["ownerReferences"][0]["uid"] = "somebody-else"
    owned["metadata"]["ownerReferences"][0]["controller"] = False
    served(server, objects)
    assert len(means(cluster, "traefik/deploy/cheddar").taps) == 1
    assert len(means(cluster, _label(stray)).taps) == 3


def _label(pod: dict[str, Any]) -> str:
    key, value = next((k, v) for k, v in pod["metadata"]["labels"].items() if k != "pod-template-hash")
    return f"traefik/{key}={value}"


def test_pods_that_end_or_do_not_run_are_left_out(cluster: Cluster, server: Server, objects: Objects) -> None:
    ending, pending, left = cheddars(objects)
    ending["metadata"]["deletionTimestamp"] = "2026-01-31T09:30:00Z"
    pending["status"]["phase"] = "Pending"
    served(server, objects)
    assert names(means(cluster, "traefik/deploy/cheddar")) == [f"traefik/{left['metadata']['name']}"]
    left["status"]["phase"] = "Failed"
    assert refused(cluster, "traefik/deploy/cheddar").startswith(
        "Deployment cheddar in namespace traefik has no running pod"
    )


def test_only_pods_that_are_ready_are_behind_a_service(
    cluster: Cluster, server: Server, objects: Objects
) -> None:
    (endpoint_slice,) = objects["endpointslices"]
    first, second, third = endpoint_slice["endpoints"]
    first["conditions"]["ready"] = False
    del second["conditions"]
    served(server, objects)
    ready = {second["targetRef"]["uid"], third["targetRef"]["uid"]}
    assert {tap.pod_uid for tap in means(cluster, "traefik/svc/cheddar").taps} == ready
    endpoint_slice["endpoints"] = [first]
    assert "has no ready pod behind it" in refused(cluster, "traefik/svc/cheddar")


def test_a_service_that_clients_enter_is_captured_at_the_nodes_where_the_policy_says_so(
    cluster: Cluster, server: Server, objects: Objects
) -> None:
    (service,) = objects["services"]
    port = service["spec"]["ports"][0]["nodePort"]
    served(server, objects)
    without = means(cluster, "traefik/svc/cheddar")
    (note,) = without.notes
    assert "`uplinks: true`" in note
    found = means(cluster, "traefik/svc/cheddar", "traefik")
    uplinks = [tap for tap in found.taps if tap.kind is TapKind.UPLINK]
    assert [tap.number for tap in found.taps] == list(range(len(found.taps)))
    assert {tap.filter for tap in uplinks} == {f"tcp port {port}"}
    assert {tap.node for tap in uplinks} == {node["metadata"]["name"] for node in objects["nodes"]}
    assert found.notes == ()


def test_a_whole_node_holds_what_a_service_wants_of_it(
    cluster: Cluster, server: Server, objects: Objects
) -> None:
    node = objects["nodes"][0]["metadata"]["name"]
    served(server, objects)
    for text in (f"node/{node} traefik/svc/cheddar", f"traefik/svc/cheddar node/{node}"):
        taps = means(cluster, text, "traefik").taps
        assert [tap.filter for tap in taps if tap.kind is TapKind.UPLINK and tap.node == node] == [""]


def test_a_pod_of_two_targets_is_one_tap_of_the_first(
    cluster: Cluster, server: Server, objects: Objects
) -> None:
    name = cheddars(objects)[1]["metadata"]["name"]
    served(server, objects)
    taps = means(cluster, f"traefik/{name} traefik/deploy/cheddar").taps
    assert (len(taps), taps[0].pod, {tap.target for tap in taps}) == (3, name, {0, 1})


def test_a_pods_name_may_be_begun_when_one_pod_alone_begins_so(
    cluster: Cluster, server: Server, objects: Objects
) -> None:
    name = cheddars(objects)[0]["metadata"]["name"]
    served(server, objects)
    assert names(means(cluster, f"traefik/{name[:-2]}")) == [f"traefik/{name}"]
    with pytest.raises(PodNotFoundError, match=f"and 3 whose names begin so: name one of cheddar-{HASH}"):
        means(cluster, "traefik/cheddar")
    exact = cheddars(objects)[0] | {"metadata": {**cheddars(objects)[0]["metadata"], "name": "cheddar"}}
    objects["pods"].append(exact)
    assert names(means(cluster, "traefik/cheddar")) == ["traefik/cheddar"]


def test_what_is_not_there_is_one_sentence_that_names_what_is_near(
    cluster: Cluster, server: Server, objects: Objects
) -> None:
    served(server, objects)
    assert refused(cluster, "traefik/deploy/chedar") == (
        "There is no Deployment chedar in namespace traefik. Did you mean cheddar?"
    )
    assert refused(cluster, "trefik/sts/x") == "There is no namespace trefik. Did you mean traefik?"
    assert refused(cluster, "traefik/job/x") == "There is no Job x in namespace traefik."
    assert (
        refused(cluster, "traefik/app=nothing") == "No pod in namespace traefik has the labels app=nothing."
    )
    assert refused(cluster, "node/k8s-nodee").startswith("There is no node k8s-nodee.")


def test_everything_that_is_wrong_is_told_at_once(cluster: Cluster, server: Server, objects: Objects) -> None:
    served(server, objects)
    assert refused(cluster, "traefik/svc/cheddar traefik/job/x node/y") == (
        "There is no Job x in namespace traefik. There is no node y."
    )


def test_a_node_that_is_not_ready_is_not_captured(cluster: Cluster, server: Server, objects: Objects) -> None:
    node = objects["nodes"][0]
    served(server, objects)
    (tap,) = means(cluster, f"node/{node['metadata']['name']}").taps
    assert (tap.kind, tap.namespace, tap.pod, tap.filter) == (TapKind.UPLINK, "", "", "")
    assert tap.addresses
    for condition in node["status"]["conditions"]:
        condition["status"] = "False"
    with pytest.raises(NodeNotReadyError, match="is not Ready"):
        means(cluster, f"node/{node['metadata']['name']}")


def test_a_named_pod_that_is_not_running_fails_alone_among_several(
    cluster: Cluster, server: Server, objects: Objects
) -> None:
    pending, ended, left = cheddars(objects)
    pending["status"]["phase"] = "Pending"
    del pending["spec"]["nodeName"]
    ended["status"]["phase"] = "Succeeded"
    served(server, objects)
    named = [f"traefik/{one['metadata']['name']}" for one in (pending, ended, left)]
    found = means(cluster, " ".join(named))
    assert [(tap.name, tap.state, tap.target, tap.number) for tap in found.taps] == [
        (named[2], TapState.WAITING, 2, 0),
        (named[0], TapState.FAILED, 0, 1),
        (named[1], TapState.FAILED, 1, 2),
    ]
    assert "is Pending" in (found.taps[1].sentence or "")
    assert "has Succeeded" in (found.taps[2].sentence or "")
    with pytest.raises(NotRunningError, match="is Pending"):
        means(cluster, named[0])
    assert re.fullmatch(r".* is Pending.* has Succeeded: .*", refused(cluster, " ".join(named[:2])))
    assert re.fullmatch(r"There is no Job x .* is Pending.*", refused(cluster, f"traefik/job/x {named[0]}"))


def test_a_node_that_is_not_ready_fails_alone_with_its_pods_among_several(
    cluster: Cluster, server: Server, objects: Objects
) -> None:
    gone, down, left = cheddars(objects)
    node, other, *_ = objects["nodes"]
    dark = node["metadata"]["name"]
    for condition in node["status"]["conditions"]:
        condition["status"] = "Unknown"
    gone["spec"]["nodeName"] = "k8s-gone"
    down["spec"]["nodeName"] = dark
    left["spec"]["nodeName"] = other["metadata"]["name"]
    served(server, objects)
    named = [f"traefik/{one['metadata']['name']}" for one in (gone, down, left)]
    found = means(cluster, " ".join([*named, f"node/{dark}"]))
    failed = [tap for tap in found.taps if tap.state is TapState.FAILED]
    assert [tap.name for tap in failed] == [named[0], named[1], f"node/{dark}"]
    assert failed[0].sentence == "There is no node k8s-gone."
    assert all("not Ready" in (tap.sentence or "") for tap in failed[1:])
    assert names(found)[0] == named[2]
    whole = means(cluster, f"{named[1]} traefik/deploy/cheddar")
    assert [tap.state for tap in whole.taps] == [TapState.WAITING] * len(cheddars(objects))


def test_pods_of_the_nodes_network_with_the_same_ports_are_captured_once(
    cluster: Cluster, server: Server, objects: Objects
) -> None:
    pods = cheddars(objects)
    for pod in pods:
        pod["spec"] |= {"hostNetwork": True, "nodeName": "n1"}
    pods[2]["spec"]["nodeName"] = "n2"
    served(server, objects)
    assert [tap.node for tap in means(cluster, "traefik/deploy/cheddar").taps] == ["n1", "n2"]


def test_a_selector_is_written_as_the_api_reads_it() -> None:
    expressions = [
        {"key": "tier", "operator": "NotIn", "values": ["db", "cache"]},
        {"key": "new", "operator": "Exists"},
        {"key": "old", "operator": "DoesNotExist"},
        {"key": "zone", "operator": "In", "values": ["a"]},
    ]
    selector = {"matchLabels": {"app": "cheese"}, "matchExpressions": expressions}
    assert selector_text(selector) == "app=cheese,tier notin (db,cache),new,!old,zone in (a)"
    assert selector_text({}) == ""
