"""The doors of Services: addresses and ports that lead to one, and those of its endpoints. Pure.

A front door is where clients knock: the cluster address, an external or a load balancer's address, or the
node port at any address of any node. A back door is an endpoint. What is between them is kube-proxy's.
"""

from collections.abc import Mapping
from typing import NamedTuple

from workers.names.addresses import canonical
from workers.names.snapshot import Service, Snapshot
from workers.summary.endpoint import Endpoint


class ServicePort(NamedTuple):
    """One port of one Service; the number and the protocol name it."""

    namespace: str
    service: str
    number: int
    protocol: str = "TCP"


class Doors:
    """Of all Services of a snapshot that have an address of their own: a headless one has no doors."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._fronts: dict[tuple[str, Endpoint], ServicePort] = {}
        self._node_ports: dict[tuple[str, int], ServicePort] = {}
        self._backs: dict[tuple[str, Endpoint], tuple[ServicePort, ...]] = {}
        self._inner = {each for service in snapshot.services for each in service.cluster_ips}
        self._nodes = {address: node.name for node in snapshot.nodes for address in node.own_ips}
        services = {(each.namespace, each.name): each for each in snapshot.services if each.cluster_ips}
        for service in services.values():
            self._add_fronts(service)
        for piece in snapshot.slices:
            service_of = services.get((piece.namespace, piece.service))
            for port in piece.ports if service_of is not None else ():
                # A slice's port bears the name of the Service's port (discovery/v1 EndpointPort).
                named = [
                    ServicePort(piece.namespace, piece.service, each.number, each.protocol)
                    for each in (service_of.ports if service_of is not None else ())
                    if (each.name, each.protocol) == (port.name, port.protocol)
                ]
                for address in piece.addresses:
                    key = port.protocol, Endpoint(canonical(address), port.number)
                    known = self._backs.get(key, ())
                    self._backs[key] = (*known, *(each for each in named if each not in known))

    @property
    def nodes(self) -> Mapping[str, str]:
        """The node of each address that is a node's own."""
        return self._nodes

    def front(self, protocol: str, end: Endpoint) -> ServicePort | None:
        """Whose front door that is."""
        found = self._fronts.get((protocol, end))
        if found is None and end.address in self._nodes:
            return self._node_ports.get((protocol, end.port))
        return found

    def is_inner(self, address: str) -> bool:
        """Whether it is a cluster address, which every node's kube-proxy answers for by itself."""
        return address in self._inner

    def back(self, protocol: str, end: Endpoint) -> tuple[ServicePort, ...]:
        """Which Services' ports lead to this endpoint."""
        return self._backs.get((protocol, end), ())

    def leads(self, protocol: str, end: Endpoint) -> bool:
        """Whether it is a door of either kind."""
        return (protocol, end) in self._backs or self.front(protocol, end) is not None

    def _add_fronts(self, service: Service) -> None:
        for port in service.ports:
            named = ServicePort(service.namespace, service.name, port.number, port.protocol)
            for address in service.addresses:
                self._fronts.setdefault((port.protocol, Endpoint(address, port.number)), named)
            if port.node_port:
                self._node_ports.setdefault((port.protocol, port.node_port), named)
