"""The lab's Service behind a node port: whom its pods take for their client, and other fields for it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from deploy.lab.handle import LabHandle
from deploy.lab.plan import NODE_PORT, NODES
from tests.e2e.conftest import eventually

ASK = """\
import sys, urllib.request
for address in sys.argv[1:]:
    print(urllib.request.urlopen(f"http://{address}", timeout=30).read().decode().strip())
"""


class Reply(NamedTuple):
    """Which pod answered, and whom it took for its client."""

    pod: str
    client: str


def ask(lab: LabHandle, *nodes: Any) -> list[Reply]:
    """The lab's client asks for the Service at these nodes, one after the other."""
    said = lab.client("python3", "-c", ASK, *(f"{node.address}:{NODE_PORT}" for node in nodes))
    return [Reply(*found) for found in re.findall(r"pod=(\S+) client=([0-9.]+):", said)]


class Service:
    """The Service, whose fields the nodes have taken over once a change returns."""

    def __init__(self, lab: LabHandle) -> None:
        self._lab = lab
        self._minutes = 179

    def change(self, policy: str) -> None:
        """With another affinity timeout: nodes forget whom they bound, and show that they have changed."""
        self._minutes -= 1
        config = {"clientIP": {"timeoutSeconds": self._minutes * 60}}
        fields = {"externalTrafficPolicy": policy, "sessionAffinityConfig": config}
        self._patch(fields)
        timeout = self._timeout()
        for node in NODES:
            eventually(lambda name=node.name: timeout in self._rules(name), what=lambda: timeout)

    def take_back(self, fields: dict[str, Any]) -> None:
        """Gives it these fields, which are other ones than those of the last `change`."""
        self._patch(fields)
        timeout = self._timeout()
        for node in NODES:
            eventually(lambda name=node.name: timeout not in self._rules(name), what=lambda: f"no {timeout}")

    def _patch(self, fields: dict[str, Any]) -> None:
        self._lab.kubectl("patch", "service", "cheddar", "-n", "traefik", "-p", json.dumps({"spec": fields}))

    def _timeout(self) -> str:
        return f"timeout {self._minutes // 60}h{self._minutes % 60}m"

    def _rules(self, node: str) -> str:
        return self._lab.node(node, "nft", "list", "table", "ip", "kube-proxy")


@contextmanager
def changeable(lab: LabHandle) -> Iterator[Service]:
    """The Service; afterwards it is as it was."""
    before = lab.get("service", "cheddar")["spec"]
    kept = {name: before.get(name) for name in ("externalTrafficPolicy", "sessionAffinityConfig")}
    service = Service(lab)
    try:
        yield service
    finally:
        service.take_back(kept)


def met_at_its_own_node(lab: LabHandle, service: Service) -> tuple[Any, str]:
    """A node that hands the lab's client on to a pod of its own, and that pod's name.

    Which pod a node binds the client to, chance decides; it forgets that with each change of the Service.
    """

    def found() -> tuple[Any, str] | None:
        service.change("Cluster")
        replies = zip(NODES, ask(lab, *NODES), strict=True)
        return next(((node, reply.pod) for node, reply in replies if reply.client == node.gateway), None)

    node, pod = eventually(found, what=lambda: "a pod on a node that is asked")
    return node, str(pod)
