"""What a cluster had at one moment, as far as it tells whose an address is and what rewrites it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_network

from workers.names.addresses import Network, Ranges, canonical


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a container; `host` is the node's port that leads to it, 0 for none."""

    number: int
    protocol: str = "TCP"
    name: str = ""
    host: int = 0


@dataclass(frozen=True, slots=True)
class Probe:
    """What the kubelet asks a container every `period` seconds.

    Attributes:
        kind: `liveness`, `readiness` or `startup`.
        how: `http`, `tcp` or `grpc`; those that only run a command are left out, they send no packet.
        port: The port it asks.
        path: What it asks for by HTTP, without a query.
    """

    kind: str
    how: str
    port: int
    period: int = 10
    path: str = ""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that had an address; `owner` as in `ReplicaSet/cheddar-655d8555f`, or ""."""

    namespace: str
    name: str
    node: str = ""
    ips: tuple[str, ...] = ()
    host_network: bool = False
    ports: tuple[Port, ...] = ()
    probes: tuple[Probe, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port of a Service; `node_port` is 0 for none, `target` a number or a container port's name."""

    number: int
    protocol: str = "TCP"
    name: str = ""
    node_port: int = 0
    target: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """A Service with every address it answers at; policies and affinity in Kubernetes' own words."""

    namespace: str
    name: str
    type: str = "ClusterIP"
    cluster_ips: tuple[str, ...] = ()
    external_ips: tuple[str, ...] = ()
    load_balancer_ips: tuple[str, ...] = ()
    ports: tuple[ServicePort, ...] = ()
    external_traffic_policy: str = ""
    internal_traffic_policy: str = ""
    session_affinity: str = "None"
    affinity_seconds: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address that is the Service's own."""
        return (*self.cluster_ips, *self.external_ips, *self.load_balancer_ips)

    @property
    def is_api_server(self) -> bool:
        """Whether it is the one that leads to the API server."""
        return (self.namespace, self.name) == ("default", "kubernetes")

    @property
    def is_dns(self) -> bool:
        """Whether it is the cluster's DNS: Kubernetes' own name or label for it, or OpenShift's name."""
        named = (self.namespace, self.name) in {("kube-system", "kube-dns"), ("openshift-dns", "dns-default")}
        return named or (self.namespace == "kube-system" and self.labels.get("k8s-app") == "kube-dns")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint of a slice; `pod` is the pod's name in the slice's namespace, "" when it is none."""

    addresses: tuple[str, ...]
    pod: str = ""
    node: str = ""
    ready: bool = True


@dataclass(frozen=True, slots=True)
class EndpointSlice:
    """A part of the endpoints of the Service `service`."""

    namespace: str
    service: str
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[Port, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Of all endpoints."""
        return tuple(address for endpoint in self.endpoints for address in endpoint.addresses)


@dataclass(frozen=True, slots=True)
class Node:
    """A node.

    Attributes:
        addresses: InternalIP and ExternalIP.
        pod_cidrs: The ranges its pods get their addresses from, where Kubernetes hands them out.
        tunnel_ips: Addresses of its own inside the pod network, as the CNI writes them on the node.
        gateways: Addresses of its bridge, as the node itself showed them.
        machine: Such as `amd64`.
        system: Such as `Linux 6.18.5, Debian GNU/Linux 12 (bookworm)`.
    """

    name: str
    addresses: tuple[str, ...] = ()
    pod_cidrs: tuple[str, ...] = ()
    tunnel_ips: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    machine: str = ""
    system: str = ""

    @property
    def networks(self) -> tuple[Network, ...]:
        """`pod_cidrs`, those that are ranges."""
        return tuple(network for text in self.pod_cidrs if (network := _network(text)) is not None)

    @property
    def supposed_gateways(self) -> tuple[str, ...]:
        """The first address of each range: the CNI plugin host-local gives it to the bridge."""
        return tuple(str(network[1]) for network in self.networks if network.num_addresses > 1)

    @property
    def overlay_ips(self) -> tuple[str, ...]:
        """The range's own first number, which flannel gives to its VXLAN interface."""
        return tuple(str(network[0]) for network in self.networks if network.num_addresses > 1)

    @property
    def own_ips(self) -> tuple[str, ...]:
        """Everything that is or may be the node's own."""
        own = (*self.addresses, *self.tunnel_ips, *self.gateways)
        return (*own, *self.supposed_gateways, *self.overlay_ips)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A cluster at `taken_at` (seconds since 1970); `notes` say in sentences what could not be asked."""

    taken_at: float = 0.0
    pods: tuple[Pod, ...] = ()
    services: tuple[Service, ...] = ()
    slices: tuple[EndpointSlice, ...] = ()
    nodes: tuple[Node, ...] = ()
    notes: tuple[str, ...] = ()

    def only(self, addresses: Iterable[str]) -> "Snapshot":
        """What names these addresses and says what rewrites them; of 10,000 pods a few dozen are left.

        Kept are pods, nodes and Services that have one of them, hostNetwork pods and Services with node ports
        where a node is among them, Services whose endpoints are among them, and always API server and DNS.
        """
        seen = {canonical(address) for address in addresses}
        ranges = Ranges((network, node.name) for node in self.nodes for network in node.networks)
        used = {ranges.find(address) for address in seen}
        nodes = tuple(node for node in self.nodes if node.name in used or not seen.isdisjoint(node.own_ips))
        hosts = any(not seen.isdisjoint(node.addresses) for node in nodes)
        pods = tuple(pod for pod in self.pods if self._names(pod, seen, {node.name for node in nodes}))
        slices = tuple(each for each in self.slices if not seen.isdisjoint(each.addresses))
        behind = {(each.namespace, each.service) for each in slices}
        services = tuple(
            service
            for service in self.services
            if service.is_api_server
            or service.is_dns
            or (service.namespace, service.name) in behind
            or not seen.isdisjoint(service.addresses)
            or (hosts and any(port.node_port for port in service.ports))
        )
        return replace(self, pods=pods, services=services, slices=slices, nodes=nodes)

    @staticmethod
    def _names(pod: Pod, seen: set[str], nodes: set[str]) -> bool:
        if not seen.isdisjoint(pod.ips):
            return True
        return pod.node in nodes and any(port.host for port in pod.ports)


def _network(text: str) -> Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None
