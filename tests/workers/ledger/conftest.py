"""A ledger in a new SQLite database."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine

from workers.ledger.capture import Order
from workers.ledger.engine import open_engine
from workers.ledger.ledger import Ledger
from workers.ledger.migrate import migrate


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.db")
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine)


@pytest.fixture
def order() -> Callable[..., Order]:
    numbers = count()

    def make(**changes: object) -> Order:
        values: dict[str, object] = {
            "idempotency_key": f"trigger-{next(numbers)}",
            "cluster": "default",
            "namespace": "traefik",
            "pod": "cheddar-845749dbd6-zcdjm",
            "seconds": 30,
            "filter": "port 80",
            "full": False,
            "team_id": "T1",
            "channel_id": "C1",
            "user_id": "U1",
            "user_name": "alice",
            "response_url": None,
        }
        return Order(**(values | changes))  # type: ignore[arg-type]

    return make
