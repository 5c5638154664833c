"""What Linux truly loses, delays, rewrites and rejects, found on the part of the way where it does."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.ways import ONE, PASTA, PORT, SERVICE, WEB, Ways, ask, captured, knock, server, ways
from workers.summary.finding import Finding
from workers.vantage.comparison import Comparison


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    with ways(tmp_path_factory.mktemp("ways")) as made, server(made):
        yield made


@pytest.fixture(autouse=True)
def clean(there: Ways) -> Iterator[None]:
    yield
    for node in (there.node1, there.node2):
        there.run(node, "nft", "flush", "ruleset")


def only(comparison: Comparison, name: str) -> Finding:
    (found,) = [each for each in comparison.findings if each.id == name]
    return found


FORWARD = "add table ip t; add chain ip t f { type filter hook forward priority 0; }; add rule ip t f"


def test_loss_and_nat_are_found_on_the_node_that_does_them(there: Ways, tmp_path: Path) -> None:
    """Node 1 rewrites a Service's address, node 2 drops every third answer."""
    there.rule(
        there.node1,
        "add table ip n; add chain ip n p { type nat hook prerouting priority -100; };"
        f"add rule ip n p ip daddr {SERVICE} tcp dport 80 dnat to {PASTA}:{PORT};"
        "add chain ip n q { type nat hook postrouting priority 100; };"
        f"add rule ip n q ip saddr {WEB} masquerade",
    )
    there.rule(
        there.node2, f"{FORWARD} tcp sport {PORT} tcp flags & (syn | fin) == 0 numgen inc mod 3 == 2 drop"
    )
    comparison = captured(there, tmp_path, lambda: ask(there, SERVICE, 80, 1000, times=9))
    (passage,) = comparison.passages
    assert [stop.vantage for stop in passage.stops] == [0, 1, 2, 3]
    assert [each.back.lost > 0 for each in passage.segments] == [False, False, True]
    assert not any(each.forward.lost for each in passage.segments)
    lost = only(comparison, "lost-between")
    assert "left `shop/pasta` and never reached `uplink of node2`" in lost.sentence
    assert lost.sentence.endswith("lost on node `node2`.")
    assert only(comparison, "rewritten-between").sentence == (
        f"Client `{WEB}` appears at `shop/pasta` as `{ONE}`: node `node1` rewrites the source and the "
        f"destination, `{SERVICE}:80` becomes `{PASTA}:{PORT}`, in 1 connection."
    )


def test_a_connection_that_a_node_blocks_left_the_node_before_it(there: Ways, tmp_path: Path) -> None:
    def traffic() -> None:
        ask(there, PASTA, PORT, 100)
        there.rule(there.node2, f"{FORWARD} tcp dport {PORT} drop")
        knock(there, PASTA, PORT, 3)

    comparison = captured(there, tmp_path, traffic)
    lost = only(comparison, "lost-between")
    assert lost.severity == "critical"
    assert "left `uplink of node2` and never reached `shop/pasta`" in lost.sentence


@pytest.mark.soak
def test_what_a_node_rejects_was_reset_between(there: Ways, tmp_path: Path) -> None:
    def traffic() -> None:
        ask(there, PASTA, PORT, 100)
        there.rule(there.node2, f"{FORWARD} tcp dport {PORT} reject with tcp reset")
        for _ in range(3):
            knock(there, PASTA, PORT, 1)
        time.sleep(1.5)  # nothing is said of what tcpdump may not have got yet

    comparison = captured(there, tmp_path, traffic)
    reset = only(comparison, "reset-between")
    assert "which never reached `shop/pasta`" in reset.sentence
    assert reset.sentence.endswith("something on node `node2` made them.")


@pytest.mark.soak
def test_delay_is_found_on_the_node_that_queues(there: Ways, tmp_path: Path) -> None:
    """The queue of node 2 towards pasta lets 800 kbit/s through; taps of an interface see what left it."""
    there.run(
        there.node2,
        "tc",
        "qdisc",
        "add",
        "dev",
        "eth0",
        "root",
        "tbf",
        "rate",
        "800kbit",
        "burst",
        "3000",
        "latency",
        "5s",
    )
    try:
        comparison = captured(there, tmp_path, lambda: ask(there, PASTA, PORT, 30_000, times=4))
    finally:
        there.run(there.node2, "tc", "qdisc", "del", "dev", "eth0", "root")
    delayed = only(comparison, "delayed-between")
    assert delayed.numbers["from"] == "shop/pasta"
    assert delayed.numbers["to"] == "uplink of node2"
    assert delayed.sentence.endswith("delayed on node `node2`.")


@pytest.mark.soak
def test_nothing_is_said_of_much_traffic_that_passes(there: Ways, tmp_path: Path) -> None:
    """Segments are merged and split on the way: veths hand on as much as 64 kB at once."""

    def traffic() -> None:
        ask(there, PASTA, PORT, 3_000_000, times=3)
        time.sleep(0.3)  # nothing is said of what is near the end
        ask(there, PASTA, PORT, 1)

    comparison = captured(there, tmp_path, traffic)
    assert comparison.findings == ()
    busy, _ = comparison.passages
    assert len(busy.stops) == 4
    assert all(each.forward.judged and each.back.judged for each in busy.segments)
