"""A container has exactly what its spec says, and no more."""

import json
import re
from typing import Any

import pytest

from deploy.lab.handle import LabHandle

NET_RAW_BIT = 13
AGENT: dict[str, Any] = {
    "securityContext": {
        "runAsUser": 0,
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "volumeMounts": [{"name": "spool", "mountPath": "/spool"}],
}
AGENT_POD: dict[str, Any] = {
    "hostNetwork": True,
    "hostPID": True,
    "volumes": [{"name": "spool", "emptyDir": {"sizeLimit": "64Mi"}}],
}


def status_of(lab: LabHandle, pod: str) -> dict[str, str]:
    """The fields of /proc/self/status of an exec'd process, which has its container's rights."""
    lines = lab.exec(pod, "cat", "/proc/self/status", namespace="podcap").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_dropping_all_and_adding_one_capability_leaves_exactly_that_one(lab: LabHandle) -> None:
    with lab.pod("one-capability", AGENT, **AGENT_POD):
        status = status_of(lab, "one-capability")

    assert {status[f"Cap{kind}"] for kind in ("Prm", "Eff", "Bnd")} == {f"{1 << NET_RAW_BIT:016x}"}
    assert {status[f"Cap{kind}"] for kind in ("Inh", "Amb")} == {f"{0:016x}"}
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_a_spec_that_says_nothing_gets_the_runtimes_fourteen_capabilities(lab: LabHandle) -> None:
    with lab.pod("default-capabilities", {}):
        status = status_of(lab, "default-capabilities")

    assert status["CapEff"] == "00000000a80425fb"
    assert status["NoNewPrivs"] == "0"
    assert status["Seccomp"] == "0"


def test_another_user_has_no_effective_capability(lab: LabHandle) -> None:
    with lab.pod("another-user", {"securityContext": {"runAsUser": 1000, "runAsGroup": 2000}}):
        status = status_of(lab, "another-user")

    assert status["Uid"].split() == ["1000"] * 4
    assert status["Gid"].split() == ["2000"] * 4
    assert status["CapEff"] == f"{0:016x}"


def test_without_net_raw_no_packet_socket_can_be_opened(lab: LabHandle) -> None:
    without = {"securityContext": {"capabilities": {"drop": ["NET_RAW"]}}}
    with lab.pod("no-net-raw", without), pytest.raises(RuntimeError, match="Operation not permitted"):
        lab.exec("no-net-raw", *["timeout", "3", "tcpdump", "-i", "eth0", "-c", "1"], namespace="podcap")


def test_with_net_raw_alone_an_agent_sees_the_packets_of_its_node(lab: LabHandle) -> None:
    program = (
        "use Socket; socket(my $s, 17, SOCK_RAW, 0x0300) or die $!; recv($s, my $b, 99, 0); print length $b"
    )
    with lab.pod("net-raw", AGENT, **AGENT_POD):
        said = lab.exec("net-raw", "timeout", "10", "perl", "-e", program, namespace="podcap")

    assert int(said) >= 42


def test_an_agent_sees_its_nodes_processes_and_interfaces_but_not_into_them(lab: LabHandle) -> None:
    with lab.pod("agent", AGENT, **AGENT_POD) as pod:
        seen = lab.exec("agent", "sh", "-c", "cat /proc/[0-9]*/cgroup | sort -u", namespace="podcap")
        here = lab.exec("agent", "ls", "/sys/class/net", namespace="podcap").split()
        there = lab.node("k8s-node01", "ls", "/sys/class/net").split()
        with pytest.raises(RuntimeError, match="Permission denied"):
            lab.exec("agent", "ls", "/proc/1/root/", namespace="podcap")

    assert f"/kubepods/besteffort/pod{pod['metadata']['uid']}/" in seen
    assert lab.get("pod", "cheddar-845749dbd6-7kq2x")["metadata"]["uid"] in seen
    assert lab.get("pod", "cheddar-845749dbd6-zcdjm")["metadata"]["uid"] not in seen
    assert here == there


def test_a_read_only_root_is_read_only_and_the_spool_is_not(lab: LabHandle) -> None:
    with lab.pod("read-only", AGENT, **AGENT_POD):
        lab.exec("read-only", "touch", "/spool/file", namespace="podcap")
        with pytest.raises(RuntimeError, match="Read-only file system"):
            lab.exec("read-only", "touch", "/file", namespace="podcap")


@pytest.mark.parametrize(
    ("capabilities", "ends"),
    [(["SYS_ADMIN", "SYS_PTRACE"], "done"), (["SYS_PTRACE"], "Operation not permitted")],
)
def test_the_default_seccomp_filter_lets_a_namespace_be_entered_only_with_sys_admin(
    lab: LabHandle, capabilities: list[str], ends: str
) -> None:
    context = {
        "capabilities": {"drop": ["ALL"], "add": capabilities},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    find = "p=$(grep -l cheese.py /proc/[0-9]*/cmdline | head -n 1 | cut -d/ -f3)"
    enter = f"{find}; nsenter -t $p -n true 2>&1 && echo done"
    with lab.pod("entering", {"securityContext": context}, hostPID=True, hostNetwork=True):
        said = lab.exec("entering", "sh", "-c", f"{enter}; true", namespace="podcap")

    assert ends in said


def test_environment_command_and_working_directory_are_the_specs(lab: LabHandle) -> None:
    container = {
        "command": ["sh", "-c", "pwd; echo $GREETING; echo $(WHO); echo $NODE; sleep 600"],
        "workingDir": "/tmp",
        "env": [
            {"name": "WHO", "value": "cheese"},
            {"name": "GREETING", "value": "hello $(WHO) $$(WHO)"},
            {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        ],
    }
    with lab.pod("environment", container):
        said = lab.kubectl("logs", "-n", "podcap", "environment")

    assert said.split("\n")[:4] == ["/tmp", "hello cheese $(WHO)", "cheese", "k8s-node01"]


def test_too_much_memory_is_too_much(lab: LabHandle) -> None:
    container = {
        "command": ["sh", "-c", "tail /dev/zero"],
        "resources": {"limits": {"memory": "16Mi"}},
    }
    with lab.pod("greedy", container, phase="Failed") as pod:
        ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]

    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


def test_an_image_that_is_not_there_keeps_the_pod_pending_with_the_reason(lab: LabHandle) -> None:
    with lab.pod("no-image", {"image": "no-such-image:1"}, phase="Pending"):
        pod = lab.wait_for(
            "no-image",
            lambda one: "ErrImagePull" in json.dumps(one["status"].get("containerStatuses", [])),
            "podcap",
        )

    waiting = pod["status"]["containerStatuses"][0]["state"]["waiting"]
    assert waiting["reason"] in {"ErrImagePull", "ImagePullBackOff"}
    assert "no-such-image:1" in waiting["message"]


def test_a_pod_that_the_kubelet_cannot_honour_fails_with_a_sentence(lab: LabHandle) -> None:
    with lab.pod("privileged", {"securityContext": {"privileged": True}}, phase="Failed") as pod:
        assert re.search(r"privileged is not supported by the lab's kubelet", pod["status"]["message"])


def test_a_pod_whose_sandbox_cannot_be_made_waits_until_it_can(lab: LabHandle) -> None:
    pause = lab.places.images / "pause_lab" / "rootfs"
    pause.rename(pause.with_name("elsewhere"))
    try:
        with lab.pod("patient", {}, phase="Pending"):
            lab.wait_for("patient", lambda one: "sandbox" in json.dumps(one["status"]), "podcap")
            pause.with_name("elsewhere").rename(pause)
            pod = lab.wait_for("patient", lambda one: one["status"]["phase"] == "Running", "podcap")
    finally:
        if not pause.exists():
            pause.with_name("elsewhere").rename(pause)

    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0


def test_a_command_that_is_not_there_cannot_start(lab: LabHandle) -> None:
    with lab.pod("no-command", {"command": ["no-such-command"]}, phase="Failed") as pod:
        ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]

    assert (ended["reason"], ended["exitCode"]) == ("StartError", 128)
    assert "no-such-command" in ended["message"]


def test_a_container_that_fails_is_restarted_as_its_pods_policy_says(lab: LabHandle) -> None:
    container = {"command": ["sh", "-c", "echo run; exit 3"]}
    with lab.pod("failing", container, phase="Running", restartPolicy="OnFailure"):
        pod = lab.wait_for("failing", lambda one: "CrashLoopBackOff" in json.dumps(one["status"]), "podcap")
        before = lab.kubectl("logs", "-n", "podcap", "failing", "--previous")

    status = pod["status"]["containerStatuses"][0]
    assert status["restartCount"] >= 1
    assert status["lastState"]["terminated"]["exitCode"] == 3
    assert before == "run\n"


def test_a_liveness_probe_that_fails_restarts_the_container(lab: LabHandle) -> None:
    probe = {"tcpSocket": {"port": 9}, "periodSeconds": 1, "failureThreshold": 2}
    with lab.pod("unhealthy", {"livenessProbe": probe}, restartPolicy="Always"):
        lab.wait_for(
            "unhealthy", lambda one: one["status"]["containerStatuses"][0]["restartCount"] > 0, "podcap"
        )


def test_all_capabilities_are_all_that_the_node_has(lab: LabHandle) -> None:
    node = lab.node("k8s-node01", "sh", "-c", "grep CapEff /proc/1/status").split()[1]
    with lab.pod("all", {"securityContext": {"capabilities": {"add": ["ALL"]}}}):
        assert status_of(lab, "all")["CapEff"] == node
