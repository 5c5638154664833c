"""The bot's HTTP server: Slack's requests, and whether podcap is well.

/slack/events                 what Slack sends (not in Socket Mode)
/healthz, /readyz, /metrics   as `workers.probes` says
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from slack_bolt import App
from slack_bolt.adapter.wsgi import SlackRequestHandler
from waitress.server import create_server

from workers.metrics import ACKS, REGISTRY
from workers.probes import Application, Question, by_path, listening, probes

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

# Each acks one request at a time, most of which is waiting for the database.
_THREADS = 16
# A slash command is a few kilobytes; Slack's largest payloads stay below 1 MiB.
_LARGEST_BODY = 1 << 20


def make_server(app: App | None, port: int, healthy: Sequence[Question], ready: Sequence[Question]) -> Any:
    """A waitress server on a port of every address, listening; `run()` serves, `close()` ends it.

    Args:
        app: The Bolt app, or None when Slack comes over Socket Mode.
        port: 0 for any.
        healthy: For /healthz.
        ready: For /readyz.

    Raises:
        OSError: The port is taken.
    """
    applications = probes(healthy, ready, REGISTRY)
    if app is not None:
        slack = SlackRequestHandler(app)
        applications[slack.path] = _timed(slack)
    return create_server(
        by_path(applications),
        sockets=[listening(port)],
        threads=_THREADS,
        max_request_body_size=_LARGEST_BODY,
        ident=None,
    )


def _timed(slack: Application) -> Application:
    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        with ACKS.time():
            return slack(environ, start_response)

    return application
