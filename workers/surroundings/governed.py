"""What the API server says of pods at one moment: state, events, and the policies that select them."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError
from workers.cluster.pod import Pod
from workers.surroundings.pod_state import PodEvent, PodState, events, state
from workers.surroundings.policies import Policy, policy
from workers.surroundings.surroundings import Surroundings

log = logging.getLogger(__name__)

SECONDS = 15.0
"""The longest that is asked; what has not come by then is left out."""

_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)
_LATE = "The API server took too long to say more."


def governed(
    cluster: Cluster, pods: Sequence[Pod], known: Mapping[str, Surroundings], *, seconds: float = SECONDS
) -> dict[str, Surroundings]:
    """The surroundings with what Kubernetes says, by the pods' UIDs; what it does not say is in `missing`.

    Args:
        cluster: Where the pods are.
        pods: The pods.
        known: What their nodes said, by UID; may lack any.
        seconds: How long it may take.
    """
    asking = _Asking(cluster, time.monotonic() + seconds)
    return {pod.uid: asking.around(pod, known.get(pod.uid) or _unseen(pod)) for pod in pods}


def _unseen(pod: Pod) -> Surroundings:
    return Surroundings(pod.namespace, pod.name, pod.uid, time.time_ns())


class _Asking:
    def __init__(self, cluster: Cluster, deadline: float) -> None:
        self._cluster = cluster
        self._deadline = deadline
        self._policies: dict[str, tuple[tuple[Policy, ...], str]] = {}
        self._labels: Mapping[str, Mapping[str, str]] | None = None

    def around(self, pod: Pod, known: Surroundings) -> Surroundings:
        missing = list(known.missing)
        current = self._state(pod, missing)
        selecting = self._selecting(pod, current, missing)
        return replace(
            known,
            state=current,
            policies=selecting,
            namespace_labels=self._namespaces(selecting),
            events=self._events(pod, missing),
            missing=tuple(dict.fromkeys(missing)),
        )

    def _state(self, pod: Pod, missing: list[str]) -> PodState | None:
        path = f"/api/v1/namespaces/{quote(pod.namespace, safe='')}/pods"
        try:
            for given in self._in_time(path, {"fieldSelector": f"metadata.name={pod.name}"}):
                if given["metadata"]["uid"] == pod.uid:
                    return state(given)
        except ClusterError as error:
            missing.append(f"Its state is not here: {error}")
        except _UNREADABLE:
            missing.append("Its state could not be read.")
        else:
            missing.append("It is gone.")
        return None

    def _events(self, pod: Pod, missing: list[str]) -> tuple[PodEvent, ...]:
        path = f"/api/v1/namespaces/{quote(pod.namespace, safe='')}/events"
        try:
            return events(self._in_time(path, {"fieldSelector": f"involvedObject.uid={pod.uid}"}))
        except ClusterError as error:
            missing.append(f"Its events are not here: {error}")
        except _UNREADABLE:
            missing.append("Its events could not be read.")
        return ()

    def _selecting(self, pod: Pod, current: PodState | None, missing: list[str]) -> tuple[Policy, ...]:
        if pod.namespace not in self._policies:
            self._policies[pod.namespace] = self._listed(pod.namespace)
        listed, why = self._policies[pod.namespace]
        if why:
            missing.append(why)
        if pod.host_network:
            return ()  # what they do to the node's network is not defined
        labels = pod.labels if current is None else current.labels
        try:
            return tuple(each for each in listed if each.selects(pod.namespace, labels))
        except _UNREADABLE:
            missing.append("A NetworkPolicy could not be read.")
            return ()

    def _listed(self, namespace: str) -> tuple[tuple[Policy, ...], str]:
        path = f"/apis/networking.k8s.io/v1/namespaces/{quote(namespace, safe='')}/networkpolicies"
        try:
            return tuple(policy(given) for given in self._in_time(path, None)), ""
        except ClusterError as error:
            return (), f"NetworkPolicies are not here: {error}"
        except _UNREADABLE:
            return (), "A NetworkPolicy could not be read."

    def _namespaces(self, selecting: Sequence[Policy]) -> Mapping[str, Mapping[str, str]]:
        """Labels of all namespaces, where a policy selects by them."""
        if "namespaceSelector" not in str([dict(each.spec) for each in selecting]):
            return {}
        if self._labels is None:
            try:
                self._labels = {
                    given["metadata"]["name"]: given["metadata"].get("labels") or {}
                    for given in self._in_time("/api/v1/namespaces", None)
                }
            except (ClusterError, *_UNREADABLE) as error:
                log.info("labels of namespaces are not known: %s", error)
                self._labels = {}
        return self._labels

    def _in_time(self, path: str, query: Mapping[str, str] | None) -> Iterator[dict[str, Any]]:
        if time.monotonic() > self._deadline:
            raise ClusterError(_LATE)
        yield from self._cluster.objects(path, query)
