"""API server, kubelets, real pods and real packets together, as an engineer meets them through kubectl."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.hangs import HANGS

NAMESPACE = "apiserver-tests"
NODE_PORT = 32700
CLIENT = "192.168.1.35"
ASK = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).status)"
OBJECTS = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": NAMESPACE},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "containers": [
                        {
                            "name": "web",
                            "image": "cheddar:lab",
                            "readinessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 1},
                        }
                    ],
                },
            },
        },
    },
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": NAMESPACE},
        "spec": {
            "type": "NodePort",
            "selector": {"app": "web"},
            "ports": [{"port": 80, "nodePort": NODE_PORT}],
        },
    },
]


@pytest.fixture(scope="module")
def web(lab: Any) -> Iterator[Callable[[], Any]]:
    """A Deployment of one web server with a NodePort; asks for its ready pod."""
    container = lab.pods("task=cheddar")[0]["spec"]["containers"][0]
    deployment: Any = json.loads(json.dumps(OBJECTS[1]))
    ours = deployment["spec"]["template"]["spec"]["containers"][0]
    ours |= {key: container[key] for key in ("command", "args", "ports") if key in container}
    objects = {"apiVersion": "v1", "kind": "List", "items": [OBJECTS[0], deployment, OBJECTS[2]]}
    lab.kubectl("create", "-f", "-", text=json.dumps(objects))

    def ready_pod() -> Any:
        give_up = time.monotonic() + HANGS
        while True:
            pods = [
                pod for pod in lab.pods("app=web", NAMESPACE) if "deletionTimestamp" not in pod["metadata"]
            ]
            if len(pods) == 1 and _ready(pods[0]) and _addresses(lab) == [pods[0]["status"]["podIP"]]:
                return pods[0]
            assert time.monotonic() < give_up, pods
            time.sleep(0.1)

    yield ready_pod
    lab.kubectl("delete", "namespace", NAMESPACE, "--timeout=180s")


def _ready(pod: Any) -> bool:
    return {"type": "Ready", "status": "True"}.items() <= next(
        (one for one in pod["status"].get("conditions", []) if one["type"] == "Ready"), {}
    ).items()


def _addresses(lab: Any) -> list[str]:
    slices = json.loads(lab.kubectl("get", "endpointslices", "-n", NAMESPACE, "-o", "json"))["items"]
    return [
        endpoint["addresses"][0]
        for one in slices
        for endpoint in one["endpoints"]
        if endpoint["conditions"]["ready"]
    ]


def _source_seen(lab: Any, pod: Any) -> str:
    """The address in the pod's access log after a request from the LAN to the pod's own node."""
    marker = f"/?{time.time_ns()}"
    lab.client(sys.executable, "-c", ASK, f"http://{pod['status']['hostIP']}:{NODE_PORT}{marker}")
    name, give_up = pod["metadata"]["name"], time.monotonic() + HANGS
    while True:
        lines = lab.kubectl("logs", "-n", NAMESPACE, name).splitlines()
        found = [line.split()[0] for line in lines if marker in line]
        if found:
            return str(found[0])
        assert time.monotonic() < give_up, lines
        time.sleep(0.1)


def test_a_deleted_pod_is_replaced_and_answers_again(lab: Any, web: Callable[[], Any]) -> None:
    first = web()
    lab.kubectl("delete", "pod", "-n", NAMESPACE, first["metadata"]["name"], "--timeout=180s")

    second = web()

    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    assert _source_seen(lab, second)


def test_a_patched_policy_changes_the_address_a_pod_sees(lab: Any, web: Callable[[], Any]) -> None:
    pod = web()
    bridge = pod["status"]["podIP"].rpartition(".")[0] + ".1"
    seen = []
    for policy in ("Cluster", "Local", "Cluster"):
        patch = json.dumps({"spec": {"externalTrafficPolicy": policy}})
        lab.kubectl("patch", "service", "web", "-n", NAMESPACE, "-p", patch)
        wanted = CLIENT if policy == "Local" else bridge
        give_up = time.monotonic() + HANGS
        while (source := _source_seen(lab, pod)) != wanted and time.monotonic() < give_up:
            time.sleep(0.1)
        seen.append(source)

    assert seen == [bridge, CLIENT, bridge]


def test_exec_carries_input_and_the_exit_code(lab: Any, web: Callable[[], Any]) -> None:
    name = web()["metadata"]["name"]

    echoed = lab.kubectl("exec", "-i", "-n", NAMESPACE, name, "--", "cat", text="through and back\n")

    assert echoed == "through and back\n"
    with pytest.raises(Exception, match="exit code 7"):
        lab.kubectl("exec", "-n", NAMESPACE, name, "--", "sh", "-c", "exit 7")


def test_logs_can_be_cut_by_lines_and_bytes(lab: Any, web: Callable[[], Any]) -> None:
    pod = web()
    for _ in range(3):
        _source_seen(lab, pod)
    name = pod["metadata"]["name"]

    whole = lab.kubectl("logs", "-n", NAMESPACE, name).splitlines()
    tail = lab.kubectl("logs", "-n", NAMESPACE, name, "--tail=2").splitlines()
    few = lab.kubectl("logs", "-n", NAMESPACE, name, "--limit-bytes=10")

    assert tail == whole[-2:]
    assert len(few) == 10


def test_the_story_of_a_pod_is_told_in_events(lab: Any, web: Callable[[], Any]) -> None:
    pod = web()
    selector = f"--field-selector=involvedObject.uid={pod['metadata']['uid']}"

    events = json.loads(lab.kubectl("get", "events", "-n", NAMESPACE, selector, "-o", "json"))["items"]

    assert {event["reason"] for event in events} == {"Scheduled", "Pulled", "Created", "Started"}


def test_what_the_administrator_asked_for_is_written_down(lab: Any, web: Callable[[], Any]) -> None:
    name = web()["metadata"]["name"]
    lab.kubectl("exec", "-n", NAMESPACE, name, "--", "true")

    lines = [json.loads(line) for line in (lab.directory / "requests.jsonl").read_text().splitlines()]
    mine = [one for one in lines if one["subresource"] == "exec" and one["name"] == name]

    assert mine
    assert {(one["user"], one["verb"], one["resource"], one["code"]) for one in mine} == {
        ("lab-admin", "get", "pods", 101)
    }


def test_an_image_that_is_not_there_is_told_as_a_kubelet_tells_it(lab: Any, web: Callable[[], Any]) -> None:
    """And a pod that needs a Secret waits for it first."""
    web()
    spec = OBJECTS[1]["spec"] | {"selector": {"matchLabels": {"app": "absent"}}}
    variable = {"name": "T", "valueFrom": {"secretKeyRef": {"name": "late", "key": "t"}}}
    container = {"name": "main", "image": "nowhere.example/podcap:1", "env": [variable]}
    spec["template"] = {"metadata": {"labels": {"app": "absent"}}, "spec": {"containers": [container]}}
    absent = OBJECTS[1] | {"metadata": {"name": "absent", "namespace": NAMESPACE}, "spec": spec}
    lab.kubectl("create", "-f", "-", text=json.dumps(absent))

    def waiting(*words: str) -> bool:
        pods = lab.pods("app=absent", NAMESPACE)
        states = [one["state"] for pod in pods for one in pod["status"].get("containerStatuses", [])]
        return any(state.get("waiting", {}).get("reason") in words for state in states)

    _until(lambda: waiting("CreateContainerConfigError"))
    lab.kubectl("create", "secret", "generic", "late", "-n", NAMESPACE, "--from-literal=t=1")
    _until(lambda: waiting("ErrImagePull", "ImagePullBackOff"))
    lab.kubectl("delete", "deployment", "absent", "-n", NAMESPACE)


def _until(question: Callable[[], bool]) -> None:
    give_up = time.monotonic() + HANGS
    while not question():
        assert time.monotonic() < give_up, "it did not become true"
        time.sleep(0.1)
