"""The example policies say what their first lines promise."""

from dataclasses import replace
from pathlib import Path

import pytest

from workers.policy.decide import Asker, decide, may_read_trail
from workers.policy.load import load
from workers.policy.names import ResolvedPolicy, resolve
from workers.request.request import Request, Target, TargetKind

FOLDER = Path(__file__).parents[2] / "deploy" / "policy"
FILES = sorted(FOLDER.glob("*.yaml"))


class EveryName:
    """A workspace in which everything exists; an id is made of its name."""

    def channel_id(self, name: str) -> str:
        return f"C/{name}"

    def usergroup_id(self, handle: str) -> str:
        return f"S/{handle}"

    def user_id(self, email: str) -> str:
        return f"U/{email}"


def policy(name: str) -> ResolvedPolicy:
    return resolve(load(FOLDER / name), EveryName())


def asker(channel: str, *groups: str) -> Asker:
    return Asker("U/somebody", frozenset(f"S/{group}" for group in groups), f"C/{channel}")


def request(namespace: str, *, seconds: int = 30, full: bool = False) -> Request:
    target = Target("default", TargetKind.POD, namespace, "pod")
    return Request((target,), seconds=seconds, filter="", full=full)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_example_can_be_read_and_says_what_it_is_for(file: Path) -> None:
    assert load(file).rules
    assert file.read_text().startswith("# ")


def test_there_are_examples() -> None:
    assert [file.stem for file in FILES] == ["on-call", "security", "teams", "terminal"]


def test_on_call_is_asked_for_in_the_channel_of_incidents_only() -> None:
    oncall = policy("on-call.yaml")
    assert decide(oncall, asker("incidents", "oncall"), request("shop-a", seconds=600)).allowed
    assert not decide(oncall, asker("incidents", "oncall"), request("shop-a", full=True)).allowed
    assert not decide(oncall, asker("random", "oncall"), request("shop-a")).allowed
    assert not decide(oncall, asker("incidents"), request("shop-a")).allowed


def test_a_team_captures_in_its_own_namespaces_and_everybody_in_the_sandbox() -> None:
    teams = policy("teams.yaml")
    shop = asker("team-shop", "shop-developers")
    assert decide(teams, shop, request("shop-a")).allowed
    assert not decide(teams, shop, request("shop-a", full=True)).allowed
    assert not decide(teams, shop, request("payments")).allowed
    assert not decide(
        teams, asker("team-payments", "payments-developers"), request("ledger", seconds=300)
    ).allowed
    assert decide(teams, asker("random"), request("sandbox", full=True)).allowed


def test_payload_and_trail_are_the_security_teams_alone() -> None:
    security = policy("security.yaml")
    team, others = asker("security-private", "security"), asker("incidents", "oncall")
    assert decide(security, team, request("shop-a", full=True)).allowed
    assert not decide(security, team, request("kube-system", full=True)).allowed
    assert decide(security, team, request("kube-system")).allowed
    assert not decide(security, others, request("shop-a", full=True)).allowed
    assert decide(security, others, request("shop-a")).allowed
    assert may_read_trail(security, team) is None
    assert may_read_trail(security, others) is not None
    assert may_read_trail(security, replace(team, channel_id="C/random")) is not None
