"""Taking a snapshot from an API server that answers, refuses or fails."""

from dataclasses import replace
from typing import Any

from tests.workers.names.recorded import items, recorded
from workers.cluster.cluster import Cluster
from workers.cluster.snapshot import take_endpoints, take_snapshot

KINDS = {
    "nodes": "/api/v1/nodes",
    "pods": "/api/v1/pods",
    "services": "/api/v1/services",
    "endpointslices": "/apis/discovery.k8s.io/v1/endpointslices",
}


def page(objects: list[Any], rest: str = "") -> dict[str, Any]:
    return {"items": objects, "metadata": {"continue": rest} if rest else {}}


def forbidden(resource: str) -> dict[str, Any]:
    message = f'{resource} is forbidden: User "eve" cannot list resource "{resource}" in API group ""'
    return {"kind": "Status", "message": message, "reason": "Forbidden", "code": 403}


def serve(server: Any, *, without: tuple[str, ...] = ()) -> None:
    for kind, path in KINDS.items():
        if kind not in without:
            server.json(rf"GET {path}\?", 200, page(items(kind)))


def test_the_snapshot_has_what_the_api_lists_page_by_page(cluster: Cluster, server: Any) -> None:
    pods = items("pods")
    server.json(r"GET /api/v1/pods\?.*continue=more", 200, page(pods[2:]))
    server.json(r"GET /api/v1/pods\?", 200, page(pods[:2], "more"))
    serve(server)
    snapshot = take_snapshot(cluster, "traefik")
    assert replace(snapshot, taken_at=0.0) == replace(recorded(), taken_at=0.0)
    assert all("limit=" in client.target for client in server.requests)


def test_who_may_list_one_namespace_only_gets_that_ones_names_and_one_note(
    cluster: Cluster, server: Any
) -> None:
    server.json(r"GET /api/v1/namespaces/traefik/pods\?", 200, page(items("pods")))
    server.json(r"GET /api/v1/pods\?", 403, forbidden("pods"))
    serve(server)
    snapshot = take_snapshot(cluster, "traefik")
    assert snapshot.pods == recorded().pods
    (note,) = snapshot.notes
    assert note.endswith("could be listed (pods: only those of namespace traefik may be listed).")


def test_whatever_is_refused_or_unreadable_names_are_fewer_and_nothing_fails(
    cluster: Cluster, server: Any
) -> None:
    server.json("GET /api/v1/(namespaces/traefik/)?services", 403, forbidden("services"))
    server.json("GET /apis/discovery", 500, {"kind": "Status", "message": "etcd is down"})
    server.json(
        "GET /api/v1/pods", 200, page([{"metadata": None, "status": {"podIP": "10.0.0.9"}}, *items("pods")])
    )
    serve(server)
    snapshot = take_snapshot(cluster, "traefik")
    assert (snapshot.services, snapshot.slices) == ((), ())
    assert (snapshot.pods, snapshot.nodes) == (recorded().pods, recorded().nodes)
    (note,) = snapshot.notes
    assert "services: podcap lacks a right" in note
    assert "etcd is down" in note
    assert "pods: one or more could not be read" in note


def test_what_takes_too_long_is_left_out(cluster: Cluster, server: Any) -> None:
    serve(server)
    snapshot = take_snapshot(cluster, "traefik", seconds=-1)
    assert (snapshot.pods, snapshot.nodes) == ((), ())
    assert "pods: the API server took too long" in snapshot.notes[0]


def test_endpoints_can_be_asked_for_again_and_are_all_or_none(cluster: Cluster, server: Any) -> None:
    there = "GET /apis/discovery.k8s.io/v1/namespaces/{}/endpointslices"
    server.json(there.format("traefik"), 200, page(items("endpointslices")))
    server.json(there.format("shop"), 403, forbidden("endpointslices"))
    found = take_endpoints(cluster, ["traefik"])
    assert found is not None
    assert found.slices == recorded().slices
    assert take_endpoints(cluster, ["traefik", "shop"]) is None
