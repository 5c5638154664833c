"""What admission makes of targets with several taps, with an API server on loopback."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.orders import order
from tests.workers.cluster.conftest import Server
from tests.workers.cluster.test_resolve import Objects, cheddars, objects, served
from tests.workers.test_approval import _Names
from workers.admission import accept, stop
from workers.confirmation import confirm
from workers.housekeeping import keep_house
from workers.ledger.capture import Capture
from workers.ledger.ledger import Ledger
from workers.ledger.states import State
from workers.ledger.tap_record import TapKind, TapRecord
from workers.place import NotHereError
from workers.policy.decide import Asker
from workers.policy.names import ResolvedPolicy, resolve
from workers.policy.rules import Policy, policy_of
from workers.pulse import Pulse
from workers.report import Report, Silence
from workers.request.grammar import parse
from workers.request.request import Request, named
from workers.services import Services
from workers.settings import Settings
from workers.thread.messages import capture_message
from workers.trail.trail import Wanted

__all__ = ["objects"]


class _Told(Silence):
    def __init__(self) -> None:
        self.opened: list[tuple[Capture, list[TapRecord]]] = []
        self.said: list[str] = []

    def open(self, capture: Capture, taps: Sequence[TapRecord] = ()) -> Capture:
        self.opened.append((capture, list(taps)))
        return capture

    def say(self, capture: Capture, sentence: str) -> None:  # noqa: ARG002, there is one
        self.said.append(sentence)


class _Place:
    """Anybody may ask here; whether they mean so much is what `answer` says."""

    def __init__(self) -> None:
        self.told = _Told()
        self.answer: bool | str | None = None

    def report(self, capture: Capture, lease: object = None, *, again: bool = False) -> Report:  # noqa: ARG002
        return self.told

    def resolve(self, policy: Policy) -> ResolvedPolicy:
        return resolve(policy, _Names())

    def asker(self, capture: Capture, policy: ResolvedPolicy) -> Asker:  # noqa: ARG002
        return Asker(capture.user_id, frozenset(), capture.channel_id)

    def email(self, capture: Capture) -> str | None:  # noqa: ARG002
        return None

    def link(self, capture: Capture) -> str | None:  # noqa: ARG002
        return None

    def agreed(self, capture: Capture, taps: Sequence[TapRecord]) -> bool | None:  # noqa: ARG002
        if isinstance(self.answer, str):
            raise NotHereError(self.answer)
        return self.answer

    def payload_refusal(self, capture: Capture) -> str | None:  # noqa: ARG002
        return None


@pytest.fixture
def place() -> _Place:
    return _Place()


@pytest.fixture
def objects_of(server: Server, objects: Objects) -> Objects:
    served(server, objects)
    return objects


@pytest.fixture
def services(engine: Engine, server: Server, objects_of: Objects, place: _Place, tmp_path: Path) -> Services:
    del objects_of
    cluster = {"cluster": {"server": server.url}, "name": "c"}
    context = {"context": {"cluster": "c", "user": "u"}, "name": "x"}
    user = {"name": "u", "user": {"token": "secret"}}
    config = {"clusters": [cluster], "contexts": [context], "users": [user], "current-context": "x"}
    (tmp_path / "kubeconfig").write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **config}))
    settings = Settings(KUBECONFIG=str(tmp_path / "kubeconfig"), PODCAP_ASK_ABOVE="2", PODCAP_MOST_TAPS="5")
    policy = policy_of({"rules": [{"namespaces": ["traefik"]}]})
    return Services(settings, Ledger(engine), policy, None, place)


@pytest.fixture
def ask(services: Services) -> Callable[..., Capture]:
    def ask(text: str, user: str = "U1") -> Capture:
        request = parse(text)
        assert isinstance(request, Request)
        wanted = order(
            idempotency_key=f"{user} {text}",
            namespace=request.first.namespace,
            pod=request.first.behind_the_slash,
            targets=None if request.is_one_pod else named(*request.targets, ends=request.ends),
            seconds=request.seconds,
            filter=request.filter,
            user_id=user,
        )
        capture, _ = services.ledger.request(wanted)
        accept(services, capture)
        return services.ledger.get(capture.id)

    return ask


def test_so_many_taps_wait_until_their_asker_says_that_they_are_meant(
    services: Services, place: _Place, ask: Callable[..., Capture]
) -> None:
    asked = ask("traefik/deploy/cheddar")
    taps = services.ledger.taps.of(asked.id)
    assert (asked.state, asked.node, len(taps)) == (State.AWAITING_CONFIRMATION, None, 3)
    ((shown, known),) = place.told.opened
    assert known == taps
    text = capture_message(shown, taps=known).text
    assert "`traefik/deploy/cheddar`: 3 pods on " in text
    assert "All of these, <@U1>? Press *Capture* until " in text

    refused = confirm(services, asked.id, user_id="U2")
    assert refused == "Only <@U1>, who asked for it, can say that so much is meant."
    queued = confirm(services, asked.id, user_id="U1", who={"user_name": "alice"})
    assert isinstance(queued, Capture)
    assert (queued.state, services.ledger.taps.of(asked.id)) == (State.QUEUED, taps)
    assert queued.expires_at > asked.expires_at
    (entry,) = services.ledger.trail.entries(Wanted(event=State.QUEUED))
    assert (entry.by, entry.known()["user_name"]) == ("U1", "alice")
    assert "waits for nobody's word" in str(confirm(services, asked.id, user_id="U1"))
    (entry,) = services.ledger.trail.entries(Wanted(event=State.AWAITING_CONFIRMATION))
    assert entry.known()["taps"] == [tap.name for tap in taps]


def test_what_nobody_confirms_expires_and_may_be_cancelled(
    services: Services, ask: Callable[..., Capture], engine: Engine
) -> None:
    asked, other = ask("traefik/deploy/cheddar"), ask("traefik/svc/cheddar")
    stop(services, other.id, user_id="U9")
    assert services.ledger.get(other.id).state is State.STOPPED
    late = replace_clock(services, engine, asked)
    keep_house(late, Pulse())
    ended = services.ledger.get(asked.id)
    assert ended.state is State.EXPIRED
    assert ended.sentence == "Nobody confirmed this capture in time, so nothing was captured: ask again."


def replace_clock(services: Services, engine: Engine, capture: Capture) -> Services:
    ledger = Ledger(engine, lambda: capture.expires_at)
    return Services(services.settings, ledger, policy_of({"rules": []}), None, services.place)


@pytest.mark.parametrize(
    ("answer", "state", "sentence"),
    [
        (True, State.QUEUED, None),
        (False, State.DENIED, "You did not agree to capture all of them."),
        ("Add --yes.", State.DENIED, "Add --yes."),
    ],
)
def test_a_place_may_ask_at_once(
    place: _Place,
    ask: Callable[..., Capture],
    answer: bool | str,
    state: State,
    sentence: str | None,
) -> None:
    place.answer = answer
    asked = ask("traefik/deploy/cheddar")
    assert (asked.state, asked.sentence) == (state, sentence)


def test_more_taps_than_one_capture_takes_are_refused_with_their_number(
    services: Services, objects_of: Objects, ask: Callable[..., Capture]
) -> None:
    pod = cheddars(objects_of)[0]
    for number in range(3):
        metadata = pod["metadata"] | {"name": f"cheddar-more-{number}", "uid": f"more-{number}"}
        objects_of["pods"].append(pod | {"metadata": metadata})
    asked = ask("traefik/deploy/cheddar")
    assert asked.state is State.DENIED
    assert str(asked.sentence).startswith("These are 6 pods on ")
    assert "more than the 5 that one capture takes" in str(asked.sentence)
    assert services.ledger.taps.of(asked.id) == []


def test_few_taps_wait_for_nobody_and_a_begun_name_is_written_out(
    services: Services, objects_of: Objects, place: _Place, ask: Callable[..., Capture]
) -> None:
    first, second, _ = cheddars(objects_of)
    one = ask(f"traefik/{first['metadata']['name'][:-1]}")
    assert (one.state, one.pod, one.targets) == (State.QUEUED, first["metadata"]["name"], None)
    assert one.node == first["spec"]["nodeName"]
    objects_of["pods"].remove(cheddars(objects_of)[2])
    objects_of["pods"].remove(second)
    only = ask("traefik/deploy/cheddar", user="U3")
    assert (only.state, only.pod, only.what) == (State.QUEUED, one.pod, "traefik/deploy/cheddar")
    objects_of["pods"].append(second)
    two = ask(f"traefik/{first['metadata']['name']} -> traefik/{second['metadata']['name']}", user="U2")
    assert (two.state, two.node) == (State.QUEUED, None)
    assert [tap.target for tap in services.ledger.taps.of(two.id)] == [0, 1]
    assert place.told.said == []


def test_whoever_may_not_capture_a_node_is_told_so_and_what_uplinks_would_show_is_said(
    services: Services, place: _Place, ask: Callable[..., Capture]
) -> None:
    denied = ask("traefik/svc/cheddar node/k8s-node01")
    assert denied.state is State.DENIED
    assert "capture node `k8s-node01` from" in str(denied.sentence)
    ask("traefik/svc/cheddar")
    (said,) = place.told.said
    assert "`uplinks: true` in the policy's rule would also show" in said
    assert TapKind.UPLINK not in {tap.kind for _, taps in place.told.opened for tap in taps}
    assert services.ledger.watch.waiting()
