"""What one tap says, beside what is known of all of them."""

import io

from tests.workers.summary import packets
from tests.workers.summary.packets import ACK, RST, SYN
from tests.workers.vantage.world import MS, ONE, PASTA, WEB, At, Sent, World, numbered, talk
from workers.names.names import Names
from workers.names.snapshot import Snapshot
from workers.summary.context import Context
from workers.summary.files.pcapfile import PcapFile
from workers.summary.finding import Evidence, Finding
from workers.summary.findings.found import found
from workers.summary.flows.counting import Counting
from workers.vantage.findings.explained import without_explained

ROUTE = [At(each, "10.244.1.2:40000", "10.244.2.2:80") for each in (WEB, PASTA)]


def of_the_client(world: World) -> tuple[Finding, ...]:
    """What the client's tap alone says."""
    file = PcapFile(io.BytesIO(packets.pcap(world.records[0], nanoseconds=True)))
    counting = Counting(payload=False)
    counting.file(file)
    summary = counting.result().summary(payload=False, notes=())
    return found(Evidence(summary, Context(), Snapshot(), Names.none()))


def left(world: World) -> tuple[list[str], list[str]]:
    """Findings of the client's tap, before and after the comparison."""
    own = of_the_client(world)
    kept = without_explained(own, 0, world.compare())
    return [each.id for each in own], [each.id for each in kept]


def test_a_server_that_no_syn_reached_is_not_said_not_to_answer() -> None:
    world = World(numbered(WEB, PASTA))
    world.pass_by(ROUTE, [Sent(at * 1000 * MS, SYN, sequence=5, identity=at, lost=1) for at in (1, 2, 4)])
    assert left(world) == (["unanswered"], [])


def test_nor_is_it_at_a_tap_before_the_one_that_saw_them_last() -> None:
    world = World(numbered(WEB, PASTA, ONE))
    way = [ROUTE[0], At(ONE, "10.244.1.2:40000", "10.244.2.2:80"), ROUTE[1]]
    world.pass_by(way, [Sent(at * 1000 * MS, SYN, sequence=5, identity=at, lost=2) for at in (1, 2, 4)])
    assert left(world) == (["unanswered"], [])


def test_a_server_that_got_the_syn_and_did_not_answer_is_said_so() -> None:
    world = World(numbered(WEB, PASTA))
    world.pass_by(ROUTE, [Sent(at * 1000 * MS, SYN, sequence=5, identity=at) for at in (1, 2, 4)])
    assert left(world) == (["unanswered"], ["unanswered"])


def test_a_server_before_which_something_rejects_is_not_said_to_refuse() -> None:
    world = World(numbered(WEB, PASTA))
    world.pass_by([At(each, "10.244.1.2:4", "10.244.2.2:81") for each in (WEB, PASTA)], talk(time=5000 * MS))
    refusal = Sent(1001 * MS, RST | ACK, back=True, acknowledged=6, made=1, identity=0)
    world.pass_by(ROUTE, [Sent(1000 * MS, SYN, sequence=5, lost=1), refusal])
    assert left(world) == (["refused"], [])


def test_a_server_that_refuses_itself_is_said_so() -> None:
    world = World(numbered(WEB, PASTA))
    refusal = Sent(1001 * MS, RST | ACK, back=True, acknowledged=6, identity=0)
    world.pass_by(ROUTE, [Sent(1000 * MS, SYN, sequence=5), refusal])
    assert left(world) == (["refused"], ["refused"])


def test_a_server_before_which_something_resets_is_not_said_to_reset() -> None:
    world = World(numbered(WEB, PASTA))
    reset = Sent(1100 * MS, RST | ACK, back=True, sequence=12001, acknowledged=1301, identity=0, made=1)
    world.pass_by(ROUTE, [*talk(requests=3)[:-3], reset])
    assert left(world) == (["reset"], [])
