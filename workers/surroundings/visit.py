"""One visit to a node: what is around pods there, by one exec for many of them, without a capability."""

import logging
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from workers.agent.agent import AgentPod
from workers.agent.script import script
from workers.cluster.errors import ClusterError
from workers.cluster.pod import Pod
from workers.surroundings import kernel_counters, sockets, ways
from workers.surroundings.surroundings import Surroundings
from workers.surroundings.tracked import Tracked, tracked
from workers.tap.framing import Section, TornError, sections

log = logging.getLogger(__name__)

_SECONDS = 20.0
_LIMIT_BYTES = 64 << 20
_PIDS = 4
AT_ONCE = 20
"""Pods of one exec: its arguments travel in a URL."""

UNTRACKED = (
    "What the node tracks of connections is not here: its kernel shows no /proc/net/nf_conntrack, "
    "and podcap has no right to ask otherwise (NET_ADMIN)."
)
_HOST_NETWORK = "Its network is its node's own, so what the kernel counts there is not the pod's."
_GONE = "None of its processes that were there at the capture's begin could be looked at."


@dataclass(frozen=True, slots=True)
class Inside:
    """A pod and processes in its network namespace, as the evidence for its tap has them."""

    pod: Pod
    pids: tuple[int, ...] = ()


def visit(
    agent: AgentPod,
    insides: Sequence[Inside],
    addresses: Sequence[str],
    *,
    poll: Callable[[], None] | None = None,
) -> dict[str, Surroundings]:
    """What the node says, by the pods' UIDs; what it does not say stands in `missing`, and never fails.

    Args:
        agent: The agent pod on their node.
        insides: The pods.
        addresses: Of all pods of the capture, on whatever node: of connections to and from these it is said
            how the node rewrites them.
        poll: Called at least once a second; may raise to give up.
    """
    found: dict[str, Surroundings] = {}
    for start in range(0, len(insides), AT_ONCE):
        some = insides[start : start + AT_ONCE]
        try:
            nonce = secrets.token_hex(16)
            argv = arguments(nonce, some, addresses)
            done = agent.run(argv, seconds=_SECONDS, limit_bytes=_LIMIT_BYTES, poll=poll)
            read = dict(surroundings(done.stdout, nonce, some))
        except (ClusterError, TornError) as error:
            log.info("the surroundings of pods are not known: %s", error)
            why = str(error).rstrip(".")
            read = {
                one.pod.uid: _empty(one.pod, time.time_ns(), f"Its node was not asked: {why}.")
                for one in some
            }
        found |= read
    return found


def arguments(nonce: str, insides: Sequence[Inside], addresses: Sequence[str]) -> list[str]:
    """The command that reads: every value an argument of its own."""
    program = script("workers.surroundings", "node.sh")
    # The kernel writes IPv6 addresses there in full.
    listed = " ".join(ip_address(each).exploded for each in addresses)
    groups = [_group(one) for one in insides]
    return ["sh", "-c", program, "podcap-surroundings", nonce, listed, *groups]


def _group(one: Inside) -> str:
    # As the evidence for a tap names a pod's processes (workers/tap/gather.py).
    ids = [one.pod.uid, one.pod.uid.replace("-", "_"), *(each[:32] for each in one.pod.containers.values())]
    return " ".join([*ids, "-", *map(str, one.pids[:_PIDS])])


def surroundings(output: bytes, nonce: str, insides: Sequence[Inside]) -> Iterator[tuple[str, Surroundings]]:
    """Reads the program's output. Pure.

    Raises:
        TornError: It is incomplete.
    """
    found = sections(output, nonce)
    stamp = found.get("clock", _NONE).text.strip()
    at = int(stamp) if stamp.isdecimal() and len(stamp) < 20 else time.time_ns()  # noqa: PLR2004, digits
    known: tuple[Tracked, ...] = (
        tuple(dict.fromkeys(tracked(found["tracked"].text))) if "tracked" in found else ()
    )
    for number, one in enumerate(insides):
        files = _files(found, f"{number}/")
        missing = [] if "tracked" in found else [UNTRACKED]
        if one.pod.host_network:
            files, missing = {}, [*missing, _HOST_NETWORK]
        elif not files:
            missing = [*missing, _GONE]
        yield (
            one.pod.uid,
            Surroundings(
                one.pod.namespace,
                one.pod.name,
                one.pod.uid,
                at,
                ways.routes(files.get("route", ""), files.get("ipv6_route", "")),
                ways.neighbours(files.get("arp", "")),
                sockets.read(files) if files else None,
                kernel_counters.read(files),
                known,
                missing=tuple(missing),
            ),
        )


_NONE = Section("", 127)


def _files(found: Mapping[str, Section], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): section.text for name, section in found.items() if name.startswith(prefix)
    }


def _empty(pod: Pod, at: int, *missing: str) -> Surroundings:
    return Surroundings(pod.namespace, pod.name, pod.uid, at, missing=missing)
