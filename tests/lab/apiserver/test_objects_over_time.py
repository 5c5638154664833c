"""Objects as they are made, changed, watched and deleted over HTTP, and what is left after a restart."""

import http.client
import json
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.hangs import HANGS

PODS = "/api/v1/namespaces/traefik/pods"
CONFIGMAPS = "/api/v1/namespaces/traefik/configmaps"


def configmap(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}, "data": {"a": "1"}}


def pod(name: str = "", **metadata: Any) -> dict[str, Any]:
    containers = [{"name": "web", "image": "busybox:1.35"}]
    return {"metadata": ({"name": name} if name else {}) | metadata, "spec": {"containers": containers}}


class Watching:
    """A watch that is read in the background."""

    def __init__(self, client: Any, path: str) -> None:
        self.seen: list[Any] = []
        self._connection = http.client.HTTPSConnection(client.address, context=client.context, timeout=HANGS)
        self._connection.request("GET", path)
        self._response = self._connection.getresponse()
        self.code = self._response.status
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self._response:
            self.seen.append(json.loads(line))

    def until_over(self) -> list[Any]:
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._connection.close()
        return self.seen

    def kinds(self) -> list[tuple[str, str]]:
        return [(one["type"], one["object"]["metadata"].get("name", "")) for one in self.seen]


@pytest.fixture
def restarted(api_server: Any) -> Iterator[Callable[[int], Any]]:
    """Ends the server with a signal and starts it again."""

    def restart(number: int) -> Any:
        api_server.end(number)
        api_server.start()
        return api_server.client()

    yield restart
    api_server.end()


def test_a_generated_name_has_five_characters_of_kubernetes_alphabet(admin: Any) -> None:
    name = admin.post(PODS, pod(generateName="web-")).body["metadata"]["name"]

    assert name.startswith("web-")
    assert len(name) == len("web-") + 5
    assert set(name.removeprefix("web-")) <= set("bcdfghjklmnpqrstvwxz2456789")


def test_a_dry_run_changes_nothing(admin: Any) -> None:
    before = admin.get(PODS).body["metadata"]["resourceVersion"]

    answer = admin.post(f"{PODS}?dryRun=All", pod("imagined"))

    assert answer.code == 201
    assert admin.get(f"{PODS}/imagined").code == 404
    assert admin.post(f"{PODS}?dryRun=Some", pod("imagined")).code == 422
    assert int(before) > 0


def test_an_update_that_changes_nothing_keeps_the_version(admin: Any) -> None:
    made = admin.post(CONFIGMAPS, configmap("still")).body

    answer = admin.request("PUT", f"{CONFIGMAPS}/still", made)

    assert answer.body["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


@pytest.mark.parametrize(
    ("kind", "patch", "data"),
    [
        ("strategic-merge", {"data": {"b": "2"}}, {"a": "1", "b": "2"}),
        ("merge", {"data": {"a": None, "c": "3"}}, {"c": "3"}),
        ("json", [{"op": "replace", "path": "/data/a", "value": "4"}], {"a": "4"}),
    ],
)
def test_the_three_kinds_of_patch(admin: Any, kind: str, patch: Any, data: dict[str, str]) -> None:
    name = f"patched-by-{kind}"
    admin.post(CONFIGMAPS, configmap(name))

    answer = admin.patch(f"{CONFIGMAPS}/{name}", patch, kind)

    assert answer.code == 200
    assert answer.body["data"] == data
    assert admin.get(f"{CONFIGMAPS}/{name}").body == answer.body


def test_a_json_patch_that_does_not_fit_is_refused(admin: Any) -> None:
    admin.post(CONFIGMAPS, configmap("stubborn"))
    patch = [{"op": "test", "path": "/data/a", "value": "other"}]

    answer = admin.patch(f"{CONFIGMAPS}/stubborn", patch, "json")

    assert (answer.code, answer.body["reason"]) == (422, "Invalid")


def test_a_service_patched_by_port_keeps_its_node_port_and_address(admin: Any) -> None:
    path = "/api/v1/namespaces/traefik/services"
    ports = [{"port": 80, "name": "http", "nodePort": 31080}, {"port": 443, "name": "https"}]
    made = admin.post(
        path, {"metadata": {"name": "ported"}, "spec": {"type": "NodePort", "ports": ports}}
    ).body

    patch = {"spec": {"externalTrafficPolicy": "Local", "ports": [{"port": 443, "targetPort": 8443}]}}
    got = admin.patch(f"{path}/ported", patch).body["spec"]

    assert got["externalTrafficPolicy"] == "Local"
    assert got["clusterIP"] == made["spec"]["clusterIP"]
    assert [port["nodePort"] for port in got["ports"]] == [p["nodePort"] for p in made["spec"]["ports"]]
    assert [port["targetPort"] for port in got["ports"]] == [80, 8443]


def test_pages_hold_everything_once(admin: Any) -> None:
    for number in range(7):
        admin.post(CONFIGMAPS, configmap(f"page-{number}", paged="yes"))
    names, token, remaining = [], "", []
    while True:
        page = admin.get(f"{CONFIGMAPS}?limit=3&continue={token}").body
        names += [item["metadata"]["name"] for item in page["items"]]
        remaining.append(page["metadata"].get("remainingItemCount"))
        token = page["metadata"].get("continue", "")
        if not token:
            break

    whole = [item["metadata"]["name"] for item in admin.get(CONFIGMAPS).body["items"]]
    assert names == whole
    assert remaining[0] == len(whole) - 3
    assert remaining[-1] is None


def test_items_of_a_list_carry_neither_kind_nor_version(admin: Any) -> None:
    body = admin.get(CONFIGMAPS).body

    assert body["kind"] == "ConfigMapList"
    assert all(set(item) & {"kind", "apiVersion"} == set() for item in body["items"])


def test_a_watch_tells_what_happens_after_a_list(admin: Any) -> None:
    version = admin.get(CONFIGMAPS).body["metadata"]["resourceVersion"]
    path = f"{CONFIGMAPS}?watch=true&timeoutSeconds=2&resourceVersion={version}&labelSelector=seen%3Dyes"
    watching = Watching(admin, path)

    admin.post(CONFIGMAPS, configmap("unseen"))
    admin.post(CONFIGMAPS, configmap("seen", seen="yes"))
    admin.patch(f"{CONFIGMAPS}/seen", {"data": {"b": "2"}})
    admin.patch(f"{CONFIGMAPS}/seen", {"metadata": {"labels": {"seen": None}}})
    admin.patch(f"{CONFIGMAPS}/unseen", {"metadata": {"labels": {"seen": "yes"}}})
    admin.delete(f"{CONFIGMAPS}/unseen")
    watching.until_over()

    assert watching.kinds() == [
        ("ADDED", "seen"),
        ("MODIFIED", "seen"),
        ("DELETED", "seen"),
        ("ADDED", "unseen"),
        ("DELETED", "unseen"),
    ]


def test_a_watch_that_asks_for_it_begins_with_everything_and_says_when_that_was_all(admin: Any) -> None:
    admin.post(CONFIGMAPS, configmap("listed", listed="yes"))

    path = f"{CONFIGMAPS}?watch=true&timeoutSeconds=1&labelSelector=listed&resourceVersionMatch=NotOlderThan"
    watching = Watching(admin, f"{path}&sendInitialEvents=true&allowWatchBookmarks=true")
    added, bookmark = watching.until_over()

    assert (added["type"], added["object"]["metadata"]["name"]) == ("ADDED", "listed")
    assert (bookmark["type"], bookmark["object"]["kind"]) == ("BOOKMARK", "ConfigMap")
    assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_a_watch_from_a_known_version_begins_with_what_was_missed(admin: Any) -> None:
    version = admin.get(CONFIGMAPS).body["metadata"]["resourceVersion"]
    admin.post(CONFIGMAPS, configmap("missed", missed="yes"))

    path = f"{CONFIGMAPS}?watch=true&timeoutSeconds=1&resourceVersion={version}&labelSelector=missed"
    watching = Watching(admin, path)
    watching.until_over()

    assert watching.kinds() == [("ADDED", "missed")]


def test_a_watch_from_a_version_that_is_forgotten_says_gone(
    api_server: Any, restarted: Callable[[int], Any]
) -> None:
    api_server.start()
    api_server.client().post("/api/v1/namespaces", {"metadata": {"name": "traefik"}})
    after = restarted(signal.SIGTERM)

    watching = Watching(after, f"{CONFIGMAPS}?watch=true&timeoutSeconds=1&resourceVersion=2")
    error = watching.until_over()[0]

    assert error["type"] == "ERROR"
    assert (error["object"]["code"], error["object"]["reason"]) == (410, "Expired")
    assert error["object"]["message"].startswith("too old resource version: 2 (")


def test_a_pod_with_a_node_is_deleted_in_two_steps(admin: Any) -> None:
    admin.post(PODS, pod("graceful") | {"spec": pod()["spec"] | {"nodeName": "node1"}})

    first = admin.delete(f"{PODS}/graceful?gracePeriodSeconds=30")
    waiting = admin.get(f"{PODS}/graceful")
    again = admin.post(PODS, pod("graceful"))
    admin.delete(f"{PODS}/graceful?gracePeriodSeconds=0")

    assert first.code == 200
    assert first.body["metadata"]["deletionGracePeriodSeconds"] == 30
    assert waiting.body["metadata"]["deletionTimestamp"] == first.body["metadata"]["deletionTimestamp"]
    assert again.body["message"] == 'object is being deleted: pods "graceful" already exists'
    assert admin.get(f"{PODS}/graceful").code == 404


def test_a_deletion_is_answered_as_the_kind_has_it(admin: Any) -> None:
    made = admin.post(CONFIGMAPS, configmap("going")).body
    path = "/api/v1/namespaces/traefik/services"
    admin.post(path, {"metadata": {"name": "going"}, "spec": {"ports": [{"port": 80}]}})

    status = admin.delete(f"{CONFIGMAPS}/going").body
    service = admin.delete(f"{path}/going").body

    assert status == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {"name": "going", "kind": "configmaps", "uid": made["metadata"]["uid"]},
    }
    assert service["kind"] == "Service"


def test_a_collection_is_deleted_by_selector(admin: Any) -> None:
    for name, wanted in (("doomed-1", "yes"), ("doomed-2", "yes"), ("kept", "no")):
        admin.post(PODS, pod(name, labels={"doomed": wanted}))

    answer = admin.delete(f"{PODS}?labelSelector=doomed%3Dyes&gracePeriodSeconds=0")

    assert answer.body["kind"] == "PodList"
    left = admin.get(f"{PODS}?labelSelector=doomed").body["items"]
    assert [item["metadata"]["name"] for item in left] == ["kept"]


def test_a_finalizer_keeps_an_object_until_it_is_taken_away(admin: Any) -> None:
    admin.post(CONFIGMAPS, configmap("held") | {"metadata": {"name": "held", "finalizers": ["a.b/c"]}})

    admin.delete(f"{CONFIGMAPS}/held")
    held = admin.get(f"{CONFIGMAPS}/held")
    admin.patch(f"{CONFIGMAPS}/held", {"metadata": {"finalizers": None}}, "merge")

    assert "deletionTimestamp" in held.body["metadata"]
    assert admin.get(f"{CONFIGMAPS}/held").code == 404


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
def test_what_a_deployment_owns_goes_with_it(
    admin: Any, eventually: Callable[[Callable[[], Any]], Any], policy: str
) -> None:
    name = f"owner-{policy.lower()}"
    make_deployment(admin, name)
    eventually(lambda: pods_of(admin, name))

    admin.delete(f"/apis/apps/v1/namespaces/traefik/deployments/{name}", {"propagationPolicy": policy})

    def gone() -> bool:
        for pod_ in pods_of(admin, name):
            admin.delete(f"{PODS}/{pod_['metadata']['name']}?gracePeriodSeconds=0")
        path = f"/apis/apps/v1/namespaces/traefik/replicasets?labelSelector=app%3D{name}"
        deployment = admin.get(f"/apis/apps/v1/namespaces/traefik/deployments/{name}")
        return not admin.get(path).body["items"] and not pods_of(admin, name) and deployment.code == 404

    eventually(gone)


def make_deployment(admin: Any, name: str) -> None:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "x:1"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    answer = admin.post(
        "/apis/apps/v1/namespaces/traefik/deployments", {"metadata": {"name": name}, "spec": spec}
    )
    assert answer.code == 201, answer.body


def pods_of(admin: Any, name: str) -> list[Any]:
    found: list[Any] = admin.get(f"{PODS}?labelSelector=app%3D{name}").body["items"]
    return found


def test_a_namespace_goes_when_it_is_empty(
    admin: Any, eventually: Callable[[Callable[[], Any]], Any]
) -> None:
    admin.post("/api/v1/namespaces", {"metadata": {"name": "passing"}})
    assert admin.post("/api/v1/namespaces/passing/pods", pod("inside")).code == 201

    answer = admin.delete("/api/v1/namespaces/passing")
    refused = admin.post("/api/v1/namespaces/passing/configmaps", configmap("late"))

    assert answer.body["status"]["phase"] == "Terminating"
    if refused.code != 404:
        assert refused.body["message"].endswith(
            "unable to create new content in namespace passing because it is being terminated"
        )

    def gone() -> bool:
        admin.delete("/api/v1/namespaces/passing/pods/inside?gracePeriodSeconds=0")
        return bool(admin.get("/api/v1/namespaces/passing").code == 404)

    eventually(gone)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_loses_nothing(api_server: Any, restarted: Callable[[int], Any], number: int) -> None:
    api_server.start()
    before = api_server.client()
    before.post("/api/v1/namespaces", {"metadata": {"name": "traefik"}})
    made = before.post(CONFIGMAPS, configmap("kept")).body
    token = before.post("/api/v1/namespaces/traefik/serviceaccounts/default/token", {}).body["status"][
        "token"
    ]

    after = restarted(number)

    assert after.address == before.address
    assert after.authority == before.authority
    assert after.get(f"{CONFIGMAPS}/kept").body == made
    assert type(after)(api_server.kubeconfig, token).get("/version").code == 200
    assert before.get("/version").code == 200
    newer = after.post(CONFIGMAPS, configmap("newer")).body["metadata"]["resourceVersion"]
    assert int(newer) > int(made["metadata"]["resourceVersion"])


def test_two_servers_do_not_share_a_directory(api_server: Any) -> None:
    api_server.start()

    second = type(api_server)(api_server.state)
    with pytest.raises(AssertionError, match="the API server cannot start: another one runs in"):
        second.start()
    second.forget()


def test_a_seed_that_is_wrong_is_named_in_one_line(api_server: Any) -> None:
    (api_server.state / "seed").mkdir()
    wrong = pod("bad") | {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": []}}
    (api_server.state / "seed" / "pods.json").write_text(json.dumps([wrong]))

    with pytest.raises(AssertionError) as failed:
        api_server.start()

    assert str(failed.value).startswith(
        'the API server cannot start: pods.json: Pod bad: Pod "bad" is invalid: spec.containers: '
        "Required value"
    )
