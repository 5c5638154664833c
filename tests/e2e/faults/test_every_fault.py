"""Every process is killed while a capture stands in every state: each ends once, with one thread and file."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import pytest

from deploy.lab.postgresql import PostgreSQLServer
from tests.e2e.faults.judge import complaints, leftovers, wait_for_ends
from tests.e2e.faults.kills import PROCESSES, SHARED, kill, start
from tests.e2e.faults.scene import Scene, eventually, release
from tests.e2e.faults.standing import SECONDS, STATES, go_on, moved, stand
from tests.e2e.faults.table import Table
from tests.hangs import HANGS
from workers.ledger.states import State
from workers.trail.trail import Wanted

log = logging.getLogger(__name__)

ROUNDS = 2
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"

MakeScene = Callable[..., Scene]


def judged(scene: Scene, ids: dict[State, str]) -> dict[State, list[str]]:
    """What is wrong with each capture, once all have ended."""
    wait_for_ends(scene, list(ids.values()))
    found = {}
    for state, id_ in ids.items():
        if state is State.CAPTURING:
            seconds, goal = _until_the_stop(scene, id_), State.STOPPED
        else:
            seconds, goal = float(SECONDS[state]), State.DELIVERED
        found[state] = list(complaints(scene, id_, seconds, goal))
    return found


def _until_the_stop(scene: Scene, id_: str) -> float:
    """Seconds from a capture's begin until somebody pressed Stop."""
    entries = scene.ledger.trail.entries(Wanted(capture_id=id_))
    at = {one.event: datetime.fromisoformat(one.at) for one in entries}
    return (at["stop requested"] - at[State.CAPTURING]).total_seconds()


def click(scene: Scene, ids: dict[State, str]) -> None:
    """A second person approves, and somebody presses Stop, once there is a bot again that can hear it."""
    eventually(scene.hears, lambda: "the bot to be ready")
    scene.click("approve_capture", scene.ledger.get(ids[State.AWAITING_APPROVAL]), user="bob")
    scene.click("stop_capture", scene.ledger.get(ids[State.CAPTURING]), user="alice")


def kill_in_all(scenes: list[Scene], process: str) -> None:
    for scene in scenes[:1] if process in SHARED else scenes:
        kill(scene, process)


def start_in_all(scenes: list[Scene], process: str) -> None:
    for scene in scenes[:1] if process in SHARED else scenes:
        start(scene, process)


def test_one_of_each_is_killed_and_every_capture_ends_once(
    make_scene: MakeScene, postgresql: PostgreSQLServer
) -> None:
    scene = make_scene("unshaken", postgresql)
    ids = stand(scene)
    log.info("captures stand; elsewhere: %s", moved(scene, ids))
    # The others die while beat waits for the dead worker, or its captures are taken over.
    for process in sorted(PROCESSES, key=lambda one: one not in ("worker", "beat")):
        kill(scene, process)
        start(scene, process)
        log.info("started %s", process)
    release(scene)
    click(scene, ids)
    log.info("go on")
    assert {state: said for state, said in judged(scene, ids).items() if said} == {}
    assert leftovers(scene, scene.world.environment["PODCAP_DATABASE_URL"]) == {}


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_each_process_is_killed_twice_in_every_state_on_both_databases(
    make_scene: MakeScene, postgresql: PostgreSQLServer
) -> None:
    scenes = {SQLITE: make_scene("shaken-by-files"), POSTGRESQL: make_scene("shaken-by-servers", postgresql)}
    table, failures = Table(), []
    for process in PROCESSES:
        for number in range(ROUNDS):
            for database, said in one_round(scenes, process).items():
                if process == "PostgreSQL" and database == SQLITE:
                    continue
                for state in STATES:
                    table.add(process, state, database, well=not said[state])
                failures += [
                    f"{process} in {state} on {database}, round {number}: {one}"
                    for state in STATES
                    for one in said[state]
                ]
            log.info("%s, round %d: failures so far: %s", process, number, failures or "none")
    log.info("\n%s", "\n".join(table.rows(SQLITE, POSTGRESQL)))
    assert failures == []
    for scene in scenes.values():
        assert leftovers(scene, scene.world.environment["PODCAP_DATABASE_URL"]) == {}


def one_round(scenes: dict[str, Scene], process: str) -> dict[str, dict[State, list[str]]]:
    """Kills a process in all scenes; what is wrong with each capture, by database."""
    found = list(scenes.values())
    with ThreadPoolExecutor(len(found)) as pool:
        together = Barrier(len(found), timeout=HANGS)
        ids = list(pool.map(lambda scene: stand(scene, together), found))
        while elsewhere := [moved(*one) for one in zip(found, ids, strict=True) if moved(*one)]:
            log.info("once more, because some moved on: %s", elsewhere)
            let_go(found, ids)
            for scene, captures in zip(found, ids, strict=True):
                wait_for_ends(scene, list(captures.values()))
            ids = list(pool.map(lambda scene: stand(scene, together), found))
        log.info("captures stand in %d states", len(STATES))
        kill_in_all(found, process)
        start_in_all(found, process)
        let_go(found, ids)
        return dict(zip(scenes, pool.map(judged, found, ids), strict=True))


def let_go(scenes: list[Scene], ids: list[dict[State, str]]) -> None:
    """Lets all captures go on to their ends."""
    release(scenes[0])
    for scene, captures in zip(scenes, ids, strict=True):
        go_on(scene)
        click(scene, captures)
