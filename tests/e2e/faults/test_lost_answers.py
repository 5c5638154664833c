"""Calls of Slack and Kubernetes take effect, their answers are lost: nothing is made twice or forgotten."""

import logging
from collections import Counter
from collections.abc import Callable

import pytest

from tests.e2e.faults.judge import complaints, leftovers, wait_for_ends
from tests.e2e.faults.scene import Scene, eventually

log = logging.getLogger(__name__)

SECONDS = 3
_EVERY = 1000


def in_slack(method: str, times: int, containing: str = "{0}") -> Callable[[Scene], str]:
    """A capture that loses so many answers of a method; `{0}` is its id, `{1}` its message's timestamp."""

    def ask(scene: Scene) -> str:
        id_ = scene.ask(SECONDS)
        ts = eventually(lambda: scene.ledger.get(id_).message_ts, lambda: id_)
        scene.fault_in_slack(method, "lost", containing.format(id_, ts), times=times)
        return id_

    return ask


def at_its_message(scene: Scene) -> str:
    """A capture whose own message's answer is lost; only that one names the person."""
    scene.fault_in_slack("chat.postMessage", "lost", scene.person("dora"))
    return scene.ask(SECONDS, user="dora")


def in_cluster(times: int = 1, cut_after: int | None = None, **match: str) -> Callable[[Scene], str]:
    """A capture that loses the answers of these requests."""

    def ask(scene: Scene) -> str:
        how = {"lost": True} if cut_after is None else {"cut_after": cut_after}
        named = "subresource" not in match and match["verb"] == "create"
        if named:
            scene.fault_in_cluster(match, times=times, **how)
        id_ = scene.ask(SECONDS)
        if not named:
            scene.fault_in_cluster(match | {"name": f"podcap-{id_}"}, times=times, **how)
        return id_

    return ask


IN_SLACK = {
    "chat.postMessage of its message": at_its_message,
    "chat.postMessage of every reply": in_slack("chat.postMessage", _EVERY),
    "chat.update four times": in_slack("chat.update", 4),
    **{
        f"{method} of the {what}": in_slack(method, 1, name)
        for what, name in {"file": "{0}_traefik", "picture": "traffic-{0}"}.items()
        for method in ("files.getUploadURLExternal", "upload")
    },
    "files.completeUploadExternal of both": in_slack("files.completeUploadExternal", 2, "{1}"),
}
IN_CLUSTER = {
    "create pods": in_cluster(verb="create", resource="pods", namespace="podcap"),
    "create events": in_cluster(verb="create", resource="events", namespace="traefik"),
    "delete pods": in_cluster(verb="delete", resource="pods", namespace="podcap"),
    "create pods/exec, the first four": in_cluster(4, 1, resource="pods", subresource="exec"),
}


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_what_took_effect_is_found_and_not_made_again(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene("unanswered")
    failures = {}
    for begun in (
        {name: ask(scene) for name, ask in IN_SLACK.items()},
        *({name: ask} for name, ask in IN_CLUSTER.items()),
    ):
        ids = {name: one if isinstance(one, str) else one(scene) for name, one in begun.items()}
        wait_for_ends(scene, list(ids.values()))
        for name, id_ in ids.items():
            failures[name] = list(complaints(scene, id_, SECONDS))
            log.info("%s: %s", name, failures[name] or "well")
    assert {name: said for name, said in failures.items() if said} == {}
    assert leftovers(scene, scene.world.environment["PODCAP_DATABASE_URL"]) == {}


@pytest.mark.soak
def test_a_refusal_is_said_once_to_the_asker(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene("unasked")
    mallory = scene.person("mallory")
    said = {}
    for method, kinds in {
        "response_url": {"response_url": "lost"},
        "chat.postEphemeral": {"response_url": "http_500", "chat.postEphemeral": "lost"},
    }.items():
        for one, kind in kinds.items():
            scene.fault_in_slack(one, kind, mallory)
        id_ = scene.ask(SECONDS, user="mallory")
        eventually(lambda id_=id_: scene.ledger.get(id_).shown, lambda id_=id_: scene.ledger.get(id_))
        sentence = scene.ledger.get(id_).sentence or ""
        shown = scene.world.control("state")["ephemeral"]
        texts = Counter(one["message"]["text"] for one in shown if one["user"] == mallory)
        said[method] = texts[sentence] - sum(said.values())
    assert said == {"response_url": 1, "chat.postEphemeral": 1}
