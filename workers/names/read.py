"""From the API's own JSON to a snapshot's parts. Pure.

Objects come from many hands over many versions: what is missing or of another shape is left out.
"""

from collections.abc import Mapping
from typing import Any

from workers.names.addresses import canonical
from workers.names.snapshot import Endpoint, EndpointSlice, Node, Pod, Port, Probe, Service, ServicePort

_ENDED = ("Succeeded", "Failed")

# Where CNIs write a node's own address inside the pod network.
_TUNNEL_ANNOTATIONS = (
    "projectcalico.org/IPv4IPIPTunnelAddr",
    "projectcalico.org/IPv4VXLANTunnelAddr",
    "projectcalico.org/IPv6VXLANTunnelAddr",
    "projectcalico.org/IPv4WireguardInterfaceAddr",
    "network.cilium.io/ipv4-cilium-host",
    "network.cilium.io/ipv6-cilium-host",
)


def pod(given: Mapping[str, Any]) -> Pod | None:
    """A `v1.Pod`; None for one without address, or that ended, whose address may be another's by now."""
    metadata, spec, status = given["metadata"], given.get("spec") or {}, given.get("status") or {}
    ips = [each["ip"] for each in status.get("podIPs") or [] if each.get("ip")]
    ips = ips or [each for each in [status.get("podIP")] if each]
    if not ips or status.get("phase") in _ENDED:
        return None
    # A sidecar is an init container with restartPolicy Always.
    sidecars = [c for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"]
    containers = [*(spec.get("containers") or []), *sidecars]
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        node=spec.get("nodeName") or "",
        ips=tuple(map(canonical, ips)),
        host_network=bool(spec.get("hostNetwork")),
        ports=tuple(_port(port) for container in containers for port in container.get("ports") or []),
        probes=tuple(probe for container in containers for probe in _probes(container)),
        labels=metadata.get("labels") or {},
        owner=_owner(metadata),
    )


def service(given: Mapping[str, Any]) -> Service:
    """A `v1.Service`."""
    metadata, spec = given["metadata"], given.get("spec") or {}
    balanced = ((given.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    cluster_ips = spec.get("clusterIPs") or [spec.get("clusterIP")]
    affinity = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    return Service(
        namespace=metadata["namespace"],
        name=metadata["name"],
        type=spec.get("type") or "ClusterIP",
        cluster_ips=tuple(canonical(each) for each in cluster_ips if each and each != "None"),
        external_ips=tuple(map(canonical, spec.get("externalIPs") or [])),
        load_balancer_ips=tuple(canonical(each["ip"]) for each in balanced if each.get("ip")),
        ports=tuple(_service_port(port) for port in spec.get("ports") or []),
        external_traffic_policy=spec.get("externalTrafficPolicy") or "",
        internal_traffic_policy=spec.get("internalTrafficPolicy") or "",
        session_affinity=spec.get("sessionAffinity") or "None",
        affinity_seconds=affinity.get("timeoutSeconds") or 0,
        labels=metadata.get("labels") or {},
    )


def endpoint_slice(given: Mapping[str, Any]) -> EndpointSlice | None:
    """A `discovery.k8s.io/v1` EndpointSlice; None for one of no Service, or of names instead of addresses."""
    metadata = given["metadata"]
    of = (metadata.get("labels") or {}).get("kubernetes.io/service-name")
    if not of or given.get("addressType") == "FQDN":
        return None
    ports = [port for port in given.get("ports") or [] if port.get("port")]
    return EndpointSlice(
        namespace=metadata["namespace"],
        service=of,
        endpoints=tuple(_endpoint(each) for each in given.get("endpoints") or []),
        ports=tuple(Port(p["port"], p.get("protocol") or "TCP", p.get("name") or "") for p in ports),
    )


def node(given: Mapping[str, Any]) -> Node:
    """A `v1.Node`."""
    metadata, spec, status = given["metadata"], given.get("spec") or {}, given.get("status") or {}
    annotations, info = metadata.get("annotations") or {}, status.get("nodeInfo") or {}
    cidrs = spec.get("podCIDRs") or [spec.get("podCIDR")]
    kernel = info.get("kernelVersion")
    system = [f"Linux {kernel}" if kernel else "", info.get("osImage") or ""]
    return Node(
        name=metadata["name"],
        addresses=tuple(
            canonical(each["address"])
            for each in status.get("addresses") or []
            if each["type"] in ("InternalIP", "ExternalIP")
        ),
        pod_cidrs=tuple(each for each in cidrs if each),
        tunnel_ips=tuple(canonical(annotations[key]) for key in _TUNNEL_ANNOTATIONS if annotations.get(key)),
        machine=info.get("architecture") or "",
        system=", ".join(filter(None, system)),
    )


def _port(port: Mapping[str, Any]) -> Port:
    return Port(
        port["containerPort"],
        port.get("protocol") or "TCP",
        port.get("name") or "",
        port.get("hostPort") or 0,
    )


def _service_port(port: Mapping[str, Any]) -> ServicePort:
    return ServicePort(
        port["port"],
        port.get("protocol") or "TCP",
        port.get("name") or "",
        port.get("nodePort") or 0,
        str(port.get("targetPort") or ""),
    )


def _endpoint(given: Mapping[str, Any]) -> Endpoint:
    target = given.get("targetRef") or {}
    return Endpoint(
        addresses=tuple(map(canonical, given.get("addresses") or [])),
        pod=target.get("name") or "" if target.get("kind") == "Pod" else "",
        node=given.get("nodeName") or "",
        # Unknown counts as ready (discovery/v1 EndpointConditions).
        ready=(given.get("conditions") or {}).get("ready") is not False,
    )


_ACTIONS = {"httpGet": "http", "tcpSocket": "tcp", "grpc": "grpc"}


def _probes(container: Mapping[str, Any]) -> list[Probe]:
    found = []
    for kind in ("liveness", "readiness", "startup"):
        probe = container.get(f"{kind}Probe") or {}
        for action, how in _ACTIONS.items():
            asked = probe.get(action) or {}
            port = _numbered(asked.get("port"), container)
            if port:
                path = (asked.get("path") or "/").partition("?")[0] if how == "http" else ""
                found.append(Probe(kind, how, port, probe.get("periodSeconds") or 10, path))
    return found


def _numbered(port: Any, container: Mapping[str, Any]) -> int:
    """A probe's port, which may be a name or a number written as text; 0 when it leads nowhere."""
    named = {each.get("name"): each["containerPort"] for each in container.get("ports") or []}
    found = named.get(port, port) if isinstance(port, str) else port
    return int(found) if isinstance(found, int) or (isinstance(found, str) and found.isdecimal()) else 0


def _owner(metadata: Mapping[str, Any]) -> str:
    owners = [each for each in metadata.get("ownerReferences") or [] if each.get("controller")]
    return f"{owners[0]['kind']}/{owners[0]['name']}" if owners else ""
