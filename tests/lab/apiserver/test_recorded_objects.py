"""What a person once gave to a real cluster, given to the stand-in: the objects come out as recorded.

Each recorded object carries, as kubectl's annotation, what was asked for; that is sent, and the answer
compared with what the real API server had made of it. Not compared: `uid`, `resourceVersion`, times, names
made up at random, and one source of the token volume that only the recorded distribution adds.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

_ASKED = "kubectl.kubernetes.io/last-applied-configuration"


def asked(item: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(item["metadata"]["annotations"][_ASKED])
    found["metadata"].pop("annotations", None)
    return found


def plain(spec: Any) -> Any:
    """The spec without the token volume's random name and the recorded distribution's extra source."""
    text = json.dumps(spec)
    for volume in spec.get("volumes", []):
        text = text.replace(volume["name"], "token-volume")
    found = json.loads(text)
    for volume in found.get("volumes", []):
        sources = volume["projected"]["sources"]
        volume["projected"]["sources"] = [
            one for one in sources if one.get("configMap", {}).get("name") != "openshift-service-ca.crt"
        ]
    return found


@pytest.mark.parametrize("name", ["distroless", "hostnet"])
def test_a_pod_gets_the_recorded_defaults(admin: Any, recorded: Callable[[str], Any], name: str) -> None:
    expected = next(one for one in recorded("pods")["items"] if one["metadata"]["name"] == name)
    expected["spec"].pop("nodeName")

    answer = admin.post("/api/v1/namespaces/traefik/pods", asked(expected))

    assert answer.code == 201
    assert plain(answer.body["spec"]) == plain(expected["spec"])
    assert answer.body["status"] == {"phase": "Pending", "qosClass": expected["status"]["qosClass"]}
    assert answer.body["metadata"]["generation"] == expected["metadata"]["generation"]


def test_a_service_gets_the_recorded_defaults(admin: Any, recorded: Callable[[str], Any]) -> None:
    expected = recorded("services")["items"][0]

    answer = admin.post("/api/v1/namespaces/traefik/services", asked(expected))

    assert answer.code == 201
    address = answer.body["spec"]["clusterIP"]
    assert answer.body["spec"]["clusterIPs"] == [address]
    assert answer.body["spec"] == expected["spec"] | {"clusterIP": address, "clusterIPs": [address]}
    assert answer.body["status"] == expected["status"]
    assert "generation" not in answer.body["metadata"]


def test_a_deployment_gets_the_recorded_defaults_and_replicaset(
    admin: Any, recorded: Callable[[str], Any], eventually: Callable[[Callable[[], Any]], Any]
) -> None:
    deployment, replicaset = recorded("deployments")["items"]

    answer = admin.post("/apis/apps/v1/namespaces/traefik/deployments", asked(deployment))
    made = eventually(lambda: admin.get("/apis/apps/v1/namespaces/traefik/replicasets").body["items"])[0]
    digest = made["metadata"]["labels"]["pod-template-hash"]

    assert answer.code == 201
    assert answer.body["spec"] == deployment["spec"]
    assert made["metadata"]["name"] == f"cheddar-{digest}"
    old = replicaset["metadata"]["labels"]["pod-template-hash"]
    assert made["spec"] == json.loads(json.dumps(replicaset["spec"]).replace(old, digest))
    assert made["metadata"]["annotations"] == replicaset["metadata"]["annotations"]
    assert set(made["metadata"]) == set(replicaset["metadata"])


def test_the_replicasets_pods_look_as_recorded(
    admin: Any, recorded: Callable[[str], Any], eventually: Callable[[Callable[[], Any]], Any]
) -> None:
    expected = recorded("pods")["items"][0]

    def pods() -> Any:
        path = "/api/v1/namespaces/traefik/pods?labelSelector=task=cheddar"
        found = admin.get(path).body["items"]
        return found if len(found) == 3 and all("nodeName" in one["spec"] for one in found) else None

    for pod in eventually(pods):
        assert set(pod["metadata"]) == set(expected["metadata"])
        owner, was = pod["metadata"]["ownerReferences"][0], expected["metadata"]["ownerReferences"][0]
        assert owner | {"uid": "", "name": ""} == was | {"uid": "", "name": ""}
        assert pod["metadata"]["name"].removeprefix(pod["metadata"]["generateName"]).isalnum()
        assert plain(pod["spec"] | {"nodeName": ""}) == plain(expected["spec"] | {"nodeName": ""})
        assert pod["spec"]["nodeName"] in {"node1", "node2"}


def test_the_endpointslice_looks_as_recorded(
    admin: Any, recorded: Callable[[str], Any], eventually: Callable[[Callable[[], Any]], Any]
) -> None:
    expected = recorded("endpointslices")["items"][0]
    statuses = {one["metadata"]["name"]: one["status"] for one in recorded("pods")["items"][:3]}
    pods = admin.get("/api/v1/namespaces/traefik/pods?labelSelector=task=cheddar").body["items"]
    for pod, status in zip(pods, statuses.values(), strict=True):
        path = f"/api/v1/namespaces/traefik/pods/{pod['metadata']['name']}/status"
        assert admin.patch(path, {"status": status}, "merge").code == 200

    def filled() -> Any:
        found = admin.get("/apis/discovery.k8s.io/v1/namespaces/traefik/endpointslices").body["items"]
        return found[0] if found and len(found[0]["endpoints"]) == 3 else None

    got = eventually(filled)

    assert got["ports"] == expected["ports"]
    assert got["addressType"] == expected["addressType"]
    assert got["metadata"]["labels"] == expected["metadata"]["labels"]
    assert set(got["metadata"]) == set(expected["metadata"])
    for endpoint, was in zip(got["endpoints"], expected["endpoints"], strict=True):
        assert endpoint["addresses"] == was["addresses"]
        assert endpoint["conditions"] == was["conditions"]
        assert set(endpoint["targetRef"]) == set(was["targetRef"])


def test_the_schedulers_events_look_as_recorded(admin: Any, recorded: Callable[[str], Any]) -> None:
    expected = next(one for one in recorded("events")["items"] if one["reason"] == "Scheduled")
    path = "/api/v1/namespaces/traefik/events?fieldSelector=reason=Scheduled"

    got = admin.get(path).body["items"][0]

    assert set(got) == set(expected) - {"apiVersion", "kind"}
    same = ("action", "firstTimestamp", "lastTimestamp", "reason", "reportingComponent", "source", "type")
    assert {key: got[key] for key in same} == {key: expected[key] for key in same}
    assert set(got["involvedObject"]) == set(expected["involvedObject"])


@pytest.mark.parametrize("name", ["nodes", "pods", "services", "endpointslices", "deployments", "events"])
def test_every_recorded_object_is_understood_to_its_last_field(
    admin: Any, recorded: Callable[[str], Any], name: str
) -> None:
    """A dry run that refuses unknown fields takes each recorded object."""
    groups = {"apps/v1": "/apis/apps/v1", "discovery.k8s.io/v1": "/apis/discovery.k8s.io/v1", "v1": "/api/v1"}
    for item in recorded(name)["items"]:
        namespace = item["metadata"].get("namespace")
        place = f"/namespaces/{namespace}" if namespace else ""
        item["metadata"] = {k: v for k, v in item["metadata"].items() if k not in {"uid", "resourceVersion"}}
        item["metadata"]["name"] += "-again"
        if name == "services":
            item["spec"].pop("clusterIP")
            item["spec"].pop("clusterIPs")
            item["spec"]["ports"][0].pop("nodePort")
        path = f"{groups[item['apiVersion']]}{place}/{item['kind'].lower()}s"
        answer = admin.post(f"{path}?dryRun=All&fieldValidation=Strict", item)
        assert answer.code == 201, answer.body
