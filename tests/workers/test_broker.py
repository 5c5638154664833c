"""PODCAP_BROKER_URL as kombu gets it, with real Redis and a real Sentinel."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu.connection import Connection

from deploy.lab.redis import RedisServer, free_port
from tests.hangs import HANGS
from workers.broker import broker
from workers.settings import Settings


def test_a_url_of_redis_is_left_as_it_is() -> None:
    one = broker("redis://:secret@h:6379/1", socket_timeout=10)
    assert (one.url, one.options) == ("redis://:secret@h:6379/1", {"socket_timeout": 10})


def test_the_name_of_what_sentinels_watch_becomes_an_option() -> None:
    one = broker("sentinel://:secret@a:26379;sentinel://b:26379/0?master_name=podcap", max_retries=1)
    assert one.url == "sentinel://:secret@a:26379;sentinel://b:26379/0"
    assert one.options == {"max_retries": 1, "master_name": "podcap"}


def test_sentinels_without_the_name_of_what_they_watch_are_no_setting() -> None:
    with pytest.raises(ValueError, match="master_name"):
        Settings(_env_file=None, PODCAP_BROKER_URL="sentinel://a:26379")


@contextmanager
def a_sentinel(folder: Path, master: RedisServer) -> Iterator[int]:
    """Watches `master` under the name podcap, alone; its port."""
    port = free_port()
    file = folder / "sentinel.conf"
    file.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
        f"sentinel monitor podcap 127.0.0.1 {master.port} 1\n"
        "sentinel down-after-milliseconds podcap 5000\nsentinel failover-timeout podcap 3000\n"
    )
    command = ["redis-server", str(file), "--sentinel"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            client = redis.Redis(port=port)
            while not answers(client) or not is_master(client, master.port):
                time.sleep(0.05)
            client.close()
            yield port
        finally:
            process.terminate()


def is_master(sentinel: "redis.Redis", port: int) -> bool:
    """Whether the Sentinel says so, and has no doubt."""
    state: Any = sentinel.sentinel_master("podcap")
    return bool(state["port"] == port and not state["is_odown"] and not state["is_sdown"])


def answers(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def through(port: int, text: str) -> str:
    """What comes out of a queue behind the Sentinel after this was put in."""
    where = broker(
        f"sentinel://127.0.0.1:{port}/0?master_name=podcap", socket_connect_timeout=2, socket_timeout=5
    )
    with Connection(where.url, transport_options=where.options) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=5)
        with connection.SimpleQueue("captures.test") as queue:
            queue.put(text)
            message = queue.get(timeout=HANGS)
            message.ack()
            return str(message.payload)


def test_a_queue_behind_a_sentinel_carries_ids(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis") as master, a_sentinel(tmp_path, master) as port:
        assert through(port, "cap-222222") == "cap-222222"


@pytest.mark.soak
def test_a_queue_behind_a_sentinel_goes_on_with_the_replica_when_its_redis_dies(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "one") as one, RedisServer(tmp_path / "two") as two:
        replica = redis.Redis(port=two.port)
        replica.replicaof("127.0.0.1", str(one.port))
        with a_sentinel(tmp_path, one) as port:
            assert through(port, "cap-222222") == "cap-222222"
            sentinel = redis.Redis(port=port)
            while not sentinel.sentinel_slaves("podcap"):
                time.sleep(0.2)
            one.stop()
            while not is_master(sentinel, two.port):
                time.sleep(0.2)
            assert through(port, "cap-333333") == "cap-333333"
            sentinel.close()
        replica.close()
