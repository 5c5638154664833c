"""The name of an address, and how it is written. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Whose an address is."""

    POD = "pod"
    SERVICE = "service"
    ENDPOINT = "endpoint"
    NODE = "node"
    GATEWAY = "gateway"
    API_SERVER = "api-server"
    DNS = "dns"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Name:
    """Whose an address is, or an address with a port.

    Attributes:
        kind: Pod, Service and so on.
        address: The address, in its one spelling.
        namespace: Of pod, Service or endpoint's Service; else "".
        name: Of pod, Service, node; "" for an external address, and where only a pod range is known.
        node: Where a pod runs, what a gateway belongs to, through which node a Service was asked.
        host_network: The address is the node's and many share it; the port says that it is this pod.
        generated: What a controller put into the pod's name before its last part, such as `845749dbd6`.
        also: Others at the same address, as in `traefik/hostnet`, at most a few.
        note: What else is to be said, such as `private` or `the CNI's usual gateway, not seen on the node`.
    """

    kind: Kind
    address: str
    namespace: str = ""
    name: str = ""
    node: str = ""
    host_network: bool = False
    generated: str = ""
    also: tuple[str, ...] = ()
    note: str = ""

    @property
    def is_known(self) -> bool:
        """Whether the cluster has it."""
        return self.kind is not Kind.EXTERNAL

    @property
    def text(self) -> str:
        """In full, as in `traefik/cheddar-845749dbd6-zcdjm`, `svc traefik/cheddar`, `node k8s-node02`."""
        if self.kind is Kind.POD and not self.name:
            return f"{self.address} of {self.node}'s pod range"
        named = f"{self.namespace}/{self.name}"
        through = f" at {self.node}" if self.node else ""
        return {
            Kind.POD: named,
            Kind.SERVICE: f"svc {named}{through}",
            Kind.ENDPOINT: f"endpoint of {named} ({self.address})",
            Kind.NODE: f"node {self.name}",
            Kind.GATEWAY: f"gateway of {self.node}",
            Kind.API_SERVER: "API server",
            Kind.DNS: f"DNS {named}",
            Kind.EXTERNAL: self.address,
        }[self.kind]

    @property
    def short(self) -> str:
        """For a table: without what only a controller made up, as in `traefik/cheddar-…zcdjm`."""
        if self.kind is Kind.POD and self.generated:
            return self.text.replace(f"-{self.generated}-", "-…", 1)
        if self.kind is Kind.POD and not self.name:
            return self.address
        if self.kind is Kind.ENDPOINT:
            return f"endpoint {self.namespace}/{self.name}"
        return self.text

    @property
    def sentence(self) -> str:
        """All that is known, for whoever wants to be sure; without a full stop."""
        said = [self.text]
        if self.kind is Kind.POD and self.name and self.node:
            where = "in the host network of" if self.host_network else "on"
            said.append(f"{where} node {self.node}")
        if self.note:
            said.append(f"({self.note})")
        if self.also:
            said.append(f"or one of those that share its address: {', '.join(self.also)}")
        return " ".join(said)

    @property
    def host(self) -> str | None:
        """As a host name, for Wireshark: letters, digits, `-`, `_` and `.`; None for an external address.

        A pod is `NAME.NAMESPACE.pod`, a Service `NAME.NAMESPACE.svc`, a node `NAME.node`, its bridge
        `NAME.gateway`.
        """
        address = self.address.replace(":", "-")
        labels = {
            Kind.POD: [self.name, self.namespace, "pod"] if self.name else [address, self.node, "pods"],
            Kind.SERVICE: [self.name, self.namespace, "svc"],
            Kind.DNS: [self.name, self.namespace, "svc"],
            Kind.API_SERVER: [self.name, self.namespace, "svc"] if self.name else ["api-server"],
            Kind.ENDPOINT: [address, self.name, self.namespace, "endpoint"],
            Kind.NODE: [self.name, "node"],
            Kind.GATEWAY: [self.node, "gateway"],
        }.get(self.kind)
        return host_name(".".join(labels)) if labels else None


LONGEST_HOST = 253
"""Characters of a host name (RFC 1035); Wireshark keeps 255 (MAXDNSNAMELEN, epan/addr_resolv.h)."""


def host_name(text: str) -> str:
    """The text with `-` for whatever a host name cannot have, cut to its length."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)[:LONGEST_HOST]
