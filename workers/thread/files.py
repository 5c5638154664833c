"""Putting a file into a thread in Slack's three steps, read from disk as it is sent.

slack_sdk's files_upload_v2 reads the whole file into memory and gives no file id before it completes; the id
is written to the ledger first, so that after a crash Slack can be asked what became of it.
"""

import http.client
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from workers.slack.errors import UploadError

log = logging.getLogger(__name__)

_SECONDS = 60
_SHARED_TRIES = 20
_SHARED_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to put into a thread."""

    path: Path
    name: str
    title: str


def upload(
    client: WebClient,
    file: Upload,
    *,
    channel: str,
    thread_ts: str,
    comment: str,
    remember: Callable[[str], None],
) -> str:
    """Uploads `file` and shares it in the thread.

    Args:
        client: Needs the scope files:write.
        file: What to upload.
        channel: The channel's id.
        thread_ts: The timestamp of the thread's first message.
        comment: Text shown with the file.
        remember: Called with the file's id before it is shared.

    Returns:
        The file's id.

    Raises:
        UploadError: The bytes were not taken.
        slack_sdk.errors.SlackApiError: Slack refused one of the other two steps.
    """
    length = file.path.stat().st_size
    place = client.files_getUploadURLExternal(filename=file.name, length=length)
    file_id, url = str(place["file_id"]), str(place["upload_url"])
    _send(url, file.path, length)
    remember(file_id)
    client.files_completeUploadExternal(
        files=[{"id": file_id, "title": file.title}],
        channel_id=channel,
        thread_ts=thread_ts,
        initial_comment=comment,
    )
    return file_id


def wait_until_shared(client: WebClient, file_id: str) -> None:
    """Waits until the file stands in its thread, so that what is said next stands behind it.

    Slack shares a file some time after it took it. Gives up after a few seconds, and at once when Slack does
    not say (the scope files:read is missing): then only the order suffers.
    """
    for _ in range(_SHARED_TRIES):
        try:
            file = client.files_info(file=file_id)["file"]
        except (SlackClientError, OSError, http.client.HTTPException) as error:
            log.warning("whether file %s is in its thread cannot be seen: %s", file_id, error)
            return
        if any(file.get("shares", {}).values()):
            return
        time.sleep(_SHARED_PAUSE)


def _send(url: str, path: Path, length: int) -> None:
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(length)}
    with path.open("rb") as source:
        request = urllib.request.Request(url, data=source, headers=headers, method="POST")  # noqa: S310, Slack's own URL
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310, likewise
                answer.read()
        except urllib.error.HTTPError as error:
            error.close()
            raise UploadError(f"Slack did not take the file (HTTP {error.code}).") from None
        except (OSError, http.client.HTTPException) as error:
            raise UploadError("Slack did not take the file: the connection broke.") from error
