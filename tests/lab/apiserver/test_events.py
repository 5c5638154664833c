"""Events in both their forms, as a program with a service account writes them and kubectl shows them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from kubernetes import client, config

CORE = "/api/v1/namespaces/traefik/events"
NEWER = "/apis/events.k8s.io/v1/namespaces/traefik/events"
RULES = [{"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]}]


@pytest.fixture(scope="module")
def pod(admin: Any) -> Any:
    """A pod that waits for ever."""
    spec = {"nodeSelector": {"no": "where"}, "containers": [{"name": "main", "image": "web:1"}]}
    body = admin.post("/api/v1/namespaces/traefik/pods", {"metadata": {"name": "told"}, "spec": spec}).body
    yield body
    admin.delete("/api/v1/namespaces/traefik/pods/told")


@pytest.fixture(scope="module")
def account(shared: Any, admin: Any) -> Any:
    """A service account that may write events."""
    where = "/apis/rbac.authorization.k8s.io/v1/namespaces/traefik"
    admin.post("/api/v1/namespaces/traefik/serviceaccounts", {"metadata": {"name": "teller"}})
    admin.post(f"{where}/roles", {"metadata": {"name": "tell"}, "rules": RULES})
    subject = {"kind": "ServiceAccount", "name": "teller", "namespace": "traefik"}
    reference = {"kind": "Role", "name": "tell"}
    admin.post(
        f"{where}/rolebindings",
        {"metadata": {"name": "tell"}, "subjects": [subject], "roleRef": reference},
    )
    return shared.account("traefik", "teller")


def about(pod: Any) -> dict[str, Any]:
    metadata = pod["metadata"]
    return {"kind": "Pod", "apiVersion": "v1"} | {key: metadata[key] for key in ("namespace", "name", "uid")}


def core(pod: Any, **more: Any) -> dict[str, Any]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "metadata": {"generateName": "cap-"},
        "involvedObject": about(pod),
        "type": "Normal",
        "reason": "PacketCaptureStarted",
        "message": "captured by alice",
        "source": {"component": "podcap"},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
        **more,
    }


def newer(pod: Any, **more: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": more.pop("name", "newer")},
        "regarding": about(pod),
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "type": "Normal",
        "reason": "PacketCaptureEnded",
        "note": "captured no more",
        "action": "Capture",
        "reportingController": "podcap.dev/worker",
        "reportingInstance": "worker-1",
        **more,
    }


def test_describe_shows_what_a_service_account_told_of_a_pod(shared: Any, pod: Any, account: Any) -> None:
    assert account.post(CORE, core(pod)).code == 201
    assert account.post(NEWER, newer(pod)).code == 201

    text = shared.kubectl("describe", "pod", "told", "-n", "traefik").stdout

    lines = [line.split(maxsplit=4) for line in text.splitlines()]
    assert ["Normal", "PacketCaptureStarted"] in [line[:2] for line in lines]
    assert any(line[0::4] == ["Normal", "captured no more"] for line in lines)


def test_an_event_written_in_one_form_is_read_in_the_other(admin: Any, pod: Any) -> None:
    admin.post(CORE, core(pod, metadata={"name": "old"}))
    admin.post(NEWER, newer(pod, name="new"))

    old, new = admin.get(f"{NEWER}/old").body, admin.get(f"{CORE}/new").body

    assert (old["apiVersion"], old["note"], old["deprecatedCount"]) == (
        "events.k8s.io/v1",
        "captured by alice",
        1,
    )
    assert old["regarding"]["name"] == "told"
    assert (new["apiVersion"], new["message"], new["involvedObject"]["name"]) == (
        "v1",
        "captured no more",
        "told",
    )
    listed = admin.get(f"{NEWER}?fieldSelector=regarding.uid={pod['metadata']['uid']}").body["items"]
    assert {"old", "new"} <= {one["metadata"]["name"] for one in listed}
    assert all("involvedObject" not in one for one in listed)


def test_the_same_name_twice_is_refused(admin: Any, pod: Any) -> None:
    named = core(pod, metadata={"name": "once"})

    assert [admin.post(CORE, named).code, admin.post(CORE, named).code] == [201, 409]


@pytest.mark.parametrize(
    ("path", "more", "why"),
    [
        (
            CORE,
            {"involvedObject": {"kind": "Pod", "namespace": "default", "name": "told"}},
            'involvedObject.namespace: Invalid value: "default": does not match event.namespace',
        ),
        (CORE, {"eventTime": "2026-01-01T00:00:00.000000Z"}, "reportingInstance: Required value"),
        (NEWER, {"eventTime": None}, "eventTime: Required value"),
        (NEWER, {"type": "Strange"}, "type: Invalid value"),
        (NEWER, {"note": "x" * 1025}, "can have at most 1024 characters"),
        (NEWER, {"deprecatedCount": 2}, 'count: Invalid value: "": needs to be unset'),
    ],
)
def test_an_event_that_says_too_little_or_too_much_is_refused(
    admin: Any, pod: Any, path: str, more: dict[str, Any], why: str
) -> None:
    answer = admin.post(path, (core if path == CORE else newer)(pod, **more))

    assert answer.code == 422
    assert why in answer.body["message"]


def test_the_python_client_writes_events_and_reads_them(shared: Any, pod: Any) -> None:
    with config.new_client_from_config(str(shared.kubeconfig)) as api:
        old = client.CoreV1Api(api).create_namespaced_event("traefik", core(pod))
        client.EventsV1Api(api).create_namespaced_event("traefik", newer(pod, name="by-client"))
        read = client.CoreV1Api(api).read_namespaced_event("by-client", "traefik")

    assert old.metadata.name.startswith("cap-")
    assert old.involved_object.uid == read.involved_object.uid == pod["metadata"]["uid"]
    assert read.message == "captured no more"


@pytest.mark.usefixtures("account")
def test_can_i_lists_what_a_role_grants(shared: Any) -> None:
    user = "system:serviceaccount:traefik:teller"

    text = shared.kubectl("auth", "can-i", "--list", "-n", "traefik", f"--as={user}").stdout

    rows = [line.split() for line in text.splitlines()]
    assert ["events", "[]", "[]", "[create", "patch]"] in rows
    assert ["events.events.k8s.io", "[]", "[]", "[create", "patch]"] in rows
    assert shared.kubectl("auth", "can-i", "create", "events", "-n", "traefik", f"--as={user}").stdout == (
        "yes\n"
    )


def test_a_local_review_is_about_its_own_namespace(admin: Any) -> None:
    path = "/apis/authorization.k8s.io/v1/namespaces/traefik/localsubjectaccessreviews"
    attributes = {"verb": "create", "resource": "events", "namespace": "traefik"}
    user = "system:serviceaccount:traefik:teller"

    assert admin.post(path, {"spec": {"user": user, "resourceAttributes": attributes}}).code == 201
    elsewhere = {"user": user, "resourceAttributes": attributes | {"namespace": "default"}}
    assert admin.post(path, {"spec": elsewhere}).code == 422
