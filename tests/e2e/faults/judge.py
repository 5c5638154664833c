"""What must be true when everything has ended, and sentences about what is not."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from deploy.lab.cgroups import Tree
from tests.e2e.faults.scene import Scene, eventually, posted_as
from workers.ledger.agreement import disagreement
from workers.ledger.capture import Capture
from workers.ledger.engine import open_engine
from workers.ledger.states import ACTIVE, FINAL, State
from workers.pcapng.read_back import read_back
from workers.summary.files.pcapfile import PcapFile
from workers.trail.trail import Wanted

_ETHERNET, _ECHO_REQUEST = 14, 8
_SECOND = 1_000_000_000
_SHOWN = {State.DELIVERED: "Done", State.STOPPED: "Stopped"}
_UNMEASURED = 0.9
"""Seconds at most from a capture's begin or end to the ping beside it."""


def wait_for_ends(scene: Scene, ids: list[str]) -> None:
    """Until each has ended, its message shows that, and the last word is in its thread."""

    def open_ones() -> list[Capture]:
        found = map(scene.ledger.get, ids)
        return [
            one for one in found if one.state not in FINAL or one.shown != one.state or not one.closing_ts
        ]

    eventually(lambda: not open_ones(), open_ones)


def complaints(scene: Scene, id_: str, seconds: float, goal: State = State.DELIVERED) -> Iterator[str]:
    """What is wrong with a capture that has ended.

    Args:
        scene: Where.
        id_: The capture.
        seconds: How long its packets must reach.
        goal: How it was to end.
    """
    capture = scene.ledger.get(id_)
    if capture.state is not goal:
        yield f"is {capture.state}: {capture.sentence}"
        return
    yield from _in_the_trail(scene, capture)
    yield from _in_slack(scene, capture)
    yield from _in_the_file(scene, capture, seconds)


def _in_the_trail(scene: Scene, capture: Capture) -> Iterator[str]:
    events = Counter(one.event for one in scene.ledger.trail.entries(Wanted(capture_id=capture.id)))
    ends = {state: events[state] for state in FINAL if events[state]}
    if ends != {capture.state: 1}:
        yield f"its ends in the trail: {ends}"
    again = {
        event: count for event, count in events.items() if event in {*ACTIVE, "file delivered"} and count > 1
    }
    if again:
        yield f"in the trail more than once: {again}"
    if events["file delivered"] != 1:
        yield f"the trail has {events['file delivered']} deliveries"


def _in_slack(scene: Scene, capture: Capture) -> Iterator[str]:
    messages = scene.messages()
    said = Counter(what for id_, what in filter(None, map(posted_as, messages)) if id_ == capture.id)
    again = {what: count for what, count in said.items() if count > 1}
    if again:
        yield f"said more than once: {again}"
    missing = {"message", "summary", "closing"} - set(said)
    if missing:
        yield f"not said: {missing}"
    for head in scene.posted("message", capture.id):
        if head["ts"] != capture.message_ts:
            yield "has another message than the ledger says"
        if _SHOWN[capture.state] not in head["text"]:
            yield f"its message says {head['text']!r}"
    thread = [one for one in messages if one.get("thread_ts") == capture.message_ts]
    shown = Counter(file["name"] for one in thread for file in one.get("files", []))
    packets = {name: count for name, count in shown.items() if name.startswith(capture.id)}
    if sum(packets.values()) != 1:
        yield f"files of packets in its thread: {packets}"
    # It may go without its picture, and never has two.
    contexts = {name: count for name, count in shown.items() if name.startswith("context-")}
    pictures = {name: count for name, count in shown.items() if name not in {*packets, *contexts}}
    if max(sum(pictures.values()), sum(contexts.values())) > 1:
        yield f"pictures and contexts in its thread: {pictures}, {contexts}"
    strange = [one["text"] for one in thread if posted_as(one) is None and "files" not in one]
    if strange:
        yield f"in its thread besides: {strange}"


def _in_the_file(scene: Scene, capture: Capture, seconds: float) -> Iterator[str]:
    paths = [Path(one["path"]) for one in scene.world.control("state")["files"].values()]
    paths = [path for path in paths if path.name.startswith(capture.id)]
    kept = list((scene.world.folder / "captures").glob(f"{capture.id}*"))
    if (len(paths), len(kept)) != (1, 1):
        yield f"{len(paths)} files in Slack, {len(kept)} in the store"
        return
    hashes = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (*paths, *kept)}
    if hashes != {capture.file_sha256}:
        yield "the file in Slack, the one in the store and the one in the ledger differ"
    pings = list(_pings(paths[0], scene.address))
    if not pings:
        yield "no ping in its file"
        return
    missing = sum((after - before) % 0x10000 - 1 for (before, _), (after, _) in pairwise(pings))
    if missing:
        yield f"{missing} of {len(pings)} pings are missing, or twice"
    reached = (pings[-1][1] - pings[0][1]) / _SECOND
    if reached < seconds - _UNMEASURED:
        yield f"its packets reach {reached:.1f} s of {seconds}"


def _pings(path: Path, address: str) -> Iterator[tuple[int, int]]:
    """The echo requests to an address: their numbers and times in nanoseconds."""
    target = bytes(map(int, address.split(".")))
    with path.open("rb") as source, TemporaryFile() as plain:
        read_back(source, plain)
        plain.seek(0)
        pcap = PcapFile(plain)
        for data, start, length, _, time in pcap.packets():
            packet = data[start + _ETHERNET : start + length]
            icmp = packet[(packet[0] & 0xF) * 4 :]
            if packet[16:20] == target and icmp[0] == _ECHO_REQUEST:
                yield int.from_bytes(icmp[6:8]), time
        assert pcap.trouble is None, pcap.trouble


def leftovers(scene: Scene, database_url: str) -> dict[str, Any]:
    """What is left in the end, by where; gives everything a while to go."""

    def found() -> dict[str, Any]:
        captures = [*scene.ledger.watch.waiting(), *scene.ledger.watch.active()]
        left = {
            "agent pods": scene.world.agent_pods(),
            "captures": [one.id for one in captures],
            "working folders": scene.world.leftovers(),
            "processes of killed ones": [pid for pid, leader in _sessions() if leader in scene.killed],
            "tcpdump on the nodes": _tcpdumps(scene),
            "unfinished in the store": _strangers(scene),
        }
        return {where: what for where, what in left.items() if what}

    try:
        eventually(lambda: not found(), found)
    except AssertionError:
        return found()
    verdict = scene.ledger.trail.verify()
    engine = open_engine(database_url)
    try:
        said = disagreement(engine)
    finally:
        engine.dispose()
    return {} if verdict.ok and said is None else {"trail": [str(verdict), said]}


def _sessions() -> Iterator[tuple[int, int]]:
    """Every process and the leader of its session (proc_pid_stat(5))."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if stat[0] != "Z":
            yield int(folder.name), int(stat[3])


def _tcpdumps(scene: Scene) -> list[int]:
    found = []
    for pid in Tree(scene.lab.places.cgroup).processes():
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            continue
        if name == "tcpdump":
            found.append(pid)
    return found


def _strangers(scene: Scene) -> list[str]:
    names = [one.name for one in (scene.world.folder / "captures").rglob("*") if one.is_file()]
    return [name for name in names if not name.startswith("cap-")]
