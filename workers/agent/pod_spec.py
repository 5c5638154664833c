"""The agent pod's manifest. Pure."""

from dataclasses import dataclass, field
from typing import Any, Literal

CONTAINER = "tap"
SPOOL_DIRECTORY = "/spool"
CAPTURE_LABEL = "podcap.dev/capture"
INSTALLATION_LABEL = "podcap.dev/installation"
"""Whose agent pod it is: several podcaps, each with a ledger of its own, may share a cluster."""


CAPABILITIES = ("NET_RAW", "SETGID")
"""NET_RAW receives packets. SETGID is for tcpdump alone: Debian's is built to give up its user, and calls
initgroups() even with `-Z root`; setuid() to the user that one is needs no SETUID."""

ENTERING = ("SYS_ADMIN", "SYS_PTRACE")
"""What entering a pod's network namespace takes besides: SYS_PTRACE opens `/proc/PID/ns/net`, SYS_ADMIN is
what setns(2) asks for. Nothing else of the pod is entered."""

Profile = Literal["host", "namespace"]
"""What an agent pod may do: see packets on its node's interfaces; enter pods' network namespaces as well."""

PROFILE_LABEL = "podcap.dev/profile"

_SPARE_SECONDS = 300
"""How much longer than its capture an agent pod may live: to be started, asked, collected."""

_SPARE_BYTES = 64 << 20
"""What the spool may grow past its own cap before tcpdump has stopped, and its log."""


@dataclass(frozen=True)
class AgentLimits:
    """What one capture may take of its node.

    Attributes:
        seconds: How long packets are captured.
        spool_bytes: How much tcpdump may write. The emptyDir's own limit lies well above, because the kubelet
            evicts a pod that exceeds it, and the spool with it.
        profile: What it may do there.
    """

    seconds: int
    spool_bytes: int
    profile: Profile = "host"


@dataclass(frozen=True)
class Owner:
    """Whose an agent pod is: a capture's, of the podcap whose ledger has it (`Ledger.installation`).

    A capture has one on each of its nodes, which are numbered from 0.
    """

    capture_id: str
    installation: str
    number: int = field(default=0, compare=False)


def agent_name(owner: Owner) -> str:
    """The agent pod's name."""
    name = f"podcap-{owner.capture_id}"
    return f"{name}-{owner.number}" if owner.number else name


def pod_spec(*, owner: Owner, node: str, namespace: str, image: str, limits: AgentLimits) -> dict[str, Any]:
    """The manifest of the agent pod of one capture on one node.

    It sees the node's interfaces and processes (hostNetwork, hostPID) and may do nothing with them but
    receive packets; with the profile `namespace`, in pods' network namespaces, too. Its main process only
    waits: what it is for comes by exec.
    """
    deadline = limits.seconds + _SPARE_SECONDS
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": agent_name(owner),
            "namespace": namespace,
            "labels": {
                CAPTURE_LABEL: owner.capture_id,
                INSTALLATION_LABEL: owner.installation,
                PROFILE_LABEL: limits.profile,
                "app.kubernetes.io/name": "podcap-agent",
                "app.kubernetes.io/component": "agent",
                "app.kubernetes.io/part-of": "podcap",
                "app.kubernetes.io/managed-by": "podcap",
            },
        },
        "spec": {
            # Set by us, so no scheduler chooses; then tolerations are for NoExecute taints alone.
            "nodeName": node,
            "tolerations": [{"operator": "Exists"}],
            "hostNetwork": True,
            "hostPID": True,
            "restartPolicy": "Never",
            "activeDeadlineSeconds": deadline,
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsUser": 0,
                "runAsGroup": 0,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [_container(image, deadline, limits.profile)],
            "volumes": [
                {"name": "spool", "emptyDir": {"sizeLimit": str(2 * limits.spool_bytes + _SPARE_BYTES)}}
            ],
        },
    }


def _container(image: str, deadline: int, profile: Profile) -> dict[str, Any]:
    capabilities = CAPABILITIES if profile == "host" else CAPABILITIES + ENTERING
    return {
        "name": CONTAINER,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", str(deadline)],
        "securityContext": {
            "privileged": False,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"], "add": list(capabilities)},
        },
        # No CPU limit: throttled, tcpdump would drop packets. Memory is for its buffer and the spool's pages.
        # It requests next to nothing, because a kubelet refuses a pod that does not fit beside all others.
        "resources": {
            "requests": {"cpu": "1m", "memory": "16Mi"},
            "limits": {"memory": "256Mi"},
        },
        "volumeMounts": [{"name": "spool", "mountPath": SPOOL_DIRECTORY}],
    }
