"""Finds out where podcap's own exec streams pass a node, before the node's own network is captured.

From outside that cannot be known: addresses are rewritten, and proxies stand in between. So an exec brings a
known number of bytes, and whatever connection of the node has carried as many meanwhile is on its way.
Another that was as busy is taken for one, too: that leaves out too much, never too little, and is said.
"""

from collections.abc import Callable, Mapping

from workers.agent.agent import AgentPod
from workers.cluster.exec import STDOUT
from workers.cluster.pod import Pod
from workers.tap.framing import Section
from workers.tap.own_stream import BYTES, Connection, OwnStream, carried, own_streams

_SECONDS = 20.0
_LIMIT_BYTES = 32 << 20

# It stays open while the sockets are asked, and ends by itself when nobody listens any more.
_STREAM = ("sh", "-c", f"head -c {BYTES} /dev/zero; exec sleep 20")
# Through a shell, which says by its exit code that there is no ss, where the exec itself would fail.
_SOCKETS = ("sh", "-c", "exec ss -H -t -i -n -O state established")


class NoSocketsError(Exception):
    """The agent image's `ss` does not answer; the message says how, a clause."""


def probe(agent: AgentPod, pod: Pod, *, poll: Callable[[], None] | None = None) -> tuple[OwnStream, ...]:
    """Where the pod's own TCP ports see podcap's streams.

    Args:
        agent: The agent pod on the pod's node.
        pod: A pod that uses its node's network.
        poll: Called at least once a second; may raise to give up.

    Raises:
        NoSocketsError: The node's sockets could not be listed.
        ClusterError: The node could not be asked.
    """
    ports = {port.host or port.number for port in pod.ports if port.protocol == "TCP"}
    if not ports:
        return ()
    before = _sockets(agent, ports, poll)
    arrived = 0
    with agent.stream(_STREAM, seconds=_SECONDS, poll=poll) as stream:
        for channel, piece in stream:
            arrived += len(piece) if channel == STDOUT else 0
            if arrived >= BYTES:
                break
        return own_streams(before, _sockets(agent, ports, poll))


def _sockets(agent: AgentPod, ports: set[int], poll: Callable[[], None] | None) -> Mapping[Connection, int]:
    done = agent.run(_SOCKETS, seconds=_SECONDS, limit_bytes=_LIMIT_BYTES, poll=poll)
    if done.exit_code != 0:
        words = Section(done.stderr.decode("utf-8", "replace"), done.exit_code).first_line
        raise NoSocketsError(f"podcap's own connections there, if any, since `ss` does not answer ({words})")
    return carried(done.stdout.decode("utf-8", "replace"), ports)
