"""A current kubectl, as engineers use it, against the stand-in."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.hangs import HANGS

MANIFEST = """
apiVersion: v1
kind: Service
metadata: {name: cheddar, namespace: traefik}
spec:
  type: NodePort
  selector: {app: cheese}
  sessionAffinity: ClientIP
  ports: [{name: http, port: 80, nodePort: 32604}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cheddar, namespace: traefik}
spec:
  replicas: 2
  selector: {matchLabels: {app: cheese}}
  template:
    metadata: {labels: {app: cheese}}
    spec:
      containers: [{name: cheese, image: "cheddar:1", ports: [{containerPort: 80}]}]
"""


@pytest.fixture(scope="module")
def kubectl(shared: Any) -> Callable[..., str]:
    """Runs kubectl and returns what it prints."""

    def run(*arguments: str, given: str = "") -> str:
        done = shared.kubectl(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        output: str = done.stdout
        return output

    run("apply", "-f", "-", given=MANIFEST)
    run(
        "wait", "--for=jsonpath={.status.replicas}=2", "deployment/cheddar", "-n", "traefik", "--timeout=180s"
    )
    return run


def columns(text: str) -> list[str]:
    return text.splitlines()[0].split()


def test_the_versions_agree(kubectl: Callable[..., str]) -> None:
    assert json.loads(kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"] == "v1.36.2"


def test_pods_read_as_engineers_know_them(kubectl: Callable[..., str]) -> None:
    wide = kubectl("get", "pods", "-n", "traefik", "-o", "wide")

    assert " ".join(columns(wide)) == "NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES"
    rows = [line.split() for line in wide.splitlines()[1:]]
    assert all(row[0].startswith("cheddar-") and row[1] == "0/1" for row in rows)
    assert {row[6] for row in rows} == {"node1", "node2"}


@pytest.mark.parametrize(
    ("kind", "header"),
    [
        ("nodes", "NAME STATUS ROLES AGE VERSION"),
        ("services", "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE"),
        ("deployments", "NAME READY UP-TO-DATE AVAILABLE AGE"),
        ("replicasets", "NAME DESIRED CURRENT READY AGE"),
        ("namespaces", "NAME STATUS AGE"),
        ("endpointslices", "NAME ADDRESSTYPE PORTS ENDPOINTS AGE"),
        ("events", "LAST SEEN TYPE REASON OBJECT MESSAGE"),
        ("serviceaccounts", "NAME SECRETS AGE"),
        ("clusterroles", "NAME CREATED AT"),
        ("clusterrolebindings", "NAME ROLE AGE"),
    ],
)
def test_every_kind_has_its_usual_columns(kubectl: Callable[..., str], kind: str, header: str) -> None:
    assert " ".join(columns(kubectl("get", kind, "-n", "traefik"))) == header


def test_describe_tells_the_story_of_a_pod(kubectl: Callable[..., str]) -> None:
    name = kubectl("get", "pods", "-n", "traefik", "-l", "app=cheese", "-o", "name").splitlines()[0]

    text = kubectl("describe", "-n", "traefik", name)

    assert "Controlled By:    ReplicaSet/cheddar-" in text
    assert "Successfully assigned traefik/cheddar-" in text
    assert "QoS Class:                   BestEffort" in text


@pytest.mark.parametrize("kind", ["deployment/cheddar", "service/cheddar", "node/node1", "namespace/traefik"])
def test_describe_knows_the_other_kinds(kubectl: Callable[..., str], kind: str) -> None:
    assert f"Name:{' ' * 3}" in kubectl("describe", "-n", "traefik", kind)


def test_apply_again_changes_nothing(kubectl: Callable[..., str]) -> None:
    assert kubectl("apply", "-f", "-", given=MANIFEST).splitlines() == [
        "service/cheddar unchanged",
        "deployment.apps/cheddar unchanged",
    ]


def test_patch_changes_a_service(kubectl: Callable[..., str]) -> None:
    patch = '{"spec":{"externalTrafficPolicy":"Local"}}'

    first = kubectl("patch", "service", "cheddar", "-n", "traefik", "-p", patch)
    again = kubectl("patch", "service", "cheddar", "-n", "traefik", "-p", patch)
    policy = kubectl(
        "get", "service", "cheddar", "-n", "traefik", "-o", "jsonpath={.spec.externalTrafficPolicy}"
    )

    assert first == "service/cheddar patched\n"
    assert again == "service/cheddar patched (no change)\n"
    assert policy == "Local"


def test_scale_label_and_rollout(kubectl: Callable[..., str]) -> None:
    assert kubectl("scale", "deployment", "cheddar", "-n", "traefik", "--replicas=3").endswith(" scaled\n")
    assert kubectl("label", "deployment", "cheddar", "-n", "traefik", "team=cheese").endswith(" labeled\n")
    assert kubectl("rollout", "restart", "deployment/cheddar", "-n", "traefik").endswith(" restarted\n")
    assert kubectl("get", "deployment", "-n", "traefik", "-l", "team=cheese", "-o", "name") == (
        "deployment.apps/cheddar\n"
    )


def test_objects_made_by_command_are_taken(kubectl: Callable[..., str]) -> None:
    """These commands send protobuf."""
    kubectl("create", "namespace", "made")
    kubectl("create", "serviceaccount", "made", "-n", "made")
    kubectl("create", "role", "made", "-n", "made", "--verb=get,list", "--resource=pods,pods/log")
    kubectl("create", "rolebinding", "made", "-n", "made", "--role=made", "--serviceaccount=made:made")
    kubectl("create", "configmap", "made", "-n", "made", "--from-literal=a=b")

    role = json.loads(kubectl("get", "role", "made", "-n", "made", "-o", "json"))
    assert role["rules"] == [{"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods", "pods/log"]}]
    may = ("auth", "can-i", "--as=system:serviceaccount:made:made", "-n", "made")
    assert kubectl(*may, "list", "pods") == "yes\n"
    assert kubectl("create", "token", "made", "-n", "made").count(".") == 2


def test_can_i_says_no_with_an_exit_code(shared: Any, kubectl: Callable[..., str]) -> None:
    assert kubectl("auth", "can-i", "get", "pods") == "yes\n"

    done = shared.kubectl("auth", "can-i", "get", "pods", "--as=mallory")

    assert (done.returncode, done.stdout) == (1, "no\n")


def test_whoami_knows_a_service_account(shared: Any, kubectl: Callable[..., str]) -> None:
    import subprocess  # noqa: PLC0415 - only here
    import sys  # noqa: PLC0415

    kubectl("create", "serviceaccount", "capturer", "-n", "traefik")
    command = [sys.executable, "-m", "deploy.lab.apiserver.kubeconfig", "--dir", str(shared.state)]
    output = shared.state / "capturer.kubeconfig"
    subprocess.run(
        [*command, "--serviceaccount", "traefik/capturer", "--output", str(output)], check=True, timeout=HANGS
    )

    text = kubectl("--kubeconfig", str(output), "auth", "whoami")

    assert "system:serviceaccount:traefik:capturer" in text
    assert output.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("get", "pod", "nope", "-n", "traefik"), 'Error from server (NotFound): pods "nope" not found'),
        (("get", "leases"), 'error: the server doesn\'t have a resource type "leases"'),
        (
            ("get", "pods", "--as=mallory", "-n", "traefik"),
            (
                'Error from server (Forbidden): pods is forbidden: User "mallory" cannot list '
                'resource "pods" in API '
                'group "" in the namespace "traefik"'
            ),
        ),
        (("logs", "nope", "-n", "traefik"), 'error: error from server (NotFound): pods "nope" not found'),
        (
            ("get", "pods", "--field-selector=spec.x=1"),
            (
                'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match '
                'label selector "", '
                'field selector "spec.x=1": field label not supported: spec.x'
            ),
        ),
    ],
)
def test_refusals_read_as_from_a_real_cluster(shared: Any, arguments: tuple[str, ...], message: str) -> None:
    done = shared.kubectl(*arguments)

    assert done.returncode == 1
    assert done.stderr.strip().startswith(message)


def test_a_list_of_objects_is_taken_apart_and_each_is_validated(
    shared: Any, kubectl: Callable[..., str]
) -> None:
    def listed(name: str, **more: Any) -> str:
        item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "traefik"}}
        return json.dumps({"apiVersion": "v1", "kind": "List", "items": [item | more]})

    assert kubectl("create", "-f", "-", given=listed("of-a-list")) == "configmap/of-a-list created\n"
    refused = shared.kubectl("create", "-f", "-", given=listed("refused", bogus=1))
    assert 'strict decoding error: unknown field "bogus"' in refused.stderr


def test_an_unknown_field_is_refused_before_anything_is_made(shared: Any) -> None:
    manifest = "{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {container: []}}"

    done = shared.kubectl("create", "-n", "traefik", "-f", "-", given=manifest)

    assert 'strict decoding error: unknown field "spec.container"' in done.stderr


def test_delete_waits_until_it_is_gone(kubectl: Callable[..., str]) -> None:
    kubectl(
        "run",
        "waiting",
        "-n",
        "traefik",
        "--image=busybox:1",
        "--overrides",
        '{"spec":{"nodeSelector":{"a":"b"}}}',
    )

    assert "deleted" in kubectl("delete", "pod", "waiting", "-n", "traefik", "--timeout=180s")
    assert kubectl("get", "pod", "waiting", "-n", "traefik", "--ignore-not-found") == ""
