"""The Services and the DNS server that knows them: pure."""

from typing import Any

from deploy.lab.plan import CLUSTER_DOMAIN, DNS_ADDRESS, NODE_PORT, POD_RANGE

CHEDDAR_LABELS = {"app": "cheese", "task": "cheddar"}
_ADDRESSES = {
    ("traefik", "cheddar"): "10.96.1.20",
    ("traefik", "tls"): "10.96.1.21",
    ("traefik", "distroless"): "10.96.1.22",
    ("kube-system", "kube-dns"): DNS_ADDRESS,
}
"""Fixed, because the DNS server is told them when it starts."""


def services() -> list[dict[str, Any]]:
    """Cheddar at a port of every node with an affinity per client; TLS, distroless and DNS inside only."""
    cheddar = _service("traefik", "cheddar", CHEDDAR_LABELS, [_port("http", 80, 80)])
    cheddar["spec"] |= {
        "type": "NodePort",
        "externalTrafficPolicy": "Cluster",
        "sessionAffinity": "ClientIP",
    }
    cheddar["spec"]["ports"][0]["nodePort"] = NODE_PORT
    return [
        cheddar,
        _service("traefik", "tls", {"app": "tls"}, [_port("https", 443, 8443)]),
        _service("traefik", "distroless", {"app": "distroless"}, [_port("http", 80, 8080)]),
        _service(
            "kube-system",
            "kube-dns",
            {"k8s-app": "kube-dns"},
            [_port("dns", 53, 53, "UDP"), _port("dns-tcp", 53, 53)],
        ),
    ]


def dns_arguments() -> list[str]:
    """dnsmasq(8)'s: Services and pods have names, everything else does not exist."""
    records = [
        f"--host-record={name}.{namespace}.svc.{CLUSTER_DOMAIN},{address}"
        for (namespace, name), address in _ADDRESSES.items()
    ]
    pods = [
        f"--synth-domain={namespace}.pod.{CLUSTER_DOMAIN},{POD_RANGE}"
        for namespace in ("traefik", "kube-system")
    ]
    quiet = ["--keep-in-foreground", "--no-hosts", "--no-resolv", "--conf-file=/dev/null", "--pid-file"]
    logging = ["--log-queries", "--log-facility=-"]
    return [*quiet, "--user=root", "--group=root", *logging, "--address=/#/", *records, *pods]


def _service(
    namespace: str, name: str, selector: dict[str, str], ports: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"clusterIP": _ADDRESSES[namespace, name], "selector": selector, "ports": ports},
    }


def _port(name: str, port: int, target: int, protocol: str = "TCP") -> dict[str, Any]:
    return {"name": name, "port": port, "targetPort": target, "protocol": protocol}
