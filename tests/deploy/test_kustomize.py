"""What deploy/kustomize renders, as far as it can be judged without a cluster."""

import json
import re
import subprocess
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from honcho.environ import parse_procfile

from bot.terminal.checks.cluster import rights
from deploy.lab.grants import EVERYWHERE, Access, granted
from deploy.lab.install import KUSTOMIZE, render, variant
from tests.deploy import dockerfile
from workers.leaving import LEAVE_SECONDS
from workers.policy.load import load
from workers.settings import Settings

ROOT = Path(__file__).parents[2]
OVERLAYS = ("socket-mode", "http")
PROCESSES = ("bot", "worker", "beat")
REGISTRY = "registry.internal:5000/team"


@pytest.fixture(scope="module", params=OVERLAYS)
def objects(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return render(KUSTOMIZE / "overlays" / request.param)


def deployment(objects: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(one for one in objects if one["kind"] == "Deployment" and one["metadata"]["name"] == name)


def pod_of(objects: list[dict[str, Any]], name: str) -> dict[str, Any]:
    spec: dict[str, Any] = deployment(objects, name)["spec"]["template"]["spec"]
    return spec


def containers(objects: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for process in PROCESSES:
        pod = pod_of(objects, process)
        yield from (*pod.get("initContainers", []), *pod["containers"])


def test_the_deployments_run_the_procfiles_commands(objects: list[dict[str, Any]]) -> None:
    for name, command in parse_procfile((ROOT / "Procfile").read_text()).processes.items():
        (container,) = pod_of(objects, name)["containers"]
        argv = [*container["command"], *container.get("args", [])]
        assert " ".join(argv) == command.replace(".venv/bin/", "")


def test_the_images_are_named_without_a_registry(objects: list[dict[str, Any]]) -> None:
    assert {container["image"] for container in containers(objects)} == {"podcap:0.1.0"}


def test_an_images_entry_changes_everything_that_names_the_image(tmp_path: Path) -> None:
    images = [
        {"name": name, "newName": f"{REGISTRY}/{name}", "newTag": "7"} for name in ("podcap", "podcap-agent")
    ]
    objects = render(variant("http", tmp_path / "own", images=images))
    assert {container["image"] for container in containers(objects)} == {f"{REGISTRY}/podcap:7"}
    agent = f"{REGISTRY}/podcap-agent:7"
    (worker,) = pod_of(objects, "worker")["containers"]
    assert {"name": "PODCAP_AGENT_IMAGE", "value": agent} in worker["env"]
    pinned = [one["data"]["image"] for one in objects if one["metadata"]["name"] == "podcap-agent"]
    assert pinned == [agent]


def test_secrets_come_by_reference_and_none_is_in_the_objects(objects: list[dict[str, Any]]) -> None:
    assert not [one for one in objects if one["kind"] == "Secret"]
    secret = re.compile(r"TOKEN|SECRET|_URL$")
    for container in containers(objects):
        for variable in container.get("env", []):
            if secret.search(variable["name"]):
                reference = variable["valueFrom"]["secretKeyRef"]
                assert (reference["name"], reference["key"]) == ("podcap", variable["name"])


def test_the_example_of_the_secret_has_every_key_that_is_asked_for(objects: list[dict[str, Any]]) -> None:
    example = (KUSTOMIZE / "secret.example.env").read_text()
    offered = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    asked = {
        variable["name"]
        for container in containers(objects)
        for variable in container.get("env", [])
        if "valueFrom" in variable
    }
    assert asked <= offered
    given = re.findall(r"^#?[A-Z_]+=(.*)", example, re.MULTILINE)
    assert all("REPLACE" in value or value.startswith("s3://bucket/") for value in given)


def test_every_variable_is_a_setting_of_podcap(objects: list[dict[str, Any]]) -> None:
    settings = {field.alias for field in Settings.model_fields.values()}
    literals = next(one["data"] for one in objects if one["metadata"]["name"].startswith("podcap-settings"))
    named = {variable["name"] for container in containers(objects) for variable in container.get("env", [])}
    assert named | set(literals) <= settings


def test_only_the_migration_knows_the_owner_of_the_database(objects: list[dict[str, Any]]) -> None:
    knows = [
        container["name"]
        for container in containers(objects)
        if any(variable["name"] == "PODCAP_DATABASE_OWNER_URL" for variable in container.get("env", []))
    ]
    assert knows == ["migrate"]


def test_containers_run_without_root_rights_or_a_writable_root(objects: list[dict[str, Any]]) -> None:
    user = int(dockerfile.stages(ROOT / "deploy" / "podcap" / "Dockerfile")[-1].all("USER")[0].split(":")[0])
    for process in PROCESSES:
        pod = pod_of(objects, process)
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"].get("fsGroup", user) == user
    for container in containers(objects):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "/tmp" in [mount["mountPath"] for mount in container["volumeMounts"]]
        assert set(container["resources"]) == {"requests", "limits"}


def test_each_process_is_probed_at_a_port_that_it_serves_and_whose_paths_it_knows(
    objects: list[dict[str, Any]],
) -> None:
    probed = {one["name"]: one for one in containers(objects) if "readinessProbe" in one}
    assert set(probed) == set(PROCESSES)
    for name, container in probed.items():
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        served = {one["name"]: one["value"] for one in container["env"] if "value" in one}
        for probe, path in (
            ("startupProbe", "/healthz"),
            ("readinessProbe", "/readyz"),
            ("livenessProbe", "/healthz"),
        ):
            asked = container[probe]["httpGet"]
            assert asked["path"] == path
            assert str(ports[asked["port"]]) == served["PORT" if name == "bot" else "PODCAP_METRICS_PORT"]


def test_every_rule_says_why_it_is_there() -> None:
    for file in sorted((KUSTOMIZE / "base").glob("rbac-*.yaml")):
        lines = file.read_text().splitlines()
        rules = [number for number, line in enumerate(lines) if line.strip().startswith("- apiGroups:")]
        assert rules
        assert all(lines[number - 1].strip().startswith("# ") for number in rules), file


def test_no_rule_grants_everything_of_anything(objects: list[dict[str, Any]]) -> None:
    rules = [rule for one in objects if one["kind"] in {"Role", "ClusterRole"} for rule in one["rules"]]
    assert rules
    for rule in rules:
        assert "*" not in {*rule["verbs"], *rule["resources"], *rule["apiGroups"]}
        assert "secrets" not in rule["resources"]


def test_what_changes_a_running_agent_pod_is_pinned_as_well(objects: list[dict[str, Any]]) -> None:
    policy = named(objects, "ValidatingAdmissionPolicy", "podcap-agents")
    (rule,) = policy["spec"]["matchConstraints"]["resourceRules"]
    assert rule["operations"] == ["CREATE", "UPDATE"]
    assert rule["resources"] == ["pods", "pods/ephemeralcontainers", "pods/resize"]


def named(objects: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    return next(one for one in objects if (one["kind"], one["metadata"]["name"]) == (kind, name))


@pytest.mark.parametrize(
    ("address", "port", "allowed"),
    [
        ("10.96.0.10", 53, True),
        ("169.254.20.10", 53, True),
        ("169.254.25.10", 53, True),
        ("fd00::a", 53, True),
        ("169.254.169.254", 80, False),
        ("169.254.169.254", 443, False),
        ("fd00:ec2::254", 443, False),
        ("10.0.0.1", 80, False),
        ("10.0.0.1", 443, True),
        ("10.0.0.1", 6443, True),
        ("2001:db8::1", 5432, True),
    ],
)
def test_podcap_reaches_names_and_servers_and_no_clouds_credentials(
    objects: list[dict[str, Any]], address: str, port: int, allowed: bool
) -> None:
    egress = named(objects, "NetworkPolicy", "egress")["spec"]["egress"]
    assert allowed == any(
        port in [one["port"] for one in rule["ports"]]
        and ("to" not in rule or any(_within(address, peer["ipBlock"]) for peer in rule["to"]))
        for rule in egress
    )


def _within(address: str, block: dict[str, Any]) -> bool:
    def inside(network: str) -> bool:
        return ip_address(address) in ip_network(network)

    return inside(block["cidr"]) and not any(map(inside, block["except"]))


def test_without_a_policy_of_ones_own_nobody_may_capture() -> None:
    assert load(KUSTOMIZE / "base" / "policy.yaml").rules == ()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlays_policy_is_one_that_podcap_reads(overlay: str) -> None:
    assert load(KUSTOMIZE / "overlays" / overlay / "policy.yaml").rules


def test_the_worker_has_the_time_to_hand_its_captures_over(objects: list[dict[str, Any]]) -> None:
    assert pod_of(objects, "worker")["terminationGracePeriodSeconds"] > LEAVE_SECONDS


def test_with_an_object_store_there_is_no_volume_and_two_workers_take_over_from_each_other(
    tmp_path: Path,
) -> None:
    objects = render(
        variant("socket-mode", tmp_path / "own", components=[_relative(tmp_path / "own", "object-store")])
    )
    assert not [one for one in objects if one["kind"] == "PersistentVolumeClaim"]
    worker = deployment(objects, "worker")["spec"]
    assert (worker["replicas"], worker["strategy"]) == (2, {"type": "RollingUpdate"})
    pod = worker["template"]["spec"]
    assert {volume["name"] for volume in pod["volumes"]} == {"tmp", "policy"}
    assert {mount["name"] for mount in pod["containers"][0]["volumeMounts"]} == {"tmp", "policy"}
    assert "PODCAP_STORE_URL" in [variable["name"] for variable in pod["containers"][0]["env"]]


def test_metrics_are_let_to_nobody_but_the_namespace_that_fetches_them(tmp_path: Path) -> None:
    objects = render(variant("http", tmp_path / "own", components=[_relative(tmp_path / "own", "metrics")]))
    policy = named(objects, "NetworkPolicy", "metrics")["spec"]
    (rule,) = policy["ingress"]
    monitoring = {"kubernetes.io/metadata.name": "monitoring"}
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": monitoring}}]
    let_in = {port["port"] for port in rule["ports"]}
    for process in PROCESSES:
        template = deployment(objects, process)["spec"]["template"]
        assert policy["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
        (container,) = template["spec"]["containers"]
        assert {port["name"] for port in container["ports"]} <= let_in


def test_the_component_for_logs_gives_the_worker_the_right_that_the_doctor_looks_for(tmp_path: Path) -> None:
    plain = granted(render(variant("http", tmp_path / "plain")))
    more = granted(
        render(variant("http", tmp_path / "own", components=[_relative(tmp_path / "own", "pod-logs")]))
    )
    assert more - plain == {Access("worker", "get", "pods/log", EVERYWHERE)}
    wanted = [right for right, _ in rights("podcap-agents", [""], logs=True)]
    assert [str(each) for each in wanted if each not in dict(rights("podcap-agents", [""]))] == [
        "get pods/log"
    ]


def _relative(folder: Path, name: str) -> str:
    component = (KUSTOMIZE / "components" / name).resolve()
    up = len(folder.resolve().parts) - 1
    return "/".join([".."] * up) + str(component)


def test_every_patch_that_the_install_page_shows_changes_what_it_names(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "install.md").read_text()
    blocks = re.findall(r"^      - target:.*\n(?:^       +.*\n)+", page, re.MULTILINE)
    patches = [patch for block in blocks for patch in yaml.safe_load(block)]
    (egress, profile) = [one for one in patches if "terminal" not in one["target"]["name"]]
    objects = render(variant("http", tmp_path / "own", patches=[egress, profile]))
    rules = named(objects, "NetworkPolicy", "egress")["spec"]["egress"]
    assert {"protocol": "TCP", "port": 8443} in rules[1]["ports"]
    assert named(objects, "ConfigMap", "podcap-agent")["data"]["namespaceProfile"] == "true"
    (identity,) = re.findall(r"^`(\{to: .*\})`", page, re.MULTILINE)
    more = {"op": "add", "path": "/spec/egress/-", "value": yaml.safe_load(identity)}
    own = variant("http", tmp_path / "own", patches=[egress | {"patch": json.dumps([more])}])
    assert len(named(render(own), "NetworkPolicy", "egress")["spec"]["egress"]) == 3


def test_a_kustomization_that_cannot_be_rendered_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [no-such-file.yaml]\n")
    with pytest.raises(subprocess.CalledProcessError):
        render(tmp_path)
