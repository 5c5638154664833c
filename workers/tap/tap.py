"""Which interface carries a pod's packets: decided from evidence alone, never guessed. Pure.

`opinions.py` has the methods. Two that agree make the confidence high, one makes it medium; a CNI's name for
the link never stands alone. Of methods that contradict each other only one may win: the namespace, when its
pair points both ways. Otherwise nothing is captured.

Where the node's side of the link does not see every packet, or there is no such link, the tap lies in the
pod's network namespace.
"""

from dataclasses import dataclass
from typing import Literal

from workers.cluster.pod import Pod
from workers.tap.each_once import bridge_ports, not_at_ports
from workers.tap.evidence import Evidence
from workers.tap.opinions import Opinion, opinions
from workers.tap.past_the_host import why_inside
from workers.tap.seat import Seat, seat

Confidence = Literal["high", "medium"]

INSIDE = "inside"
"""The method of a tap in the pod's network namespace."""

KUBELET_PORT = 10250
"""An exec into any pod of a node passes here: a capture of the node itself must leave it out."""

API_SERVER_PORT = 6443
"""Where an API server listens (kube-apiserver's `--secure-port`): every exec comes from there."""


class NoTap(Exception):  # noqa: N818  (an answer, not a fault)
    """No interface is certain enough; `str(error)` is the sentence that says why."""


@dataclass(frozen=True)
class Tap:
    """Where one pod's packets are taken.

    Attributes:
        ifindex: Of the interface, where it is; 0 for `any`.
        method: The strongest method: `namespace`, `iflink`, `forwarding`, `route`, `inside` or `host`.
        proof: A statement for each method that found it, the strongest first, then what could not be asked.
        netns_id: The id of the pod's network namespace, when it is known.
        narrow: A filter that must hold besides the one asked for (hostNetwork), or "".
        pid: The process whose network namespace must be entered; None when the tap is on the node's side.
        started: When that process started, in clock ticks since the node booted, if that is known.
    """

    node: str
    interface: str
    ifindex: int
    method: str
    proof: tuple[str, ...]
    confidence: Confidence
    netns_id: int | None = None
    narrow: str = ""
    pid: int | None = None
    started: int | None = None

    def filter(self, wanted: str) -> str:
        """The filter for tcpdump: the one asked for, narrowed where this tap sees more than the pod."""
        # `and` and `or` bind equally (pcap-filter(7)), so both sides stand in parentheses.
        parts = [f"({part})" for part in (self.narrow, wanted.strip()) if part]
        return " and ".join(parts) if len(parts) > 1 else self.narrow or wanted.strip()


def decide(evidence: Evidence, pod: Pod, *, may_enter: bool = False) -> Tap:
    """The tap that the evidence proves.

    Args:
        evidence: What the pod's node said.
        pod: The pod, as the API knows it.
        may_enter: Whether the policy allows a tap in the pod's network namespace.

    Raises:
        NoTap: Nothing is proven, the evidence contradicts itself, or the tap it demands is not allowed.
    """
    if pod.host_network:
        return _host_tap(evidence, pod)
    found = opinions(evidence, pod)
    place = seat(evidence, pod)
    if place is not None:
        why = why_inside(evidence, place)
        if why is not None and not may_enter:
            raise NoTap(_refusal(pod, why))
        if why is not None:
            return _inside_tap(evidence, pod, place, why)
    return _node_tap(evidence, pod, place, found)


def explain(tap: Tap) -> str:
    """One line for the thread: the interface, the proof and how certain it is."""
    if tap.method == "host":
        return f"{tap.node}'s own network, {'; '.join(tap.proof)} — confidence {tap.confidence}"
    where = f"on {tap.node}" if tap.pid is None else f"inside the pod on {tap.node}"
    return f"{tap.interface} {where} ({'; '.join(tap.proof)}) — confidence {tap.confidence}"


def _node_tap(evidence: Evidence, pod: Pod, place: Seat | None, found: list[Opinion]) -> Tap:
    """The tap on the node's side of the link."""
    first = found[0] if found else None
    agree = [other for other in found[1:] if first and other.link.ifindex == first.link.ifindex]
    differ = [other for other in found[1:] if first and other.link.ifindex != first.link.ifindex]
    # Addresses are given anew, and links are left behind: without a process the name must agree.
    if not evidence.processes and not any(other.method == "name" for other in agree):
        raise NoTap(f"No process of pod {pod.name} was found on node {pod.node}: it may have just ended.")
    if first is None or found[0].method == "name":
        raise NoTap(_why_not(evidence, pod, found))
    if any(_weighs(first, other) for other in differ):
        raise NoTap(_contradiction(pod, first, next(o for o in differ if _weighs(first, o))))
    clauses = [first.statement, *(f"{other.statement} agrees" for other in agree)]
    clauses += [f"{other.statement} says {other.link.name} and is not believed" for other in differ]
    if not evidence.processes:
        clauses.append("no process of the pod was seen")
    return Tap(
        node=pod.node or "",
        interface=first.link.name,
        ifindex=first.link.ifindex,
        method=first.method,
        proof=(*clauses, *_others(place), *evidence.missing),
        confidence="high" if agree and evidence.processes and not differ else "medium",
        netns_id=first.netns_id,
    )


def _weighs(first: Opinion, other: Opinion) -> bool:
    """Whether a contradiction makes the first opinion doubtful."""
    return other.method != "name" and not (first.method == "namespace" and first.both_ways)


def _contradiction(pod: Pod, first: Opinion, other: Opinion) -> str:
    return (
        f"The evidence for pod {pod.name} contradicts itself: {first.statement} says "
        f"{first.link.name}, but {other.statement} says {other.link.name}; nothing was captured."
    )


def _inside_tap(evidence: Evidence, pod: Pod, place: Seat, why: str) -> Tap:
    """The tap in the pod's network namespace."""
    has = "has the pod's address" if place.has_address else "is the only one of its sandbox"
    return Tap(
        node=pod.node or "",
        interface=place.interface,
        ifindex=place.index,
        method=INSIDE,
        proof=(why, f"there {place.interface} {has}", *_others(place), *evidence.missing),
        confidence="high" if place.has_address else "medium",
        netns_id=place.netns_id,
        pid=place.pid,
        started=next((p.started for p in evidence.processes if p.pid == place.pid), None),
    )


def _refusal(pod: Pod, why: str) -> str:
    return (
        f"The packets of pod {pod.name} can be taken in its network namespace alone ({why}): whoever runs "
        "podcap can allow that with `namespace_tap: true` in a rule of the policy."
    )


def _others(place: Seat | None) -> tuple[str, ...]:
    """A clause about the pod's other interfaces, where it has any."""
    if place is None or not place.others:
        return ()
    return (f"not captured: the pod's {', '.join(place.others)}",)


def _host_tap(evidence: Evidence, pod: Pod) -> Tap:
    """The tap at the node's own network, without what podcap itself sends through it."""
    if not pod.ports:
        raise NoTap(
            f"Pod {pod.name} uses its node's network and declares no ports, so its packets cannot be told "
            "from the node's: declare containerPorts, or capture a pod with a network of its own."
        )
    own = evidence.own_streams
    ports = sorted({(port.protocol.lower(), port.host or port.number) for port in pod.ports})
    listed = ", ".join(f"{protocol} {number}" for protocol, number in ports)
    proof = [f"narrowed to the ports that the pod declares ({listed}) because it uses hostNetwork"]
    api = ("tcp", API_SERVER_PORT)
    if api in ports and all(stream.port != API_SERVER_PORT for stream in own):
        # Through another API server this time; the next stream may come through this one.
        ports.remove(api)
        proof.append(
            f"not captured: tcp {API_SERVER_PORT}, where podcap's own connections could not be told apart"
        )
    if not ports:
        raise NoTap(
            f"Pod {pod.name} serves the API that podcap itself works through, and podcap's own connections "
            "could not be told apart there: nothing was captured; try again."
        )
    proof += [
        f"not captured: tcp {stream.port} with {stream.address}, where podcap's own connections pass"
        for stream in own
    ]
    terms = " or ".join(f"{protocol} port {number}" for protocol, number in ports)
    without = "".join(f" and not (host {stream.address} and tcp port {stream.port})" for stream in own)
    leading = sorted({str(link.master) for link in bridge_ports(evidence.links)})
    if leading:
        proof.append(f"each packet once, so not at the ports of {', '.join(leading)}")
        without += f" and {not_at_ports(evidence.links)}"
    elif not evidence.links:
        proof.append("a packet that passes a bridge may be there twice, since the node's links are unknown")
    return Tap(
        node=pod.node or "",
        interface="any",
        ifindex=0,
        method="host",
        proof=(*proof, *evidence.missing),
        confidence="medium",
        narrow=f"({terms}) and not tcp port {KUBELET_PORT}{without}",
    )


def _why_not(evidence: Evidence, pod: Pod, found: list[Opinion]) -> str:
    if evidence.namespaces and not any(
        ip in inside.addresses for inside in evidence.namespaces.values() for ip in pod.ips
    ):
        why = "its processes do not have its address"
    elif evidence.missing:
        why = "; ".join(evidence.missing)
    elif found:
        why = f"only {found[0].statement} speaks for {found[0].link.name}"
    else:
        why = "none of its processes shows which interface has its address"
    return f"No interface of node {pod.node} is proven to carry the packets of pod {pod.name}: {why}."
