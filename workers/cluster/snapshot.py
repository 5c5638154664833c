"""Taking a snapshot of the cluster: pods, Services, EndpointSlices and nodes, as `workers.names` reads them.

A right that is missing, an API server that is slow or an object that cannot be read makes names fewer and is
said in the snapshot's notes; it never ends a capture.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from workers.cluster.cluster import Cluster
from workers.cluster.errors import ClusterError, ForbiddenError
from workers.names import read
from workers.names.snapshot import Snapshot

SECONDS = 30.0
"""The longest that gathering goes on; what has not come by then is left out."""

MOST = 50_000
"""Objects of a kind; more are left out."""

Read = TypeVar("Read")


def take_snapshot(cluster: Cluster, namespace: str, *, seconds: float = SECONDS) -> Snapshot:
    """The cluster as it is now.

    Args:
        cluster: The cluster.
        namespace: Of the captured pod; all that is asked for where the whole cluster may not be listed.
        seconds: After which the rest is left out.
    """
    gathering = _Gathering(cluster, namespace, time.monotonic() + seconds)
    return Snapshot(
        taken_at=time.time(),
        nodes=gathering.all("nodes", "/api/v1/nodes", read.node),
        pods=gathering.everywhere("pods", "/api/v1", read.pod),
        services=gathering.everywhere("services", "/api/v1", read.service),
        slices=gathering.everywhere("endpointslices", "/apis/discovery.k8s.io/v1", read.endpoint_slice),
        notes=gathering.notes(),
    )


def take_endpoints(
    cluster: Cluster, namespaces: Iterable[str], *, seconds: float = SECONDS
) -> Snapshot | None:
    """The EndpointSlices of some namespaces as they are now, and nothing else; None where one is missing."""
    gathering = _Gathering(cluster, "", time.monotonic() + seconds)
    slices = tuple(
        piece
        for namespace in namespaces
        for piece in gathering.all(
            "endpointslices",
            f"/apis/discovery.k8s.io/v1/namespaces/{quote(namespace, safe='')}/endpointslices",
            read.endpoint_slice,
        )
    )
    return None if gathering.notes() else Snapshot(taken_at=time.time(), slices=slices)


class _Gathering:
    def __init__(self, cluster: Cluster, namespace: str, deadline: float) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._deadline = deadline
        self._missing: dict[str, str] = {}

    def everywhere(
        self, what: str, group: str, form: Callable[[Mapping[str, Any]], Read | None]
    ) -> tuple[Read, ...]:
        """Those of all namespaces; where that is forbidden, of the captured pod's."""
        try:
            return self._listed(what, f"{group}/{what}", form)
        except ForbiddenError:
            here = f"{group}/namespaces/{quote(self._namespace, safe='')}/{what}"
            found = self.all(what, here, form)
            self._missing.setdefault(what, f"only those of namespace {self._namespace} may be listed")
            return found
        except ClusterError as error:
            self._missing[what] = str(error).rstrip(".")
            return ()

    def all(self, what: str, path: str, form: Callable[[Mapping[str, Any]], Read | None]) -> tuple[Read, ...]:
        """Those that a path lists; none where it cannot be listed."""
        try:
            return self._listed(what, path, form)
        except ClusterError as error:
            self._missing[what] = str(error).rstrip(".")
            return ()

    def notes(self) -> tuple[str, ...]:
        """One sentence for all that is missing, or none."""
        if not self._missing:
            return ()
        parts = "; ".join(f"{what}: {why}" for what, why in self._missing.items())
        return (f"Some addresses have no name, because not everything could be listed ({parts}).",)

    def _listed(
        self, what: str, path: str, form: Callable[[Mapping[str, Any]], Read | None]
    ) -> tuple[Read, ...]:
        found: list[Read] = []
        for given in self._in_time(what, self._cluster.objects(path)):
            try:
                each = form(given)
            except (KeyError, TypeError, ValueError, AttributeError):
                self._missing[what] = "one or more could not be read"
                continue
            if each is not None:
                found.append(each)
        return tuple(found)

    def _in_time(self, what: str, given: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
        for number, each in enumerate(given):
            if number == MOST:
                self._missing[what] = f"there are more than {MOST:,}"
                return
            if time.monotonic() > self._deadline:
                self._missing[what] = "the API server took too long"
                return
            yield each
