"""What the pod's own kernel threw away, or sent again, while it was captured. Pure."""

from collections.abc import Iterator

from workers.beside.beside import Around, Beside
from workers.summary.finding import Finding
from workers.summary.findings import wording

LISTEN, RECEIVE, AGAIN = "listen-overflow", "receive-buffer", "retransmitted-by-pod"
"""The ids of these findings."""

_TELLING, _SHARE = 3, 0.01
"""Segments sent again, and their share of all that were sent: as for `retransmissions`."""


def find(around: Around) -> Iterator[Finding]:
    """Up to one of each for each pod."""
    for each in around.besides:
        yield from _listen(each)
        yield from _receive(each)
        yield from _again(each)


def _listen(each: Beside) -> Iterator[Finding]:
    counted = each.counted
    full = counted.get("TcpExt.ListenOverflows", 0)
    half = counted.get("TcpExt.TCPReqQFullDrop", 0)
    times = max(full, half, counted.get("TcpExt.ListenDrops", 0))
    if not times:
        return
    why = "its application did not accept connections fast enough and their queue was full"
    if not full:
        why = "the queue of SYNs was full" if half else "a listening socket could not take them"
    yield Finding(
        LISTEN,
        "critical",
        f"{wording.quoted(each.name)} dropped {wording.many(times, 'connection')}{_listening(each)}, because "
        f"{why}: its kernel counted them while it was captured.",
        {"times": times, "overflows": full, "queue_of_syns": half},
        next="Look for CPU limits and a blocked accept loop; raise the application's backlog and "
        "net.core.somaxconn.",
    )


def _listening(each: Beside) -> str:
    sockets = each.after.sockets if each.after is not None else None
    if sockets is None:
        return ""
    waiting = [one for one in sockets.listeners if one.protocol == "TCP"]
    full = [one for one in waiting if one.queued] or waiting
    ports = sorted({one.port for one in full})
    return f" at port {ports[0]}" if len(ports) == 1 else ""


def _receive(each: Beside) -> Iterator[Finding]:
    times = each.counted.get("Udp.RcvbufErrors", 0) + each.counted.get("Udp6.RcvbufErrors", 0)
    if not times:
        return
    ports = _dropping(each)
    where = f" at port {ports[0]}" if len(ports) == 1 else ""
    yield Finding(
        RECEIVE,
        "warning",
        f"{wording.quoted(each.name)} dropped {wording.many(times, 'datagram')}{where} that had reached it, "
        "because its application did not read them fast enough.",
        {"times": times},
        next="Look for CPU limits and slow handlers; raise SO_RCVBUF and net.core.rmem_max.",
    )


def _dropping(each: Beside) -> list[int]:
    """Ports whose sockets dropped more than before."""
    if each.before is None or each.after is None or not each.before.sockets or not each.after.sockets:
        return []
    earlier = {one[:3]: one.dropped for one in each.before.sockets.listeners}
    now = each.after.sockets.listeners
    return sorted({one.port for one in now if one.dropped > earlier.get(one[:3], 0)})


def _again(each: Beside) -> Iterator[Finding]:
    again, sent = each.counted.get("Tcp.RetransSegs", 0), each.counted.get("Tcp.OutSegs", 0)
    if again < _TELLING or again < _SHARE * (sent + again):
        return
    # Where its packets show it as well, that finding stands first.
    shown = any(
        found.id in ("retransmissions", "unanswered", "mtu-blackhole") for found in each.summary.findings
    )
    yield Finding(
        AGAIN,
        "info" if shown else "warning",
        f"{wording.quoted(each.name)} sent {wording.many(again, 'segment')} again while it was captured "
        f"({wording.share(again, sent + again)} of all, as its own kernel counts): what it sends is lost "
        "on the way, or what comes back.",
        {"times": again, "sent": sent},
        next="Capture at the other end as well: where a segment is seen twice, its answer was lost.",
    )
