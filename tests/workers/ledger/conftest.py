"""A ledger in a new database, once on SQLite and once on PostgreSQL."""

from collections.abc import Callable
from itertools import count

import pytest
from sqlalchemy import Engine

from workers.ledger.capture import Order
from workers.ledger.ledger import Ledger


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
