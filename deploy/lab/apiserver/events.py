"""Events: what happened to an object, as the API keeps it for an hour."""

import time
import uuid
from dataclasses import dataclass

from deploy.lab.apiserver import times
from deploy.lab.apiserver.resources import EVENTS
from deploy.lab.apiserver.status import Object
from deploy.lab.apiserver.store import Store

KEPT_SECONDS = 3600.0
_SCHEDULER = "default-scheduler"


@dataclass(frozen=True)
class News:
    """One thing that happened.

    Attributes:
        kind: `Normal` or `Warning`.
        field_path: The part of the object it happened to, such as `spec.containers{web}`.
    """

    kind: str
    reason: str
    message: str
    field_path: str = ""


class Recorder:
    """Writes events. The same news again counts up the event that is there."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, about: Object, news: News, component: str, host: str = "") -> None:
        """Writes an event of a component such as `kubelet`, on a node."""
        involved = _reference(about, news.field_path)
        namespace = involved.get("namespace") or "default"
        now = times.now()
        for known in self._store.objects(EVENTS, namespace):
            if _same(known, involved, news):
                self._store.change(EVENTS, known, lambda event: _again(event, now))
                return
        source = {"component": component, "host": host} if host else {"component": component}
        extra: Object = {
            "source": source,
            "eventTime": None,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "reportingComponent": component,
            "reportingInstance": host,
        }
        self._write(namespace, involved, news, extra)

    def scheduled(self, pod: Object, news: News, action: str = "Binding") -> None:
        """Writes an event of the scheduler, which uses the newer form of events."""
        involved = _reference(pod, "")
        for known in self._store.objects(EVENTS, involved["namespace"]):
            if _same(known, involved, news):
                return
        extra: Object = {
            "source": {},
            "eventTime": times.micro_now(),
            "firstTimestamp": None,
            "lastTimestamp": None,
            "action": action,
            "reportingComponent": _SCHEDULER,
            "reportingInstance": f"{_SCHEDULER}-lab",
        }
        self._write(involved["namespace"], involved, news, extra)

    def _write(self, namespace: str, involved: Object, news: News, extra: Object) -> None:
        metadata = {
            "name": f"{involved['name']}.{time.time_ns():016x}",
            "namespace": namespace,
            "uid": str(uuid.uuid4()),
            "creationTimestamp": times.now(),
        }
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": metadata,
            "involvedObject": involved,
            "reason": news.reason,
            "message": news.message,
            "type": news.kind,
        }
        self._store.create(EVENTS, event | extra)

    def forget_old(self) -> None:
        """Removes events older than an hour."""
        for event in self._store.objects(EVENTS):
            last = event.get("lastTimestamp") or event["metadata"]["creationTimestamp"]
            if time.time() - times.parse(last).timestamp() > KEPT_SECONDS:
                self._store.delete(EVENTS, event)


def _reference(about: Object, field_path: str) -> Object:
    metadata = about["metadata"]
    reference = {
        "kind": about["kind"],
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
        "uid": metadata["uid"],
        "apiVersion": about["apiVersion"],
        "resourceVersion": metadata["resourceVersion"],
        "fieldPath": field_path,
    }
    return {key: value for key, value in reference.items() if value}


def _same(event: Object, involved: Object, news: News) -> bool:
    about = event.get("involvedObject", {})
    return (
        about.get("uid") == involved["uid"]
        and about.get("fieldPath", "") == news.field_path
        and event.get("reason") == news.reason
        and event.get("message") == news.message
    )


def _again(event: Object, now: str) -> None:
    event["count"] = event.get("count", 1) + 1
    event["lastTimestamp"] = now
