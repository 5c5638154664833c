"""People at terminals have agent pods in a namespace of their own, under the worker's admission policy."""

import os
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.terminal.checks import cluster as checks
from bot.terminal.checks.result import Status
from deploy.lab.apiserver import kubeconfig
from deploy.lab.handle import CommandFailed, LabHandle
from deploy.lab.install import AGENT_IMAGE, KUSTOMIZE, render, variant
from tests.deploy import agents
from tests.hangs import HANGS
from workers.cluster.cluster import Cluster, connect
from workers.cluster.errors import ForbiddenError, RefusedError
from workers.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "install.md"
NAMESPACE = "podcap-terminal-agents"
GROUP = "system:serviceaccounts:traefik"
"""Of the person in these tests: a service account is one, of a group that the API server knows it by."""


def as_the_page_says(folder: Path) -> list[dict[str, Any]]:
    """What the overlay renders with the lines of docs/install.md in it, for GROUP and the lab's image."""
    section = PAGE.read_text().partition("## At a terminal\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"(?:^    .*\n)*^    components:\n(?:^    .*\n)+", section, re.MULTILINE)
    fields = yaml.safe_load(textwrap.dedent(block).replace("oidc:sre", GROUP))
    folder.mkdir()
    fields["components"] = [
        os.path.relpath((KUSTOMIZE / "overlays" / "any" / one).resolve(), folder.resolve())
        for one in fields["components"]
    ]
    name, _, tag = AGENT_IMAGE.partition(":")
    images = [{"name": "podcap-agent", "newName": name, "newTag": tag}]
    return render(variant("socket-mode", folder, images=images, **fields))


def test_the_component_adds_objects_and_changes_none(tmp_path: Path) -> None:
    plain = variant("socket-mode", tmp_path / "plain")
    component = os.path.relpath((KUSTOMIZE / "components" / "terminal-agents").resolve(), tmp_path.resolve())
    more = variant("socket-mode", tmp_path / "more", components=[f"../{component}"])
    before, after = render(plain), render(more)
    assert [one for one in before if one not in after] == []
    added = [one for one in after if one not in before]
    assert {one["metadata"].get("namespace", "") for one in added} == {"", "podcap", NAMESPACE}
    assert all("terminal" in f"{one['metadata'].get('namespace')} {one['metadata']['name']}" for one in added)


@pytest.fixture(scope="module")
def person(lab: LabHandle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of somebody of the group; of podcap there is only what binds them."""
    folder = tmp_path_factory.mktemp("terminals")
    policies = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    objects = [
        one
        for one in as_the_page_says(folder / "own")
        if one["kind"] in policies
        or "terminal" in f"{one['metadata'].get('namespace')} {one['metadata']['name']}"
        or (one["kind"] == "ClusterRole" and one["metadata"]["name"] in ("podcap-worker", "podcap-bot"))
    ]
    text = yaml.safe_dump_all(objects)
    lab.kubectl("create", "serviceaccount", "alice", "-n", "traefik")
    lab.kubectl("apply", "-f", "-", text=text)
    try:
        path = folder / "alice.kubeconfig"
        kubeconfig.write(path, kubeconfig.request_token(lab.places.kubeconfig, "traefik", "alice"))
        yield path
    finally:
        lab.kubectl("delete", "--ignore-not-found", "-f", "-", text=text)
        lab.kubectl("delete", "serviceaccount", "alice", "-n", "traefik")


@pytest.fixture(scope="module")
def cluster(person: Path) -> Iterator[Cluster]:
    with connect(person) as cluster:
        yield cluster


def test_the_doctor_misses_nothing_for_somebody_of_the_group(person: Path) -> None:
    settings = Settings(
        KUBECONFIG=str(person), PODCAP_AGENT_NAMESPACE=NAMESPACE, PODCAP_AGENT_IMAGE=AGENT_IMAGE
    )
    found = list(checks.cluster(())(settings))
    assert [one for one in found if one.status is not Status.OK] == []
    assert found[-1].text == f"namespace {NAMESPACE} takes it"


def test_the_agent_pod_that_is_admitted_is_of_the_workers_shape(cluster: Cluster) -> None:
    pod = agents.manifest("cap-odd", NAMESPACE, AGENT_IMAGE)
    assert cluster.create_pod(NAMESPACE, pod, dry_run=True)
    pod["spec"]["volumes"] = [{"name": "spool", "hostPath": {"path": "/"}}]
    with pytest.raises(RefusedError, match="one volume, an emptyDir"):
        cluster.create_pod(NAMESPACE, pod)
    with pytest.raises(RefusedError, match="may enter network namespaces here: namespaceProfile"):
        cluster.create_pod(NAMESPACE, agents.manifest("cap-odd", NAMESPACE, AGENT_IMAGE, profile="namespace"))


def test_nobody_else_makes_or_enters_one_be_it_an_administrator(lab: LabHandle, cluster: Cluster) -> None:
    with agents.running(cluster, "cap-pinned", NAMESPACE, AGENT_IMAGE) as agent:
        assert agent.run(["hostname"], seconds=HANGS).stdout.strip() == b"k8s-node01"
        with pytest.raises(CommandFailed, match=f"only the group {GROUP} runs commands in agent pods"):
            lab.kubectl("exec", "-n", NAMESPACE, agent.pod.name, "--", "id")
    with (
        connect(lab.places.kubeconfig) as administrator,
        pytest.raises(RefusedError, match=f"only the group {GROUP} creates pods in {NAMESPACE}"),
    ):
        administrator.create_pod(NAMESPACE, agents.manifest("cap-odd", NAMESPACE, AGENT_IMAGE))


def test_the_group_makes_pods_nowhere_else(cluster: Cluster) -> None:
    for namespace in ("podcap", "traefik", "kube-system"):
        with pytest.raises(ForbiddenError):
            cluster.create_pod(namespace, agents.manifest("cap-odd", namespace, AGENT_IMAGE))
