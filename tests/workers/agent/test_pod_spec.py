import json
from typing import Any

import pytest

from workers.agent.pod_spec import AgentLimits, Owner, pod_spec
from workers.request.duration import LONGEST_SECONDS


@pytest.fixture
def pod() -> dict[str, Any]:
    return pod_spec(
        owner=Owner("cap-7f3k9q", "tests"),
        node="node2",
        namespace="podcap",
        image="agent:1",
        limits=AgentLimits(seconds=30, spool_bytes=50_000_000),
    )


def test_it_is_bound_to_its_node_and_tolerates_every_taint(pod: dict[str, Any]) -> None:
    assert pod["spec"]["nodeName"] == "node2"
    assert pod["spec"]["tolerations"] == [{"operator": "Exists"}]


def test_it_has_two_capabilities_and_no_other_privilege(pod: dict[str, Any]) -> None:
    (container,) = pod["spec"]["containers"]
    assert container["securityContext"] == {
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"], "add": ["NET_RAW", "SETGID"]},
    }
    assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert [list(volume) for volume in pod["spec"]["volumes"]] == [["name", "emptyDir"]]


def test_the_profile_that_enters_network_namespaces_has_two_more_capabilities_and_differs_in_nothing_else(
    pod: dict[str, Any],
) -> None:
    entering = pod_spec(
        owner=Owner("cap-7f3k9q", "tests"),
        node="node2",
        namespace="podcap",
        image="agent:1",
        limits=AgentLimits(seconds=30, spool_bytes=50_000_000, profile="namespace"),
    )
    assert pod["metadata"]["labels"].pop("podcap.dev/profile") == "host"
    assert entering["metadata"]["labels"].pop("podcap.dev/profile") == "namespace"
    capabilities = entering["spec"]["containers"][0]["securityContext"]["capabilities"]
    assert capabilities == {"drop": ["ALL"], "add": ["NET_RAW", "SETGID", "SYS_ADMIN", "SYS_PTRACE"]}
    capabilities["add"] = ["NET_RAW", "SETGID"]
    assert entering == pod


def test_it_ends_by_itself_after_its_capture_and_is_not_restarted(pod: dict[str, Any]) -> None:
    assert 30 < pod["spec"]["activeDeadlineSeconds"] <= 30 + 300
    assert pod["spec"]["restartPolicy"] == "Never"


def test_it_asks_for_so_little_that_it_fits_on_a_full_node(pod: dict[str, Any]) -> None:
    (container,) = pod["spec"]["containers"]
    assert container["resources"] == {
        "requests": {"cpu": "1m", "memory": "16Mi"},
        "limits": {"memory": "256Mi"},
    }


def test_it_may_live_as_long_as_the_longest_capture_takes_and_the_admission_policy_allows() -> None:
    limits = AgentLimits(seconds=LONGEST_SECONDS, spool_bytes=1)
    spec = pod_spec(owner=Owner("cap-1", "tests"), node="n", namespace="n", image="i", limits=limits)["spec"]
    assert LONGEST_SECONDS + 60 < spec["activeDeadlineSeconds"] <= 900


def test_its_volume_holds_well_more_than_the_spool_may_grow_to(pod: dict[str, Any]) -> None:
    limit = int(pod["spec"]["volumes"][0]["emptyDir"]["sizeLimit"])
    hard_cap_of_the_spool = 50_000_000 * 1.5 + 2048 * 512
    assert limit > hard_cap_of_the_spool + 16_000_000


def test_it_says_which_capture_it_is_for(pod: dict[str, Any]) -> None:
    assert pod["metadata"]["name"] == "podcap-cap-7f3k9q"
    assert pod["metadata"]["labels"]["podcap.dev/capture"] == "cap-7f3k9q"
    assert pod["metadata"]["labels"]["podcap.dev/installation"] == "tests"


def test_it_can_be_sent_as_it_is(pod: dict[str, Any]) -> None:
    assert json.loads(json.dumps(pod)) == pod
