"""Fetches the evidence for one pod: one exec in the agent pod on its node."""

import secrets
from collections.abc import Callable, Sequence
from ipaddress import ip_address

from workers.agent.agent import AgentPod
from workers.agent.script import script
from workers.cluster.errors import ClusterError
from workers.cluster.pod import Pod
from workers.tap.evidence import Evidence, parse
from workers.tap.framing import TornError
from workers.tap.probe import NoSocketsError, probe

_SECONDS = 20.0
_NOBODY = (0,)
"""No process has this PID."""

_LIMIT_BYTES = 32 << 20


def gather(
    agent: AgentPod,
    pod: Pod,
    *,
    pids: Sequence[int] = (),
    ifindex: int | None = None,
    poll: Callable[[], None] | None = None,
) -> Evidence:
    """Everything the pod's node says about where its packets pass.

    Of a hostNetwork pod only: the node's links, and where its ports see podcap's own streams.

    Args:
        agent: The agent pod on the pod's node.
        pod: The pod to be captured.
        pids: Only these processes are looked at; empty for all of the node.
        ifindex: Only this link is asked for, and neither neighbours nor routes; None for everything.
        poll: Called at least once a second; may raise to give up.

    Raises:
        ClusterError: The node could not be asked.
    """
    if pod.host_network:
        # Its network is the node's own: nothing is to be found, and nothing to be compared afterwards.
        return _of_the_node(agent, pod, poll) if ifindex is None else Evidence()
    return _asked(agent, pod, pids, ifindex, poll)


def _of_the_node(agent: AgentPod, pod: Pod, poll: Callable[[], None] | None) -> Evidence:
    """Without its processes: their routes, up to a hundred thousand, prove nothing."""
    links = _asked(agent, pod, _NOBODY, None, poll).links
    try:
        return Evidence(links=links, own_streams=probe(agent, pod, poll=poll))
    except NoSocketsError as error:
        return Evidence(links=links, missing=(f"not left out: {error}",))


def _asked(
    agent: AgentPod,
    pod: Pod,
    pids: Sequence[int],
    ifindex: int | None,
    poll: Callable[[], None] | None,
) -> Evidence:
    nonce = secrets.token_hex(16)
    argv = arguments(nonce, pod, pids=pids, ifindex=ifindex)
    done = agent.run(argv, seconds=_SECONDS, limit_bytes=_LIMIT_BYTES, poll=poll)
    try:
        return parse(done.stdout, nonce)
    except TornError as error:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = f" ({words[-1][:200]})" if words else ""
        raise ClusterError(f"The agent pod on node {agent.node} could not gather evidence{why}.") from error


def arguments(nonce: str, pod: Pod, *, pids: Sequence[int] = (), ifindex: int | None = None) -> list[str]:
    """The command that gathers: every value an argument of its own."""
    program = script("workers.tap", "evidence.sh")
    addresses = [ip_address(ip) for ip in pod.ips]
    words = [
        " ".join(address.packed.hex() for address in addresses),
        " ".join(map(str, addresses)),
        " ".join(map(str, pids)),
        "" if ifindex is None else str(ifindex),
    ]
    # systemd's cgroup driver writes the dashes of a pod UID as underscores, since a dash separates slices.
    # Of a container's id half is enough to be nobody else's, and the whole of it would make the URL too long.
    ids = [pod.uid, pod.uid.replace("-", "_"), *(one[:32] for one in pod.containers.values())]
    netlink = script("workers.tap", "netlink.pl")
    return ["sh", "-c", program, "podcap-evidence", nonce, netlink, *words, *ids]
