"""What NetworkPolicies and Ingresses may hold, in the words of Kubernetes' validation.

Both are stored only: the lab's network carries every packet whatever a NetworkPolicy says, as a cluster does
whose network plugin knows none, and no controller serves Ingresses.
"""

import ipaddress

from deploy.lab.apiserver import names
from deploy.lab.apiserver.selector_validation import label_selector
from deploy.lab.apiserver.status import (
    FieldError,
    Object,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

_PROTOCOLS = ("TCP", "UDP", "SCTP")
_PORTS = range(1, 65536)
_PORTS_WHY = "must be between 1 and 65535, inclusive"
_TYPES = ("Ingress", "Egress")
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def network_policy(value: Object) -> list[FieldError]:
    """Errors of a NetworkPolicy."""
    spec = value["spec"]
    errors = label_selector(spec.get("podSelector"), "spec.podSelector")
    for rules, peers in (("ingress", "from"), ("egress", "to")):
        for n, rule in enumerate(spec.get(rules, [])):
            at = f"spec.{rules}[{n}]"
            for m, port in enumerate(rule.get("ports", [])):
                errors += _port(port, f"{at}.ports[{m}]")
            for m, peer in enumerate(rule.get(peers, [])):
                errors += _peer(peer, f"{at}.{peers}[{m}]")
    types = spec.get("policyTypes", [])
    if len(types) > len(_TYPES):
        why = "may not specify more than two policyTypes"
        return [*errors, invalid_value("spec.policyTypes", types, why)]
    return errors + [
        not_supported(f"spec.policyTypes[{n}]", kind, _TYPES)
        for n, kind in enumerate(types)
        if kind not in _TYPES
    ]


def _port(port: Object, at: str) -> list[FieldError]:
    errors = []
    if port["protocol"] not in _PROTOCOLS:
        errors.append(not_supported(f"{at}.protocol", port["protocol"], _PROTOCOLS))
    number, end = port.get("port"), port.get("endPort")
    if isinstance(number, int):
        if number not in _PORTS:
            errors.append(invalid_value(f"{at}.port", number, _PORTS_WHY))
        if end is not None and end < number:
            errors.append(invalid_value(f"{at}.endPort", end, "must be greater than or equal to `port`"))
        if end is not None and end not in _PORTS:
            errors.append(invalid_value(f"{at}.endPort", end, _PORTS_WHY))
        return errors
    if end is not None:
        what = "not specified" if number is None else "non-numeric"
        errors.append(invalid_value(f"{at}.endPort", end, f"may not be specified when `port` is {what}"))
    return errors + ([] if number is None else names.port_name(f"{at}.port", number))


def _peer(peer: Object, at: str) -> list[FieldError]:
    if not peer:
        return [required(at, "must specify a peer")]
    errors = label_selector(peer.get("podSelector"), f"{at}.podSelector")
    errors += label_selector(peer.get("namespaceSelector"), f"{at}.namespaceSelector")
    if "ipBlock" in peer:
        errors += _block(peer["ipBlock"], f"{at}.ipBlock")
        if len(peer) > 1:
            errors.append(forbidden_field(at, "may not specify both ipBlock and another peer"))
    return errors


def _block(block: Object, at: str) -> list[FieldError]:
    if not block.get("cidr"):
        return [required(f"{at}.cidr")]
    network = _network(block["cidr"])
    if network is None:
        return [_no_network(f"{at}.cidr", block["cidr"])]
    errors = []
    for n, text in enumerate(block.get("except", [])):
        inner = _network(text)
        if inner is None:
            errors.append(_no_network(f"{at}.except[{n}]", text))
        elif not _strictly_inside(inner, network):
            errors.append(invalid_value(f"{at}.except[{n}]", text, "must be a strict subset of `cidr`"))
    return errors


def _network(text: str) -> _Network | None:
    if "/" not in text:
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _no_network(field: str, text: str) -> FieldError:
    return invalid_value(field, text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")


def _strictly_inside(inner: _Network, outer: _Network) -> bool:
    return inner.prefixlen > outer.prefixlen and inner.network_address in outer


def ingress(value: Object) -> list[FieldError]:
    """Errors of an Ingress."""
    spec = value["spec"]
    if not spec.get("rules") and "defaultBackend" not in spec:
        return [invalid_value("spec", "null", "either `defaultBackend` or `rules` must be specified")]
    errors = _backend(spec["defaultBackend"], "spec.defaultBackend") if "defaultBackend" in spec else []
    for n, rule in enumerate(spec.get("rules", [])):
        if host := rule.get("host", ""):
            errors += names.subdomain(f"spec.rules[{n}].host", host.removeprefix("*."))
        paths = rule.get("http", {}).get("paths")
        if "http" in rule and not paths:
            errors.append(required(f"spec.rules[{n}].http.paths"))
        for m, path in enumerate(paths or []):
            errors += _path(path, f"spec.rules[{n}].http.paths[{m}]")
    return errors


def _path(path: Object, at: str) -> list[FieldError]:
    kind, text = path.get("pathType"), path.get("path", "")
    errors = []
    if kind is None:
        errors.append(required(f"{at}.pathType", "pathType must be specified"))
    elif kind not in _PATH_TYPES:
        errors.append(not_supported(f"{at}.pathType", kind, _PATH_TYPES))
    elif not text.startswith("/") and (text or kind != "ImplementationSpecific"):
        errors.append(invalid_value(f"{at}.path", text, "must be an absolute path"))
    return errors + _backend(path.get("backend", {}), f"{at}.backend")


def _backend(backend: Object, at: str) -> list[FieldError]:
    service = backend.get("service")
    if service is None:
        return [] if "resource" in backend else [required(at, "port name or number is required")]
    errors = []
    if not service.get("name"):
        errors.append(required(f"{at}.service.name"))
    port = service.get("port", {})
    if port.get("name") and port.get("number"):
        errors.append(invalid_value(at, "", "cannot set both port name & port number"))
    elif not port.get("name") and not port.get("number"):
        errors.append(required(at, "port name or number is required"))
    return errors
