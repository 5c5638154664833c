"""What the API server says, from recorded objects and policies."""

import json
from pathlib import Path
from typing import Any

from workers.cluster.cluster import Cluster
from workers.cluster.pod import Pod, pod_from_json
from workers.surroundings.governed import governed
from workers.surroundings.pod_state import Container, PodEvent, events, state
from workers.surroundings.surroundings import Surroundings

EVIDENCE = Path(__file__).parents[2] / "evidence"
NAME = "cheddar-655d8555f-5hfjj"
GIVEN: dict[str, Any] = next(
    item
    for item in json.loads((EVIDENCE / "pods.json").read_text())["items"]
    if item["metadata"]["name"] == NAME
)
POD: Pod = pod_from_json(GIVEN)
EVENTS = json.loads((EVIDENCE / "events.json").read_text())["items"]
NODE_SAID = Surroundings("traefik", NAME, POD.uid, 5, routes=("default via 10.244.2.1 dev eth0",))


def listing(*items: object) -> dict[str, Any]:
    return {"kind": "List", "metadata": {}, "items": list(items)}


def policy(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "traefik", "name": name}, "spec": spec}


def answer(server: Any, *policies: object, namespaces: tuple[object, ...] = ()) -> None:
    server.json(r"GET /api/v1/namespaces/traefik/pods\?fieldSelector", 200, listing(GIVEN))
    mine = [one for one in EVENTS if one["involvedObject"].get("uid") == POD.uid]
    server.json(r"GET /api/v1/namespaces/traefik/events\?fieldSelector", 200, listing(*mine))
    path = "/apis/networking.k8s.io/v1/namespaces/traefik/networkpolicies"
    server.json(f"GET {path}", 200, listing(*policies))
    server.json(r"GET /api/v1/namespaces\?", 200, listing(*namespaces))


def test_state_events_and_policies_of_a_recorded_pod_are_there(cluster: Cluster, server: Any) -> None:
    selecting = policy("web", podSelector={"matchLabels": {"app": "cheese"}}, ingress=[])
    other = policy("db", podSelector={"matchLabels": {"app": "db"}}, ingress=[])
    answer(server, selecting, other)
    found = governed(cluster, [POD], {POD.uid: NODE_SAID})[POD.uid]
    assert found.routes == NODE_SAID.routes
    assert found.state is not None
    assert found.state.phase == "Running"
    assert [one.name for one in found.state.containers] == ["cheese"]
    assert {one.type: one.status for one in found.state.conditions}["Ready"] == "True"
    assert [one.name for one in found.policies] == ["web"]
    assert {one.reason for one in found.events} >= {"Scheduled", "Started"}
    assert (found.missing, found.namespace_labels) == ((), {})
    asked = [one.target for one in server.requests]
    assert any(f"involvedObject.uid%3D{POD.uid}" in one for one in asked)


def test_labels_of_namespaces_are_asked_for_where_a_policy_selects_by_them(
    cluster: Cluster, server: Any
) -> None:
    rule = {"from": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}]}
    shop = {"metadata": {"name": "shop", "labels": {"team": "a"}}}
    answer(server, policy("web", podSelector={}, ingress=[rule]), namespaces=(shop,))
    found = governed(cluster, [POD], {})[POD.uid]
    assert found.namespace_labels == {"shop": {"team": "a"}}


def test_another_pod_of_that_name_is_not_taken_for_it(cluster: Cluster, server: Any) -> None:
    again = json.loads(json.dumps(GIVEN))
    again["metadata"]["uid"] = "another"
    server.json(r"GET /api/v1/namespaces/traefik/pods", 200, listing(again))
    answer(server)
    found = governed(cluster, [POD], {})[POD.uid]
    assert found.state is None
    assert "It is gone." in found.missing


def test_what_may_not_be_asked_is_said_and_the_rest_is_there(cluster: Cluster, server: Any) -> None:
    words = (
        'cannot list resource "networkpolicies" in API group "networking.k8s.io" in the namespace "traefik"'
    )
    server.json("GET /apis/", 403, {"reason": "Forbidden", "message": words})
    answer(server)
    found = governed(cluster, [POD], {})[POD.uid]
    assert found.events
    (missing,) = found.missing
    assert missing.startswith("NetworkPolicies are not here: podcap lacks a right")


def test_objects_of_another_shape_are_left_out(cluster: Cluster, server: Any) -> None:
    server.json("GET ", 200, listing({"metadata": {}}, {"metadata": None}))
    found = governed(cluster, [POD], {})[POD.uid]
    assert (found.state, found.policies, found.events) == (None, (), ())
    assert len(found.missing) == 2  # an event without a time is none


def test_no_more_is_asked_when_the_time_is_over(cluster: Cluster, server: Any) -> None:
    found = governed(cluster, [POD], {POD.uid: NODE_SAID}, seconds=-1)[POD.uid]
    assert server.requests == []
    assert found.routes == NODE_SAID.routes
    assert len(found.missing) == 3


def test_a_container_that_was_killed_says_why_and_when() -> None:
    ended = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-11-23T19:20:03Z"}
    restarted = {
        "metadata": {},
        "status": {
            "containerStatuses": [
                {
                    "name": "a",
                    "restartCount": 2,
                    "state": {"running": {}},
                    "lastState": {"terminated": ended},
                },
                {"name": "b", "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
            ]
        },
    }
    at = 1795461603 * 10**9
    assert state(restarted).containers == (
        Container("a", 2, "OOMKilled", 137, at),
        Container("b", waits="CrashLoopBackOff"),
    )


def test_an_event_is_told_without_secrets_and_podcaps_own_is_left_out() -> None:
    told = {
        "lastTimestamp": "2026-11-23T19:20:03Z",
        "firstTimestamp": "2026-11-23T19:20:01Z",
        "count": 3,
        "type": "Warning",
        "reason": "Unhealthy",
        "message": "Readiness probe failed: Get http://10.244.1.3:80/ready?token=hunter2: timeout",
    }
    own = told | {"reportingComponent": "podcap"}
    at = 1795461603 * 10**9
    (one,) = events([own, told])
    assert one == PodEvent(at, "Warning", "Unhealthy", one.message, 3, at - 2 * 10**9)
    assert "hunter2" not in one.message
    assert "Readiness probe failed" in one.message
