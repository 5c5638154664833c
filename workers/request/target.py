"""`[CLUSTER:]NAMESPACE/POD`: the first word of a request."""

import re
from collections.abc import Sequence

from workers.request.duration import looks_like_duration
from workers.request.filter_words import KEYWORDS
from workers.request.quoting import inert
from workers.request.request import DEFAULT_CLUSTER, Target

# Kubernetes, "Object Names and IDs": a namespace is an RFC 1123 label, a pod's name an RFC 1123 subdomain.
_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?", re.ASCII)
_SUBDOMAIN = re.compile(rf"{_LABEL.pattern}(?:\.{_LABEL.pattern})*", re.ASCII)
_LONGEST_LABEL = 63
_LONGEST_SUBDOMAIN = 253

_KINDS = {
    **dict.fromkeys(["deploy", "deployment", "deployments"], "Deployment"),
    **dict.fromkeys(["sts", "statefulset", "statefulsets"], "StatefulSet"),
    **dict.fromkeys(["ds", "daemonset", "daemonsets"], "DaemonSet"),
    **dict.fromkeys(["rs", "replicaset", "replicasets"], "ReplicaSet"),
    **dict.fromkeys(["svc", "service", "services"], "Service"),
    **dict.fromkeys(["job", "jobs"], "Job"),
}

EXAMPLE = "/podcap traefik/cheddar-845749dbd6-zcdjm 30s port 80"


class UsageError(Exception):
    """What was typed cannot be understood; the message is one sentence that says what to type instead."""


def parse_target(word: str, clusters: Sequence[str]) -> Target:
    """The target that a word names.

    One without a cluster is in the cluster `default`, or in the first of `clusters` when none is named so.

    Raises:
        UsageError: It names no single pod of a known cluster.
    """
    cluster, rest = _cluster(word, clusters)
    namespace, slash, pod = rest.partition("/")
    if not slash:
        raise UsageError(_no_namespace(rest))
    if namespace == "node" and pod:
        raise UsageError(
            "podcap cannot capture a whole node yet: name one pod on it, as in `/podcap NAMESPACE/POD`."
        )
    if not namespace:
        raise UsageError(
            f"The namespace is missing: put it before the slash, as in `/podcap NAMESPACE/{_or_pod(pod)}`."
        )
    _check_namespace(namespace, pod)
    if not pod:
        raise UsageError(
            f"The pod is missing: put its name after the slash, as in `/podcap {namespace}/POD`; "
            f"`kubectl get pods -n {namespace}` lists them."
        )
    _check_pod(namespace, pod)
    return Target(cluster, namespace, pod)


def is_pod_name(text: str) -> bool:
    """Whether a pod can bear this name."""
    return len(text) <= _LONGEST_SUBDOMAIN and _SUBDOMAIN.fullmatch(text) is not None


def is_namespace_name(text: str) -> bool:
    """Whether a namespace can bear this name."""
    return len(text) <= _LONGEST_LABEL and _LABEL.fullmatch(text) is not None


def _cluster(word: str, clusters: Sequence[str]) -> tuple[str, str]:
    cluster, colon, rest = word.partition(":")
    if not colon or "/" in cluster:
        return (DEFAULT_CLUSTER if DEFAULT_CLUSTER in clusters else clusters[0]), word
    if cluster in clusters:
        return cluster, rest
    known = ", ".join(f"`{inert(name)}`" for name in clusters)
    raise UsageError(
        f"podcap knows no cluster `{inert(cluster)}`: before the colon goes one of {known}, "
        "or leave cluster and colon out."
    )


def _no_namespace(word: str) -> str:
    if not is_pod_name(word) or word in KEYWORDS or looks_like_duration(word):
        return f"Say which pod first, as namespace/pod: for example `{EXAMPLE}`."
    return f"Put the namespace before the pod, as in `/podcap NAMESPACE/{word}`."


def _or_pod(pod: str) -> str:
    return pod if is_pod_name(pod) else "POD"


def _check_namespace(namespace: str, pod: str) -> None:
    if is_namespace_name(namespace):
        return
    lower = namespace.lower()
    if is_namespace_name(lower):
        raise UsageError(
            f"Names in Kubernetes are lower-case: write `/podcap {lower}/{_or_pod(pod.lower())}`."
        )
    raise UsageError(
        f"`{inert(namespace)}` cannot be a namespace: its name has up to {_LONGEST_LABEL} lower-case "
        f"letters, digits and hyphens, as in `{EXAMPLE}`."
    )


def _check_pod(namespace: str, pod: str) -> None:
    if is_pod_name(pod):
        return
    kind, slash, name = pod.partition("/")
    kind = kind.lower().partition(".")[0]
    if slash and kind in _KINDS:
        raise UsageError(
            f"podcap captures one pod at a time, not a whole {_KINDS[kind]} yet: name one of its pods, as in "
            f"`/podcap {namespace}/POD`; `kubectl get pods -n {namespace}` lists them."
        )
    if slash and kind in {"po", "pod", "pods"} and is_pod_name(name):
        raise UsageError(f"Leave the kind out: write `/podcap {namespace}/{name}`.")
    if "=" in pod:
        raise UsageError(
            "podcap captures one pod at a time, not all of a label yet: name one of them, as in "
            f"`/podcap {namespace}/POD`; `kubectl get pods -n {namespace} -l LABEL=VALUE` lists them."
        )
    if is_pod_name(pod.lower()):
        raise UsageError(f"Names in Kubernetes are lower-case: write `/podcap {namespace}/{pod.lower()}`.")
    raise UsageError(
        f"`{inert(pod)}` cannot be a pod: its name has up to {_LONGEST_SUBDOMAIN} lower-case letters, "
        f"digits, hyphens and dots, as in `{EXAMPLE}`."
    )
