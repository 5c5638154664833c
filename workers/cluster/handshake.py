"""The way into an exec: a WebSocket handshake with the API server, by websocket-client."""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import urllib3
import websocket
from kubernetes.client import Configuration
from kubernetes.client.rest import should_bypass_proxies

from workers.cluster.errors import ClusterError, UnreachableError, from_answer
from workers.cluster.tls import BlockwiseTls, TlsSocket

V5 = "v5.channel.k8s.io"
V4 = "v4.channel.k8s.io"
"""v5 can close stdin (kubernetes KEP-4006); v4 is what a server before 1.30 has."""

_HANDSHAKE_SECONDS = 15.0


@dataclass(frozen=True)
class Connection:
    """A socket after its handshake, and the subprotocol agreed on."""

    socket: socket.socket | TlsSocket
    subprotocol: str


def open_websocket(configuration: Configuration, path: str, headers: Mapping[str, str]) -> Connection:
    """Connects and upgrades.

    Args:
        configuration: Where the API server is and how it is trusted.
        path: Path and query of the request.
        headers: Who asks.

    Raises:
        ClusterError: A refusal in the API's own words, or no answer.
    """
    client = websocket.WebSocket(sslopt=_tls(configuration))
    try:
        client.connect(  # type: ignore[no-untyped-call]
            "ws" + configuration.host.removeprefix("http") + path,
            header=dict(headers),
            subprotocols=[V5, V4],
            suppress_origin=True,
            timeout=_HANDSHAKE_SECONDS,
            **_proxy(configuration),
        )
    except websocket.WebSocketBadStatusException as error:
        raise from_answer(error.status_code, error.resp_body or b"") from error
    except (websocket.WebSocketException, OSError) as error:
        raise UnreachableError(
            f"The cluster's API server at {configuration.host} does not open an exec "
            f"({str(error) or type(error).__name__}): try again later."
        ) from error
    subprotocol = client.getsubprotocol()
    if client.sock is None or subprotocol is None:
        raise ClusterError("The cluster's API server speaks no exec subprotocol that podcap knows (v5, v4).")
    return Connection(client.sock, subprotocol)


def _tls(configuration: Configuration) -> dict[str, object]:
    if not configuration.host.startswith("https"):
        return {}
    # The same choices as the client's own requests; create_default_context would refuse, from Python 3.13 on,
    # the CAs that some cluster installers make (VERIFY_X509_STRICT).
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif configuration.ssl_ca_cert or configuration.ca_cert_data:
        context.load_verify_locations(configuration.ssl_ca_cert, cadata=configuration.ca_cert_data)
    else:
        context.load_default_certs()
    if configuration.assert_hostname is False:
        context.check_hostname = False
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    options: dict[str, object] = {"context": BlockwiseTls(context)}
    if configuration.tls_server_name:
        options["server_hostname"] = configuration.tls_server_name
    return options


def _proxy(configuration: Configuration) -> dict[str, object]:
    if not configuration.proxy or should_bypass_proxies(configuration.host, configuration.no_proxy or ""):
        return {}
    proxy = urllib3.util.parse_url(configuration.proxy)
    options: dict[str, object] = {
        "proxy_type": proxy.scheme,
        "http_proxy_host": proxy.host,
        "http_proxy_port": proxy.port or 80,
    }
    if proxy.auth:
        options["http_proxy_auth"] = tuple(proxy.auth.split(":", 1))
    return options
