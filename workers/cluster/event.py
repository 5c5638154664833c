"""The Kubernetes Event that tells a pod's owners of a capture; `kubectl describe pod` shows it. Pure.

Form: core/v1 Event as recorders write it (k8s.io/client-go/tools/record), without `eventTime`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workers.cluster.pod import Pod

STARTED = "PacketCaptureStarted"
"""The reason of the Event written before the first packet is taken."""

ENDED = "PacketCaptureEnded"
"""The reason of the Event written when the last packet was taken."""

_COMPONENT = "podcap"
# The API server's limit for a message (kubernetes, pkg/apis/core/validation/events.go).
_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class News:
    """What happened: `reason` in CamelCase, `message` in one sentence, `at` in any time zone."""

    reason: str
    message: str
    at: datetime


def pod_event(pod: Pod, capture_id: str, news: News) -> dict[str, Any]:
    """The manifest of an Event on `pod`, in its namespace.

    Its name is made of capture, reason and pod, so that the same news written twice is one Event.
    """
    at = news.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{capture_id}.{news.reason.lower()}.{pod.uid}", "namespace": pod.namespace},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "namespace": pod.namespace,
            "name": pod.name,
            "uid": pod.uid,
        },
        "type": "Normal",
        "reason": news.reason,
        "message": _cut(news.message),
        "source": {"component": _COMPONENT},
        "reportingComponent": _COMPONENT,
        "reportingInstance": capture_id,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }


def _cut(message: str) -> str:
    """The message within the API server's limit, which counts bytes."""
    data = message.encode()
    return message if len(data) <= _LONGEST else data[: _LONGEST - 3].decode(errors="ignore") + "…"
