"""What outlives the stand-in's process when it is asked to: a real Slack forgets nothing when it is down.

Written before each answer, whole or not at all, so that a process that is killed at any moment has told
nobody what its successor does not know. That costs milliseconds a call: `POST /_lab/keep` switches it on.
"""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.lab.slack.expiring import ResponseUrl
from deploy.lab.slack.files import File
from deploy.lab.slack.messages import Ephemeral, Message
from deploy.lab.slack.share import Share, share_later
from deploy.lab.slack.workspace import Credentials, Workspace
from deploy.lab.slack.world import World


@dataclass(frozen=True)
class Kept:
    """The parts of a workspace that last."""

    base_url: str
    credentials: Credentials
    world: World
    scopes: tuple[str, ...]
    request_url: str | None
    channels: dict[str, dict[str, Message]]
    ephemeral: list[Ephemeral]
    files: dict[str, File]
    shares: list[Share]
    urls: dict[str, ResponseUrl]
    scale: float
    burst: int


def keep(workspace: Workspace, path: Path) -> None:
    """Writes down what lasts."""
    kept = Kept(
        workspace.base_url,
        workspace.credentials,
        workspace.world,
        workspace.scopes,
        workspace.request_url,
        workspace.messages.channels,
        workspace.messages.ephemeral,
        workspace.files.files,
        workspace.shares,
        workspace.expiring.urls,
        workspace.limits.scale,
        workspace.limits.burst,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_bytes(pickle.dumps(kept))
    new.replace(path)


def kept_at(path: Path) -> Kept | None:
    """What an earlier process wrote; None when it kept nothing."""
    try:
        kept: Any = pickle.loads(path.read_bytes())  # noqa: S301, the stand-in's own, in its own folder
    except FileNotFoundError:
        return None
    return kept if isinstance(kept, Kept) else None


def restore(workspace: Workspace, kept: Kept) -> None:
    """Goes on where the process before ended; called inside the event loop."""
    workspace.credentials = kept.credentials
    workspace.world = kept.world
    workspace.scopes = kept.scopes
    workspace.request_url = kept.request_url
    workspace.messages.channels = kept.channels
    workspace.messages.ephemeral = kept.ephemeral
    workspace.files.files = kept.files
    workspace.expiring.urls = kept.urls
    workspace.limits.scale, workspace.limits.burst = kept.scale, kept.burst
    workspace.keeping = True
    for share in kept.shares:
        share_later(workspace, share)
