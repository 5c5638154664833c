"""From a capture's packets to the file that is delivered: pcapng that says what it is, or plain pcap."""

import logging
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from workers.ledger.capture import Capture
from workers.names.names import Names
from workers.names.snapshot import Node, Snapshot
from workers.naming import Naming
from workers.pcapng.about import About
from workers.pcapng.file import PcapngError, merged_file
from workers.request.duration import shown
from workers.request.request import DEFAULT_CLUSTER
from workers.spool.report import SpoolReport
from workers.summary.summary import Summary
from workers.work import Work

log = logging.getLogger(__name__)


def begin_naming(work: Work) -> None:
    """Gathers names from now on, beside the capture."""
    work.naming = Naming(work.services.cluster, work.capture.namespace)
    work.naming.begin()


def named(work: Work, said: Summary | str) -> Summary | str:
    """The summary with the names that were gathered."""
    return said if isinstance(said, str) else _named(said, snapshot_of(work))


def snapshot_of(work: Work) -> Snapshot:
    """The cluster when the capture began, as far as it was listed."""
    return Snapshot() if work.naming is None else work.naming.snapshot()


def packaged(work: Work, path: Path, report: SpoolReport, said: Summary | str) -> tuple[Path, Summary | str]:
    """The file to deliver, and the summary with what its names lack.

    Plain pcap is what was asked for, or what is left when no pcapng could be made: packets are worth more.

    Args:
        work: The capture.
        path: Its packets as pcap, cut already where they are to be; gone when something else is delivered.
        report: What tcpdump counted.
        said: The summary, or why there is none.
    """
    snapshot = snapshot_of(work)
    if not isinstance(said, str):
        said = _named(said, snapshot)
    if work.capture.pcap:
        return path, said
    target = path.with_suffix(".pcapng")
    try:
        described = about(work, snapshot, said, report)
        merged_file([path], target, described, [described])
    except PcapngError as error:
        log.warning("plain pcap is delivered: %s", error)
        work.say(f"{error} So the file is plain pcap, without names.")
        return path, said
    path.unlink()
    return target, said


def _named(said: Summary, snapshot: Snapshot) -> Summary:
    ends = dict.fromkeys(end for flow in said.flows for end in (flow.a, flow.b))
    names = Names(snapshot.only(end.address for end in ends)).table(ends)
    return replace(said, names=said.names or names, notes=(*said.notes, *snapshot.notes))


def about(work: Work, snapshot: Snapshot, said: Summary | str, report: SpoolReport) -> About:
    """What the file says of itself; names are of the addresses in the summary alone."""
    capture = work.capture
    node = next((each for each in snapshot.nodes if each.name == capture.node), Node(capture.node or ""))
    flows = () if isinstance(said, str) else said.flows
    addresses = dict.fromkeys(end.address for flow in flows for end in (flow.a, flow.b))
    return About(
        comment=comment(capture),
        application=f"podcap {version('podcap')}",
        interface=capture.interface or "",
        description=f"{capture.what} on {node.name}",
        filter=work.compiled,
        hardware=node.machine,
        system=node.system,
        hosts=Names(snapshot.only(addresses)).hosts(addresses),
        received=report.packets_received_by_filter,
        dropped=report.packets_dropped_by_kernel,
    )


def comment(capture: Capture) -> str:
    """`podcap cap-7f3k9q: traefik/cheddar-845749dbd6-zcdjm, 30s, headers only, filter: port 80`."""
    cluster = "" if capture.cluster == DEFAULT_CLUSTER else f"{capture.cluster}:"
    what = "whole packets" if capture.full else "headers only"
    narrowed = f"filter: {capture.filter}" if capture.filter else "every packet"
    target = capture.what if capture.targets else f"{cluster}{capture.what}"
    return f"podcap {capture.id}: {target}, {shown(capture.seconds)}, {what}, {narrowed}"
