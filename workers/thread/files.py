"""Putting a file into a thread in Slack's three steps, read from disk as it is sent.

slack_sdk's files_upload_v2 reads the whole file into memory and gives no file id before it completes; the id
is written to the ledger first, so that after a crash Slack can be asked what became of it.
"""

import http.client
import logging
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from workers.slack.errors import UploadError, code

log = logging.getLogger(__name__)

_SECONDS = 60
_SHARED_TRIES = 20
_SHARED_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Share:
    """Where an uploaded file is shown: its title there, the thread, and the text beside it."""

    title: str
    channel: str
    thread_ts: str
    comment: str


def upload(client: WebClient, path: Path, name: str, alt_text: str | None = None) -> str:
    """Brings a file to Slack, where nobody sees it until it is completed.

    Args:
        client: Needs the scope files:write.
        path: The file.
        name: Its name in Slack.
        alt_text: What a picture shows, at most 1,000 characters.

    Returns:
        The file's id.

    Raises:
        UploadError: The bytes were not taken.
        slack_sdk.errors.SlackApiError: Slack does not want the file.
    """
    length = path.stat().st_size
    place = client.files_getUploadURLExternal(filename=name, length=length, alt_txt=alt_text)
    _send(str(place["upload_url"]), path, length)
    return str(place["file_id"])


def complete(client: WebClient, file_id: str, share: Share) -> None:
    """Shares an uploaded file in its thread.

    Raises:
        slack_sdk.errors.SlackApiError: Slack refuses; `file_not_found` when there is no such upload, or it
        was
            completed before.
    """
    client.files_completeUploadExternal(
        files=[{"id": file_id, "title": share.title}],
        channel_id=share.channel,
        thread_ts=share.thread_ts,
        initial_comment=share.comment,
    )


def is_known(client: WebClient, file_id: str) -> bool:
    """Whether Slack has a file that was completed.

    Raises:
        slack_sdk.errors.SlackApiError: Slack does not say.
    """
    try:
        client.files_info(file=file_id)
    except SlackApiError as error:
        if code(error) != "file_not_found":
            raise
        return False
    return True


def wait_until_shared(client: WebClient, file_id: str) -> bool:
    """Waits until the file stands in its thread, so that what is said next stands behind it; whether it does.

    Slack shares a file some time after it took it. Gives up after a few seconds, and at once when Slack does
    not say (the scope files:read is missing).
    """
    for _ in range(_SHARED_TRIES):
        try:
            file = client.files_info(file=file_id)["file"]
        except (SlackClientError, OSError, http.client.HTTPException) as error:
            log.warning("whether file %s is in its thread cannot be seen: %s", file_id, error)
            return False
        if any(file.get("shares", {}).values()):
            return True
        time.sleep(_SHARED_PAUSE)
    return False


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
