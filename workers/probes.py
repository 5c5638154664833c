"""What a process tells about itself over HTTP, to Kubernetes and Prometheus.

/healthz   200 when it can do its work, else 503: a restart mends it
/readyz    200 when it may be given work, else 503: a restart mends nothing
/metrics   for Prometheus

The first two answer {"status": "ok", "wrong": []}, or what is wrong in one sentence each.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, make_wsgi_app
from waitress.server import create_server

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

Application = Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes]]
Question = Callable[[], str | None]
"""Asks one thing; one sentence when it is wrong, else None."""


def probes(
    healthy: Sequence[Question], ready: Sequence[Question], registry: CollectorRegistry
) -> dict[str, Application]:
    """Applications by their path."""
    return {
        "/healthz": _asking(healthy),
        "/readyz": _asking(ready),
        "/metrics": make_wsgi_app(registry),
    }


def by_path(applications: dict[str, Application]) -> Application:
    """One application of many; what it does not know is 404."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        found = applications.get(environ.get("PATH_INFO", ""), _not_found)
        return found(environ, start_response)

    return application


def serve_probes(port: int, application: Application) -> Any:
    """Serves on every address of this port, in the background, as long as the process lives.

    Returns:
        The server.

    Raises:
        OSError: The port is taken.
    """
    server = create_server(application, sockets=[listening(port)], threads=2, ident=None)
    threading.Thread(target=server.run, name="probes", daemon=True).start()
    return server


def listening(port: int) -> socket.socket:
    """A socket that takes IPv4 and IPv6: the kubelet and others come from outside, over what the pod has."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))


def _asking(questions: Sequence[Question]) -> Application:
    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        del environ
        wrong = [said for said in (ask() for ask in questions) if said is not None]
        status = HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK
        return _answer(start_response, status, {"status": "failing" if wrong else "ok", "wrong": wrong})

    return application


def _not_found(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    del environ
    return _answer(start_response, HTTPStatus.NOT_FOUND, {"status": "not found"})


def _answer(start_response: "StartResponse", status: HTTPStatus, body: dict[str, Any]) -> Iterable[bytes]:
    content = json.dumps(body).encode() + b"\n"
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [content]
