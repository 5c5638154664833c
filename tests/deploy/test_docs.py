"""Install and security pages name what is there."""

import re
from pathlib import Path

import pytest
import yaml

from bot.terminal.checks.cluster import rights, target_rights
from deploy.lab.grants import EVERYWHERE, Access, granted
from deploy.lab.install import KUSTOMIZE, render
from workers.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / name for name in ("install.md", "security.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_file_and_folder_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text()
    links = [target for target in re.findall(r"\]\(([^)#]+)\)", text) if not target.startswith("https:")]
    named = re.findall(r"(?<![\w/.])(?:deploy|docs)/[\w./-]*[\w]", text)
    assert links
    assert named or page.stem == "security"
    missing = [link for link in links if not (page.parent / link).exists()]
    missing += [name for name in named if not (ROOT / name).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_setting_that_a_page_names_is_one(page: Path) -> None:
    named = set(re.findall(r"\b(?:PODCAP|SLACK)_[A-Z_]+\b", page.read_text()))
    assert named <= {field.alias for field in Settings.model_fields.values()}


def test_the_table_of_secrets_is_what_the_deployments_ask_for() -> None:
    text = (ROOT / "docs" / "install.md").read_text()
    rows = re.findall(r"^\| (`[A-Z_`, or]+?)(?: over HTTP)? \| (.+) \|$", text, re.MULTILINE)
    told = {(key, words) for keys, words in rows for key in re.findall(r"[A-Z_]{5,}", keys)}
    asked: dict[str, set[str]] = {}
    for overlay in ("socket-mode", "http"):
        for one in render(KUSTOMIZE / "overlays" / overlay):
            if one["kind"] == "Deployment":
                for container in one["spec"]["template"]["spec"]["containers"]:
                    for variable in container["env"]:
                        if "valueFrom" in variable:
                            asked.setdefault(variable["name"], set()).add(container["name"])
    assert {
        (key, ", ".join(name for name in ("bot", "worker", "beat") if name in names))
        for key, names in asked.items()
    } == {(key, words) for key, words in told if key in asked}


@pytest.mark.parametrize("account", ["bot", "beat"])
def test_whoever_admits_requests_has_the_rights_that_the_doctor_looks_for_besides(account: str) -> None:
    has = granted(render(KUSTOMIZE / "overlays" / "http"))
    for right, _ in target_rights([""]):
        wanted = Access(account, right.verb, f"{right.resource}.{right.group}", EVERYWHERE)
        assert any(one.covers(wanted) for one in has), right


def test_the_doctor_in_the_worker_looks_for_the_rights_that_the_worker_has() -> None:
    wanted = {
        Access(
            "worker",
            right.verb,
            f"{right.resource}/{right.subresource}".rstrip("/") + (f".{right.group}" if right.group else ""),
            right.namespace or EVERYWHERE,
        )
        for right, _ in rights("podcap-agents", [""])
    }
    has = {right for right in granted(render(KUSTOMIZE / "overlays" / "http")) if right.account == "worker"}
    assert {right for right in wanted if not any(one.covers(right) for one in has)} == set()
    assert {one for one in has if not any(one.covers(right) for right in wanted)} == set()


def test_the_security_page_tells_the_ports_of_the_network_policy() -> None:
    policies = yaml.safe_load_all((KUSTOMIZE / "base" / "network-policies.yaml").read_text())
    egress = next(one for one in policies if one["metadata"]["name"] == "egress")
    ports = {port["port"] for rule in egress["spec"]["egress"] for port in rule["ports"]} - {53}
    (told,) = re.findall(r"out go DNS, ([\d, and]+),", (ROOT / "docs" / "security.md").read_text())
    assert {int(port) for port in re.findall(r"\d+", told)} == ports
