"""`python -m deploy.lab.slack`: serves the stand-in, or talks to one that serves."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from deploy.lab.slack import cli
from deploy.lab.slack.app import serving, write_description


def main(argv: list[str]) -> int:
    """Serves until SIGTERM or SIGINT, or runs a subcommand.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m deploy.lab.slack", description=__doc__)
    parser.add_argument("--dir", type=Path, default=Path("var/lab"), help="where slack.json is or goes")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--request-url", help="where the app takes requests over HTTP")
    cli.add_commands(parser)
    arguments = parser.parse_args(argv)
    if hasattr(arguments, "run"):
        return cli.run(arguments, arguments.dir)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    folder: Path = arguments.dir.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(_serve(folder, arguments.port, arguments.request_url))
    finally:
        (folder / "slack.json").unlink(missing_ok=True)
    return 0


async def _serve(folder: Path, port: int, request_url: str | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(folder, port=port, request_url=request_url) as workspace:
        write_description(workspace, folder / "slack.json")
        logging.getLogger(__name__).info("serving at %s", workspace.base_url)
        await stop.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
