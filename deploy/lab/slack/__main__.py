"""`python -m deploy.lab.slack`: serves the stand-in, or talks to one that serves."""

import argparse
import logging
import sys
from pathlib import Path

from deploy.lab.slack import cli


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

    from deploy.lab.slack.serve import serve  # noqa: PLC0415, a subcommand needs no server, and starts faster

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    serve(arguments.dir.absolute(), arguments.port, arguments.request_url)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
