"""Files: announced, uploaded, completed, shared; their bytes lie in a folder."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.lab.slack.world import Channel, slack_id

_UNSAFE = re.compile(r"[^\w.+-]+")
_LONGEST_NAME = 120
_IMAGES = {"png", "jpg", "jpeg", "gif"}
_NAMES = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "gif": "GIF", "txt": "Plain Text", "json": "JSON"}


@dataclass(slots=True)
class File:
    """A file on its way.

    Attributes:
        path: Where its bytes are, once `received`.
        ticket: The last part of its upload URL.
        shared: Whether completed and processed; until then no message and no block shows it.
        shares: By visibility (`public`, `private`) and channel id, the messages that show it.
    """

    id: str
    name: str
    length: int
    owner: str
    created: int
    path: Path
    ticket: str
    alt_txt: str = ""
    title: str = ""
    received: bool = False
    completed: bool = False
    shared: bool = False
    deleted: bool = False
    shares: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)

    @property
    def filetype(self) -> str:
        """Slack's short name of the type; `binary` where the name tells nothing."""
        suffix = Path(self.name).suffix.lstrip(".").lower()
        return suffix if suffix in _NAMES else "binary"

    @property
    def is_image(self) -> bool:
        """Whether a block can show it."""
        return self.filetype in _IMAGES

    def share(self, channel: Channel, message: dict[str, Any]) -> None:
        """Notes the message that shows the file."""
        visibility = "private" if channel.is_private or channel.is_im else "public"
        share = {"ts": message["ts"], "channel_name": channel.name, "reply_users": [], "reply_count": 0}
        if "thread_ts" in message:
            share["thread_ts"] = message["thread_ts"]
        self.shares.setdefault(visibility, {}).setdefault(channel.id, []).append(share)

    def as_json(self, base_url: str) -> dict[str, Any]:
        """The file object that Slack returns."""
        if self.deleted:
            return {"id": self.id, "mode": "tombstone"}
        public = self.shares.get("public", {})
        private = self.shares.get("private", {})
        url = f"{base_url}/files-pri/{self.id}/{self.path.name}"
        return {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": f"image/{self.filetype}" if self.is_image else "application/octet-stream",
            "filetype": self.filetype,
            "pretty_type": _NAMES.get(self.filetype, "Binary"),
            "user": self.owner,
            "mode": "hosted",
            "size": self.length,
            "is_external": False,
            "is_public": bool(public),
            "url_private": url,
            "url_private_download": f"{url}?download",
            "permalink": f"{base_url}/files/{self.owner}/{self.id}/{self.path.name}",
            "shares": {name: dict(value) for name, value in self.shares.items()},
            "channels": [id_ for id_ in public if id_.startswith("C")],
            "groups": [id_ for id_ in private if id_.startswith("C")],
            "ims": [id_ for id_ in private if id_.startswith("D")],
            **({"alt_txt": self.alt_txt} if self.alt_txt else {}),
        }


@dataclass(slots=True)
class Files:
    """Every file, by id.

    Attributes:
        folder: Each file lies in a folder of its own below, named by its id.
        clock: Seconds since 1970.
        largest: Bytes that one file may have.
    """

    folder: Path
    clock: Callable[[], float]
    largest: int = 1_000_000_000
    files: dict[str, File] = field(default_factory=dict)

    def announce(self, name: str, length: int, owner: str, ticket: str, alt_txt: str) -> File:
        """A new file whose bytes are to come."""
        id_ = slack_id("F", ticket)
        safe = _UNSAFE.sub("_", Path(name).name)[-_LONGEST_NAME:].lstrip(".") or "file"
        place = self.folder / id_ / safe
        file = File(id_, name, length, owner, int(self.clock()), place, ticket, alt_txt)
        self.files[id_] = file
        return file

    def by_ticket(self, ticket: str) -> File | None:
        """The file that an upload URL is for."""
        return next((file for file in self.files.values() if file.ticket == ticket), None)

    def can_be_shown(self, id_or_url: str) -> bool:
        """Whether a block may show this file: an image, shared, and not deleted."""
        for file in self.files.values():
            if id_or_url == file.id or f"/{file.id}/" in id_or_url:
                return file.is_image and file.shared and not file.deleted
        return False
