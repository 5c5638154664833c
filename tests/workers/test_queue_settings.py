"""What Celery's settings are for, with a real worker and a real Redis."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery

from deploy.lab.redis import RedisServer
from tests.hangs import HANGS
from tests.workers.waiting_app import NAME, QUEUE

ROOT = Path(__file__).parents[2]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def worker(server: RedisServer, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Of one thread, which hangs; two tasks more are in the queue."""
    environment = os.environ | {
        "PODCAP_BROKER_URL": server.url,
        "PODCAP_DATABASE_URL": f"sqlite:///{tmp_path}/podcap.db",
        "PODCAP_STORE_URL": str(tmp_path / "store"),
        "PODCAP_AGENT_IMAGE": "none",
        "SLACK_BOT_TOKEN": "xoxb-none",
        "SLACK_API_URL": "http://127.0.0.1:1/",
        "PORT": "0",
        "WAIT_FOR": str(tmp_path / "go"),
    }
    options = ["--pool", "threads", "--concurrency", "1", "--queues", QUEUE, "--without-gossip"]
    command = [sys.executable, "-m", "celery", "-A", "tests.workers.waiting_app", "worker", *options]
    for _ in range(3):
        Celery(broker=server.url).send_task(NAME, queue=QUEUE)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        while not (tmp_path / "begun").exists():
            assert process.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.1)
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_full_worker_leaves_the_rest_to_others(
    server: RedisServer, worker: subprocess.Popen[bytes]
) -> None:
    client = redis.Redis(port=server.port)
    # Whatever it takes besides it takes at once.
    time.sleep(1)
    assert client.llen(QUEUE) == 2
    assert client.hlen("unacked") == 0  # what it is at was acknowledged when it began
    client.close()
    assert worker.poll() is None


@pytest.mark.parametrize("signals", [[signal.SIGTERM, signal.SIGTERM], [signal.SIGQUIT]])
def test_a_worker_whose_thread_hangs_ends_at_once_when_told_so(
    worker: subprocess.Popen[bytes], signals: list[signal.Signals]
) -> None:
    for number in signals:
        worker.send_signal(number)
        time.sleep(0.5)
    assert worker.wait(HANGS) == 0
