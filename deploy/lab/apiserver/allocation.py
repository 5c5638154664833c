"""Cluster addresses and node ports of Services, handed out and checked against those in use."""

import ipaddress
import secrets

from deploy.lab.apiserver.resources import SERVICES
from deploy.lab.apiserver.status import FieldError, Object, invalid_value
from deploy.lab.apiserver.store import Store

SERVICE_RANGE = ipaddress.IPv4Network("10.96.0.0/16")
NODE_PORTS = range(30000, 32768)


def allocate(store: Store, service: Object) -> list[FieldError]:
    """Gives a Service what it does not have yet and checks what it asks for. Changes the Service.

    Returns:
        Errors in the words of the API server's allocators.
    """
    others = [one for one in store.objects(SERVICES) if not _same(one, service)]
    spec = service["spec"]
    errors: list[FieldError] = []
    if spec["type"] != "ExternalName":
        errors += _address(spec, {one["spec"].get("clusterIP") for one in others})
        spec["internalTrafficPolicy"] = spec.get("internalTrafficPolicy", "Cluster")
        spec.setdefault("ipFamilies", ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "SingleStack")
    if spec["type"] in {"NodePort", "LoadBalancer"}:
        taken = {port.get("nodePort") for one in others for port in one["spec"].get("ports", [])}
        for n, port in enumerate(spec.get("ports", [])):
            errors += _node_port(port, taken, f"spec.ports[{n}].nodePort")
            taken.add(port.get("nodePort"))
    else:
        for port in spec.get("ports", []):
            port.pop("nodePort", None)
        spec.pop("externalTrafficPolicy", None)
    return errors


def _same(one: Object, other: Object) -> bool:
    return all(one["metadata"].get(key) == other["metadata"].get(key) for key in ("namespace", "name"))


def _address(spec: Object, taken: set[str | None]) -> list[FieldError]:
    address = spec.get("clusterIP", "")
    if not address:
        address = str(_free_address(taken))
    elif address != "None":
        why = "failed to allocate IP {}: {}"
        if address in taken:
            reason = "provided IP is already allocated"
            return [invalid_value("spec.clusterIPs", [address], why.format(address, reason))]
        if ipaddress.ip_address(address) not in SERVICE_RANGE:
            reason = f"the provided network does not match the current range {SERVICE_RANGE}"
            return [invalid_value("spec.clusterIPs", [address], why.format(address, reason))]
    spec["clusterIP"] = address
    spec["clusterIPs"] = [address]
    return []


def _free_address(taken: set[str | None]) -> ipaddress.IPv4Address:
    while True:
        # Not the first, which is the API server's, and neither network nor broadcast.
        candidate = SERVICE_RANGE[secrets.randbelow(SERVICE_RANGE.num_addresses - 12) + 11]
        if str(candidate) not in taken:
            return candidate


def _node_port(port: Object, taken: set[int | None], at: str) -> list[FieldError]:
    number = port.get("nodePort", 0)
    if not number:
        free = [candidate for candidate in NODE_PORTS if candidate not in taken]
        port["nodePort"] = secrets.choice(free)
        return []
    if number not in NODE_PORTS:
        why = (
            "provided port is not in the valid range. The range of valid ports is "
            f"{NODE_PORTS.start}-{NODE_PORTS.stop - 1}"
        )
        return [invalid_value(at, number, why)]
    if number in taken:
        return [invalid_value(at, number, "provided port is already allocated")]
    return []
