"""What was asked and answered over a flow, with its form in JSON. Pure.

Text in here comes from packets: it is cut in length and rid of secrets, and nothing else; whoever shows it
makes it inert. `start` is in seconds since the first packet of the file; `seconds` is from the first packet
of the question to the first of the answer; `frame` is that of the question. They are tuples, because a big
capture has tens of thousands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from workers.summary.endpoint import Endpoint


class HttpExchange(NamedTuple):
    """An HTTP request. `path` is without secrets; `status` and `seconds` are None without an answer.

    Attributes:
        version: `1.0`, `1.1` or `2`.
        grpc_status: The number in the trailers, where it is a gRPC call and that was readable.
        error: The error by which HTTP/2 ended the stream (`CANCEL`, `GOAWAY ENHANCE_YOUR_CALM`), by name. One
            that ended the connection while nothing was asked has the method `GOAWAY`.
        unread: Packets are missing, so that the answer could not be read, or could not be told from others:
            that there is no status then says nothing.
    """

    client: Endpoint
    server: Endpoint
    frame: int
    start: float
    method: str
    host: str
    path: str
    status: int | None
    seconds: float | None
    version: str = "1.1"
    grpc_status: int | None = None
    error: str | None = None
    unread: bool = False


class DnsExchange(NamedTuple):
    """A DNS question. `rcode` is its name (`NOERROR`, `NXDOMAIN`), None without an answer.

    Attributes:
        times: How often it was asked before it was answered.
        answers: Records in the answer section.
        truncated: Whether the answer said that it did not fit (TC).
        transport: What it was asked over.
    """

    client: Endpoint
    server: Endpoint
    frame: int
    start: float
    name: str
    type: str
    rcode: str | None
    seconds: float | None
    times: int = 1
    answers: int = 0
    truncated: bool = False
    transport: Literal["TCP", "UDP"] = "UDP"


class Certificate(NamedTuple):
    """The server's own certificate, where it was readable (TLS 1.2 and before).

    Attributes:
        names: Its DNS names, or its common name where it has none; 20 at most.
        issuer: The issuer's common name, else its organisation.
        begins: Seconds since 1970 from when it is valid.
        expires: Seconds since 1970 until when it is valid.
    """

    names: tuple[str, ...]
    issuer: str
    begins: int
    expires: int


class TlsExchange(NamedTuple):
    """A TLS handshake. `version` is what the server chose, None without a ServerHello.

    Attributes:
        alerts: Names of the alerts that could be read, without `close_notify`; 4 at most.
        cipher: IANA's name of the suite, `0x1234` of an unknown one; None without a ServerHello.
        certificate: None where it is not readable.
        unread: Bytes of the server are missing, so that the lack of a version or an alert says nothing.
    """

    client: Endpoint
    server: Endpoint
    frame: int
    start: float
    server_name: str
    version: str | None
    seconds: float | None
    alerts: tuple[str, ...]
    cipher: str | None = None
    certificate: Certificate | None = None
    unread: bool = False


class CallExchange(NamedTuple):
    """A call to a database or a broker.

    Attributes:
        service: Whose protocol it is.
        call: The command or API by name, such as `GET`, `SELECT`, `Produce`; never its arguments.
        error: The code or class of the error that was answered, such as `42P01` or `WRONGTYPE`, or None.
        seconds: None without an answer.
        unread: Packets are missing, so that answers could not be told apart, or none was wanted: that there
            is none then says nothing.
    """

    client: Endpoint
    server: Endpoint
    frame: int
    start: float
    service: Literal["Redis", "PostgreSQL", "Kafka"]
    call: str
    error: str | None
    seconds: float | None
    unread: bool = False


NO_ANSWER = "no answer"
"""What stands in the place of an answer that did not come."""

UNREAD = "answer not captured"
"""What stands in the place of an answer that may be among what was not captured: no failure."""

Exchange = HttpExchange | DnsExchange | TlsExchange | CallExchange

_EXCHANGES: dict[str, type[Exchange]] = {
    "HTTP": HttpExchange,
    "DNS": DnsExchange,
    "TLS": TlsExchange,
    "call": CallExchange,
}
_NAMES = {kind: name for name, kind in _EXCHANGES.items()}


@dataclass(frozen=True, slots=True)
class Group:
    """Exchanges with one server that read the same, over the whole file.

    Attributes:
        protocol: `HTTP`, `DNS`, `TLS`, `Redis`, `PostgreSQL` or `Kafka`.
        asked: For example `GET cheddar/path`, `A cheddar.traefik.svc`.
        answer: For example `200`, `NXDOMAIN`, `TLS 1.3`; `no answer`; `UNREAD`.
        failed: Whether it is a failure: no answer, an HTTP status from 400 on, a DNS error, a TLS alert…
        times: How many.
        frame: Of the first.
        server: Whose answers they are; of very many (`(others)`) of the first.
        median: Seconds until the answer; None without answers. Of 1,000 of them, where there are more.
        p95: Likewise: 95 of 100 were faster.
        slowest: Of all.
        slowest_frame: The question of that.
    """

    protocol: str
    asked: str
    answer: str
    failed: bool
    times: int
    frame: int
    server: Endpoint
    median: float | None = None
    p95: float | None = None
    slowest: float | None = None
    slowest_frame: int | None = None


def without_answer(exchange: HttpExchange | TlsExchange | CallExchange) -> tuple[str, bool]:
    """What is said of one without an answer, and whether that is a failure."""
    return (UNREAD, False) if exchange.unread else (NO_ANSWER, True)


def exchange_to_json(exchange: Exchange) -> dict[str, Any]:
    """One exchange, with its protocol's name."""
    values = {"protocol": _NAMES[type(exchange)], **exchange._asdict()}
    values["client"], values["server"] = str(exchange.client), str(exchange.server)
    if isinstance(exchange, TlsExchange):
        values["alerts"] = list(exchange.alerts)
        values["certificate"] = exchange.certificate and exchange.certificate._asdict()
    return values


def exchange_from_json(value: Mapping[str, Any]) -> Exchange:
    """What `exchange_to_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: It is something else.
    """
    given = dict(value)
    for name in ("client", "server"):
        given[name] = Endpoint.parse(given[name])
    kind = _EXCHANGES[given.pop("protocol")]
    if "alerts" in given:
        given["alerts"] = tuple(given["alerts"])
    if given.get("certificate"):
        certificate = Certificate(**given["certificate"])
        given["certificate"] = certificate._replace(names=tuple(certificate.names))
    return kind(**given)
