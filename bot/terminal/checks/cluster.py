"""The cluster: who podcap is there, what it may, and whether its agent pod is let in."""

from collections.abc import Iterator, Sequence

from bot.terminal.checks.result import Check, Result, for_slack, ok, problem, unset
from bot.terminal.identity import identify
from bot.terminal.place import at_the_terminal
from workers.agent.pod_spec import AgentLimits, Owner, pod_spec
from workers.cluster.cluster import Cluster, connect
from workers.cluster.errors import ClusterError
from workers.cluster.review import Right
from workers.ledger.capture import new_id
from workers.policy.load import load as load_policy
from workers.policy.rules import PolicyError
from workers.settings import Settings
from workers.taps.limits import SPOOL_BYTES

_SECONDS = 30


Wanted = Sequence[tuple[Right, str]]
"""Rights, and what for each is."""


def rights(
    agent_namespace: str, targets: Sequence[str], *, logs: bool = False, uplinks: bool = False
) -> Wanted:
    """Every right podcap uses to capture.

    Args:
        agent_namespace: Of agent pods.
        targets: Namespaces of captured pods; "" is all of them.
        logs: Whether it reads pods' logs, because a rule of the policy says so.
        uplinks: Whether it captures at nodes' uplinks, likewise.
    """
    everywhere = [
        (Right(verb, resource, namespace=target, group=group), why)
        for target in targets
        for verb, resource, group, why in (
            ("get", "pods", "", "to find the pod and its node"),
            ("list", "pods", "", "to capture more than one pod, and to name addresses"),
            ("list", "services", "", "to capture `svc/NAME`, and to name addresses"),
            ("list", "endpointslices", "discovery.k8s.io", "to capture `svc/NAME`, and to name addresses"),
            ("create", "events", "", "to tell a pod's owners of a capture"),
            ("list", "events", "", "to say what happened to a pod meanwhile"),
            ("list", "networkpolicies", "networking.k8s.io", "to say what governs a pod"),
        )
    ]
    return [
        *everywhere,
        *[
            (Right("get", "pods", "log", target), "to show pods' logs, as the policy allows")
            for target in (targets if logs else ())
        ],
        (Right("get", "nodes"), "to see that a node is Ready"),
        *[
            (
                Right("list", "endpointslices", namespace="default", group="discovery.k8s.io"),
                "to leave podcap's own connections out of captures at uplinks",
            )
            for _ in range(uplinks and not {"", "default"} & set(targets))
        ],
        (Right("list", "nodes"), "to capture at `node/NAME` and at Services' uplinks, and to name addresses"),
        (Right("list", "namespaces"), "to suggest names that are near"),
        *[
            (Right(verb, "pods", namespace=agent_namespace), "to start and remove the agent pod")
            for verb in ("create", "delete", "get", "list", "watch")
        ],
        *[
            (Right(verb, "pods", "exec", agent_namespace), "to work in the agent pod")
            for verb in ("get", "create")
        ],
    ]


def target_rights(targets: Sequence[str]) -> Wanted:
    """Every right podcap uses besides to find the pods of a workload, where a request is admitted.

    Args:
        targets: As for `rights`.
    """
    return [
        (Right("list", resource, namespace=target, group=group), f"to capture {named}")
        for target in targets
        for resource, group, named in (
            ("deployments", "apps", "`deploy/NAME`"),
            ("replicasets", "apps", "`rs/NAME` and `deploy/NAME`"),
            ("statefulsets", "apps", "`sts/NAME`"),
            ("daemonsets", "apps", "`ds/NAME`"),
            ("jobs", "batch", "`job/NAME`"),
        )
    ]


def cluster(targets: Sequence[str]) -> Check:
    """The check, for pods in these namespaces; none: in all."""

    def check(settings: Settings) -> Iterator[Result]:
        settings = at_the_terminal(settings)
        try:
            with connect(settings.kubeconfig) as found:
                yield ok("cluster", f"Kubernetes {found.version()}")
                who = identify(found, settings.kubeconfig)
                doubt = "" if who.proven else ", as the kubeconfig says; the cluster does not tell"
                yield ok("identity", f"{who.name}{doubt}")
                where = targets or ("",)
                yield from _rights(found, rights(settings.agent_namespace, where, **_allowed(settings)))
                # A worker with the rights of docs/install.md has not these, and does not need them.
                yield from _rights(found, target_rights(where), elsewhere=for_slack(settings))
                yield from _agent(found, settings)
        except ClusterError as error:
            yield problem("cluster", str(error))

    return check


def _allowed(settings: Settings) -> dict[str, bool]:
    """What rules of the policy allow that takes rights of its own."""
    try:
        rules = load_policy(settings.policy).rules
    except PolicyError:
        return {}  # the policy's own check says what is wrong with it
    return {
        "logs": any(rule.logs for rule in rules),
        "uplinks": any(rule.uplinks or rule.nodes for rule in rules),
    }


def _rights(found: Cluster, wanted: Wanted, *, elsewhere: bool = False) -> Iterator[Result]:
    """Those that are missing are no problem where another account may have to have them."""
    for right, why in wanted:
        where = f" in namespace {right.namespace}" if right.namespace else ""
        if found.may(right):
            yield ok("right", f"{right}{where}")
        elif elsewhere:
            yield unset("right", f"{right}{where} is bot's and beat's, {why}")
        else:
            yield problem("right", f"{right}{where} is missing, {why}: have it granted by RBAC.")


def _agent(found: Cluster, settings: Settings) -> Iterator[Result]:
    """PodSecurity, quotas and admission policies speak when the pod is created without being stored."""
    if settings.agent_image is None:
        yield problem("agent image", "PODCAP_AGENT_IMAGE is not set: set it to the image that podcap builds.")
        return
    yield ok("agent image", settings.agent_image)
    namespace = settings.agent_namespace
    manifest = pod_spec(
        owner=Owner(new_id(), "doctor"),
        node="podcap-doctor",
        namespace=namespace,
        image=settings.agent_image,
        limits=AgentLimits(seconds=_SECONDS, spool_bytes=SPOOL_BYTES),
    )
    try:
        found.create_pod(namespace, manifest, dry_run=True)
    except ClusterError as error:
        yield problem(
            "agent pod",
            f"namespace {namespace} does not take it: {str(error).rstrip('.')}. Make or change the namespace "
            "as docs/install.md shows, or set PODCAP_AGENT_NAMESPACE.",
        )
    else:
        yield ok("agent pod", f"namespace {namespace} takes it")
