"""The file that is delivered, and when it is plain pcap."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from tests.migrated import migrated
from tests.walk import lease_of
from tests.workers.names.recorded import recorded
from tests.workers.pcapng.test_write import fields, tool
from tests.workers.summary import packets
from tests.workers.summary.packets import Record
from tests.workers.test_housekeeping import ORDER
from workers.ledger.capture import Capture
from workers.ledger.ledger import Ledger
from workers.naming import Naming
from workers.packaging import packaged
from workers.place import Place
from workers.policy.rules import NOBODY
from workers.report import Silence
from workers.services import Services
from workers.settings import Settings
from workers.spool.report import SpoolReport
from workers.summary.summarise import summarise
from workers.summary.table import flow_table
from workers.work import Work

FRAME = packets.ethernet(packets.ipv4("10.244.1.1", "10.244.1.2", 17, packets.udp(40_000, 80, b"hello")))
REPORT = SpoolReport(1, 7, 2, 100, "0" * 64, "duration")


MakeWork = Callable[[bool], Work]


class _Heard(Silence):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, capture: Capture, sentence: str) -> None:  # noqa: ARG002, what the protocol hands over
        self.said.append(sentence)


class _Taken(Naming):
    """A snapshot that was taken already."""

    def __init__(self) -> None:
        super().__init__(lambda: nullcontext(cast("Any", None)), "traefik")

    def snapshot(self, seconds: float = 0) -> Any:  # noqa: ARG002, it is there
        return replace(recorded(), notes=("Some addresses have no name.",))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    engine = migrated(tmp_path / "ledger.db")
    yield Ledger(engine)
    engine.dispose()


@pytest.fixture
def make_work(ledger: Ledger, tmp_path: Path) -> MakeWork:
    def make(pcap: bool) -> Work:
        order = replace(ORDER, namespace="traefik", pod="cheddar-655d8555f-f7d7z", pcap=pcap)
        capture, _ = ledger.request(order)
        capture = ledger.note(capture.id, node="node1", interface="veth1")
        services = Services(Settings(), ledger, NOBODY, None, cast(Place, None))
        work = Work(services, _Heard(), capture, lease_of(capture), tmp_path)
        work.naming, work.compiled = _Taken(), "port 80"
        return work

    return make


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    path = tmp_path / "headers.pcap"
    path.write_bytes(packets.pcap([Record(FRAME)]))
    return path


def test_the_file_names_pod_node_capture_and_addresses(make_work: MakeWork, spool: Path) -> None:
    asked = make_work(False)
    path, said = packaged(asked, spool, REPORT, summarise(spool, payload=False))
    assert path.suffix == ".pcapng"
    assert not spool.exists()
    assert not isinstance(said, str)
    assert said.notes == ("Some addresses have no name.",)
    table = flow_table(said, width=110)
    assert "gateway of node1:40000 traefik/cheddar-…f7d7z:80" in table
    about = tool("capinfos", "-M", str(path))
    assert f"podcap {asked.capture.id}: traefik/cheddar-655d8555f-f7d7z" in about
    assert "Description = traefik/cheddar-655d8555f-f7d7z on node1" in about
    assert "Capture hardware:    amd64" in about
    hosts = fields(path, "ip.src_host", "ip.dst_host", options=("-N", "n"))
    assert hosts == [["node1.gateway", "cheddar-655d8555f-f7d7z.traefik.pod"]]
    assert "Number of resolved IPv4 addresses in file: 2" in about


def test_plain_pcap_is_what_it_was(make_work: MakeWork, spool: Path) -> None:
    data = spool.read_bytes()
    path, _ = packaged(make_work(True), spool, REPORT, "no summary")
    assert (path, path.read_bytes()) == (spool, data)


def test_packets_that_cannot_be_written_as_pcapng_are_delivered_all_the_same(
    make_work: MakeWork, spool: Path
) -> None:
    spool.write_bytes(packets.pcap([Record(FRAME)], link_type=70_000))
    asked = make_work(False)
    path, _ = packaged(asked, spool, REPORT, "no summary")
    assert path == spool
    (said,) = cast("_Heard", asked.report).said
    assert said.endswith("Link type 70000 has no place in pcapng. So the file is plain pcap, without names.")
