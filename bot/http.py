"""The bot's HTTP server: Slack's requests, and whether podcap is well.

/slack/events   what Slack sends (not in Socket Mode)
/healthz        200 while the process runs
/readyz         200 when the ledger answers, else 503 and why
"""

import socket
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from slack_bolt import App
from slack_bolt.adapter.wsgi import SlackRequestHandler
from sqlalchemy.exc import SQLAlchemyError
from waitress.server import create_server

from workers.services import Services

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_THREADS = 16
# A slash command is a few kilobytes; Slack's largest payloads stay below 1 MiB.
_LARGEST_BODY = 1 << 20

Application = Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes]]


def make_server(app: App | None, services: Services) -> Any:
    """A waitress server on settings.port of every address, listening; `run()` serves, `close()` ends it.

    Args:
        app: The Bolt app, or None when Slack comes over Socket Mode.
        services: For /readyz.

    Raises:
        OSError: The port is taken.
    """
    return create_server(
        _application(app, services),
        sockets=[_listening(services.settings.port)],
        threads=_THREADS,
        max_request_body_size=_LARGEST_BODY,
        ident=None,
    )


def _listening(port: int) -> socket.socket:
    """A socket that takes IPv4 and IPv6: Slack and the kubelet come from outside, over what the pod has."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))


def _application(app: App | None, services: Services) -> Application:
    slack = None if app is None else SlackRequestHandler(app)

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/healthz":
            return _answer(start_response, "200 OK", "ok")
        if path == "/readyz":
            return _ready(services, start_response)
        if slack is not None and path == slack.path:
            return slack(environ, start_response)
        return _answer(start_response, "404 Not Found", "not found")

    return application


def _ready(services: Services, start_response: "StartResponse") -> Iterable[bytes]:
    try:
        services.ledger.ping()
    except SQLAlchemyError as error:
        return _answer(start_response, "503 Service Unavailable", f"the ledger does not answer: {error}")
    return _answer(start_response, "200 OK", "ready")


def _answer(start_response: "StartResponse", status: str, body: str) -> Iterable[bytes]:
    content = f"{body}\n".encode()
    start_response(
        status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(content)))]
    )
    return [content]
