"""A pod's status, against what a real cluster shows."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.kubelet.status import ContainerState, PodState, phase, pod_status

PODS = json.loads((Path(__file__).parents[2] / "evidence" / "pods.json").read_text())["items"]
NOT_THE_KUBELETS = {"observedGeneration", "allocatedResources", "resources"}
"""What the API server adds, and what belongs to resizing pods in place, which the lab cannot."""
RUNNING = {"running": {"startedAt": "2026-11-23T08:44:10Z"}}
ENDED = {"terminated": {"exitCode": 0}}
FAILED = {"terminated": {"exitCode": 1}}


def state_of(pod: dict[str, Any]) -> PodState:
    """What a kubelet knows when the recorded status is true."""
    status = pod["status"]
    containers = [
        ContainerState(
            one["name"],
            one["image"],
            container_id=one["containerID"].removeprefix("containerd://"),
            image_id=one["imageID"],
            state=one["state"],
            last_state=one["lastState"],
            restart_count=one["restartCount"],
            passes_probes=one["ready"],
        )
        for one in status["containerStatuses"]
    ]
    return PodState(
        status["startTime"], status["hostIP"], containers, addresses=(status["podIP"],), sandbox_ready=True
    )


def without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {name: without(one, names) for name, one in value.items() if name not in names}
    return [without(one, names) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("pod", PODS, ids=lambda pod: str(pod["metadata"]["name"]))
def test_a_running_pods_status_is_the_recorded_one(pod: dict[str, Any]) -> None:
    recorded = pod["status"]

    ours = pod_status(pod, state_of(pod), recorded, "2027-01-01T00:00:00Z")

    assert without(ours, NOT_THE_KUBELETS) == without(recorded, NOT_THE_KUBELETS)


def test_a_condition_keeps_its_time_until_it_changes() -> None:
    pod, state = PODS[0], state_of(PODS[0])
    first = pod_status(pod, state, None, "2026-01-01T00:00:00Z")
    state.containers[0].passes_probes = False
    second = pod_status(pod, state, first, "2026-01-02T00:00:00Z")
    times = {one["type"]: one["lastTransitionTime"][:10] for one in second["conditions"]}

    assert times == {
        "PodReadyToStartContainers": "2026-01-01",
        "Initialized": "2026-01-01",
        "Ready": "2026-01-02",
        "ContainersReady": "2026-01-02",
        "PodScheduled": "2026-01-01",
    }
    ready = next(one for one in second["conditions"] if one["type"] == "Ready")
    assert ready["message"] == "containers with unready status: [cheese]"


@pytest.mark.parametrize(
    ("policy", "states", "expected"),
    [
        ("Always", [{"waiting": {}}], "Pending"),
        ("Always", [RUNNING], "Running"),
        ("Always", [ENDED], "Running"),
        ("Never", [ENDED, ENDED], "Succeeded"),
        ("Never", [ENDED, FAILED], "Failed"),
        ("Never", [ENDED, RUNNING], "Running"),
        ("OnFailure", [ENDED], "Succeeded"),
        ("OnFailure", [FAILED], "Running"),
    ],
)
def test_a_pods_phase_follows_from_its_containers_and_its_policy(
    policy: str, states: list[dict[str, Any]], expected: str
) -> None:
    containers = [
        ContainerState("c", "i", container_id="" if "waiting" in one else "1", state=one) for one in states
    ]
    state = PodState("2026-01-01T00:00:00Z", "192.168.1.20", containers)

    assert phase({"spec": {"restartPolicy": policy}}, state) == expected


def test_a_pod_that_the_kubelet_ended_is_failed_whatever_its_containers_do() -> None:
    state = PodState("2026-01-01T00:00:00Z", "192.168.1.20", [], failed=("Evicted", "why"))
    status = pod_status({"spec": {"containers": []}}, state, None, "2026-01-01T00:00:00Z")

    assert (status["phase"], status["reason"], status["message"]) == ("Failed", "Evicted", "why")
