"""Agent pods as a worker makes them, for the tests of what they are made of and let in by."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from workers.agent.agent import AgentPod, create, delete
from workers.agent.pod_spec import AgentLimits, Owner, Profile, pod_spec
from workers.cluster.cluster import Cluster
from workers.request.grammar import parse
from workers.taps.limits import SPOOL_BYTES

NODE = "k8s-node01"
LONGEST_SECONDS = inspect.signature(parse).parameters["max_seconds"].default
LIMITS = AgentLimits(seconds=LONGEST_SECONDS, spool_bytes=SPOOL_BYTES)
"""Of the longest capture there can be."""


def manifest(capture_id: str, namespace: str, image: str, profile: Profile = "host") -> dict[str, Any]:
    """The agent pod's manifest, with the limits of the longest capture."""
    owner, limits = Owner(capture_id, "tests"), replace(LIMITS, profile=profile)
    return pod_spec(owner=owner, node=NODE, namespace=namespace, image=image, limits=limits)


@contextmanager
def running(cluster: Cluster, capture_id: str, namespace: str, image: str) -> Iterator[AgentPod]:
    """The same pod, running as long as the block does."""
    try:
        owner = Owner(capture_id, "tests")
        yield create(cluster, owner=owner, node=NODE, namespace=namespace, image=image, limits=LIMITS)
    finally:
        delete(cluster, namespace, capture_id)
