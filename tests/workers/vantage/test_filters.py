"""Display filters of findings between vantage points, tried by tshark on the merged file."""

import subprocess
from dataclasses import replace
from pathlib import Path

from tests.workers.summary.packets import ACK, RST, SYN
from tests.workers.vantage.world import MS, ONE, PASTA, WEB, At, Sent, World, numbered, talk


def world() -> World:
    """Loss, delay, rewriting, a reset and clocks apart, of TCP, UDP and ICMP."""
    made = World(numbered(WEB, PASTA, ONE), clocks={"node2": 3000 * MS})
    outside, inside = "10.96.0.5:80", "10.244.2.2:8080"
    for number in range(3):
        client = f"10.244.1.2:{40000 + number}"
        sent = talk(time=(1000 + 100 * number) * MS, begun=1000 + number, answered=9000 + number, requests=5)
        sent[4 + number] = replace(sent[4 + number], lost=1)
        reset = Sent(1900 * MS, RST | ACK, True, 99, 98, made=1, identity=0)
        route = [At(WEB, client, outside), At(ONE, client, inside, 40 * MS), At(PASTA, client, inside)]
        made.pass_by(route, [*sent, reset])
    ping = [At(each, "10.244.1.2:9", "10.244.2.2:9") for each in (WEB, PASTA)]
    echoes = [Sent((1000 + 9 * each) * MS, sequence=each, identity=each) for each in range(1, 5)]
    made.pass_by(ping, [replace(each, lost=1) if each.sequence == 3 else each for each in echoes], protocol=1)
    asks = [At(each, "10.244.1.2:5353", "10.244.2.2:53") for each in (WEB, PASTA)]
    asked = [Sent((1000 + each) * MS, payload=bytes(9), identity=each) for each in range(1, 5)]
    made.pass_by(asks, [replace(each, lost=1) if each.identity == 2 else each for each in asked], protocol=17)
    blocked = [At(each, "10.244.1.2:50000", "10.244.2.2:81") for each in (WEB, PASTA)]
    made.pass_by(blocked, [Sent(3000 * MS, SYN, sequence=5, lost=1)])
    return made


def test_every_filter_shows_its_frame_first(tmp_path: Path) -> None:
    made = world()
    path = tmp_path / "merged.pcapng"
    path.write_bytes(made.file().getvalue())
    findings = made.compare().findings
    assert {each.id for each in findings} == {
        "lost-between",
        "reset-between",
        "delayed-between",
        "rewritten-between",
        "clocks-apart",
    }
    assert {word for each in findings for word in ("TCP", "UDP", "ICMP", "SYN") if word in each.sentence} == {
        "TCP",
        "UDP",
        "ICMP",
        "SYN",
    }
    # One run for all of them: the least frame that each filter shows.
    asked = ",".join(f"MIN(frame.number)frame.number && ({each.display_filter})" for each in findings)
    command = ["tshark", "-n", "-q", "-r", str(path), "-z", f"io,stat,0,{asked}"]
    table = subprocess.run(command, capture_output=True, check=True, timeout=60, text=True).stdout
    (row,) = [line for line in table.splitlines() if "<>" in line]
    shown = [int(number) for number in row.replace("|", " ").split()[3:]]
    assert len(shown) == len(findings)
    for finding, first in zip(findings, shown, strict=True):
        assert first == (finding.frame or 1), finding
