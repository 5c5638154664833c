"""One target as one types it: `NAMESPACE/POD`, `NAMESPACE/deploy/NAME`, `NAMESPACE/LABELS`, `node/NAME`."""

import re
from collections.abc import Sequence

from workers.request.duration import looks_like_duration
from workers.request.filter_words import KEYWORDS
from workers.request.quoting import inert
from workers.request.request import DEFAULT_CLUSTER, Target, TargetKind

# Kubernetes, "Object Names and IDs": a namespace is an RFC 1123 label, a pod's name an RFC 1123 subdomain.
_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?", re.ASCII)
_SUBDOMAIN = re.compile(rf"{_LABEL.pattern}(?:\.{_LABEL.pattern})*", re.ASCII)
_LONGEST_LABEL = 63
_LONGEST_SUBDOMAIN = 253

# Kubernetes, "Labels and Selectors": equality-based requirements, and keys that must be there or must not.
_QUALIFIED = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY = rf"(?:{_SUBDOMAIN.pattern}/)?{_QUALIFIED}"
_REQUIREMENT = re.compile(rf"!{_KEY}|{_KEY}(?:(?:==?|!=)(?:{_QUALIFIED})?)?", re.ASCII)
_LONGEST_SELECTOR = 1000

_KINDS = {
    **dict.fromkeys(["pod", "pods", "po"], TargetKind.POD),
    **dict.fromkeys(["deploy", "deployment", "deployments"], TargetKind.DEPLOYMENT),
    **dict.fromkeys(["sts", "statefulset", "statefulsets"], TargetKind.STATEFULSET),
    **dict.fromkeys(["ds", "daemonset", "daemonsets"], TargetKind.DAEMONSET),
    **dict.fromkeys(["rs", "replicaset", "replicasets"], TargetKind.REPLICASET),
    **dict.fromkeys(["svc", "service", "services"], TargetKind.SERVICE),
    **dict.fromkeys(["job", "jobs"], TargetKind.JOB),
}
_NODE = "node"

EXAMPLE = "/podcap traefik/cheddar-845749dbd6-zcdjm 30s port 80"


class UsageError(Exception):
    """What was typed cannot be understood; the message is one sentence that says what to type instead."""


def parse_target(word: str, clusters: Sequence[str]) -> Target:
    """The target that a word names.

    One without a cluster is in the cluster `default`, or in the first of `clusters` when none is named so.

    Raises:
        UsageError: It names nothing that could be in a known cluster.
    """
    cluster, rest = _cluster(word, clusters)
    namespace, slash, name = rest.partition("/")
    if not slash:
        raise UsageError(_no_namespace(rest))
    if namespace == _NODE:
        return Target(cluster, TargetKind.NODE, "", _node(name))
    if not namespace:
        raise UsageError(
            f"The namespace is missing: put it before the slash, as in `/podcap NAMESPACE/{_or_pod(name)}`."
        )
    _check_namespace(namespace, name)
    if not name:
        raise UsageError(
            f"The pod is missing: put its name after the slash, as in `/podcap {namespace}/POD`; "
            f"`kubectl get pods -n {namespace}` lists them."
        )
    if is_selector(name):
        return Target(cluster, TargetKind.LABELS, namespace, name)
    kind, slash, rest = name.partition("/")
    if slash:
        return Target(cluster, _kind(kind, namespace, rest), namespace, _name(namespace, kind, rest))
    _check_pod(namespace, name)
    return Target(cluster, TargetKind.POD, namespace, name)


def is_pod_name(text: str) -> bool:
    """Whether a pod can bear this name."""
    return len(text) <= _LONGEST_SUBDOMAIN and _SUBDOMAIN.fullmatch(text) is not None


def is_namespace_name(text: str) -> bool:
    """Whether a namespace can bear this name."""
    return len(text) <= _LONGEST_LABEL and _LABEL.fullmatch(text) is not None


def is_selector(text: str) -> bool:
    """Whether this is a label selector. It begins with no word alone: that is a pod's name."""
    first = text.partition(",")[0]
    return (
        ("=" in first or first.startswith("!"))
        and len(text) <= _LONGEST_SELECTOR
        and all(_REQUIREMENT.fullmatch(one) for one in text.split(","))
    )


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


def _node(name: str) -> str:
    if is_pod_name(name):
        return name
    if not name:
        raise UsageError(
            "The node is missing: put its name after the slash, as in `/podcap node/NODE`; "
            "`kubectl get nodes` lists them."
        )
    if is_pod_name(name.lower()):
        raise UsageError(f"Names in Kubernetes are lower-case: write `/podcap node/{name.lower()}`.")
    raise UsageError(
        f"`{inert(name)}` cannot be a node: write one that `kubectl get nodes` lists, as in "
        "`/podcap node/NODE`."
    )


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


def _kind(word: str, namespace: str, name: str) -> TargetKind:
    # As kubectl reads `deployments.apps/web`.
    kind = _KINDS.get(word.lower().partition(".")[0])
    if kind is not None:
        return kind
    example = name if is_pod_name(name) else "NAME"
    raise UsageError(
        f"podcap knows no kind `{inert(word)}`: write `/podcap {namespace}/deploy/{example}`, or one of "
        "`sts`, `ds`, `rs`, `job`, `svc` and `pod` in the place of `deploy`."
    )


def _name(namespace: str, kind: str, name: str) -> str:
    if is_pod_name(name):
        return name
    start = f"/podcap {namespace}/{kind.lower()}"
    if not name:
        raise UsageError(f"The name is missing: put it after the slash, as in `{start}/NAME`.")
    if is_pod_name(name.lower()):
        raise UsageError(f"Names in Kubernetes are lower-case: write `{start}/{name.lower()}`.")
    raise UsageError(
        f"`{inert(name)}` cannot be a name: it has up to {_LONGEST_SUBDOMAIN} lower-case letters, digits, "
        f"hyphens and dots, as in `{start}/NAME`."
    )


def _check_pod(namespace: str, pod: str) -> None:
    if is_pod_name(pod):
        return
    if "=" in pod or pod.startswith("!"):
        raise UsageError(
            f"`{inert(pod)}` cannot be read as labels: write KEY=VALUE or KEY!=VALUE, several with commas "
            f"and no spaces, as in `/podcap {namespace}/app=cheese,tier!=db`."
        )
    if is_pod_name(pod.lower()):
        raise UsageError(f"Names in Kubernetes are lower-case: write `/podcap {namespace}/{pod.lower()}`.")
    raise UsageError(
        f"`{inert(pod)}` cannot be a pod: its name has up to {_LONGEST_SUBDOMAIN} lower-case letters, "
        f"digits, hyphens and dots, as in `{EXAMPLE}`."
    )
