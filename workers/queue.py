"""The Celery app: a queue that carries the ids of captures, and nothing that may not be lost.

The ledger is the truth. A message that is lost is sent again by beat, one that comes twice finds the capture
taken, so Celery's own guarantees are set to the simplest that work.
"""

import gc
import logging
import sys
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_ready
from kombu.exceptions import OperationalError

from workers.broker import Broker, broker
from workers.consumer_life import ConsumerLife
from workers.logs import about, set_up_logs
from workers.metrics import PUBLISH_FAILURES
from workers.settings import SettingsError, load

log = logging.getLogger(__name__)

RUN_CAPTURE = "podcap.run_capture"
HOUSEKEEPING = "podcap.housekeeping"
ASK_TO_KEEP_STORE = "podcap.ask_to_keep_store"
KEEP_STORE = "podcap.keep_store"

_STORE_ROUND_SECONDS = 60.0


def _broker() -> Broker:
    try:
        return broker(load().broker_url, **_TRANSPORT)
    except SettingsError as error:
        # Read while a process imports this module: one line for a person, no traceback.
        raise SystemExit(str(error)) from None


_TRANSPORT = {
    # As with broker_connection_timeout; a Redis that accepts and says nothing is noticed after ten seconds.
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "max_retries": 1,
    # A connection that a firewall has forgotten is noticed without a message to be sent.
    "health_check_interval": 15,
    "socket_keepalive": True,
    # How long Redis keeps what a worker received and did not begin, when that worker died, before another
    # gets it. Nothing depends on it, because beat publishes again what was not begun: so it is the default,
    # said.
    "visibility_timeout": 3600,
}

_BROKER = _broker()

app = Celery("podcap", include=["workers.tasks"])
app.steps["consumer"].add(ConsumerLife)
app.conf.update(
    broker_url=_BROKER.url,
    broker_transport_options=_BROKER.options,
    # Nobody reads results: they are in the ledger.
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    # Acknowledged when received: with late acks Redis would deliver a long capture again after its visibility
    # timeout. What a dying worker loses, beat finds in the ledger.
    task_acks_late=False,
    # A worker takes what it can run now and leaves the rest to others. Prefetch 1 alone would not do that:
    # what is acknowledged early does not count, so a full worker would take as many again and sit on them.
    worker_prefetch_multiplier=1,
    worker_disable_prefetch=True,
    # An unreachable Redis must be noticed in seconds: the asker is waiting to be told.
    broker_connection_timeout=2,
    # A worker outlives Redis: it keeps trying, from its start on.
    broker_connection_retry=True,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # A capture in progress needs no Redis, so a lost connection does not end it.
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    beat_schedule={
        "housekeeping": {"task": HOUSEKEEPING, "schedule": 5.0},
        "store": {"task": ASK_TO_KEEP_STORE, "schedule": _STORE_ROUND_SECONDS},
    },
    # beat runs housekeeping in its own process; see workers.beat.
    beat_max_loop_interval=5,
)


@setup_logging.connect  # type: ignore[untyped-decorator]
def _keep_our_logs(**_: object) -> None:
    set_up_logs("beat" if "beat" in sys.argv else "worker")


@worker_ready.connect  # type: ignore[untyped-decorator]
@beat_init.connect  # type: ignore[untyped-decorator]
def _look_for_no_garbage_in_what_was_imported(**_: object) -> None:
    gc.freeze()


def queue_of(cluster: str) -> str:
    """The name of the queue whose workers can reach this cluster."""
    return f"captures.{cluster}"


def publish(capture_id: str, cluster: str) -> bool:
    """Puts a capture's id into its queue.

    Returns:
        Whether Redis took it. When not, nothing is lost: beat publishes it again.
    """
    with about(capture_id):
        # Its id is the task's, so that Celery's own lines name the capture.
        return _send(RUN_CAPTURE, (capture_id,), queue_of(cluster), task_id=capture_id)


def ask_to_keep_store() -> bool:
    """Asks any worker for a round of `retention.keep_store`; whether Redis took it.

    Every worker has the store mounted. What none of them takes before the next round is gone from the queue.
    """
    return _send(KEEP_STORE, (), queue_of("default"), expires=_STORE_ROUND_SECONDS)


def _send(task: str, arguments: tuple[str, ...], queue: str, **options: Any) -> bool:
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=3)
            app.send_task(task, arguments, queue=queue, connection=connection, retry=False, **options)
    except (OperationalError, OSError) as error:
        PUBLISH_FAILURES.inc()
        log.warning("the queue cannot be reached: %s", error)
        return False
    return True
