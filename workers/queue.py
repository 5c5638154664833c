"""The Celery app: a queue that carries the ids of captures, and nothing that may not be lost.

The ledger is the truth. A message that is lost is sent again by beat, one that comes twice finds the capture
taken, so Celery's own guarantees are set to the simplest that work.
"""

import logging
import sys

from celery import Celery
from celery.signals import setup_logging
from kombu.exceptions import OperationalError

from workers.logs import about, set_up_logs
from workers.settings import SettingsError, load

log = logging.getLogger(__name__)

RUN_CAPTURE = "podcap.run_capture"
HOUSEKEEPING = "podcap.housekeeping"


def _broker_url() -> str:
    try:
        return load().broker_url
    except SettingsError as error:
        # Read while a process imports this module: one line for a person, no traceback.
        raise SystemExit(str(error)) from None


app = Celery("podcap", include=["workers.tasks"])
app.conf.update(
    broker_url=_broker_url(),
    # Nobody reads results: they are in the ledger.
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    # Acknowledged when received: with late acks Redis would deliver a long capture again after its visibility
    # timeout. What a dying worker loses, beat finds in the ledger.
    task_acks_late=False,
    # A worker takes what it can run now and leaves the rest to others.
    worker_prefetch_multiplier=1,
    # An unreachable Redis must be noticed in seconds: the asker is waiting to be told.
    broker_connection_timeout=2,
    broker_transport_options={"socket_connect_timeout": 2, "socket_timeout": 10, "max_retries": 1},
    # A worker outlives Redis: it keeps trying, from its start on.
    broker_connection_retry=True,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # A capture in progress needs no Redis, so a lost connection does not end it.
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    beat_schedule={"housekeeping": {"task": HOUSEKEEPING, "schedule": 5.0}},
    # beat runs housekeeping in its own process; see workers.beat.
    beat_max_loop_interval=5,
)


@setup_logging.connect  # type: ignore[untyped-decorator]
def _keep_our_logs(**_: object) -> None:
    set_up_logs("beat" if "beat" in sys.argv else "worker")


def queue_of(cluster: str) -> str:
    """The name of the queue whose workers can reach this cluster."""
    return f"captures.{cluster}"


def publish(capture_id: str, cluster: str) -> bool:
    """Puts a capture's id into its queue.

    Returns:
        Whether Redis took it. When not, nothing is lost: beat publishes it again.
    """
    try:
        with about(capture_id), app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=3)
            app.send_task(
                RUN_CAPTURE,
                (capture_id,),
                task_id=capture_id,  # so that Celery's own lines name the capture
                queue=queue_of(cluster),
                connection=connection,
                retry=False,
            )
    except (OperationalError, OSError) as error:
        log.warning("the queue cannot be reached: %s", error)
        return False
    return True
