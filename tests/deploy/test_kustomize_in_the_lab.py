"""A cluster takes what deploy/kustomize describes, and then admits podcap's agent pod and no other."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.handle import CommandFailed, LabHandle
from deploy.lab.install import AGENT_IMAGE, KUSTOMIZE, account, installed, render
from tests.deploy import agents
from tests.hangs import HANGS
from workers.agent.agent import AgentPod
from workers.cluster.cluster import Cluster, connect
from workers.cluster.errors import ForbiddenError, RefusedError

NAMESPACE = "podcap-agents"
Pod = dict[str, Any]
Change = Callable[[Pod], None]


@pytest.fixture(scope="module")
def chosen(lab: LabHandle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with installed(lab, tmp_path_factory.mktemp("installed")) as folder:
        yield folder


@pytest.fixture(scope="module")
def worker(lab: LabHandle, chosen: Path) -> Iterator[Cluster]:
    with connect(account(lab, "worker", chosen)) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def agent(worker: Cluster) -> Iterator[AgentPod]:
    with agents.running(worker, "cap-pinned", NAMESPACE, AGENT_IMAGE) as agent:
        yield agent


def manifest() -> Pod:
    return agents.manifest("cap-odd", NAMESPACE, AGENT_IMAGE)


def entering() -> Pod:
    return agents.manifest("cap-odd", NAMESPACE, AGENT_IMAGE, profile="namespace")


@pytest.mark.parametrize(("overlay", "side"), [("socket-mode", "server"), ("http", "client")])
def test_the_cluster_takes_every_object(lab: LabHandle, chosen: Path, overlay: str, side: str) -> None:
    del chosen  # its namespaces are there
    folder = KUSTOMIZE / "overlays" / overlay
    taken = lab.kubectl(
        "apply",
        "-k",
        str(folder),
        "--dry-run=server",
        *(["--server-side", "--force-conflicts"] if side == "server" else []),
    )
    assert len(taken.splitlines()) == len(render(folder))


def test_the_install_pages_other_commands_are_taken(lab: LabHandle, chosen: Path) -> None:
    del chosen
    example = KUSTOMIZE / "secret.example.env"
    secret = ("create", "secret", "generic", "podcap", "--namespace", "podcap", f"--from-env-file={example}")
    registry = ("create", "secret", "docker-registry", "registry", "--docker-server=registry.internal")
    pulling = ("--patch", "imagePullSecrets: [{name: registry}]")
    for command in (
        ("apply", *(f"--filename={KUSTOMIZE}/base/{name}.yaml" for name in ("namespaces", "accounts"))),
        (*registry, "--namespace", "podcap-agents", "--docker-username=a", "--docker-password=b"),
        ("patch", "serviceaccount", "bot", "worker", "beat", "--namespace", "podcap", *pulling),
        ("patch", "serviceaccount", "default", "--namespace", "podcap-agents", *pulling),
        secret,
        ("delete", "--ignore-not-found", "-k", str(KUSTOMIZE / "overlays" / "socket-mode")),
    ):
        assert lab.kubectl(*command, "--dry-run=server")


def test_applying_it_again_changes_nothing(lab: LabHandle, chosen: Path) -> None:
    again = lab.kubectl("apply", "-k", str(chosen))
    assert {line.rpartition(" ")[2] for line in again.splitlines()} == {"unchanged"}


@pytest.mark.parametrize("process", ["bot", "worker", "beat"])
def test_the_restricted_standard_admits_podcaps_own_pods(lab: LabHandle, chosen: Path, process: str) -> None:
    deployment = lab.get("deployment", process, "podcap")
    assert (
        lab.get("namespace", "podcap", "")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        == "restricted"
    )
    del chosen
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{process}-tried", "namespace": "podcap"},
        "spec": deployment["spec"]["template"]["spec"],
    }
    created = lab.kubectl("create", "--dry-run=server", "-f", "-", text=json.dumps(pod))
    assert "Warning" not in created
    pod["spec"]["hostNetwork"] = True
    with pytest.raises(CommandFailed, match="violates PodSecurity"):
        lab.kubectl("create", "--dry-run=server", "-f", "-", text=json.dumps(pod))


def test_the_worker_makes_the_agent_pod_of_its_longest_capture_and_runs_commands_in_it(
    agent: AgentPod,
) -> None:
    assert agent.run(["hostname"], seconds=HANGS).stdout.strip() == b"k8s-node01"


def test_an_agent_pod_has_no_token_in_it(agent: AgentPod) -> None:
    assert agent.run(["ls", "/var/run/secrets"], seconds=HANGS).exit_code != 0


def container(change: Change) -> Change:
    return lambda pod: change(pod["spec"]["containers"][0])


def security(**fields: Any) -> Change:
    return container(lambda one: one["securityContext"].update(fields))


def metadata(**fields: Any) -> Change:
    return lambda pod: pod["metadata"].update(fields)


def emptydir(**fields: Any) -> Change:
    return lambda pod: pod["spec"]["volumes"][0]["emptyDir"].update(fields)


def mount(**fields: Any) -> Change:
    return container(lambda one: one["volumeMounts"][0].update(fields))


def requests(**fields: Any) -> Change:
    return container(lambda one: one["resources"]["requests"].update(fields))


def unlabelled(label: str) -> Change:
    return lambda pod: pod["metadata"]["labels"].pop(label)


def pod_security(**fields: Any) -> Change:
    return lambda pod: pod["spec"]["securityContext"].update(fields)


def spec(**fields: Any) -> Change:
    return lambda pod: pod["spec"].update(fields)


def without(*path: str) -> Change:
    def change(pod: Pod) -> None:
        at: Any = pod["spec"]
        for key in path[:-1]:
            at = at[0][key] if isinstance(at, list) else at[key]
        (at[0] if isinstance(at, list) else at).pop(path[-1])

    return change


HOST = {"name": "host", "hostPath": {"path": "/"}}
PROBE = {"exec": {"command": ["id"]}}
DEVIATIONS: dict[str, tuple[str, Change]] = {
    "privileged": ("not be privileged", security(privileged=True, allowPrivilegeEscalation=True)),
    "escalation": ("not be privileged", security(allowPrivilegeEscalation=True)),
    "a writable root": ("root must be read-only", security(readOnlyRootFilesystem=False)),
    "no security context": ("not be privileged", without("containers", "securityContext")),
    "another capability": (
        "only NET_RAW and SETGID",
        security(capabilities={"drop": ["ALL"], "add": ["NET_RAW", "SYS_ADMIN"]}),
    ),
    "capabilities kept": ("only NET_RAW and SETGID", security(capabilities={"add": ["NET_RAW"]})),
    "a user of its own": ("run as the pod says", security(runAsUser=1000)),
    "no seccomp in the container": ("run as the pod says", security(seccompProfile={"type": "Unconfined"})),
    "an unmasked /proc": ("run as the pod says", security(procMount="Unmasked")),
    "another user": ("as user 0 and group 0", pod_security(runAsUser=1000)),
    "another group": ("as user 0 and group 0", pod_security(supplementalGroups=[999])),
    "no seccomp": ("default seccomp profile", pod_security(seccompProfile={"type": "Unconfined"})),
    "a path of the node": ("one volume, an emptyDir", spec(volumes=[HOST | {"name": "spool"}])),
    "one more volume": (
        "one volume, an emptyDir",
        lambda pod: pod["spec"]["volumes"].append({"name": "more", "emptyDir": {"sizeLimit": "1Mi"}}),
    ),
    "a spool without limit": ("one volume, an emptyDir", spec(volumes=[{"name": "spool", "emptyDir": {}}])),
    "a spool too large": (
        "at most 600Mi",
        spec(volumes=[{"name": "spool", "emptyDir": {"sizeLimit": "601Mi"}}]),
    ),
    "too much memory": (
        "at most 256Mi",
        container(lambda one: one.update(resources={"limits": {"memory": "1Gi"}})),
    ),
    "another image": (
        "the image must be podcap-agent:lab",
        container(lambda one: one.update(image="cheddar:lab")),
    ),
    "another command": ("must only sleep", container(lambda one: one.update(command=["sh", "-c", "id"]))),
    "arguments": ("must only sleep", container(lambda one: one.update(args=["1"]))),
    "an environment": (
        "must only sleep",
        container(lambda one: one.update(env=[{"name": "LD_PRELOAD", "value": "/spool/x"}])),
    ),
    "a hook": (
        "must only sleep",
        container(lambda one: one.update(lifecycle={"postStart": {"exec": {"command": ["id"]}}})),
    ),
    "a liveness probe": ("must only sleep", container(lambda one: one.update(livenessProbe=PROBE))),
    "a readiness probe": ("must only sleep", container(lambda one: one.update(readinessProbe=PROBE))),
    "a startup probe": ("must only sleep", container(lambda one: one.update(startupProbe=PROBE))),
    "a spool over /proc": ("at /spool, whole", mount(mountPath="/proc")),
    "a part of the spool": ("at /spool, whole", mount(subPath="x")),
    "a part of the spool by expression": ("at /spool, whole", mount(subPathExpr="x")),
    "a second mount": (
        "nothing mounted elsewhere",
        container(lambda one: one["volumeMounts"].append({"name": "spool", "mountPath": "/etc"})),
    ),
    "no mount": ("at /spool, whole", container(lambda one: one.pop("volumeMounts"))),
    "a device": (
        "at /spool, whole",
        container(lambda one: one.update(volumeDevices=[{"name": "spool", "devicePath": "/dev/x"}])),
    ),
    "a termination message elsewhere": (
        "nothing mounted elsewhere",
        container(lambda one: one.update(terminationMessagePath="/etc/ld.so.preload")),
    ),
    "a spool in memory": ("an emptyDir on disk", emptydir(medium="Memory")),
    "a priority of the system": ("no priority of the system", spec(priorityClassName="system-node-critical")),
    "another runtime": ("priority of the system, runtime", spec(runtimeClassName="other")),
    "a claim": (
        "claims or resources",
        spec(resourceClaims=[{"name": "gpu", "resourceClaimName": "gpu"}]),
    ),
    "resources of the pod": ("resources of its own", spec(resources={"limits": {"memory": "1Gi"}})),
    "much CPU": ("at most 100m of CPU", requests(cpu="50")),
    "much storage": ("1Gi of storage", requests(**{"ephemeral-storage": "1Ti"})),
    "a device plugin's resource": (
        "and nothing else",
        container(lambda one: [part.update({"example.com/gpu": "1"}) for part in one["resources"].values()]),
    ),
    "a finalizer": ("no finalizers", metadata(finalizers=["example.com/stay"])),
    "an owner": (
        "no owners",
        metadata(ownerReferences=[{"apiVersion": "v1", "kind": "Node", "name": "x", "uid": "x"}]),
    ),
    "a long farewell": ("within 30 more", spec(terminationGracePeriodSeconds=31)),
    "no memory limit": ("a memory limit", container(lambda one: one.update(resources={}))),
    "a token": ("no token", spec(automountServiceAccountToken=True)),
    "a token by default": ("no token", without("automountServiceAccountToken")),
    "another account": ("no token", spec(serviceAccountName="other")),
    "no deadline": ("at most 900 seconds", without("activeDeadlineSeconds")),
    "a late deadline": ("at most 900 seconds", spec(activeDeadlineSeconds=901)),
    "a restart": ("not start again", spec(restartPolicy="OnFailure")),
    "the node's IPC": ("interprocess", spec(hostIPC=True)),
    "a second container": (
        "one container",
        lambda pod: pod["spec"]["containers"].append(
            copy.deepcopy(pod["spec"]["containers"][0]) | {"name": "b"}
        ),
    ),
    "an init container": (
        "neither init nor",
        lambda pod: pod["spec"].update(
            initContainers=[copy.deepcopy(pod["spec"]["containers"][0]) | {"name": "b"}]
        ),
    ),
    "another name": ("named after the capture", lambda pod: pod["metadata"].update(name="podcap-other")),
    "no installation": ("the label podcap.dev/installation", unlabelled("podcap.dev/installation")),
    "no label": ("named after the capture", lambda pod: pod["metadata"].pop("labels")),
}


@pytest.mark.parametrize("deviation", sorted(DEVIATIONS))
def test_a_pod_that_deviates_is_refused_to_the_worker_itself(
    lab: LabHandle, worker: Cluster, deviation: str
) -> None:
    words, change = DEVIATIONS[deviation]
    if deviation == "another account":
        lab.kubectl("create", "serviceaccount", "other", "-n", NAMESPACE)
    pod = manifest()
    change(pod)
    with pytest.raises((RefusedError, ForbiddenError), match=words):
        worker.create_pod(NAMESPACE, pod)


def test_an_administrator_cannot_make_the_same_pod(lab: LabHandle, chosen: Path) -> None:
    del chosen
    with (
        connect(lab.places.kubeconfig) as administrator,
        pytest.raises(
            RefusedError, match="only system:serviceaccount:podcap:worker creates pods in podcap-agents"
        ),
    ):
        administrator.create_pod(NAMESPACE, manifest())


def test_an_administrator_cannot_enter_an_agent_pod(lab: LabHandle, agent: AgentPod) -> None:
    with pytest.raises(
        CommandFailed, match="only system:serviceaccount:podcap:worker runs commands in agent"
    ):
        lab.kubectl("exec", "-n", NAMESPACE, agent.pod.name, "--", "id")


def test_an_agent_pods_image_cannot_be_changed_while_it_runs(lab: LabHandle, agent: AgentPod) -> None:
    with pytest.raises(CommandFailed, match="the image must be"):
        lab.kubectl("set", "image", "-n", NAMESPACE, f"pod/{agent.pod.name}", "tap=cheddar:lab")


def test_an_agent_pod_may_still_be_labelled(lab: LabHandle, agent: AgentPod) -> None:
    lab.kubectl("label", "pod", "-n", NAMESPACE, agent.pod.name, "seen=yes")


def test_pods_elsewhere_are_none_of_its_business(lab: LabHandle, chosen: Path) -> None:
    del chosen
    with lab.pod("free", {}, namespace="traefik"):
        lab.exec("free", "true")


def test_without_the_image_that_is_pinned_no_agent_pod_is_made(lab: LabHandle, worker: Cluster) -> None:
    kept = lab.get("configmap", "podcap-agent", "podcap")
    lab.kubectl("delete", "configmap", "podcap-agent", "-n", "podcap")
    try:
        with pytest.raises(RefusedError, match="podcap-agents"):
            worker.create_pod(NAMESPACE, manifest())
    finally:
        put_back(lab, kept)


@pytest.fixture
def namespace_profile(lab: LabHandle, worker: Cluster) -> Iterator[None]:
    """As docs/install.md shows it."""
    del worker
    kept = lab.get("configmap", "podcap-agent", "podcap")
    data = json.dumps({"data": {"namespaceProfile": "true"}})
    lab.kubectl("patch", "configmap", "podcap-agent", "-n", "podcap", "--type=merge", "-p", data)
    yield
    lab.kubectl("delete", "configmap", "podcap-agent", "-n", "podcap")
    put_back(lab, kept)


def put_back(lab: LabHandle, kept: dict[str, Any]) -> None:
    for field in ("uid", "resourceVersion", "creationTimestamp"):
        kept["metadata"].pop(field)
    lab.kubectl("create", "-f", "-", text=json.dumps(kept))


def test_an_agent_pod_that_may_enter_network_namespaces_is_refused_until_the_cluster_allows_it(
    worker: Cluster,
) -> None:
    with pytest.raises(RefusedError, match="may enter network namespaces here: namespaceProfile"):
        worker.create_pod(NAMESPACE, entering())


@pytest.mark.usefixtures("namespace_profile")
def test_where_the_cluster_allows_it_that_pod_is_made_and_no_other_has_its_capabilities(
    worker: Cluster,
) -> None:
    assert worker.create_pod(NAMESPACE, entering(), dry_run=True)
    assert worker.create_pod(NAMESPACE, manifest(), dry_run=True)
    for change in (
        lambda pod: pod["metadata"]["labels"].update({"podcap.dev/profile": "host"}),
        security(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN", "NET_ADMIN"]}),
        security(capabilities={"add": ["SYS_ADMIN"]}),
    ):
        pod = entering()
        change(pod)
        with pytest.raises(RefusedError, match="of the capabilities"):
            worker.create_pod(NAMESPACE, pod)


@pytest.mark.parametrize("name", ["bot", "beat"])
def test_bot_and_beat_cannot_make_an_agent_pod(lab: LabHandle, chosen: Path, name: str) -> None:
    with connect(account(lab, name, chosen)) as cluster, pytest.raises(ForbiddenError):
        cluster.create_pod(NAMESPACE, manifest())


def test_the_worker_makes_pods_nowhere_else(worker: Cluster) -> None:
    for namespace in ("podcap", "traefik", "kube-system"):
        with pytest.raises(ForbiddenError):
            worker.create_pod(namespace, manifest() | {"metadata": {"name": "x", "namespace": namespace}})
