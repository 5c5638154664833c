"""A week of beat's work by a clock that is moved: real databases, a real folder, a real API for the pods."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.terminal.identity import Identity
from bot.terminal.place import TerminalPlace
from tests.lab.apiserver.conftest import ApiServer
from tests.orders import terminal_order
from tests.walk import walk
from workers.agent.pod_spec import AgentLimits, Owner, pod_spec
from workers.housekeeping import keep_house
from workers.ledger.agreement import disagreement
from workers.ledger.capture import TERMINAL, Capture
from workers.ledger.ledger import Ledger
from workers.ledger.states import FINAL, State
from workers.policy.rules import NOBODY
from workers.pulse import Pulse
from workers.report import Silence
from workers.retention import keep_store
from workers.services import Services
from workers.settings import Settings
from workers.store import Store
from workers.trail.trail import Wanted

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
STEP = timedelta(hours=12)
KEEP_FILES, KEEP_CAPTURES = timedelta(days=2), timedelta(days=4)


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return (self.now - MONDAY).total_seconds()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(engine: Engine, clock: Clock) -> Ledger:
    return Ledger(engine, clock)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    server = ApiServer(tmp_path_factory.mktemp("api"))
    try:
        server.start()
        yield server
    finally:
        server.forget()


@pytest.fixture
def make_services(ledger: Ledger, tmp_path: Path) -> Callable[..., Services]:
    def make(**settings: str) -> Services:
        values = {"KUBECONFIG": "/no/such/file", "PODCAP_AGENT_NAMESPACE": "default", **settings}
        place = TerminalPlace(Identity("alice", None, "account"), Silence())
        return Services(Settings(**values), ledger, NOBODY, Store(str(tmp_path / "store")), place)

    return make


def ask(ledger: Ledger, *states: State, origin: str = TERMINAL) -> Capture:
    wanted = terminal_order(origin=origin)
    capture, _ = ledger.request(wanted)
    return walk(ledger, capture.id, *states)


TO_DELIVERING = (
    State.QUEUED,
    State.TAPPING,
    State.CAPTURING,
    State.COLLECTING,
    State.SUMMARISING,
)


def deliver(services: Services, folder: Path, size: int = 100) -> Capture:
    capture = ask(services.ledger, *TO_DELIVERING)
    name = f"{capture.id}_traefik_cheddar.pcapng"
    file = folder / "spool"
    file.write_bytes(b"x" * size)
    assert services.store is not None
    url = services.store.put(file, name)
    walk(services.ledger, capture.id, State.DELIVERING, file_url=url, file_bytes=size)
    return walk(services.ledger, capture.id, State.DELIVERED)


def stored(folder: Path) -> set[str]:
    return {path.name for path in (folder / "store").iterdir()}


def test_a_week_of_beats_work_leaves_no_row_file_or_pod_that_settings_say_should_be_gone(
    engine: Engine, clock: Clock, make_services: Callable[..., Services], tmp_path: Path, api: ApiServer
) -> None:
    services = make_services(
        KUBECONFIG=str(api.kubeconfig), PODCAP_KEEP_FILES="2d", PODCAP_KEEP_CAPTURES="4d"
    )
    ledger, store = services.ledger, services.store
    assert store is not None
    pulse = Pulse(looks=1, clock=clock.seconds)
    installation = ledger.installation()
    everything = []
    (tmp_path / "store").mkdir()
    foreign = {"cap-foreig_of_another_podcap.pcap", "readme.txt"}
    for name in foreign:
        (tmp_path / "store" / name).write_text("not podcap's")

    while clock.now < MONDAY + timedelta(days=7):
        done = deliver(services, tmp_path)
        with services.cluster() as cluster:
            owner = Owner(done.id, installation)
            limits = AgentLimits(seconds=30, spool_bytes=1)
            spec = pod_spec(owner=owner, node="n1", namespace="default", image="agent", limits=limits)
            cluster.create_pod("default", spec)
        everything += [
            done,
            ask(ledger, State.FAILED),
            ask(ledger, State.QUEUED),  # nobody takes it
            ask(ledger, State.QUEUED, State.TAPPING),  # its worker dies
        ]
        clock.now += STEP
        for _ in range(2):
            keep_house(services, pulse)
            keep_store(services)
            clock.now += timedelta(minutes=2)

    rows = ledger.archive.known(one.id for one in everything)
    assert all(row.state in FINAL for row in rows.values())
    assert all(row.ended_at and row.ended_at >= clock.now - KEEP_CAPTURES - STEP for row in rows.values())
    assert set(rows) >= {one.id for one in everything if one.requested_at >= clock.now - KEEP_CAPTURES}
    with_file = {row.file_url.rpartition("/")[2] for row in rows.values() if row.file_url}
    young = {one.id for one in everything if one.file_url and one.requested_at >= clock.now - KEEP_FILES}
    assert {name[:10] for name in with_file} >= young
    assert all(row.ended_at >= clock.now - KEEP_FILES - STEP for row in rows.values() if row.file_url)  # type: ignore[operator]
    assert stored(tmp_path) == with_file | foreign
    with services.cluster() as cluster:
        assert cluster.pods_with_label("default", "podcap.dev/capture") == ()

    forgotten = [one for one in everything if one.id not in rows]
    assert len(forgotten) > len(everything) // 3
    first = [entry.event for entry in ledger.trail.entries(Wanted(capture_id=forgotten[0].id))]
    assert first[0] == "requested"
    assert first[-3:] == ["delivered", "deleted", "forgotten"]
    assert {entry.by for entry in ledger.trail.entries(Wanted(event="forgotten"))} == {"beat"}
    assert ledger.trail.verify().fault is None
    assert disagreement(engine) is None


def test_a_file_that_no_capture_has_is_removed_when_podcap_made_it(
    ledger: Ledger, make_services: Callable[..., Services], tmp_path: Path
) -> None:
    services = make_services()
    capture, running = deliver(services, tmp_path), ask(ledger, *TO_DELIVERING)
    plain = ask(ledger, State.FAILED)
    # A process that died between the entry and the removal; what others died at; and workers that write.
    assert ledger.archive.give_up_file(capture, by="beat", facts={})
    for name in (f"{plain.id}_traefik_cheddar.pcap", f".{plain.id}_traefik_cheddar.pcapng.part"):
        (tmp_path / "store" / name).write_text("half")
    writing = {f"{running.id}_traefik_cheddar.pcap", f".{running.id}_traefik_cheddar.pcapng.part"}
    for name in writing:
        (tmp_path / "store" / name).write_text("half")
    keep_store(services)
    assert stored(tmp_path) == writing
    last = [entry.known() for entry in ledger.trail.entries(Wanted(event="deleted"))][-1]
    assert last["reason"] == "no capture has this file"


def test_what_is_kept_for_ever_stays(
    ledger: Ledger, clock: Clock, make_services: Callable[..., Services], tmp_path: Path
) -> None:
    services = make_services(PODCAP_KEEP_FILES="forever", PODCAP_KEEP_CAPTURES="forever")
    capture = deliver(services, tmp_path)
    clock.now += timedelta(days=3650)
    keep_house(services, Pulse())
    keep_store(services)
    assert ledger.get(capture.id).file_url is not None
    assert len(stored(tmp_path)) == 1


def test_a_file_that_the_store_does_not_remove_stays_known_and_is_not_tried_at_once_again(
    ledger: Ledger, clock: Clock, make_services: Callable[..., Services], tmp_path: Path
) -> None:
    services = make_services()
    capture = deliver(services, tmp_path)
    (name,) = stored(tmp_path)
    # Not even root removes a folder as if it were a file.
    (tmp_path / "store" / name).unlink()
    (tmp_path / "store" / name / "inside").mkdir(parents=True)
    clock.now = datetime.now(UTC) + timedelta(days=31)
    for _ in range(2):
        keep_store(services)
    events = [entry.event for entry in ledger.trail.entries(Wanted(capture_id=capture.id))]
    assert events[-2:] == ["deleted", "delete failed"]
    assert ledger.get(capture.id).file_url == capture.file_url
    keep_house(services, Pulse())
    assert ledger.get(capture.id) is not None


def test_the_size_of_a_file_from_before_is_measured_once(
    ledger: Ledger, make_services: Callable[..., Services], tmp_path: Path
) -> None:
    services = make_services()
    capture = deliver(services, tmp_path, size=321)
    ledger.note(capture.id, file_bytes=None)
    assert ledger.archive.stored_bytes() == 0
    keep_store(services)
    assert ledger.archive.stored_bytes() == 321
    assert (ledger.archive.free_bytes() or 0) > 0
