"""What the API fills into objects other than pods."""

import copy
from collections.abc import Callable

from deploy.lab.apiserver.config_validation import merge_string_data
from deploy.lab.apiserver.pod_defaults import default_pod_spec
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.status import Object

_AFFINITY_SECONDS = 10800


def apply(resource: Resource, value: Object) -> Object:
    """A copy of the object with the API's defaults."""
    filled = copy.deepcopy(value)
    if fill := _FILL.get(resource.plural):
        fill(filled)
    return filled


def _pod(pod: Object) -> None:
    default_pod_spec(pod.setdefault("spec", {}))


def _template(workload: Object) -> Object:
    spec: Object = workload.setdefault("spec", {})
    template = spec.setdefault("template", {})
    template.setdefault("metadata", {})
    default_pod_spec(template.setdefault("spec", {}))
    return spec


def _deployment(deployment: Object) -> None:
    spec = _template(deployment)
    spec.setdefault("replicas", 1)
    spec.setdefault("progressDeadlineSeconds", 600)
    spec.setdefault("revisionHistoryLimit", 10)
    strategy = spec.setdefault("strategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxSurge", "25%")
        rolling.setdefault("maxUnavailable", "25%")


def _replicaset(replicaset: Object) -> None:
    _template(replicaset).setdefault("replicas", 1)


def _statefulset(statefulset: Object) -> None:
    spec = _template(statefulset)
    spec.setdefault("replicas", 1)
    spec.setdefault("podManagementPolicy", "OrderedReady")
    spec.setdefault("revisionHistoryLimit", 10)
    update = spec.setdefault("updateStrategy", {})
    update.setdefault("type", "RollingUpdate")
    if update["type"] == "RollingUpdate":
        update.setdefault("rollingUpdate", {}).setdefault("partition", 0)


def _daemonset(daemonset: Object) -> None:
    spec = _template(daemonset)
    spec.setdefault("revisionHistoryLimit", 10)
    update = spec.setdefault("updateStrategy", {})
    update.setdefault("type", "RollingUpdate")
    if update["type"] == "RollingUpdate":
        rolling = update.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)


def _service(service: Object) -> None:
    spec = service.setdefault("spec", {})
    spec.setdefault("type", "ClusterIP")
    _default_affinity(spec)
    spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec["type"] in {"NodePort", "LoadBalancer"}:
        spec.setdefault("externalTrafficPolicy", "Cluster")
    for port in spec.get("ports", []):
        port.setdefault("protocol", "TCP")
        if "port" in port and port.get("targetPort") in {None, 0, ""}:
            port["targetPort"] = port["port"]
    service.setdefault("status", {}).setdefault("loadBalancer", {})


def _default_affinity(spec: Object) -> None:
    spec.setdefault("sessionAffinity", "None")
    if spec["sessionAffinity"] == "ClientIP":
        spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {}).setdefault(
            "timeoutSeconds", _AFFINITY_SECONDS
        )
    elif spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)


def _namespace(namespace: Object) -> None:
    metadata = namespace["metadata"]
    if metadata.get("name"):
        metadata.setdefault("labels", {})["kubernetes.io/metadata.name"] = metadata["name"]
    namespace.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])


def _binding(binding: Object) -> None:
    for subject in binding.get("subjects", []):
        if subject.get("kind") in {"User", "Group"}:
            subject.setdefault("apiGroup", "rbac.authorization.k8s.io")
    if binding.get("roleRef"):
        binding["roleRef"].setdefault("apiGroup", "rbac.authorization.k8s.io")


def _endpointslice(endpointslice: Object) -> None:
    for port in endpointslice.get("ports", []):
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")
    endpointslice.setdefault("endpoints", [])


def _event(event: Object) -> None:
    event.setdefault("source", {})
    event.setdefault("reportingComponent", event["source"].get("component", ""))
    event.setdefault("reportingInstance", event["source"].get("host", ""))
    for time in ("eventTime", "firstTimestamp", "lastTimestamp"):
        event.setdefault(time, None)


def _secret(secret: Object) -> None:
    secret.setdefault("type", "Opaque")
    merge_string_data(secret)


def _network_policy(policy: Object) -> None:
    spec = policy.setdefault("spec", {})
    spec.setdefault("podSelector", {})
    spec.setdefault("policyTypes", ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    for rule in (*spec.get("ingress", []), *spec.get("egress", [])):
        for port in rule.get("ports", []):
            port.setdefault("protocol", "TCP")


def _ingress(ingress: Object) -> None:
    ingress.setdefault("spec", {})
    ingress.setdefault("status", {}).setdefault("loadBalancer", {})


def _limit_range(limit_range: Object) -> None:
    for item in limit_range.setdefault("spec", {}).get("limits", []):
        if item.get("type") == "Container":
            default = item.get("max", {}) | item.get("default", {})
            request = item.get("min", {}) | default | item.get("defaultRequest", {})
            item.update({k: v for k, v in (("default", default), ("defaultRequest", request)) if v})


def _claim(claim: Object) -> None:
    claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
    claim.setdefault("status", {}).setdefault("phase", "Pending")


def _priority_class(priority_class: Object) -> None:
    priority_class.setdefault("preemptionPolicy", "PreemptLowerPriority")


def _job(job: Object) -> None:
    spec = _template(job)
    if "completions" not in spec:
        spec.setdefault("completions", 1)
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("podReplacementPolicy", "TerminatingOrFailed")
    spec.setdefault("manualSelector", False)


def _cron_job(cron_job: Object) -> None:
    spec = cron_job.setdefault("spec", {})
    spec.setdefault("concurrencyPolicy", "Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    _template(spec.setdefault("jobTemplate", {}))


def _admission_policy(policy: Object) -> None:
    spec = policy.setdefault("spec", {})
    spec.setdefault("failurePolicy", "Fail")
    if "matchConstraints" in spec:
        _match_resources(spec["matchConstraints"])


def _admission_binding(binding: Object) -> None:
    if "matchResources" in binding.get("spec", {}):
        _match_resources(binding["spec"]["matchResources"])


def _match_resources(match: Object) -> None:
    match.setdefault("matchPolicy", "Equivalent")
    match.setdefault("namespaceSelector", {})
    match.setdefault("objectSelector", {})
    for rule in (*match.get("resourceRules", []), *match.get("excludeResourceRules", [])):
        rule.setdefault("scope", "*")


_FILL: dict[str, Callable[[Object], None]] = {
    "pods": _pod,
    "deployments": _deployment,
    "replicasets": _replicaset,
    "statefulsets": _statefulset,
    "daemonsets": _daemonset,
    "services": _service,
    "namespaces": _namespace,
    "rolebindings": _binding,
    "clusterrolebindings": _binding,
    "endpointslices": _endpointslice,
    "events": _event,
    "secrets": _secret,
    "networkpolicies": _network_policy,
    "ingresses": _ingress,
    "limitranges": _limit_range,
    "persistentvolumeclaims": _claim,
    "priorityclasses": _priority_class,
    "jobs": _job,
    "cronjobs": _cron_job,
    "validatingadmissionpolicies": _admission_policy,
    "validatingadmissionpolicybindings": _admission_binding,
}
