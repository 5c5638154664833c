"""What Kubernetes fills into a pod's spec: the API's defaults, and what admission adds to a pod."""

from deploy.lab.apiserver.names import suffix
from deploy.lab.apiserver.status import Object

_TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path, not a secret
_PROBES = ("readinessProbe", "livenessProbe", "startupProbe")
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_GRACE_SECONDS = 30
_DEFAULT_MODE = 0o644


def default_pod_spec(spec: Object) -> None:
    """Fills in what a pod template gets, too. Changes the spec."""
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", _GRACE_SECONDS)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    if spec.get("serviceAccount") or spec.get("serviceAccountName"):
        name = spec.get("serviceAccountName") or spec["serviceAccount"]
        spec["serviceAccountName"] = spec["serviceAccount"] = name
    for container in [*spec.get("initContainers", []), *spec.get("containers", [])]:
        _default_container(container, bool(spec.get("hostNetwork")))
    for volume in spec.get("volumes", []):
        _default_volume(volume)


def _default_container(container: Object, host_network: bool) -> None:
    container.setdefault("imagePullPolicy", _pull_policy(container.get("image", "")))
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    resources = container.setdefault("resources", {})
    if "limits" in resources:
        resources["requests"] = resources["limits"] | resources.get("requests", {})
    for port in container.get("ports", []):
        port.setdefault("protocol", "TCP")
        if host_network and "containerPort" in port:
            port.setdefault("hostPort", port["containerPort"])
    for name in _PROBES:
        if name in container:
            _default_probe(container[name])
    for variable in container.get("env", []):
        if field := variable.get("valueFrom", {}).get("fieldRef"):
            field.setdefault("apiVersion", "v1")


def _pull_policy(image: str) -> str:
    last = image.rpartition("/")[2].partition("@")[0]
    tag = last.partition(":")[2]
    return "IfNotPresent" if "@" in image or tag not in {"", "latest"} else "Always"


def _default_probe(probe: Object) -> None:
    for key, value in _PROBE.items():
        probe.setdefault(key, value)
    if "httpGet" in probe:
        probe["httpGet"].setdefault("path", "/")
        probe["httpGet"].setdefault("scheme", "HTTP")


def _default_volume(volume: Object) -> None:
    if set(volume) <= {"name"}:
        volume["emptyDir"] = {}
    if "hostPath" in volume:
        volume["hostPath"].setdefault("type", "")
    for kind in ("projected", "configMap", "secret", "downwardAPI"):
        if kind in volume:
            volume[kind].setdefault("defaultMode", _DEFAULT_MODE)


def admit_pod(pod: Object) -> None:
    """What a pod gets when it is created: service account, tolerations, priority, token volume, status."""
    spec = pod["spec"]
    spec.setdefault("enableServiceLinks", True)
    account = spec.get("serviceAccountName") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = account
    spec.setdefault("priority", 0)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    _tolerate_lost_nodes(spec)
    if spec.get("automountServiceAccountToken") is not False:
        _mount_token(spec)
    pod["status"] = {"phase": "Pending", "qosClass": qos_class(spec)}


def _tolerate_lost_nodes(spec: Object) -> None:
    tolerations = spec.setdefault("tolerations", [])
    for condition in ("not-ready", "unreachable"):
        key = f"node.kubernetes.io/{condition}"
        if not any(_tolerates(toleration, key) for toleration in tolerations):
            tolerations.append(
                {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            )


def _tolerates(toleration: Object, key: str) -> bool:
    return toleration.get("key", "") in {"", key} and toleration.get("effect", "") in {"", "NoExecute"}


def _mount_token(spec: Object) -> None:
    containers = [*spec.get("initContainers", []), *spec["containers"]]
    name = f"kube-api-access-{suffix(5)}"
    mounted = False
    for container in containers:
        mounts = container.setdefault("volumeMounts", [])
        if not any(mount.get("mountPath") == _TOKEN_PATH for mount in mounts):
            mounts.append({"name": name, "readOnly": True, "mountPath": _TOKEN_PATH})
            mounted = True
    if mounted:
        spec.setdefault("volumes", []).append({"name": name, "projected": _token_volume()})


def _token_volume() -> Object:
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {
                "downwardAPI": {
                    "items": [
                        {
                            "path": "namespace",
                            "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
                        }
                    ]
                }
            },
        ],
        "defaultMode": _DEFAULT_MODE,
    }


def qos_class(spec: Object) -> str:
    """`Guaranteed`, `Burstable` or `BestEffort`, from the requests and limits of the containers."""
    resources = [container.get("resources", {}) for container in spec.get("containers", [])]
    if not any(one.get("requests") or one.get("limits") for one in resources):
        return "BestEffort"
    guaranteed = all(
        {"cpu", "memory"} <= set(one.get("limits", {})) and one.get("requests", {}) == one["limits"]
        for one in resources
    )
    return "Guaranteed" if guaranteed else "Burstable"
