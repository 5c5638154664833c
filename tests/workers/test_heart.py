"""The heartbeat of a process that lives on after its captures."""

from sqlalchemy import Engine, Pool

from tests.workers.test_work import ORDER
from workers.heart import Heart
from workers.ledger.ledger import Ledger
from workers.ledger.states import State


def test_once_it_is_stopped_it_is_at_the_database_no_more(engine: Engine) -> None:
    ledger = Ledger(engine)
    capture, _ = ledger.request(ORDER)
    ledger.move(capture.id, State.QUEUED, by="bot")
    _, lease = ledger.leases.take(capture.id, "worker")
    heart = Heart(ledger)
    with heart.beating(lease):
        heart.stop()
        pool: Pool = engine.pool
        assert pool.checkedout() == 0  # type: ignore[attr-defined]
        assert heart._thread is not None
        assert not heart._thread.is_alive()
