"""What a Service may hold, in the words of Kubernetes' validation."""

import ipaddress

from deploy.lab.apiserver import names
from deploy.lab.apiserver.status import FieldError, Object, duplicate, invalid_value, not_supported, required

_PORTS = range(1, 65536)
_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_LONGEST_AFFINITY = 86400


def service(value: Object) -> list[FieldError]:
    """Errors of a Service."""
    spec = value["spec"]
    errors = []
    if spec["type"] not in _TYPES:
        errors.append(not_supported("spec.type", spec["type"], _TYPES))
    if not spec.get("ports") and spec.get("clusterIP") != "None" and spec["type"] != "ExternalName":
        errors.append(required("spec.ports"))
    errors += _ports(spec.get("ports", []), spec["type"])
    errors += _affinity(spec)
    errors += _policies(spec)
    errors += _addresses(spec)
    return errors


def _ports(ports: list[Object], kind: str) -> list[FieldError]:
    errors = []
    seen: set[str] = set()
    for n, port in enumerate(ports):
        at = f"spec.ports[{n}]"
        name, number = port.get("name", ""), port.get("port", 0)
        if not name and len(ports) > 1:
            errors.append(required(f"{at}.name"))
        elif name:
            errors += names.label(f"{at}.name", name)
            if name in seen:
                errors.append(duplicate(f"{at}.name", name))
        seen.add(name)
        if number not in _PORTS:
            errors.append(invalid_value(f"{at}.port", number, "must be between 1 and 65535, inclusive"))
        target = port.get("targetPort")
        if isinstance(target, int) and target not in _PORTS:
            errors.append(invalid_value(f"{at}.targetPort", target, "must be between 1 and 65535, inclusive"))
        protocols = ("SCTP", "TCP", "UDP")
        if port["protocol"] not in protocols:
            errors.append(not_supported(f"{at}.protocol", port["protocol"], protocols))
        if port.get("nodePort") and kind == "ClusterIP":
            why = "may not be used when `type` is 'ClusterIP'"
            errors.append(FieldError("FieldValueForbidden", f"{at}.nodePort", f"Forbidden: {why}"))
    return errors


def _affinity(spec: Object) -> list[FieldError]:
    words = ("ClientIP", "None")
    if spec["sessionAffinity"] not in words:
        return [not_supported("spec.sessionAffinity", spec["sessionAffinity"], words)]
    seconds = spec.get("sessionAffinityConfig", {}).get("clientIP", {}).get("timeoutSeconds", 1)
    if not 0 < seconds <= _LONGEST_AFFINITY:
        field = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
        return [invalid_value(field, seconds, f"must be greater than 0 and less than {_LONGEST_AFFINITY}")]
    return []


def _policies(spec: Object) -> list[FieldError]:
    words = ("Cluster", "Local")
    errors = []
    external = spec.get("externalTrafficPolicy")
    if external is not None and spec["type"] not in {"NodePort", "LoadBalancer"}:
        why = "may only be set for externally-accessible services"
        errors.append(invalid_value("spec.externalTrafficPolicy", external, why))
    elif external is not None and external not in words:
        errors.append(not_supported("spec.externalTrafficPolicy", external, words))
    if spec["internalTrafficPolicy"] not in words:
        errors.append(not_supported("spec.internalTrafficPolicy", spec["internalTrafficPolicy"], words))
    return errors


def _addresses(spec: Object) -> list[FieldError]:
    address = spec.get("clusterIP", "")
    if address in {"", "None"}:
        return []
    try:
        ipaddress.ip_address(address)
    except ValueError:
        why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        return [invalid_value("spec.clusterIPs[0]", address, why)]
    return []


def service_update(value: Object, old: Object) -> list[FieldError]:
    """Errors of a change to a Service."""
    was, now = old["spec"].get("clusterIP", ""), value["spec"].get("clusterIP", "")
    if was not in {"", now} and value["spec"]["type"] != "ExternalName":
        return [invalid_value("spec.clusterIPs[0]", [now], "may not change once set")]
    return []
