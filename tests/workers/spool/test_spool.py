"""The spool with real tcpdump, as uid 0 with the agent pod's capabilities and no others."""

import contextlib
import hashlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.hangs import HANGS
from tests.workers.spool import local
from tests.workers.spool.local import numbers, packets
from workers.agent.pod_spec import CAPABILITIES
from workers.spool.beginning import Beginning
from workers.spool.spool import Progress, Spool, SpoolError, SpoolLimits, SpoolLostError

Agents = Callable[..., Any]
LIMITS = SpoolLimits(seconds=2, packets=1_000_000, bytes=50_000_000)
HEADERS = 24 + 14 + 20 + 8


def capture(
    spool: Spool,
    link: Any,
    path: Path,
    limits: SpoolLimits = LIMITS,
    wanted: str = "udp port 9999",
    **hooks: Any,
) -> Any:
    listening = spool.start(link.tap, wanted, limits)
    assert listening.startswith("listening on tapped, link-type EN10MB")
    spool.follow(path, **hooks)
    return spool.finish(path)


@pytest.fixture
def spooling(tmp_path: Path) -> Callable[[], list[str]]:
    """The names of the processes that still work in the spool's folder."""

    def names() -> list[str]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cwd").resolve() == tmp_path:
                    found.append((process / "comm").read_text().strip())
            except OSError:
                continue
        return found

    return names


@pytest.mark.parametrize("shell", ["dash", "busybox"])
def test_every_packet_of_the_duration_arrives_and_nothing_else(
    agent: Agents, link: Any, tmp_path: Path, shell: str, request: pytest.FixtureRequest
) -> None:
    settings = {"path": request.getfixturevalue("busybox")} if shell == "busybox" else {}
    spool = Spool(agent(**settings), directory=str(tmp_path))
    listening = spool.start(link.tap, "udp port 9999", LIMITS)
    assert "link-type EN10MB" in listening
    link.send(2000)
    here = tmp_path / "here.pcap"
    spool.follow(here)
    report = spool.finish(here)
    assert numbers(here) == list(range(2000))
    assert (report.packets_captured, report.packets_dropped_by_kernel, report.ended_by) == (
        2000,
        0,
        "duration",
    )
    assert report.sha256 == hashlib.sha256(here.read_bytes()).hexdigest()
    assert report.bytes == here.stat().st_size


def test_an_empty_filter_takes_every_packet_and_one_that_matches_nothing_none(
    agent: Agents, link: Any, tmp_path: Path
) -> None:
    for wanted, expected in (("", 5), ("tcp port 1", 0)):
        folder = tmp_path / f"{expected}"
        folder.mkdir()
        spool = Spool(agent(), directory=str(folder))
        spool.start(link.tap, wanted, replace(LIMITS, seconds=1))
        link.send(5)
        spool.follow(folder / "here")
        assert len(numbers(folder / "here")) == expected
        assert spool.finish(folder / "here").ended_by == "duration"


def test_a_connection_cut_again_and_again_loses_nothing(agent: Agents, link: Any, tmp_path: Path) -> None:
    here = tmp_path / "here.pcap"
    cuts = [0, 1, 23, 24, 25, 0, 40, 4096, 0, 0, 50_000, 1, 100_000]
    spool = Spool(agent(cuts=cuts), directory=str(tmp_path))
    sender = threading.Thread(target=link.send, args=(1500,), kwargs={"size": 300, "pause": 0.0005})
    spool.start(link.tap, "udp port 9999", replace(LIMITS, seconds=4))
    sender.start()
    spool.follow(here)
    sender.join()
    assert cuts == []
    spool.finish(here)
    got = numbers(here)
    assert got == list(range(len(got)))
    assert len(got) > 500


def test_a_spool_that_is_half_here_already_is_continued(agent: Agents, link: Any, tmp_path: Path) -> None:
    whole, half = tmp_path / "whole", tmp_path / "half"
    first = Spool(agent(), directory=str(tmp_path))
    first.start(link.tap, "udp port 9999", LIMITS)
    link.send(300)
    first.follow(whole)
    half.write_bytes(whole.read_bytes()[:1000])
    seen: list[Progress] = []
    second = Spool(agent(), directory=str(tmp_path))
    second.start(link.tap, "udp port 9999", LIMITS)
    second.follow(half, on_progress=seen.append)
    assert half.read_bytes() == whole.read_bytes()
    assert seen[-1].packets == 300
    assert second.finish(half).packets_captured == 300


def test_a_start_that_is_repeated_starts_nothing_twice(
    agent: Agents, link: Any, tmp_path: Path, spooling: Callable[[], list[str]]
) -> None:
    spool = Spool(agent(), directory=str(tmp_path))
    first = spool.start(link.tap, "", LIMITS)
    assert spool.start(link.tap, "", LIMITS) == first
    assert spooling().count("tcpdump") == 1


def test_stop_ends_it_in_good_order_with_every_packet_until_then(
    agent: Agents, link: Any, tmp_path: Path, spooling: Callable[[], list[str]]
) -> None:
    here = tmp_path / "here.pcap"
    spool = Spool(agent(), directory=str(tmp_path))
    spool.start(link.tap, "udp port 9999", replace(LIMITS, seconds=60))
    link.send(400)
    spool.follow(here, should_stop=lambda: True)
    report = spool.finish(here)
    assert (report.ended_by, report.packets_captured) == ("stopped", 400)
    assert numbers(here) == list(range(400))
    assert spooling() == []


def test_stopping_what_has_ended_is_harmless(agent: Agents, link: Any, tmp_path: Path) -> None:
    here = tmp_path / "here.pcap"
    spool = Spool(agent(), directory=str(tmp_path))
    capture(spool, link, here, replace(LIMITS, seconds=1))
    spool.stop()
    assert spool.finish(here).ended_by == "duration"


def test_stop_touches_no_process_of_another_container(agent: Agents, link: Any, tmp_path: Path) -> None:
    spool = Spool(agent(), directory=str(tmp_path))
    spool.start(link.tap, "", replace(LIMITS, seconds=60))
    real = (tmp_path / "run/pid").read_text()
    (tmp_path / "run/pid").write_text("1\n")  # as if the number had been given to somebody else
    with pytest.raises(SpoolError, match="could not be stopped"):
        spool.stop()
    (tmp_path / "run/pid").write_text(real)
    spool.stop()


def test_a_running_capture_is_extended_without_a_gap(agent: Agents, link: Any, tmp_path: Path) -> None:
    here = tmp_path / "here.pcap"
    spool = Spool(agent(), directory=str(tmp_path))
    spool.start(link.tap, "udp port 9999", replace(LIMITS, seconds=3, longest=60))
    sender = threading.Thread(target=link.send, args=(1000,), kwargs={"pause": 0.005})
    sender.start()
    spool.follow(here, wanted_seconds=lambda: 30, should_stop=lambda: not sender.is_alive())
    sender.join()
    assert spool.seconds == 30
    assert spool.finish(here).ended_by == "stopped"
    assert numbers(here) == list(range(1000))


def test_an_extension_beyond_the_longest_or_behind_the_end_is_refused(
    agent: Agents, link: Any, tmp_path: Path
) -> None:
    here = tmp_path / "here.pcap"
    spool = Spool(agent(), directory=str(tmp_path))
    spool.start(link.tap, "udp port 9999", replace(LIMITS, seconds=1, longest=60))
    assert not spool.extend(61)
    spool.follow(here)
    assert not spool.extend(30)
    assert (spool.seconds, spool.finish(here).ended_by) == (1, "duration")


def test_a_disk_that_is_full_ends_it_in_words_with_what_was_written(
    agent: Agents, link: Any, tmp_path: Path
) -> None:
    disk, here = tmp_path / "disk", tmp_path / "here.pcap"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)], check=True)
    try:
        spool = Spool(agent(), directory=str(disk))
        spool.start(link.tap, "udp port 9999", replace(LIMITS, seconds=60))
        link.send(2000, size=1000)
        spool.follow(here)
        report = spool.finish(here)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
    assert report.ended_by == "error"
    assert report.error.endswith("No space left on device")
    got = numbers(here)
    assert got == list(range(len(got)))
    assert report.packets_captured == len(got) > 100


def test_a_capture_whose_supervisor_was_killed_is_given_up_with_what_arrived(
    agent: Agents, link: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.spool.follower._FOLLOW_SECONDS", 1)
    monkeypatch.setattr("workers.spool.follower._OVERTIME_SECONDS", 0.0)
    here = tmp_path / "here.pcap"
    spool = Spool(agent(), directory=str(tmp_path))
    spool.start(link.tap, "udp port 9999", replace(LIMITS, seconds=2))
    link.send(10)
    while len(numbers(tmp_path / "run/spool")) < 10:
        time.sleep(0.05)
    for process in local.spooling(tmp_path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    with pytest.raises(SpoolLostError, match="did not end when its time was over"):
        spool.follow(here)
    assert numbers(here) == list(range(10))


def test_the_packet_limit_ends_it(agent: Agents, link: Any, tmp_path: Path) -> None:
    here = tmp_path / "here.pcap"
    spool = Spool(agent(), directory=str(tmp_path))
    limits = replace(LIMITS, seconds=60, packets=100)
    spool.start(link.tap, "udp port 9999", limits)
    link.send(150)
    spool.follow(here)
    assert spool.finish(here).ended_by == "packets"
    assert numbers(here) == list(range(100))


def test_the_byte_limit_ends_it_soon_and_between_two_packets(
    agent: Agents, link: Any, tmp_path: Path, spooling: Callable[[], list[str]]
) -> None:
    here = tmp_path / "here.pcap"
    spool = Spool(agent(), directory=str(tmp_path))
    limits = replace(LIMITS, seconds=60, bytes=200_000)
    spool.start(link.tap, "udp port 9999", limits)
    sender = threading.Thread(target=link.send, args=(3000,), kwargs={"size": 1000, "pause": 0.001})
    sender.start()
    spool.follow(here)
    sender.join()
    report = spool.finish(here)
    assert report.ended_by == "bytes"
    assert 200_000 <= report.bytes < 3_000_000
    got = numbers(here)
    assert got == list(range(len(got)))
    assert spooling() == []


def test_a_burst_that_outruns_the_watch_meets_a_hard_limit(agent: Agents, link: Any, tmp_path: Path) -> None:
    here = tmp_path / "here.pcap"
    spool = Spool(agent(), directory=str(tmp_path))
    limits = replace(LIMITS, seconds=60, bytes=10_000)
    spool.start(link.tap, "udp port 9999", limits)
    link.send(5000, size=1400)
    spool.follow(here)
    report = spool.finish(here)
    assert report.ended_by == "bytes"
    assert report.bytes <= 10_000 * 1.5 + 2048 * 512 + 512


def test_headers_only_keeps_so_many_bytes_of_each_packet(agent: Agents, link: Any, tmp_path: Path) -> None:
    here = tmp_path / "here.pcap"
    spool = Spool(agent(), directory=str(tmp_path))
    spool.start(link.tap, "udp port 9999", replace(LIMITS, seconds=1, snaplen=60))
    link.send(20, size=1000)
    spool.follow(here)
    spool.finish(here)
    assert {len(one) for one in packets(here)} == {60}


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("port nonsense", "unknown port 'nonsense'"),
        ("tcp and and", "syntax error"),
        ("-w /tmp/elsewhere", "syntax error"),
        ("$(touch mark); port 80", "syntax error"),
        ("`touch mark`", "syntax error"),
    ],
)
def test_a_filter_that_tcpdump_refuses_is_answered_in_its_words_and_leaves_nothing(
    agent: Agents, link: Any, tmp_path: Path, wanted: str, words: str, spooling: Callable[[], list[str]]
) -> None:
    spool = Spool(agent(), directory=str(tmp_path))
    with pytest.raises(SpoolError) as caught:
        spool.start(link.tap, wanted, LIMITS)
    assert words in str(caught.value)
    assert not (tmp_path / "mark").exists()
    assert [name for name in spooling() if name != "sleep"] == []


def test_an_interface_that_is_not_there_is_said_in_tcpdumps_words(
    agent: Agents, link: Any, tmp_path: Path
) -> None:
    spool = Spool(agent(), directory=str(tmp_path))
    with pytest.raises(SpoolError, match="could not capture on gone: gone: No such device exists"):
        spool.start(replace(link.tap, interface="gone"), "", LIMITS)


def test_progress_tells_packets_bytes_and_seconds_that_only_grow(
    agent: Agents, link: Any, tmp_path: Path
) -> None:
    seen: list[Progress] = []
    here = tmp_path / "here.pcap"
    spool = Spool(agent(), directory=str(tmp_path))
    spool.start(link.tap, "udp port 9999", replace(LIMITS, seconds=4))
    sender = threading.Thread(target=link.send, args=(100,), kwargs={"pause": 0.005})
    sender.start()
    spool.follow(here, on_progress=seen.append)
    sender.join()
    assert seen == sorted(seen, key=lambda one: (one.bytes, one.packets, one.seconds))
    assert seen[-1].packets == 100
    assert seen[-1].bytes == here.stat().st_size


def test_a_file_that_is_not_the_spool_is_never_reported_as_good(
    agent: Agents, link: Any, tmp_path: Path
) -> None:
    here = tmp_path / "here.pcap"
    spool = Spool(agent(), directory=str(tmp_path))
    capture(spool, link, here, replace(LIMITS, seconds=1))
    spoiled = bytearray(here.read_bytes())
    spoiled[-1] ^= 1
    here.write_bytes(spoiled)
    with pytest.raises(SpoolError, match="not the node's spool"):
        spool.finish(here)


def test_a_follower_left_behind_by_a_cut_ends_by_itself(
    agent: Agents,
    link: Any,
    tmp_path: Path,
    spooling: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.spool.follower._FOLLOW_SECONDS", 1)
    here = tmp_path / "here.pcap"
    spool = Spool(agent(cuts=[24]), directory=str(tmp_path))
    capture(spool, link, here, LIMITS)
    until = time.monotonic() + HANGS
    while spooling() and time.monotonic() < until:
        time.sleep(0.1)
    assert spooling() == []


def test_an_agent_out_of_reach_ends_the_following_with_one_sentence(
    agent: Agents, link: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.spool.patience._PATIENCE_SECONDS", 0.5)
    spool = Spool(agent(cuts=[0] * 100), directory=str(tmp_path))
    spool.start(link.tap, "", LIMITS)
    with pytest.raises(SpoolLostError, match="cut by the test"):
        spool.follow(tmp_path / "here.pcap")


@pytest.mark.parametrize("missing", CAPABILITIES)
def test_each_capability_of_the_agent_pod_is_needed(
    agent: Agents, link: Any, tmp_path: Path, missing: str
) -> None:
    left = [name for name in CAPABILITIES if name != missing]
    spool = Spool(agent(capabilities=left), directory=str(tmp_path))
    with pytest.raises(SpoolError, match="Operation not permitted"):
        spool.start(link.tap, "", LIMITS)


ARMED = replace(LIMITS, seconds=1, armed=60)


@pytest.mark.parametrize("shell", ["dash", "busybox"])
def test_an_armed_spool_has_its_duration_from_the_beginning_that_all_of_a_node_share(
    agent: Agents, link: Any, tmp_path: Path, shell: str, request: pytest.FixtureRequest
) -> None:
    path = {"path": request.getfixturevalue("busybox")} if shell == "busybox" else {}
    one = agent(**path)
    spools = [Spool(one, directory=str(tmp_path / name)) for name in ("first", "second")]
    for spool in spools:
        spool.start(link.tap, "udp port 9999", ARMED)
    link.send(5)
    with closing(Beginning(one, [spool.directory for spool in spools])) as beginning:
        beginning.hold()
        time.sleep(ARMED.seconds + 1.5)
        before = time.time_ns()
        beginning.go()
        first, second = beginning.began()
    assert first == second
    assert first is not None
    # busybox knows seconds alone, the shell hundredths; on a busy machine the two are read some time apart.
    assert before - 5 * 10**9 <= first <= time.time_ns() + 10**8
    link.send(5)
    for number, spool in enumerate(spools):
        spool.has_begun()
        here = tmp_path / f"here{number}"
        spool.follow(here)
        report = spool.finish(here)
        assert (report.ended_by, report.began, report.packets_captured) == ("duration", first, 10)


def test_what_has_begun_is_not_begun_again(agent: Agents, link: Any, tmp_path: Path) -> None:
    one = agent()
    spool = Spool(one, directory=str(tmp_path / "spool"))
    spool.start(link.tap, "udp port 9999", ARMED)
    began = [Beginning(one, [spool.directory, str(tmp_path / "gone")]).began() for _ in range(2)]
    assert began[0] == began[1]
    assert began[0][0] is not None
    assert began[0][1] is None
    spool.stop()


def test_an_armed_spool_that_nobody_begins_ends_by_itself(agent: Agents, link: Any, tmp_path: Path) -> None:
    spool = Spool(agent(), directory=str(tmp_path / "spool"))
    spool.start(link.tap, "udp port 9999", replace(ARMED, armed=1))
    here = tmp_path / "here"
    spool.follow(here)
    assert spool.finish(here).began is None


def test_a_node_whose_worker_is_gone_while_it_waits_begins_nothing(agent: Agents, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with closing(Beginning(agent(), [str(tmp_path)])) as beginning:
        beginning.hold()
    assert not (tmp_path / "run/began").exists()
