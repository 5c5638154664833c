"""The two forms of an Event: `v1`, in which they are kept, and `events.k8s.io/v1`. Pure."""

from deploy.lab.apiserver.status import Object

_NEWER_OF_CORE = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
_CORE_OF_NEWER = {newer: core for core, newer in _NEWER_OF_CORE.items()}


def newer(event: Object) -> Object:
    """A `v1` Event as `events.k8s.io/v1`."""
    return _renamed(event, _NEWER_OF_CORE) | {"apiVersion": "events.k8s.io/v1"}


def core(event: Object) -> Object:
    """An `events.k8s.io/v1` Event as `v1`."""
    return _renamed(event, _CORE_OF_NEWER) | {"apiVersion": "v1"}


def _renamed(event: Object, names: dict[str, str]) -> Object:
    return {names.get(key, key): value for key, value in event.items()}
