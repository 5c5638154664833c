"""The processes that can die, how each is killed, and how it comes back."""

import os
import signal

from tests.e2e.faults.scene import Scene

SHARED = {"API server": "apiserver", "Slack": "slack"}
"""The lab's, by what its servers are called."""

PROCESSES = ("bot", "worker", "beat", "Redis", "PostgreSQL", *SHARED)


def kill(scene: Scene, process: str) -> None:
    """Kills it with SIGKILL; nothing happens where there is none, as PostgreSQL on SQLite."""
    if process in SHARED:
        scene.lab.kill(SHARED[process])
    elif process == "Redis":
        scene.world.redis.kill()
    elif process == "PostgreSQL":
        if scene.postgresql is not None:
            scene.postgresql.kill()
    else:
        running = scene.world.podcap.processes.pop(process)
        scene.killed.add(running.pid)
        os.kill(running.pid, signal.SIGKILL)
        running.wait()


def start(scene: Scene, process: str) -> None:
    """Starts it again."""
    if process in SHARED:
        scene.lab.restart(SHARED[process])
    elif process == "Redis":
        scene.world.redis.start()
    elif process == "PostgreSQL":
        if scene.postgresql is not None:
            scene.postgresql.start()
    else:
        scene.world.podcap.start(process)
