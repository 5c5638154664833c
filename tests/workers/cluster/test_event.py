import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from workers.cluster.cluster import Cluster
from workers.cluster.errors import ForbiddenError
from workers.cluster.event import STARTED, News, pod_event
from workers.cluster.pod import pod_from_json

EVIDENCE = Path(__file__).parents[2] / "evidence"
RECORDED = [
    event
    for event in json.loads((EVIDENCE / "events.json").read_text())["items"]
    if event["involvedObject"]["kind"] == "Pod" and event["eventTime"] is None
]
POD = pod_from_json(json.loads((EVIDENCE / "pods.json").read_text())["items"][0])
AT = datetime(2026, 11, 23, 10, 0, 5, tzinfo=timezone(timedelta(hours=2)))


def event(message: str = "alice captured.") -> dict[str, Any]:
    return pod_event(POD, "cap-7f3k9q", News(STARTED, message, AT))


def test_an_event_has_the_fields_that_a_real_clusters_recorders_write() -> None:
    by_the_server = {"apiVersion", "kind", "metadata", "eventTime"}
    assert RECORDED
    for recorded in RECORDED:
        assert set(recorded) - by_the_server <= set(event())


def test_an_event_is_about_the_very_pod_and_says_when_in_utc() -> None:
    written = event()
    assert written["involvedObject"]["uid"] == POD.uid
    assert written["metadata"]["namespace"] == written["involvedObject"]["namespace"] == POD.namespace
    assert written["firstTimestamp"] == written["lastTimestamp"] == "2026-11-23T08:00:05Z"


def test_a_message_is_cut_to_the_bytes_that_the_api_server_takes() -> None:
    written = event("ü" * 2000)["message"]
    assert len(written.encode()) <= 1024
    assert written.endswith("ü…")


def test_the_same_news_written_twice_is_one_event(cluster: Cluster, server: Any) -> None:
    exists = {"kind": "Status", "message": "exists", "reason": "AlreadyExists", "code": 409}
    path = f"POST /api/v1/namespaces/{POD.namespace}/events$"
    server.json(path, 409, exists)
    cluster.create_event(event())
    assert json.loads(server.requests[0].body) == event()


def test_a_missing_right_to_write_events_is_said(cluster: Cluster, server: Any) -> None:
    server.json("POST ", 403, {"kind": "Status", "message": "no", "reason": "Forbidden", "code": 403})
    with pytest.raises(ForbiddenError):
        cluster.create_event(event())


def test_times_of_events_are_whole_seconds() -> None:
    later = pod_event(POD, "cap-7f3k9q", News(STARTED, "x", datetime(2026, 1, 2, 3, 4, 5, 678, UTC)))
    assert later["lastTimestamp"] == "2026-01-02T03:04:05Z"
