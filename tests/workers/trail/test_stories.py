"""Which captures an answer about the trail tells of."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from tests.orders import order
from workers.ledger.ledger import Ledger
from workers.trail.stories import stories


@pytest.fixture
def ask(engine: Engine) -> Callable[..., str]:
    ledger = Ledger(engine)

    def ask(pod: str, *tapped: str) -> str:
        key = f"{pod} {tapped}"
        wanted = order(idempotency_key=key, namespace="shop", pod=pod, seconds=1)
        capture, _ = ledger.request(wanted)
        for one in tapped:
            ledger.record(capture.id, "tapped", by="worker", namespace="shop", pod=one)
        return capture.id

    return ask


def told(engine: Engine, *, most: int = 10, **wanted: object) -> tuple[list[str], bool]:
    found, more = stories(Ledger(engine).trail, most=most, **wanted)  # type: ignore[arg-type]
    return [one.capture_id for one in found], more


def test_a_pod_that_was_captured_among_others_is_found_and_each_capture_once(
    engine: Engine, ask: Callable[..., str]
) -> None:
    alone = ask("web-0", "web-0")
    several = ask("deploy/web", "web-0", "web-1")
    ask("web-2", "web-2")
    assert told(engine, namespace="shop", pod="web-0") == ([several, alone], False)
    assert told(engine, namespace="shop", pod="web-1", within=timedelta(hours=1)) == ([several], False)
    assert told(engine, namespace="shop", pod="web-0", most=1) == ([several], True)
    assert told(engine, capture_id=alone) == ([alone], False)
    assert len(told(engine)[0]) == 3
