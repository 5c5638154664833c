import pytest
from sqlalchemy import Engine, text

from tests.orders import order
from workers.ledger.capture import Capture, Order
from workers.ledger.lease import Lease, LeaseLostError
from workers.ledger.ledger import Ledger
from workers.ledger.states import IllegalMoveError, Maker, State
from workers.ledger.tap_record import TapKind, TapRecord, TapState
from workers.ledger.taps import Taps
from workers.trail.trail import Wanted

THREE = [
    TapRecord(0, namespace="traefik", pod="cheddar-0", pod_uid="a", node="node1", addresses=("10.244.1.5",)),
    TapRecord(1, namespace="traefik", pod="cheddar-1", pod_uid="b", node="node2"),
    TapRecord(2, TapKind.UPLINK, node="node2", target=1, filter="tcp port 32604"),
]


def admitted(ledger: Ledger, order: Order) -> Capture:
    capture, _ = ledger.request(order)
    return ledger.move(capture.id, State.QUEUED, by="admission", node="node1", taps=THREE)


def taken(ledger: Ledger, order: Order) -> Lease:
    return ledger.leases.take(admitted(ledger, order).id, "worker@host")[1]


def test_the_taps_of_a_capture_are_as_they_were_written_when_it_was_admitted(ledger: Ledger) -> None:
    capture = admitted(ledger, order(targets="traefik/deploy/cheddar node/node2"))
    assert ledger.get(capture.id).targets == "traefik/deploy/cheddar node/node2"
    assert ledger.taps.of(capture.id) == THREE
    assert [one.name for one in THREE] == ["traefik/cheddar-0", "traefik/cheddar-1", "node/node2"]


def test_a_capture_of_one_pod_has_one_tap(ledger: Ledger) -> None:
    capture, _ = ledger.request(order())
    assert ledger.taps.of(capture.id) == []
    ledger.move(capture.id, State.QUEUED, by="admission", node="node1")
    (tap,) = ledger.taps.of(capture.id)
    assert tap == TapRecord(0, namespace=capture.namespace, pod=capture.pod, node="node1")


def test_a_capture_that_an_older_podcap_admitted_has_its_tap_when_a_worker_takes_it(
    ledger: Ledger, engine: Engine
) -> None:
    capture, _ = ledger.request(order())
    ledger.move(capture.id, State.QUEUED, by="admission")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM taps"))
    ledger.leases.take(capture.id, "worker@host")
    assert [one.name for one in ledger.taps.of(capture.id)] == [f"{capture.namespace}/{capture.pod}"]


def test_what_waited_for_approval_keeps_its_taps(ledger: Ledger) -> None:
    capture, _ = ledger.request(order())
    ledger.move(capture.id, State.AWAITING_APPROVAL, by="admission", taps=THREE)
    ledger.move(capture.id, State.QUEUED, by="U2", maker=Maker.APPROVER)
    assert ledger.taps.of(capture.id) == THREE


def test_a_move_that_does_not_happen_writes_no_taps(ledger: Ledger) -> None:
    capture, _ = ledger.request(order())
    ledger.move(capture.id, State.DENIED, by="admission")
    with pytest.raises(IllegalMoveError):
        ledger.move(capture.id, State.QUEUED, by="admission", taps=THREE)
    assert ledger.taps.of(capture.id) == []


def test_what_a_tap_has_come_to_is_written_with_the_lease(ledger: Ledger) -> None:
    lease = taken(ledger, order())
    values = {"state": TapState.CAPTURING, "addresses": ("10.244.2.7", "fd00::7"), "began": 1 << 60}
    ledger.taps.note(lease, 1, **values)
    first, second, third = ledger.taps.of(lease.capture_id)
    assert (first, third) == (THREE[0], THREE[2])
    assert {name: getattr(second, name) for name in values} == values
    with pytest.raises(KeyError):
        ledger.taps.note(lease, 3, packets=1)
    ledger.leases.let_go(lease)
    with pytest.raises(LeaseLostError):
        ledger.taps.note(lease, 1, packets=1)


def test_taps_of_several_captures_are_read_at_once(ledger: Ledger, engine: Engine) -> None:
    captures = [admitted(ledger, order()) for _ in range(2)]
    waiting, _ = ledger.request(order())
    found = Taps(engine).of_several([*(one.id for one in captures), waiting.id])
    assert found == {one.id: THREE for one in captures}


def test_a_forgotten_capture_leaves_no_taps(ledger: Ledger, engine: Engine) -> None:
    capture = admitted(ledger, order())
    ledger.archive.forget(capture, by="beat", reason="too early")
    assert ledger.taps.of(capture.id) == THREE
    ended = ledger.move(capture.id, State.STOPPED, by="U1", maker=Maker.PERSON)
    ledger.archive.forget(ended, by="beat", reason="old")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM taps")) == 0


def test_the_trail_can_name_one_pod_of_several(ledger: Ledger) -> None:
    capture = admitted(ledger, order())
    ledger.record(capture.id, "tapped", by="worker", namespace="traefik", pod="cheddar-1")
    ledger.record(capture.id, "delivered picture", by="worker")
    named = [entry.pod for entry in ledger.trail.entries(Wanted(capture_id=capture.id))]
    assert named[-2:] == ["cheddar-1", capture.pod]
