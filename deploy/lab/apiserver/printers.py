"""What the columns of kubectl's tables say about an object. Pure."""

from deploy.lab.apiserver import times
from deploy.lab.apiserver.status import Object

_NONE = "<none>"
_SHOWN_ENDPOINTS = 3
_ROLE = "node-role.kubernetes.io/"


def _statuses(pod: Object) -> list[Object]:
    statuses: list[Object] = pod.get("status", {}).get("containerStatuses", [])
    return statuses


def pod_ready(pod: Object) -> str:
    """`1/2`: containers that are ready, of all."""
    ready = sum(1 for one in _statuses(pod) if one.get("ready"))
    return f"{ready}/{len(pod['spec']['containers'])}"


def pod_status(pod: Object) -> str:
    """The word kubectl shows: the phase, or what a container waits for or ended with, or Terminating."""
    status = pod.get("status", {})
    word = status.get("reason") or status.get("phase", "Unknown")
    for one in reversed(_statuses(pod)):
        state = one.get("state", {})
        waiting, ended = state.get("waiting", {}), state.get("terminated")
        if waiting.get("reason"):
            word = waiting["reason"]
        elif ended is not None and not status.get("reason"):
            word = ended.get("reason") or f"ExitCode:{ended.get('exitCode', 0)}"
    if pod["metadata"].get("deletionTimestamp"):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return str(word)


def pod_restarts(pod: Object) -> str:
    """`0`, or how often and when last."""
    count = sum(one.get("restartCount", 0) for one in _statuses(pod))
    ends = [one.get("lastState", {}).get("terminated", {}).get("finishedAt") for one in _statuses(pod)]
    last = max((end for end in ends if end), default=None)
    return f"{count} ({times.age(last)} ago)" if count and last else str(count)


def node_status(node: Object) -> str:
    """`Ready`, `NotReady` or `Unknown`, and whether pods may be put there."""
    conditions = node.get("status", {}).get("conditions", [])
    ready = next((one["status"] for one in conditions if one["type"] == "Ready"), None)
    words = ["Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"]
    if node.get("spec", {}).get("unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def node_roles(node: Object) -> str:
    """The node's roles, from its labels."""
    found = node["metadata"].get("labels") or {}
    roles = sorted(key.removeprefix(_ROLE) for key in found if key.startswith(_ROLE))
    return ",".join(roles) or _NONE


def node_info(node: Object, key: str) -> str:
    """One fact of the node's system."""
    return str(node.get("status", {}).get("nodeInfo", {}).get(key) or "<unknown>")


def node_address(node: Object, kind: str) -> str:
    """The node's address of a kind."""
    addresses = node.get("status", {}).get("addresses", [])
    return next((str(one["address"]) for one in addresses if one["type"] == kind), _NONE)


def service_ports(service: Object) -> str:
    """`80:32604/TCP`."""
    texts = []
    for port in service["spec"].get("ports", []):
        node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
        texts.append(f"{port['port']}{node_port}/{port.get('protocol', 'TCP')}")
    return ",".join(texts) or _NONE


def labels(value: Object | None) -> str:
    """`a=b,c=d`."""
    return ",".join(f"{key}={word}" for key, word in sorted((value or {}).items())) or _NONE


def label_selector(workload: Object) -> str:
    """A workload's selector, in the form of a query."""
    return selector(workload["spec"].get("selector", {}))


def selector(selector: Object) -> str:
    """A label selector, in the form of a query."""
    parts = [f"{key}={word}" for key, word in sorted(selector.get("matchLabels", {}).items())]
    for one in selector.get("matchExpressions", []):
        values = ",".join(one.get("values", []))
        words = {"Exists": one["key"], "DoesNotExist": f"!{one['key']}"}
        parts.append(words.get(one["operator"], f"{one['key']} {one['operator'].lower()} ({values})"))
    return ",".join(parts) or _NONE


def _containers(workload: Object) -> list[Object]:
    containers: list[Object] = workload["spec"]["template"]["spec"].get("containers", [])
    return containers


def container_names(workload: Object) -> str:
    """The containers of a workload's template."""
    return ",".join(one["name"] for one in _containers(workload))


def container_images(workload: Object) -> str:
    """Their images."""
    return ",".join(one["image"] for one in _containers(workload))


def replicas_ready(workload: Object) -> str:
    """`3/3`."""
    return f"{workload.get('status', {}).get('readyReplicas', 0)}/{workload['spec'].get('replicas', 0)}"


def event_seen(event: Object) -> str:
    """How long ago it last happened."""
    last = event.get("series", {}).get("lastObservedTime") or event.get("lastTimestamp")
    return times.age(last or event.get("eventTime"))


def event_first_seen(event: Object) -> str:
    """How long ago it first happened."""
    return times.age(event.get("firstTimestamp") or event.get("eventTime"))


def event_object(event: Object) -> str:
    """`pod/cheddar-…`."""
    about = event.get("involvedObject", {})
    return f"{about.get('kind', '').lower()}/{about.get('name', '')}"


def event_source(event: Object) -> str:
    """Who said it, and where."""
    source = event.get("source", {})
    component = source.get("component") or event.get("reportingComponent", "")
    host = source.get("host") or event.get("reportingInstance", "")
    return ", ".join(part for part in (component, host) if part)


def slice_ports(endpointslice: Object) -> str:
    """The ports of an EndpointSlice."""
    ports = [str(port["port"]) for port in endpointslice.get("ports", []) if "port" in port]
    return ",".join(ports) or "<unset>"


def slice_endpoints(endpointslice: Object) -> str:
    """Its first addresses."""
    addresses = [a for endpoint in endpointslice.get("endpoints", []) for a in endpoint["addresses"]]
    more = len(addresses) - _SHOWN_ENDPOINTS
    shown = ",".join(addresses[:_SHOWN_ENDPOINTS]) or "<unset>"
    return f"{shown} + {more} more..." if more > 0 else shown


def role_of(binding: Object) -> str:
    """`Role/NAME` of a binding."""
    return f"{binding['roleRef']['kind']}/{binding['roleRef']['name']}"


_SHORT_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def access_modes(claim: Object) -> str:
    """`RWO` of a claim that has its volume."""
    return ",".join(_SHORT_MODES[mode] for mode in claim.get("status", {}).get("accessModes", []))


def quota(resource_quota: Object, *, limits: bool) -> str:
    """`pods: 1/5`: what is used of a quota, on limits or on everything else."""
    hard, used = (resource_quota.get("status", {}).get(part, {}) for part in ("hard", "used"))
    return ", ".join(
        f"{name}: {used.get(name, '0')}/{amount}"
        for name, amount in sorted(hard.items())
        if name.startswith("limits") == limits
    )


def ingress_hosts(ingress: Object) -> str:
    """The hosts of an Ingress."""
    return ",".join(rule["host"] for rule in ingress["spec"].get("rules", []) if rule.get("host")) or "*"


def job_status(job: Object) -> str:
    """The word kubectl shows for a Job."""
    status = job.get("status", {})
    holds = {one["type"] for one in status.get("conditions", []) if one["status"] == "True"}
    words = {"Complete": "Complete", "Failed": "Failed", "Suspended": "Suspended"}
    return next((word for kind, word in words.items() if kind in holds), "Running")


def job_completions(job: Object) -> str:
    """`0/1`."""
    return f"{job.get('status', {}).get('succeeded', 0)}/{job['spec'].get('completions', 1)}"


def job_duration(job: Object) -> str:
    """How long a Job has run."""
    status = job.get("status", {})
    if "startTime" not in status:
        return ""
    return times.between(status["startTime"], status.get("completionTime"))


def parameter_kind(policy: Object) -> str:
    """`v1/ConfigMap` of an admission policy that takes parameters."""
    kind = policy["spec"].get("paramKind")
    return f"{kind['apiVersion']}/{kind['kind']}" if kind else "<unset>"


def parameter_reference(binding: Object) -> str:
    """The parameters that a binding names."""
    reference = binding["spec"].get("paramRef")
    if not reference:
        return "<unset>"
    name = reference.get("name", "*")
    return f"{reference['namespace']}/{name}" if reference.get("namespace") else str(name)
