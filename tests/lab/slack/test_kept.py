"""A stand-in that was told to keep what it knows, and the process after it."""

from pathlib import Path
from typing import Any

from slack_sdk import WebClient

from deploy.lab.slack.background import BackgroundSlack


def test_the_process_after_it_goes_on_at_the_same_address_with_what_was_there(
    tmp_path: Path, eventually: Any
) -> None:
    with BackgroundSlack(tmp_path) as slack:
        token, url = slack.workspace.credentials.bot_token, slack.api_url
        slack.workspace.share_after = 3600.0
        slack.control("keep", on=True)
        api = WebClient(token=token, base_url=url, retry_handlers=[])
        api.chat_postMessage(channel="incidents", text="a")
        begun = api.files_getUploadURLExternal(filename="a.pcap", length=3)
        slack.request("POST", str(begun["upload_url"]), b"abc", {"Content-Type": "application/octet-stream"})
        channel = slack.id("incidents")
        api.files_completeUploadExternal(files=[{"id": begun["file_id"]}], channel_id=channel)
        before = slack.state()["messages"]
    with BackgroundSlack(tmp_path) as slack:
        assert slack.api_url == url
        assert slack.workspace.credentials.bot_token == token
        # What was not shared when it ended is shared now.
        eventually(lambda: begun["file_id"] in slack.state()["files"])
        after = slack.state()["messages"]["incidents"]
        assert [message["text"] for message in after] == ["a", ""]
        assert after[:1] == before["incidents"]
        (file,) = slack.state()["files"].values()
        assert Path(file["path"]).read_bytes() == b"abc"


def test_without_being_told_it_forgets(tmp_path: Path) -> None:
    with BackgroundSlack(tmp_path) as slack:
        token = slack.workspace.credentials.bot_token
        WebClient(token=token, base_url=slack.api_url).chat_postMessage(channel="incidents", text="a")
    with BackgroundSlack(tmp_path) as slack:
        assert slack.state()["messages"] == {}
