"""The web server inside the lab's pods: HTTP/1.1 or HTTPS, several processes, an access log on its output.

It runs in a container with nothing but Python's standard library. The log is in nginx's "combined" format.

    /               200, says which pod answered and which address it saw
    /bytes/N        200, N bytes (at most 16 MiB)
    /slow           200, after 0.3 s
    /error          500
    anything else   404
"""

import argparse
import http
import os
import signal
import socket
import ssl
import sys
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_MOST_BYTES = 16 * 2**20


class CheeseHandler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    server_version = "cheese/1.0"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one segment
    timeout = 75

    def do_GET(self) -> None:
        """Answers as the table in this module's docstring says."""
        self.answer(*self.page(self.path.partition("?")[0]))

    def do_HEAD(self) -> None:
        """Answers like GET, without the body."""
        self.do_GET()

    def do_POST(self) -> None:
        """Reads the body and says how long it was."""
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(min(length, _MOST_BYTES))
        self.answer(http.HTTPStatus.OK, f"got {length} bytes\n".encode())

    def page(self, path: str) -> tuple[http.HTTPStatus, bytes]:
        """The status and the body for a path."""
        if path == "/error":
            return http.HTTPStatus.INTERNAL_SERVER_ERROR, b"the cheese is off\n"
        if path == "/slow":
            time.sleep(0.3)
            return http.HTTPStatus.OK, b"ripened\n"
        if path.startswith("/bytes/") and path.removeprefix("/bytes/").isdecimal():
            return http.HTTPStatus.OK, b"x" * min(int(path.removeprefix("/bytes/")), _MOST_BYTES)
        if path == "/":
            pod, (address, port) = socket.gethostname(), self.client_address[:2]
            return http.HTTPStatus.OK, f"pod={pod} client={address}:{port}\n".encode()
        return http.HTTPStatus.NOT_FOUND, b"no such cheese\n"

    def answer(self, status: http.HTTPStatus, body: bytes) -> None:
        """Sends the answer and logs the request."""
        self.send_response_only(status)
        self.send_header("Server", self.server_version)
        self.send_header("Date", formatdate(usegmt=True))
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.log_request(status, len(body))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Writes one line of nginx's "combined" format."""
        when = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
        referer = self.headers.get("Referer", "-") if self.headers else "-"
        agent = self.headers.get("User-Agent", "-") if self.headers else "-"
        request = f'{self.client_address[0]} - - [{when}] "{self.requestline}"'
        os.write(1, f'{request} {int(code)} {size} "{referer}" "{agent}"\n'.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Anything else goes to standard error."""
        os.write(2, f"{format % args}\n".encode())


class CheeseServer(ThreadingHTTPServer):
    """Listens once; each worker process accepts from the same socket."""

    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the base class's
        """A client that goes away is no error of the server's."""
        os.write(2, f"{client_address}: {sys.exc_info()[1]}\n".encode())


def main() -> None:
    """Serves until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=80)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    options = parser.parse_args()
    server = CheeseServer(("", options.port), CheeseHandler)
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.socket.setblocking(False)  # another worker may have been faster
    for _ in range(options.workers):
        if os.fork() == 0:
            server.serve_forever(poll_interval=30)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # a container's first process has no default action
    os.wait()


if __name__ == "__main__":
    main()
