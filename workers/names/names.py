"""Whose an address is: the names of everything in a snapshot. Pure.

One address may be several things' at once; the first of these that fits decides: with the port, a Service's
node port, the API server, a hostNetwork pod's or a host port; then Service, node, pod, endpoint, the node's
gateway, the range that a node gives its pods their addresses from; and what is nothing of these is external.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from workers.names.addresses import Ranges, canonical, reach
from workers.names.name import Kind, Name
from workers.names.snapshot import EndpointSlice, Node, Pod, Service, Snapshot
from workers.summary.endpoint import Endpoint

_MOST_ALSO = 3
_HASH = "pod-template-hash"


class Names:
    """The names in one snapshot. Building takes a second or less for 10,000 pods, asking next to nothing."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._by_address: dict[str, Name] = {}
        self._by_port: dict[tuple[str, int], Name] = {}
        self._ranges = Ranges((network, node.name) for node in snapshot.nodes for network in node.networks)
        self._nodes = {address: node.name for node in snapshot.nodes for address in node.addresses}
        nodes = {node.name: node for node in snapshot.nodes}
        api = {(each.namespace, each.name) for each in snapshot.services if each.is_api_server}
        leading = [each for each in snapshot.slices if (each.namespace, each.service) in api]
        for service in snapshot.services:
            self._add_service(service)
        for piece in leading:
            self._add_api_server(piece)
        for address, node in self._nodes.items():
            self._add(Name(Kind.NODE, address, name=node))
        for pod in snapshot.pods:
            self._add_pod(pod, nodes.get(pod.node))
        for piece in leading:
            self._add_endpoints(piece, Kind.API_SERVER)
        for piece in snapshot.slices:
            self._add_endpoints(piece, Kind.ENDPOINT)
        for each in snapshot.nodes:
            self._add_gateways(each)

    @classmethod
    def none(cls) -> "Names":
        """Where nothing is known of a cluster: every address is external."""
        return cls(Snapshot())

    def name(self, address: str, port: int | None = None) -> Name:
        """Whose an address is; with a port, where that decides.

        Args:
            address: As text; IPv4 in IPv6 counts as IPv4.
            port: At that address.
        """
        address = canonical(address)
        if port is not None and (found := self._by_port.get((address, port))):
            return found
        if found := self._by_address.get(address):
            return found
        owner = self._ranges.find(address)
        if owner is not None:
            note = "no pod had it when the capture began"
            return Name(Kind.POD, address, node=owner, note=note)
        return Name(Kind.EXTERNAL, address, note=reach(address))

    def shown(self, address: str, port: int | None = None) -> str:
        """For a table: `traefik/cheddar-…zcdjm:80`; the address where nothing better is known."""
        text = self.name(address, port).short
        if port is None:
            return text
        return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"

    def table(self, ends: Iterable[Endpoint]) -> Mapping[str, str]:
        """Short names of the ends of flows: by `address:port` where the port decides, else by address."""
        found: dict[str, str] = {}
        # A file has tens of thousands of ends, of few addresses; hardly a port decides.
        ports = {port for _, port in self._by_port}
        addresses: dict[str, None] = {}
        for end in ends:
            if end.port in ports and (canonical(end.address), end.port) in self._by_port:
                name = self.name(end.address, end.port)
                if name.short != name.address:
                    found[str(end)] = name.short
            else:
                addresses[end.address] = None
        for address in addresses:
            name = self.name(address)
            if name.short != name.address:
                found[address] = name.short
        return found

    def hosts(self, addresses: Iterable[str]) -> Mapping[str, str]:
        """Host names for those of the addresses that the cluster has, for Wireshark."""
        found = ((address, self.name(address).host) for address in dict.fromkeys(map(canonical, addresses)))
        return {address: host for address, host in found if host}

    def _add(self, name: Name) -> None:
        """The first one has the address; the others are said beside it."""
        there = self._by_address.setdefault(name.address, name)
        if there is name or name.kind is not Kind.POD or len(there.also) >= _MOST_ALSO:
            return
        if (there.namespace, there.name) != (name.namespace, name.name) and name.text not in there.also:
            self._by_address[name.address] = replace(there, also=(*there.also, name.text))

    def _add_service(self, service: Service) -> None:
        kind = Kind.API_SERVER if service.is_api_server else Kind.DNS if service.is_dns else Kind.SERVICE
        for address in service.addresses:
            name = Name(kind, address, service.namespace, service.name)
            if address not in self._nodes:
                self._add(name)
                continue
            # Some load balancers answer at the nodes' own addresses: only the port tells.
            for port in service.ports:
                self._by_port.setdefault((address, port.number), replace(name, node=self._nodes[address]))
        for port in service.ports:
            if port.node_port:
                for address, node in self._nodes.items():
                    name = Name(kind, address, service.namespace, service.name, node)
                    self._by_port.setdefault((address, port.node_port), name)

    def _add_api_server(self, piece: EndpointSlice) -> None:
        for address in piece.addresses:
            for port in piece.ports:
                self._by_port.setdefault((address, port.number), Name(Kind.API_SERVER, address))

    def _add_pod(self, pod: Pod, node: Node | None) -> None:
        generated = pod.labels.get(_HASH, "")
        name = Name(
            Kind.POD,
            "",
            pod.namespace,
            pod.name,
            pod.node,
            host_network=pod.host_network,
            generated=generated if generated and f"-{generated}-" in pod.name else "",
        )
        for address in pod.ips:
            self._add(replace(name, address=address))
        shared = pod.ips if pod.host_network else node.addresses if node else ()
        for port in pod.ports:
            number = port.host or (port.number if pod.host_network else 0)
            if number:
                for address in shared:
                    self._by_port.setdefault((address, number), replace(name, address=address))

    def _add_endpoints(self, piece: EndpointSlice, kind: Kind) -> None:
        """Those that no pod, node or Service has; of a pod that was not listed, the slice knows the name."""
        for endpoint in piece.endpoints:
            for address in endpoint.addresses:
                if address in self._by_address:
                    continue
                if endpoint.pod:
                    name = Name(Kind.POD, address, piece.namespace, endpoint.pod, endpoint.node)
                elif kind is Kind.API_SERVER:
                    name = Name(Kind.API_SERVER, address)
                else:
                    name = Name(Kind.ENDPOINT, address, piece.namespace, piece.service)
                self._by_address[address] = name

    def _add_gateways(self, node: Node) -> None:
        kinds = (
            (node.gateways, Kind.GATEWAY, ""),
            (node.tunnel_ips, Kind.NODE, "its own address in the pod network"),
            (node.supposed_gateways, Kind.GATEWAY, "the first address of its pod range"),
            (node.overlay_ips, Kind.NODE, "the number of its pod range, its end of the overlay"),
        )
        for addresses, kind, note in kinds:
            for address in addresses:
                name = "" if kind is Kind.GATEWAY else node.name
                self._by_address.setdefault(
                    address, Name(kind, address, name=name, node=node.name, note=note)
                )
