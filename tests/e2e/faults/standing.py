"""Captures that stand still, one in each state that there is, until they are let go."""

import os
import signal
import time
from threading import Barrier

from tests.e2e.faults.scene import Scene, eventually
from workers.ledger.states import ACTIVE, WAITING, State

STATES = [state for state in State if state in WAITING | ACTIVE and state is not State.AWAITING_CONFIRMATION]
"""Every state that a capture can be in when something dies. One that awaits its asker's word is a row that
nobody works at, as one that awaits approval is, and is moved and expires by the same code."""

SECONDS = {
    State.REQUESTED: 1,
    State.AWAITING_APPROVAL: 1,
    State.QUEUED: 1,
    State.TAPPING: 1,
    State.CAPTURING: 300,
    State.COLLECTING: 8,
    State.SUMMARISING: 1,
    State.DELIVERING: 2,
}
"""How long the capture in each state is to be; the one that captures is stopped by hand."""


def stand(scene: Scene, together: Barrier | None = None) -> dict[State, str]:
    """Brings a capture into each state; the worker is stopped afterwards, so that none leaves it.

    Slack and the cluster do not answer what would bring it further: no profile (requested), no place for the
    file (delivering), no exec in the agent pod (tapping, collecting), no list of the names (summarising).

    Args:
        scene: Where.
        together: Where several scenes wait for each other before the last steps.

    Returns:
        Their ids; `moved` says which of them a busy machine did not hold in time.
    """
    ids: dict[State, str] = {}

    def begin(state: State, user: str = "alice") -> str:
        ids[state] = scene.ask(SECONDS[state], user=user)
        return ids[state]

    def wait_for(state: State, goal: State) -> None:
        way = list(State)

        def there() -> bool:
            return way.index(scene.ledger.get(ids[state]).state) >= way.index(goal)

        eventually(there, lambda: (state, goal, scene.ledger.get(ids[state])))

    begin(State.AWAITING_APPROVAL, "fran")
    scene.hold_in_slack("files.getUploadURLExternal", begin(State.DELIVERING))
    begin(State.COLLECTING)
    begin(State.CAPTURING)
    wait_for(State.COLLECTING, State.CAPTURING)
    eventually(lambda: _shows_progress(scene, ids[State.COLLECTING]), lambda: ids[State.COLLECTING])
    _hold_exec(scene, ids[State.COLLECTING])
    wait_for(State.CAPTURING, State.CAPTURING)
    wait_for(State.DELIVERING, State.DELIVERING)
    wait_for(State.COLLECTING, State.COLLECTING)
    if together is not None:
        together.wait()
    _hold_exec(scene, begin(State.TAPPING))
    wait_for(State.TAPPING, State.TAPPING)
    # The names of the others are known by now; the next list is for this one's. It waits for it for 10 s.
    scene.hold_in_cluster(times=1, verb="list", resource="services")
    begin(State.SUMMARISING)
    wait_for(State.SUMMARISING, State.SUMMARISING)
    _stop_the_worker(scene)
    scene.hold_in_slack("users.info", scene.person("dora"))
    begin(State.REQUESTED, "dora")
    begin(State.QUEUED)
    wait_for(State.QUEUED, State.QUEUED)
    eventually(lambda: scene.ledger.get(ids[State.QUEUED]).published_at, lambda: "its id in the queue")
    return ids


def moved(scene: Scene, ids: dict[State, str]) -> dict[State, State]:
    """Captures that do not stand where they were to: on a busy machine one may have gone on."""
    found = {state: scene.ledger.get(id_).state for state, id_ in ids.items()}
    return {state: now for state, now in found.items() if now is not state}


def go_on(scene: Scene) -> None:
    """Lets the worker run again, where it is still the one that was stopped."""
    process = scene.world.podcap.processes.get("worker")
    if process is not None:
        os.kill(process.pid, signal.SIGCONT)


def _stop_the_worker(scene: Scene) -> None:
    """Between its transactions: a process that is killed holds no lock, one that is stopped does."""
    pid = scene.world.podcap.processes["worker"].pid
    os.kill(pid, signal.SIGSTOP)
    while not scene.takes_writes():
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.05)
        os.kill(pid, signal.SIGSTOP)


def _hold_exec(scene: Scene, id_: str) -> None:
    scene.hold_in_cluster(resource="pods", subresource="exec", name=f"podcap-{id_}")


def _shows_progress(scene: Scene, id_: str) -> bool:
    """Packets arrive: the worker follows the spool, and its next exec is the one that fetches the rest."""
    if scene.ledger.get(id_).state is not State.CAPTURING:
        return True
    return any(f"of {SECONDS[State.COLLECTING]}s ·" in one["text"] for one in scene.posted("message", id_))
