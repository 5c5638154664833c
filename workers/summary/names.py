"""Names of addresses, as the summary asks for them. Pure."""

from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["pod", "service", "endpoint", "node", "gateway", "api-server", "dns", "external"]


@dataclass(frozen=True, slots=True)
class Name:
    """What an address (and port) is in the cluster.

    Attributes:
        kind: What bears it.
        text: As it is shown: `traefik/cheddar-845749dbd6-zcdjm`, `svc traefik/cheddar`, `k8s-node02`.
        namespace: Empty outside of namespaces.
        name: Without the namespace.
    """

    kind: Kind
    text: str
    namespace: str = ""
    name: str = ""


class Names(Protocol):
    """A snapshot of the cluster, asked for names."""

    def of(self, address: str, port: int = 0) -> Name | None:
        """The name of an address, with a port where that decides; None for one that is not of the cluster."""
