"""The cluster: who podcap is there, what it may, and whether its agent pod is let in."""

from collections.abc import Iterator, Sequence

from bot.terminal.checks.result import Check, Result, ok, problem
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


def rights(agent_namespace: str, targets: Sequence[str], *, logs: bool = False) -> list[tuple[Right, str]]:
    """Every right podcap uses, and what for.

    Args:
        agent_namespace: Of agent pods.
        targets: Namespaces of captured pods; "" is all of them.
        logs: Whether it reads pods' logs, because a rule of the policy says so.
    """
    everywhere = [
        (Right(verb, resource, namespace=target, group=group), why)
        for target in targets
        for verb, resource, group, why in (
            ("get", "pods", "", "to find the pod and its node"),
            ("list", "pods", "", "to suggest names that are near, and to name addresses"),
            ("list", "services", "", "to name addresses"),
            ("list", "endpointslices", "discovery.k8s.io", "to name addresses"),
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
        (Right("list", "nodes"), "to name addresses"),
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
                wanted = rights(settings.agent_namespace, targets or ("",), logs=_reads_logs(settings))
                yield from _rights(found, wanted)
                yield from _agent(found, settings)
        except ClusterError as error:
            yield problem("cluster", str(error))

    return check


def _reads_logs(settings: Settings) -> bool:
    try:
        return any(rule.logs for rule in load_policy(settings.policy).rules)
    except PolicyError:
        return False  # the policy's own check says what is wrong with it


def _rights(found: Cluster, wanted: Sequence[tuple[Right, str]]) -> Iterator[Result]:
    for right, why in wanted:
        where = f" in namespace {right.namespace}" if right.namespace else ""
        if found.may(right):
            yield ok("right", f"{right}{where}")
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
