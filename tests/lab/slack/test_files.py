"""The three steps of an upload, and what can go wrong in each."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from deploy.lab.slack.background import BackgroundSlack

Eventually = Callable[[Callable[[], Any]], Any]
CONTENT = bytes(range(256)) * 100


def announce(api: WebClient, name: str = "a.pcapng", length: int = len(CONTENT)) -> tuple[str, str]:
    place = api.files_getUploadURLExternal(filename=name, length=length)
    return str(place["file_id"]), str(place["upload_url"])


def uploaded(slack: BackgroundSlack, api: WebClient, name: str = "a.pcapng") -> str:
    file_id, url = announce(api, name)
    assert slack.request("POST", url, CONTENT)[0] == 200
    return file_id


def files(slack: BackgroundSlack) -> dict[str, Any]:
    return dict(slack.state()["files"])


def test_slack_sdk_uploads_a_file_into_a_thread(
    slack: BackgroundSlack, api: WebClient, eventually: Eventually
) -> None:
    channel = slack.id("incidents")
    parent = api.chat_postMessage(channel=channel, text="parent")["ts"]
    done = api.files_upload_v2(
        channel=channel,
        thread_ts=parent,
        filename="a.pcapng",
        title="The packets",
        content=CONTENT,
        initial_comment="Here",
    )
    file = eventually(lambda: files(slack).get(done["file"]["id"]))
    assert hashlib.sha256(Path(file["path"]).read_bytes()).digest() == hashlib.sha256(CONTENT).digest()
    assert Path(file["path"]).name == "a.pcapng"
    message = api.conversations_replies(channel=channel, ts=parent)["messages"][1]
    assert (message["text"], message["files"][0]["title"]) == ("Here", "The packets")
    share = api.files_info(file=file["id"])["file"]["shares"]["public"][channel][0]
    assert (share["ts"], share["thread_ts"]) == (message["ts"], parent)


def test_bytes_may_come_as_a_form_field(slack: BackgroundSlack, api: WebClient) -> None:
    file_id, url = announce(api, length=3)
    body = (
        b"--b\r\nContent-Disposition: form-data; name=other\r\n\r\nx\r\n"
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n--b--\r\n'
    )
    status, text, _ = slack.request("POST", url, body, {"Content-Type": "multipart/form-data; boundary=b"})
    assert (status, text) == (200, "OK - 3")
    assert slack.workspace.files.files[file_id].path.read_bytes() == b"abc"


@pytest.mark.parametrize("sent", [CONTENT[:-1], CONTENT + b"x", b""])
def test_another_length_than_announced_is_refused(
    slack: BackgroundSlack, api: WebClient, sent: bytes
) -> None:
    file_id, url = announce(api)
    assert slack.request("POST", url, sent)[0] == 400
    with pytest.raises(SlackApiError, match="file_not_found"):
        api.files_completeUploadExternal(files=[{"id": file_id}])
    assert not slack.workspace.files.files[file_id].path.exists()


def test_bytes_may_come_again_until_the_upload_is_completed(slack: BackgroundSlack, api: WebClient) -> None:
    file_id, url = announce(api)
    assert slack.request("POST", url, b"x" * len(CONTENT))[0] == 200
    assert slack.request("POST", url, CONTENT)[0] == 200
    api.files_completeUploadExternal(files=[{"id": file_id}])
    assert slack.request("POST", url, CONTENT)[0] == 404
    assert slack.workspace.files.files[file_id].path.read_bytes() == CONTENT


def test_an_upload_is_completed_once(slack: BackgroundSlack, api: WebClient) -> None:
    file_id = uploaded(slack, api)
    api.files_completeUploadExternal(files=[{"id": file_id}])
    with pytest.raises(SlackApiError, match="file_not_found"):
        api.files_completeUploadExternal(files=[{"id": file_id}])


def test_a_file_without_a_channel_is_in_no_message(
    slack: BackgroundSlack, api: WebClient, eventually: Eventually
) -> None:
    file_id = uploaded(slack, api)
    api.files_completeUploadExternal(files=[{"id": file_id}])
    eventually(lambda: file_id in files(slack))
    assert api.files_info(file=file_id)["file"]["shares"] == {}


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        ("random", "not_in_channel"),
        ("secret", "channel_not_found"),
        ("old-incident", "posting_to_channel_denied"),
    ],
)
def test_a_channel_that_takes_no_file_says_why(
    slack: BackgroundSlack, api: WebClient, channel: str, error: str
) -> None:
    file_id = uploaded(slack, api)
    with pytest.raises(SlackApiError, match=error):
        api.files_completeUploadExternal(files=[{"id": file_id}], channel_id=slack.id(channel))


def test_a_thread_that_is_not_there_takes_no_file(slack: BackgroundSlack, api: WebClient) -> None:
    file_id = uploaded(slack, api)
    with pytest.raises(SlackApiError, match="thread_not_found"):
        api.files_completeUploadExternal(
            files=[{"id": file_id}], channel_id=slack.id("incidents"), thread_ts="1.000001"
        )
    assert not slack.workspace.files.files[file_id].completed


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"filename": "a"}, "invalid_arguments"),
        ({"length": "3"}, "invalid_arguments"),
        ({"filename": "a", "length": "three"}, "invalid_arguments"),
        ({"filename": "a", "length": "0"}, "missing_argument"),
        ({"filename": "a", "length": "2000000000"}, "file_upload_size_restricted"),
        ({"filename": "a", "length": "3", "alt_txt": "a" * 1001}, "alt_txt_too_large"),
    ],
)
def test_an_upload_that_cannot_be_is_refused_at_once(
    api: WebClient, arguments: dict[str, str], error: str
) -> None:
    with pytest.raises(SlackApiError, match=error):
        api.api_call("files.getUploadURLExternal", http_verb="GET", params=arguments)


def test_no_file_name_leads_out_of_the_folder(slack: BackgroundSlack, api: WebClient) -> None:
    for name in ("../../etc/passwd", "..", "/etc/passwd", "a/../../b", "\N{PAPERCLIP} .pcap", "n" * 400):
        file_id = uploaded(slack, api, name)
        path = slack.workspace.files.files[file_id].path
        assert path.resolve().parent == (slack.workspace.folder / file_id).resolve()


def test_a_file_that_was_not_completed_is_not_found(slack: BackgroundSlack, api: WebClient) -> None:
    file_id = uploaded(slack, api)
    with pytest.raises(SlackApiError, match="file_not_found"):
        api.files_info(file=file_id)


def test_a_deleted_file_leaves_a_tombstone(
    slack: BackgroundSlack, api: WebClient, eventually: Eventually
) -> None:
    done = api.files_upload_v2(channel=slack.id("incidents"), filename="a.pcap", content=CONTENT)
    file = eventually(lambda: files(slack).get(done["file"]["id"]))
    api.files_delete(file=file["id"])
    assert not Path(file["path"]).exists()
    message = api.conversations_history(channel=slack.id("incidents"))["messages"][0]
    assert message["files"] == [{"id": file["id"], "mode": "tombstone"}]
    for call in (api.files_info, api.files_delete):
        with pytest.raises(SlackApiError, match="file_deleted"):
            call(file=file["id"])


def test_blocks_beside_a_comment_are_ignored(
    slack: BackgroundSlack, api: WebClient, eventually: Eventually
) -> None:
    file_id = uploaded(slack, api)
    api.files_completeUploadExternal(
        files=[{"id": file_id}],
        channel_id=slack.id("incidents"),
        initial_comment="comment",
        blocks=[{"type": "divider"}],
    )
    eventually(lambda: file_id in files(slack))
    message = api.conversations_history(channel=slack.id("incidents"))["messages"][0]
    assert message["text"] == "comment"
    assert "blocks" not in message


def test_a_markdown_block_with_a_file_fails_as_slack_fails(slack: BackgroundSlack, api: WebClient) -> None:
    file_id = uploaded(slack, api)
    with pytest.raises(SlackApiError, match="internal_error"):
        api.files_completeUploadExternal(
            files=[{"id": file_id}],
            channel_id=slack.id("incidents"),
            # As JSON, because slack_sdk puts a list into this form as Python writes it.
            blocks='[{"type": "markdown", "text": "*hi*"}]',
        )


def test_an_image_can_be_shown_in_a_block_once_it_is_shared(
    slack: BackgroundSlack, api: WebClient, eventually: Eventually
) -> None:
    file_id = uploaded(slack, api, "chart.png")
    block = {"type": "image", "slack_file": {"id": file_id}, "alt_text": "a chart"}
    post = api.chat_postMessage
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        post(channel="incidents", text="chart", blocks=[block])
    api.files_completeUploadExternal(files=[{"id": file_id}])
    eventually(lambda: file_id in files(slack))
    assert post(channel="incidents", text="chart", blocks=[block])["ok"]


def test_a_file_is_downloaded_with_a_token_only(
    slack: BackgroundSlack, api: WebClient, eventually: Eventually
) -> None:
    file_id = uploaded(slack, api, "a.txt")
    api.files_completeUploadExternal(files=[{"id": file_id}])
    url = eventually(lambda: files(slack).get(file_id))["url_private"]
    assert slack.request("GET", url)[0] == 403
