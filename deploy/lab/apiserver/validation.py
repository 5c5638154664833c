"""What the objects other than pods may hold, and what may change, in the words of Kubernetes' validation."""

import ipaddress
import json
from collections.abc import Callable

from deploy.lab.apiserver import (
    config_validation,
    event_validation,
    job_validation,
    limit_validation,
    names,
    network_validation,
    pod_validation,
    policy_validation,
)
from deploy.lab.apiserver.resource import Resource
from deploy.lab.apiserver.resources import NEWER_EVENTS
from deploy.lab.apiserver.selectors import of_object
from deploy.lab.apiserver.service_validation import service, service_update
from deploy.lab.apiserver.status import (
    FieldError,
    Object,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

_NAMES = {
    "namespaces": names.label,
    "services": names.dns1035,
    "roles": names.path_segment,
    "rolebindings": names.path_segment,
    "clusterroles": names.path_segment,
    "clusterrolebindings": names.path_segment,
}
_KINDS = ("Group", "ServiceAccount", "User")


def on_create(resource: Resource, value: Object) -> list[FieldError]:
    """Errors of a new object."""
    errors = _metadata(resource, value["metadata"])
    check = event_validation.newer if resource is NEWER_EVENTS else _CHECKS.get(resource.plural)
    return errors + (check(value) if check else [])


def on_update(resource: Resource, value: Object, old: Object) -> list[FieldError]:
    """Errors of an object that replaces an older one: those of a new one, and what may not change."""
    errors = on_create(resource, value)
    if check := _UPDATES.get(resource.plural):
        errors += check(value, old)
    return errors


def _metadata(resource: Resource, metadata: Object) -> list[FieldError]:
    name = metadata.get("name", "")
    if not name:
        errors = [required("metadata.name", "name or generateName is required")]
    else:
        errors = _NAMES.get(resource.plural, names.subdomain)("metadata.name", name)
    errors += names.labels("metadata.labels", metadata.get("labels", {}))
    return errors


def _pod(pod: Object) -> list[FieldError]:
    return pod_validation.pod_spec(pod["spec"])


def _pod_update(pod: Object, old: Object) -> list[FieldError]:
    return pod_validation.pod_update(pod["spec"], old["spec"])


def _workload(workload: Object) -> list[FieldError]:
    spec = workload["spec"]
    template = spec["template"]
    labels = template["metadata"].get("labels", {})
    selector = spec.get("selector")
    errors = []
    if not selector:
        errors.append(required("spec.selector"))
    elif not of_object(selector)(labels):
        shown = json.dumps(labels, separators=(",", ":"))
        why = "`selector` does not match template `labels`"
        field = "spec.template.metadata.labels"
        errors.append(FieldError("FieldValueInvalid", field, f"Invalid value: {shown}: {why}"))
    if spec.get("replicas", 0) < 0:
        errors.append(invalid_value("spec.replicas", spec["replicas"], "must be greater than or equal to 0"))
    errors += names.labels("spec.template.labels", labels)
    errors += pod_validation.pod_spec(template["spec"], "spec.template.spec")
    policy = template["spec"]["restartPolicy"]
    if policy != "Always":
        errors.append(not_supported("spec.template.spec.restartPolicy", policy, ("Always",)))
    return errors


def _workload_update(workload: Object, old: Object) -> list[FieldError]:
    if workload["spec"].get("selector") == old["spec"].get("selector"):
        return []
    shown = json.dumps(workload["spec"].get("selector"), separators=(",", ":"))
    message = f"Invalid value: {shown}: field is immutable"
    return [FieldError("FieldValueInvalid", "spec.selector", message)]


def _role(role: Object) -> list[FieldError]:
    errors = []
    for n, rule in enumerate(role.get("rules", [])):
        at = f"rules[{n}]"
        if not rule.get("verbs"):
            errors.append(required(f"{at}.verbs", "verbs must contain at least one value"))
        if rule.get("nonResourceURLs"):
            if "namespace" in role["metadata"]:
                why = "namespaced rules cannot apply to non-resource URLs"
                errors.append(invalid_value(f"{at}.nonResourceURLs", rule["nonResourceURLs"], why))
            continue
        if not rule.get("apiGroups"):
            errors.append(required(f"{at}.apiGroups", "resource rules must supply at least one api group"))
        if not rule.get("resources"):
            errors.append(required(f"{at}.resources", "resource rules must supply at least one resource"))
    return errors


def _binding(binding: Object) -> list[FieldError]:
    reference = binding.get("roleRef", {})
    kinds = ("ClusterRole", "Role") if "namespace" in binding["metadata"] else ("ClusterRole",)
    errors = []
    if reference.get("kind") not in kinds:
        errors.append(not_supported("roleRef.kind", reference.get("kind", ""), kinds))
    if not reference.get("name"):
        errors.append(required("roleRef.name"))
    for n, subject in enumerate(binding.get("subjects", [])):
        errors += _subject(subject, f"subjects[{n}]", "namespace" in binding["metadata"])
    return errors


def _subject(subject: Object, at: str, namespaced: bool) -> list[FieldError]:
    if not subject.get("name"):
        return [required(f"{at}.name")]
    if subject.get("kind") not in _KINDS:
        return [not_supported(f"{at}.kind", subject.get("kind", ""), _KINDS)]
    if subject["kind"] == "ServiceAccount" and not subject.get("namespace") and not namespaced:
        return [required(f"{at}.namespace")]
    return []


def _binding_update(binding: Object, old: Object) -> list[FieldError]:
    if binding.get("roleRef") == old.get("roleRef"):
        return []
    return [invalid_value("roleRef", binding["roleRef"], "cannot change roleRef")]


def _endpointslice(endpointslice: Object) -> list[FieldError]:
    kinds = ("FQDN", "IPv4", "IPv6")
    if not endpointslice.get("addressType"):
        return [required("addressType")]
    if endpointslice["addressType"] not in kinds:
        return [not_supported("addressType", endpointslice["addressType"], kinds)]
    return [
        invalid_value(f"endpoints[{n}].addresses[{m}]", address, "must be a valid IPv4 address")
        for n, endpoint in enumerate(endpointslice.get("endpoints", []))
        for m, address in enumerate(endpoint.get("addresses", []))
        if endpointslice["addressType"] == "IPv4" and not _is_ipv4(address)
    ]


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _endpointslice_update(endpointslice: Object, old: Object) -> list[FieldError]:
    if endpointslice["addressType"] == old["addressType"]:
        return []
    return [invalid_value("addressType", endpointslice["addressType"], "field is immutable")]


def _node_update(node: Object, old: Object) -> list[FieldError]:
    was, now = old.get("spec", {}).get("podCIDR"), node.get("spec", {}).get("podCIDR")
    if was and was != now:
        why = 'node updates may not change podCIDR except from "" to valid'
        return [forbidden_field("spec.podCIDRs", why)]
    return []


_CHECKS: dict[str, Callable[[Object], list[FieldError]]] = {
    "pods": _pod,
    "services": service,
    "deployments": _workload,
    "replicasets": _workload,
    "statefulsets": _workload,
    "daemonsets": _workload,
    "roles": _role,
    "clusterroles": _role,
    "rolebindings": _binding,
    "clusterrolebindings": _binding,
    "endpointslices": _endpointslice,
    "events": event_validation.event,
    "configmaps": config_validation.configmap,
    "secrets": config_validation.secret,
    "networkpolicies": network_validation.network_policy,
    "ingresses": network_validation.ingress,
    "resourcequotas": limit_validation.resource_quota,
    "limitranges": limit_validation.limit_range,
    "persistentvolumeclaims": limit_validation.claim,
    "poddisruptionbudgets": limit_validation.disruption_budget,
    "priorityclasses": limit_validation.priority_class,
    "jobs": job_validation.job,
    "cronjobs": job_validation.cron_job,
    "validatingadmissionpolicies": policy_validation.policy,
    "validatingadmissionpolicybindings": policy_validation.binding,
}
_UPDATES: dict[str, Callable[[Object, Object], list[FieldError]]] = {
    "pods": _pod_update,
    "services": service_update,
    "deployments": _workload_update,
    "replicasets": _workload_update,
    "statefulsets": _workload_update,
    "daemonsets": _workload_update,
    "rolebindings": _binding_update,
    "clusterrolebindings": _binding_update,
    "endpointslices": _endpointslice_update,
    "nodes": _node_update,
    "configmaps": config_validation.configmap_update,
    "secrets": config_validation.secret_update,
    "persistentvolumeclaims": limit_validation.claim_update,
    "priorityclasses": limit_validation.priority_class_update,
    "jobs": job_validation.job_update,
}
