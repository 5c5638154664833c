"""Serving until one is told to stop."""

import asyncio
import logging
import signal
from pathlib import Path

from deploy.lab.slack.app import serving, write_description


def serve(folder: Path, port: int, request_url: str | None) -> None:
    """Serves until SIGTERM or SIGINT; `slack.json` is in the folder while it can be used.

    Args:
        folder: Made when missing.
        port: 0 takes a free one.
        request_url: Where the app takes requests over HTTP.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(_serve(folder, port, request_url))
    finally:
        (folder / "slack.json").unlink(missing_ok=True)


async def _serve(folder: Path, port: int, request_url: str | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(folder, port=port, request_url=request_url) as workspace:
        write_description(workspace, folder / "slack.json")
        logging.getLogger(__name__).info("serving at %s", workspace.base_url)
        await stop.wait()
