"""kubectl applies, on the client's side and the server's, dry and for real, files and kustomizations."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.lab.apiserver.apply import applied
from deploy.lab.apiserver.field_paths import leaves
from deploy.lab.apiserver.managed_fields import paths_of
from deploy.lab.apiserver.resources import CONFIGMAPS, DEPLOYMENTS

NAMESPACE = "traefik"
Kubectl = Callable[..., str]


@pytest.fixture
def kubectl(shared: Any) -> Kubectl:
    """Runs kubectl in the namespace and returns what it prints; it must succeed."""

    def run(*arguments: str, given: Any = None) -> str:
        text = "" if given is None else json.dumps(given)
        done = shared.kubectl(*arguments, "-n", NAMESPACE, given=text)
        assert done.returncode == 0, done.stderr
        output: str = done.stdout
        return output

    return run


def configmap(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def deployment(name: str, **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    container = {"name": "main", "image": "nowhere.example/podcap:1", "ports": [{"containerPort": 80}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": labels}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def data_of(admin: Any, name: str) -> Any:
    return admin.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/{name}").body.get("data")


APPLY = ("apply", "--server-side", "-f", "-")


def test_a_server_side_apply_creates_and_then_changes_nothing(kubectl: Kubectl, admin: Any) -> None:
    wanted = deployment("sided", replicas=0)

    assert kubectl(*APPLY, given=wanted) == "deployment.apps/sided serverside-applied\n"
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/sided"
    first = admin.get(path).body
    kubectl(*APPLY, given=wanted)
    again = admin.get(path).body

    assert again["metadata"]["generation"] == 1
    assert again["metadata"]["managedFields"] == first["metadata"]["managedFields"]
    (entry,) = first["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("kubectl", "Apply")
    containers = entry["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]
    assert set(containers['k:{"name":"main"}']) == {".", "f:image", "f:name", "f:ports"}


def test_a_field_that_is_no_longer_applied_goes(kubectl: Kubectl, admin: Any) -> None:
    kubectl(*APPLY, given=configmap("shrinks", a="1", b="2"))

    kubectl(*APPLY, given=configmap("shrinks", a="1"))

    assert data_of(admin, "shrinks") == {"a": "1"}


def test_two_managers_each_keep_their_fields(kubectl: Kubectl, admin: Any) -> None:
    kubectl(*APPLY, given=configmap("both", a="1"))
    kubectl(*APPLY, "--field-manager=other", given=configmap("both", b="2"))

    kubectl(*APPLY, "--field-manager=other", given=configmap("both", c="3"))

    assert data_of(admin, "both") == {"a": "1", "c": "3"}


def test_a_field_of_another_manager_is_a_conflict_until_it_is_forced(
    shared: Any, kubectl: Kubectl, admin: Any
) -> None:
    kubectl(*APPLY, given=configmap("fought", a="1", b="1"))
    rival = configmap("fought", a="2")

    refused = shared.kubectl(*APPLY, "--field-manager=other", "-n", NAMESPACE, given=json.dumps(rival))
    assert refused.returncode == 1
    assert 'Apply failed with 1 conflict: conflict with "kubectl": .data.a' in refused.stderr
    assert data_of(admin, "fought") == {"a": "1", "b": "1"}

    kubectl(*APPLY, "--field-manager=other", "--force-conflicts", given=rival)
    assert data_of(admin, "fought") == {"a": "2", "b": "1"}
    refused = shared.kubectl(*APPLY, "-n", NAMESPACE, given=json.dumps(configmap("fought", a="1", b="1")))
    assert 'conflict with "other": .data.a' in refused.stderr


def test_what_was_set_by_a_plain_change_is_a_conflict_too(shared: Any, kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "typed", "--from-literal=a=1")

    done = shared.kubectl(*APPLY, "-n", NAMESPACE, given=json.dumps(configmap("typed", a="2")))

    assert 'conflict with "kubectl-create" using v1: .data.a' in done.stderr


def test_an_object_applied_by_the_client_can_be_applied_by_the_server(kubectl: Kubectl, admin: Any) -> None:
    """kubectl hands over what the client's manager owned, once nothing is contested."""
    kubectl("apply", "-f", "-", given=configmap("moved", a="1", b="1"))

    kubectl(*APPLY, given=configmap("moved", a="1", b="1"))
    kubectl(*APPLY, given=configmap("moved", a="2"))

    assert data_of(admin, "moved") == {"a": "2"}


def test_who_may_only_patch_cannot_create_by_applying(shared: Any, admin: Any) -> None:
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch", "get"]}]
    roles = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}"
    admin.post(f"{roles}/roles", {"metadata": {"name": "patcher"}, "rules": rules})
    subject = {"kind": "User", "name": "patcher"}
    reference = {"kind": "Role", "name": "patcher"}
    admin.post(
        f"{roles}/rolebindings", {"metadata": {"name": "p"}, "subjects": [subject], "roleRef": reference}
    )

    done = shared.kubectl(
        *APPLY, "--as=patcher", "-n", NAMESPACE, given=json.dumps(configmap("not-made", a="1"))
    )

    assert 'User "patcher" cannot create resource "configmaps"' in done.stderr


def test_an_apply_without_a_manager_is_refused(admin: Any) -> None:
    answer = admin.request(
        "PATCH",
        f"/api/v1/namespaces/{NAMESPACE}/configmaps/x",
        configmap("x", a="1"),
        "application/apply-patch+yaml",
    )

    assert answer.body["message"] == (
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
    )


@pytest.mark.parametrize("how", [("apply", "-f", "-"), APPLY, ("create", "-f", "-")])
def test_a_dry_run_at_the_server_says_what_would_be_and_keeps_nothing(
    kubectl: Kubectl, admin: Any, how: tuple[str, ...]
) -> None:
    text = kubectl(*how, "--dry-run=server", given=configmap("dry", a="1"))

    assert text.endswith("(server dry run)\n")
    assert data_of(admin, "dry") is None


def test_dry_patches_and_deletions_keep_the_object(kubectl: Kubectl, admin: Any) -> None:
    kubectl("apply", "-f", "-", given=configmap("stays", a="1"))

    kubectl("apply", "--dry-run=server", "-f", "-", given=configmap("stays", a="2"))
    kubectl(*APPLY, "--dry-run=server", "--force-conflicts", given=configmap("stays", a="3"))
    kubectl("patch", "configmap", "stays", "--dry-run=server", "-p", '{"data":{"a":"4"}}')
    kubectl("delete", "configmap", "stays", "--dry-run=server")

    assert data_of(admin, "stays") == {"a": "1"}


def test_diff_shows_the_change_and_makes_none(shared: Any, kubectl: Kubectl, admin: Any) -> None:
    kubectl("apply", "-f", "-", given=configmap("differs", a="1"))

    done = shared.kubectl("diff", "-n", NAMESPACE, "-f", "-", given=json.dumps(configmap("differs", a="2")))

    assert done.returncode == 1
    assert '-  a: "1"\n+  a: "2"' in done.stdout
    assert data_of(admin, "differs") == {"a": "1"}


def test_a_kustomization_is_applied_changed_and_deleted(
    shared: Any, kubectl: Kubectl, tmp_path: Path
) -> None:
    base = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": NAMESPACE,
        "resources": ["deployment.json"],
        "configMapGenerator": [{"name": "policy", "literals": ["a=1"]}],
        "labels": [{"pairs": {"app.kubernetes.io/part-of": "podcap"}}],
    }
    (tmp_path / "kustomization.yaml").write_text(json.dumps(base))
    (tmp_path / "deployment.json").write_text(json.dumps(deployment("kustomized", replicas=0)))

    first = kubectl("apply", "-k", str(tmp_path)).splitlines()
    again = kubectl("apply", "-k", str(tmp_path)).splitlines()
    gone = kubectl("delete", "-k", str(tmp_path))

    assert [line.split()[-1] for line in first] == ["created", "created"]
    assert [line.split()[-1] for line in again] == ["unchanged", "unchanged"]
    assert gone.count("deleted") == 2
    left = shared.kubectl("get", "all,configmaps", "-n", NAMESPACE, "-l", "app.kubernetes.io/part-of=podcap")
    assert left.stdout == ""


WORDS = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("12"), min_size=1)


@given(mine=WORDS, other=WORDS, later=WORDS)
def test_after_an_apply_the_object_holds_what_was_applied_and_what_others_own(
    mine: dict[str, str], other: dict[str, str], later: dict[str, str]
) -> None:
    def config(data: dict[str, str]) -> dict[str, Any]:
        return {"metadata": {"name": "it"}, "data": data}

    def put(manager: str, data: dict[str, str], live: Any) -> Any:
        found = applied(CONFIGMAPS, manager, config(data), live, force=True)
        found.value["metadata"]["managedFields"] = found.entries
        return found.value

    live = put("me", later, put("other", other, put("me", mine, None)))

    kept = {key: value for key, value in other.items() if key not in later}
    assert live["data"] == later | kept
    owned = {path for entry in live["metadata"]["managedFields"] for path in paths_of(entry)}
    assert owned == set(leaves("V1ConfigMap", {"data": live["data"]}))


def test_a_container_leaves_with_the_manager_that_brought_it() -> None:
    def config(*names: str) -> dict[str, Any]:
        containers = [{"name": name, "image": "i:1", "env": [{"name": "A", "value": "1"}]} for name in names]
        return {"metadata": {"name": "it"}, "spec": {"template": {"spec": {"containers": containers}}}}

    first = applied(DEPLOYMENTS, "me", config("one", "two"), None, force=False)
    first.value["metadata"]["managedFields"] = first.entries
    # A default that nobody owns does not keep the container.
    first.value["spec"]["template"]["spec"]["containers"][1]["imagePullPolicy"] = "Always"

    second = applied(DEPLOYMENTS, "me", config("one"), first.value, force=False)

    assert [one["name"] for one in second.value["spec"]["template"]["spec"]["containers"]] == ["one"]
