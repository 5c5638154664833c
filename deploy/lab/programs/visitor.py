"""Asks the lab's servers for things, for a while, a few requests a second; says at the end how it went.

It ends sooner when its standard input does, so that it does not outlive whoever started it.

Needs nothing but Python's standard library, so that it runs in a container as well as at the LAN's client.
"""

import argparse
import http.client
import itertools
import json
import select
import socket
import ssl
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

_PAUSE_SECONDS = 0.15
_TIMEOUT_SECONDS = 10.0
_PATHS = ("/", "/bytes/4000", "/nowhere", "/error", "/slow")

Step = Callable[[], list[str]]


def visit(target: str) -> Iterator[Step]:
    """Requests to an HTTP server: some on a connection each, some on one together."""
    for path in _PATHS:
        yield partial(fetch, target, path)
    yield partial(fetch, target, *_PATHS[:3])


def fetch(target: str, *paths: str) -> list[str]:
    """GET requests on one connection."""
    host, _, port = target.partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=_TIMEOUT_SECONDS)
    found = []
    try:
        for path in paths:
            keep = "keep-alive" if path != paths[-1] else "close"
            connection.request("GET", path, headers={"Connection": keep, "User-Agent": "visitor"})
            response = connection.getresponse()
            response.read()
            found.append(f"http {response.status}")
    finally:
        connection.close()
    return found


def look_up(name: str) -> list[str]:
    """Asks DNS as a pod's programs do, search domains and all."""
    try:
        socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)
    except socket.gaierror:
        return ["dns unknown"]
    return ["dns found"]


def shake_hands(target: str) -> list[str]:
    """A TLS handshake and a request inside it. Whose certificate it is does not matter here."""
    host, _, port = target.partition(":")
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((host, int(port)), _TIMEOUT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        secure.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        while secure.recv(4096):
            pass
    return ["tls"]


def be_refused(target: str) -> list[str]:
    """A connection to a port where nobody listens."""
    host, _, port = target.partition(":")
    with socket.create_connection((host, int(port)), _TIMEOUT_SECONDS):
        return ["connected"]


def main() -> None:
    """Visits everything in turn until the time is over, and prints the counts as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--http", action="append", default=[], metavar="HOST:PORT")
    parser.add_argument("--dns", action="append", default=[], metavar="NAME")
    parser.add_argument("--tls", action="append", default=[], metavar="HOST:PORT")
    parser.add_argument("--refused", action="append", default=[], metavar="HOST:PORT")
    options = parser.parse_args()
    deadline = time.monotonic() + options.seconds
    counts: Counter[str] = Counter()
    steps: list[Step] = [
        *itertools.chain.from_iterable(visit(target) for target in options.http),
        *(partial(look_up, name) for name in options.dns),
        *(partial(shake_hands, target) for target in options.tls),
        *(partial(be_refused, target) for target in options.refused),
    ]
    for step in itertools.cycle(steps):
        if time.monotonic() >= deadline:
            break
        counts.update(_outcome(step))
        if select.select([sys.stdin], [], [], _PAUSE_SECONDS)[0]:
            break
    json.dump(counts, sys.stdout)
    print()


def _outcome(step: Step) -> list[str]:
    try:
        return step()
    except ConnectionRefusedError:
        return ["refused"]
    except (OSError, http.client.HTTPException) as error:
        return [f"failed ({type(error).__name__})"]


if __name__ == "__main__":
    main()
