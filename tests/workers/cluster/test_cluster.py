import json
from pathlib import Path
from typing import Any

import pytest

from workers.cluster.cluster import Cluster, connect
from workers.cluster.errors import (
    ClusterError,
    ConflictError,
    ForbiddenError,
    NamespaceNotFoundError,
    NodeNotFoundError,
    NodeNotReadyError,
    NotRunningError,
    PodNotFoundError,
    UnauthenticatedError,
    UnreachableError,
)
from workers.cluster.node import node_from_json
from workers.cluster.pod import Pod, Port, pod_from_json

EVIDENCE = Path(__file__).parents[2] / "evidence"
REST = json.loads((EVIDENCE / "rest.json").read_text())
PODS = {item["metadata"]["name"]: item for item in json.loads((EVIDENCE / "pods.json").read_text())["items"]}
NODES = {
    item["metadata"]["name"]: item for item in json.loads((EVIDENCE / "nodes.json").read_text())["items"]
}
NAME = "cheddar-655d8555f-5hfjj"
PATH = "/api/v1/namespaces/traefik/pods"


def recorded(piece: str, status: int) -> dict[str, Any]:
    body: dict[str, Any] = next(
        r["body"] for r in REST if piece in r["request"]["path"] and r["status"] == status
    )
    return body


def pod_json(**status: Any) -> dict[str, Any]:
    item: dict[str, Any] = json.loads(json.dumps(PODS[NAME]))
    item["status"] |= status
    return item


def listing(kind: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"kind": f"{kind}List", "metadata": {}, "items": list(items)}


@pytest.fixture
def traefik(server: Any) -> Any:
    """The recorded namespace: its pods, its nodes, its refusals."""
    for name, item in PODS.items():
        server.json(f"GET {PATH}/{name}$", 200, item)
    for name, item in NODES.items():
        server.json(f"GET /api/v1/nodes/{name}$", 200, item)
    server.json(rf"GET {PATH}\?", 200, listing("Pod", *PODS.values()))
    server.json("GET /api/v1/namespaces/[^/]*/pods/", 404, recorded("no-such-pod", 404))
    server.json("GET /api/v1/namespaces/[^/]*/pods", 200, recorded("/nope/", 200))
    server.json(
        "GET /api/v1/namespaces",
        200,
        listing("Namespace", *({"metadata": {"name": n}} for n in ("traefik", "x"))),
    )
    return server


@pytest.mark.usefixtures("traefik")
def test_a_recorded_pod_is_read_as_far_as_a_capture_needs_it(cluster: Cluster) -> None:
    pod = cluster.running_pod("traefik", NAME)
    assert pod == Pod(
        namespace="traefik",
        name=NAME,
        uid="c6b58a8d-414a-4435-bbd3-40952f683453",
        phase="Running",
        node="node2",
        ips=("10.244.2.2",),
        ready=True,
        started="2026-11-23T08:44:08Z",
        containers={"cheese": "04232eabb6b2e4e0022597de3f484811b2b500d64d6c1cc7ade8aca7a0865e36"},
        images={"cheese": "sha256:88e76f525bbc087f41f883a076c88a9dfbb470ff591449be4bf91041cdbe5422"},
        ports=(Port(80, "TCP"),),
        labels=PODS[NAME]["metadata"]["labels"],
    )


def test_a_host_network_pod_is_known_as_one() -> None:
    pod = pod_from_json(PODS["hostnet"])
    assert pod.host_network
    assert pod.ips == ("10.10.0.12",)


@pytest.mark.usefixtures("traefik")
def test_an_unknown_pod_is_answered_with_the_pods_that_may_be_meant(cluster: Cluster) -> None:
    with pytest.raises(PodNotFoundError) as caught:
        cluster.pod("traefik", "cheddar")
    assert str(caught.value).startswith(
        "There is no pod cheddar in namespace traefik. Did you mean cheddar-655d"
    )
    assert all(name in str(caught.value) for name in PODS if name.startswith("cheddar"))


@pytest.mark.usefixtures("traefik")
def test_an_unknown_namespace_is_told_from_an_empty_one(cluster: Cluster) -> None:
    with pytest.raises(NamespaceNotFoundError, match=r"no namespace trefik\. Did you mean traefik\?"):
        cluster.pod("trefik", "cheddar")
    with pytest.raises(PodNotFoundError, match=r"^There is no pod cheddar in namespace x\.$"):
        cluster.pod("x", "cheddar")


def test_without_the_right_to_list_namespaces_an_unknown_pod_is_still_answered(
    cluster: Cluster, server: Any
) -> None:
    server.json("GET /api/v1/namespaces/nope/pods/", 404, recorded("no-such-pod", 404))
    server.json("GET /api/v1/namespaces/nope/pods", 200, recorded("/nope/", 200))
    server.json("GET ", 403, recorded("traefik/pods", 403))
    with pytest.raises(PodNotFoundError):
        cluster.pod("nope", "cheddar")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"phase": "Pending", "conditions": [], "containerStatuses": [
                {"name": "c", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off"}}}]},
            f"Pod {NAME} is Pending (ImagePullBackOff: Back-off): it has no packets yet.",
        ),
        (
            {"phase": "Pending", "containerStatuses": [], "conditions": [
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3."}]},
            f"Pod {NAME} is Pending (Unschedulable: 0/3): it has no packets yet.",
        ),
        (
            {"phase": "Succeeded"},
            f"Pod {NAME} has Succeeded: it ended and has no packets any more.",
        ),
        (
            {"phase": "Failed", "reason": "Evicted", "message": "The node was low. "},
            f"Pod {NAME} has Failed (Evicted: The node was low): it ended and has no packets any more.",
        ),
        (
            {"phase": "Unknown"},
            f"Pod {NAME} is in phase Unknown: its node does not say whether it runs.",
        ),
    ],
)  # fmt: skip
def test_a_pod_that_does_not_run_is_refused_with_one_sentence(
    cluster: Cluster, server: Any, change: dict[str, Any], sentence: str
) -> None:
    server.json(f"GET {PATH}/", 200, pod_json(**change))
    with pytest.raises(NotRunningError) as caught:
        cluster.running_pod("traefik", NAME)
    assert str(caught.value) == sentence


def test_a_pod_that_is_being_deleted_is_refused(cluster: Cluster, server: Any) -> None:
    item = pod_json()
    item["metadata"]["deletionTimestamp"] = "2026-11-23T09:00:00Z"
    server.json(f"GET {PATH}/", 200, item)
    with pytest.raises(NotRunningError, match="terminating"):
        cluster.running_pod("traefik", NAME)


def test_a_pod_on_a_node_that_does_not_report_is_refused(cluster: Cluster, server: Any) -> None:
    node = json.loads(json.dumps(NODES["node2"]))
    ready = next(c for c in node["status"]["conditions"] if c["type"] == "Ready")
    ready |= {"status": "Unknown", "reason": "NodeStatusUnknown"}
    server.json(f"GET {PATH}/", 200, PODS[NAME])
    server.json("GET /api/v1/nodes/node2", 200, node)
    with pytest.raises(NodeNotReadyError, match=r"node node2, which is not Ready \(NodeStatusUnknown\)"):
        cluster.running_pod("traefik", NAME)


def test_a_recorded_node_is_ready_and_has_its_address() -> None:
    node = node_from_json(NODES["node1"])
    assert (node.ready, node.addresses, node.why) == (True, ("10.10.0.11",), "")


def test_an_unknown_node_is_named(cluster: Cluster, server: Any) -> None:
    body = recorded("no-such-pod", 404) | {"details": {"name": "n9", "kind": "nodes"}}
    server.json("GET /api/v1/nodes/n9", 404, body)
    with pytest.raises(NodeNotFoundError, match=r"no node n9\."):
        cluster.node("n9")


def test_a_missing_right_is_named_as_rbac_names_it(cluster: Cluster, server: Any) -> None:
    server.json("GET ", 403, recorded("traefik/pods", 403))
    with pytest.raises(ForbiddenError, match=r"may not list pods in namespace traefik; .* RBAC"):
        cluster.list_pod_names("traefik")


@pytest.mark.parametrize(
    "message",
    [
        'pods "x" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
        'pods "x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1',
    ],
)
def test_an_admission_rule_that_refuses_is_quoted(cluster: Cluster, server: Any, message: str) -> None:
    status = {"kind": "Status", "status": "Failure", "message": message, "reason": "Forbidden", "code": 403}
    server.json("POST ", 403, status)
    with pytest.raises(ForbiddenError) as caught:
        cluster.create_pod("podcap", {})
    assert message in str(caught.value)


def test_an_object_that_exists_already_is_a_conflict(cluster: Cluster, server: Any) -> None:
    status = {"kind": "Status", "message": 'pods "x" already exists', "reason": "AlreadyExists", "code": 409}
    server.json("POST ", 409, status)
    with pytest.raises(ConflictError):
        cluster.create_pod("podcap", {})


def test_credentials_that_are_not_accepted_are_said(cluster: Cluster, server: Any) -> None:
    server.json("GET ", 401, {"kind": "Status", "message": "Unauthorized", "reason": "Unauthorized"})
    with pytest.raises(UnauthenticatedError):
        cluster.list_namespaces()


def test_a_list_of_several_pages_is_read_to_its_end(cluster: Cluster, server: Any) -> None:
    first = listing("Pod", PODS[NAME]) | {"metadata": {"continue": "t&k="}}
    server.json(rf"GET {PATH}\?.*continue=t%26k%3D", 200, listing("Pod", PODS["distroless"]))
    server.json(rf"GET {PATH}\?", 200, first)
    assert cluster.list_pod_names("traefik") == (NAME, "distroless")


def test_a_question_is_asked_again_when_the_api_server_sheds_load(cluster: Cluster, server: Any) -> None:
    def reply(client: Any) -> None:
        if len(server.requests) == 1:
            client.socket.sendall(b"HTTP/1.1 429 X\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n")
        else:
            client.answer(200, PODS[NAME])

    server.on("GET ", reply)
    assert cluster.pod("traefik", NAME).name == NAME


def test_a_pod_is_never_created_twice_by_itself(cluster: Cluster, server: Any) -> None:
    server.json("POST ", 503, {"kind": "Status", "message": "etcd leader changed", "code": 503})
    with pytest.raises(ClusterError, match="etcd leader changed"):
        cluster.create_pod("podcap", {})
    assert len(server.requests) == 1


def test_an_answer_that_breaks_off_is_unreachable_and_not_half_an_answer(
    cluster: Cluster, server: Any
) -> None:
    def reply(client: Any) -> None:
        client.socket.sendall(b'HTTP/1.1 200 X\r\ncontent-length: 1000\r\n\r\n{"metadata"')
        raise ConnectionResetError

    server.on("GET ", reply)
    with pytest.raises(UnreachableError):
        cluster.pod("traefik", NAME)


def test_deleting_what_is_gone_is_no_error(cluster: Cluster, server: Any) -> None:
    server.json(f"DELETE {PATH}/gone", 404, recorded("no-such-pod", 404))
    server.json(f"DELETE {PATH}/there", 200, PODS[NAME])
    assert not cluster.delete_pod("traefik", "gone")
    assert cluster.delete_pod("traefik", "there", uid="u-1", grace=1)
    assert json.loads(server.requests[-1].body) == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "gracePeriodSeconds": 1,
        "preconditions": {"uid": "u-1"},
    }


def test_a_watch_tells_the_state_of_now_and_then_each_change(cluster: Cluster, server: Any) -> None:
    def reply(client: Any) -> None:
        events = [
            {"type": "MODIFIED", "object": pod_json(phase="Running")},
            {"type": "BOOKMARK", "object": {}},
            {"type": "DELETED", "object": pod_json()},
        ]
        lines = "".join(json.dumps(event) + "\n" for event in events).encode()
        head = f"HTTP/1.1 200 X\r\ncontent-length: {len(lines)}\r\n\r\n".encode()
        for at in range(0, len(head + lines), 1000):
            client.socket.sendall((head + lines)[at : at + 1000])

    server.on(rf"GET {PATH}\?.*watch", reply)
    server.json(f"GET {PATH}/", 200, pod_json(phase="Pending"))
    states = cluster.watch_pod("traefik", NAME, seconds=5)
    seen = [next(states) for _ in range(3)]
    assert [pod and pod.phase for pod in seen] == ["Pending", "Running", None]
    assert "fieldSelector=metadata.name%3D" in server.requests[1].target


def test_names_cannot_leave_their_place_in_the_path(cluster: Cluster, server: Any) -> None:
    server.json("GET ", 404, recorded("no-such-pod", 404) | {"details": {"kind": "nodes"}})
    for wrong in ("a/b", "../x", "a?b=c", "a#b", "ä"):
        with pytest.raises(ClusterError):
            cluster.node(wrong)
    assert all(client.target.count("/") == 4 and "?" not in client.target for client in server.requests)


def test_no_way_to_a_cluster_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ClusterError, match="KUBECONFIG is not set and this is no pod"):
        connect()
    broken = tmp_path / "kubeconfig"
    for content in ("", "{", "apiVersion: v1\nkind: Config\n", "- 1\n"):
        broken.write_text(content)
        with pytest.raises(ClusterError, match="No way to a cluster"):
            connect(broken)
    with pytest.raises(ClusterError, match=f"there is no file {tmp_path}/nothing: correct KUBECONFIG"):
        connect(tmp_path / "nothing")
    # One that is missing among several does no harm, as with kubectl.
    with pytest.raises(ClusterError, match="list indices"):
        connect(f"{tmp_path}/nothing:{broken}")
