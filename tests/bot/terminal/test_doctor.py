"""`podcap doctor`: everything right, and each thing wrong in turn."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from bot.terminal.checks.cluster import rights, target_rights
from bot.terminal.checks.database import database
from bot.terminal.checks.result import Status
from deploy.lab.handle import LabHandle
from deploy.lab.redis import RedisServer
from tests.bot.terminal.conftest import Terminal, Typed
from workers.ledger.engine import open_engine
from workers.ledger.migrate import migrate
from workers.settings import Settings

POLICY = "rules:\n  - channels: [incidents]\n    users: ['@oncall']\n"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def everything(lab: LabHandle, broker: RedisServer, tmp_path: Path) -> Terminal:
    """A podcap that is set up for Slack, too."""
    slack = json.loads((lab.directory / "slack.json").read_text())
    (tmp_path / "policy.yaml").write_text(POLICY)
    return Terminal(
        tmp_path,
        KUBECONFIG=str(lab.places.kubeconfig),
        PODCAP_AGENT_IMAGE="podcap-agent:lab",
        PODCAP_BROKER_URL=broker.url,
        PODCAP_STORE_URL=str(tmp_path / "captures"),
        PODCAP_POLICY=str(tmp_path / "policy.yaml"),
        SLACK_BOT_TOKEN=slack["bot_token"],
        SLACK_SIGNING_SECRET=slack["signing_secret"],
        SLACK_API_URL=slack["api_url"],
    )


Examined = Callable[..., tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def examined(typed: Typed) -> Examined:
    """What `podcap doctor --json` says."""

    def examine(terminal: Terminal, **settings: str) -> tuple[int, list[dict[str, Any]]]:
        code, output, errors = typed(terminal, "doctor", "--json", **settings)
        assert errors == ""
        for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"):
            secret = (terminal.environment | settings).get(name)
            assert not secret or secret not in output
        return code, json.loads(output)

    return examine


def problems(found: list[dict[str, Any]]) -> dict[str, str]:
    return {one["check"]: one["text"] for one in found if one["status"] == "problem"}


def test_with_everything_right_it_has_nothing_to_say_but_ok(everything: Terminal, examined: Examined) -> None:
    code, found = examined(everything)
    assert problems(found) == {}
    assert code == 0
    assert {one["status"] for one in found} == {"ok"}
    checks = {one["check"] for one in found}
    assert checks >= {
        "cluster",
        "agent pod",
        "database",
        "broker",
        "store",
        "room",
        "slack",
        "scopes",
        "policy",
        "tshark",
    }
    # It looked, and left nothing.
    assert not (everything.folder / "var").exists()
    assert list((everything.folder / "captures").iterdir()) == []


def test_with_a_kubeconfig_alone_what_slack_needs_is_not_missed(
    lab: LabHandle, typed: Typed, tmp_path: Path
) -> None:
    terminal = Terminal(
        tmp_path, KUBECONFIG=str(lab.places.kubeconfig), PODCAP_AGENT_IMAGE="podcap-agent:lab"
    )
    code, output, _ = typed(terminal, "doctor")
    assert code == 0, output
    lines = output.splitlines()
    for name in ("slack", "broker", "store"):
        assert f"not set  {name}: only needed for Slack" in lines
    assert "ok       identity: lab-admin" in lines


@pytest.mark.parametrize(
    ("settings", "check", "words"),
    [
        ({"PORT": "eighty"}, "settings", "PORT"),
        ({"KUBECONFIG": "/no/such/file"}, "cluster", "No way to a cluster"),
        ({"PODCAP_AGENT_IMAGE": ""}, "agent image", "set it to the image"),
        ({"PODCAP_AGENT_NAMESPACE": "no-such-place"}, "agent pod", "no-such-place"),
        ({"PODCAP_BROKER_URL": "redis://:hunter2@127.0.0.1:1/0"}, "broker", "start Redis"),
        ({"PODCAP_STORE_URL": "/proc/captures"}, "store", "PODCAP_STORE_URL"),
        ({"PODCAP_POLICY": "/no/such/file"}, "policy", "no such file"),
        ({"PODCAP_POLICY": ""}, "policy", "set it"),
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "slack", "SLACK_BOT_TOKEN"),
        ({"SLACK_APP_TOKEN": "xapp-wrong"}, "requests", "SLACK_APP_TOKEN for Socket Mode (invalid_auth)"),
        ({"PODCAP_DATABASE_URL": "postgresql://nobody:hunter2@127.0.0.1:1/none"}, "database", "PostgreSQL"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(
    everything: Terminal, examined: Examined, settings: dict[str, str], check: str, words: str
) -> None:
    code, found = examined(everything, **settings)
    assert code == 1
    assert check in problems(found), found
    assert words in problems(found)[check]
    assert "hunter2" not in json.dumps(found)


def test_the_two_ways_for_requests_are_the_bots(
    lab: LabHandle, everything: Terminal, examined: Examined
) -> None:
    """In worker and beat neither is set, and nothing is wrong."""
    code, found = examined(everything, SLACK_SIGNING_SECRET="")
    (told,) = [one for one in found if one["check"] == "requests"]
    assert (code, told["status"]) == (0, "not set")
    assert "the bot's" in told["text"]
    app_token = json.loads((lab.directory / "slack.json").read_text())["app_token"]
    code, found = examined(everything, SLACK_APP_TOKEN=app_token)
    (told,) = [one for one in found if one["check"] == "requests"]
    assert (code, told["status"], told["text"]) == (0, "ok", "Socket Mode")


def test_a_namespace_that_podsecurity_guards_does_not_take_the_agent_pod(
    lab: LabHandle, everything: Terminal, examined: Examined
) -> None:
    lab.kubectl("create", "namespace", "guarded")
    lab.kubectl("label", "namespace", "guarded", "pod-security.kubernetes.io/enforce=baseline")
    try:
        code, found = examined(everything, PODCAP_AGENT_NAMESPACE="guarded")
    finally:
        lab.kubectl("delete", "namespace", "guarded")
    assert code == 1
    assert "PodSecurity" in problems(found)["agent pod"]


def test_a_redis_that_evicts_is_told_to_stop_it(
    everything: Terminal, examined: Examined, broker: RedisServer
) -> None:
    client = redis.Redis(port=broker.port)
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        code, found = examined(everything)
    finally:
        client.config_set("maxmemory-policy", "noeviction")
        client.close()
    assert code == 1
    assert "set `maxmemory-policy noeviction`" in problems(found)["broker"]


def test_names_of_the_policy_that_nobody_bears_are_listed(everything: Terminal, examined: Examined) -> None:
    (everything.folder / "policy.yaml").write_text("rules:\n  - channels: [no-such-channel]\n")
    code, found = examined(everything)
    assert code == 1
    assert "no-such-channel" in problems(found)["policy"]


def test_each_right_that_is_missing_is_named(lab: LabHandle, everything: Terminal, typed: Typed) -> None:
    """A user whom nobody has granted anything."""
    config = yaml.safe_load(lab.places.kubeconfig.read_text())
    token = lab.kubectl("create", "token", "default", "-n", "traefik").strip()
    config["users"] = [{"name": config["users"][0]["name"], "user": {"token": token}}]
    kubeconfig = everything.folder / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(config))
    done = everything.run("doctor", "traefik", KUBECONFIG=str(kubeconfig))
    assert done.returncode == 1
    lacking = [line for line in done.stdout.splitlines() if line.startswith("problem  right: ")]
    assert len(lacking) == len(rights("podcap", ["traefik"]))
    for right in ("get pods in namespace traefik", "create pods/exec in namespace podcap", "get nodes"):
        assert any(f" {right} is missing" in line for line in lacking)
    assert "identity: system:serviceaccount:traefik:default" in done.stdout
    # Set up for Slack, this may be a worker.
    lines = done.stdout.splitlines()
    left = [line for line in lines if line.startswith("not set  right: ")]
    assert len(left) == len(target_rights(["traefik"]))
    alone = dict.fromkeys(("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"), "")
    policy = everything.folder / "more.yaml"
    policy.write_text("rules:\n  - nodes: ['*']\n    logs: true\n")
    settings = {**alone, "KUBECONFIG": str(kubeconfig), "PODCAP_POLICY": str(policy)}
    _, output, _ = typed(everything, "doctor", "traefik", **settings)
    for told in (
        "list deployments in namespace traefik is missing, to capture `deploy/NAME`",
        "list jobs in namespace traefik is missing, to capture `job/NAME`",
        "get pods/log in namespace traefik is missing",
        "list endpointslices in namespace default is missing, to leave podcap's own connections out",
    ):
        assert f"problem  right: {told}" in output, output


def test_a_database_that_is_behind_or_unprotected_is_told(
    everything: Terminal, examined: Examined, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    url = {"PODCAP_DATABASE_URL": f"sqlite:///{path}"}
    assert problems(examined(everything, **url)[1]) == {}
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DROP TRIGGER trail_no_update")
    assert "triggers" in problems(examined(everything, **url)[1])["trail"]
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '0002'")
    assert "is behind (0002" in problems(examined(everything, **url)[1])["database"]


@pytest.mark.parametrize("path", ["/proc/podcap.db", "/dev/null/var/podcap.db"])
def test_a_database_file_that_cannot_be_made_is_told(path: str) -> None:
    (told,) = database(Settings(database_url=f"sqlite:///{path}", _env_file=None))
    assert told.status is Status.PROBLEM
    assert f"{path} cannot be written" in told.text
