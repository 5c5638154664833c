"""From messages that tshark decoded to exchanges: an answer finds its question. Pure.

A message is what one packet says, as field names of Wireshark with their values in order, for example
`{"http.request.method": ["GET"]}`. Values are other people's text: they are cut, and rid of secrets, here.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import DnsExchange, Exchange, HttpExchange, TlsExchange
from workers.summary.protocols import redact

Message = Mapping[str, Sequence[str]]

FIELDS = frozenset(
    (
        "frame.number",
        "frame.time_relative",
        "ip.src",
        "ip.dst",
        "ipv6.src",
        "ipv6.dst",
        "tcp.stream",
        "tcp.srcport",
        "tcp.dstport",
        "udp.stream",
        "udp.srcport",
        "udp.dstport",
        "http.request.method",
        "http.request.uri",
        "http.host",
        "http.response.code",
        "dns.id",
        "dns.flags.response",
        "dns.flags.rcode",
        "dns.qry.name",
        "dns.qry.type",
        "tls.handshake.type",
        "tls.handshake.version",
        "tls.handshake.extensions_server_name",
        "tls.handshake.extensions.supported_version",
        "tls.alert_message.desc",
    )
)
"""The fields that are read here."""

_LONGEST_NAME = 255
_INFORMATIONAL = range(100, 200)
_CLIENT_HELLO, _SERVER_HELLO = "1", "2"
_CLOSE_NOTIFY = "0"

# IANA: DNS Parameters, resource record types and RCODEs; TLS Alerts (RFC 8446, 6); versions of TLS and SSL.
_DNS_TYPES = {
    1: "A",
    2: "NS",
    5: "CNAME",
    6: "SOA",
    12: "PTR",
    15: "MX",
    16: "TXT",
    28: "AAAA",
    33: "SRV",
    35: "NAPTR",
    43: "DS",
    48: "DNSKEY",
    64: "SVCB",
    65: "HTTPS",
    255: "ANY",
    257: "CAA",
}
_RCODES = [
    "NOERROR",
    "FORMERR",
    "SERVFAIL",
    "NXDOMAIN",
    "NOTIMP",
    "REFUSED",
    "YXDOMAIN",
    "YXRRSET",
    "NXRRSET",
    "NOTAUTH",
    "NOTZONE",
]
_TLS_VERSIONS = {
    0x0300: "SSL 3.0",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
    0x0303: "TLS 1.2",
    0x0304: "TLS 1.3",
}
_ALERTS = {
    10: "unexpected_message",
    20: "bad_record_mac",
    22: "record_overflow",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    109: "missing_extension",
    110: "unsupported_extension",
    112: "unrecognized_name",
    116: "certificate_required",
    120: "no_application_protocol",
}


class Exchanges:
    """Exchanges in the order of their questions, as `add` is given one message after the other."""

    def __init__(self) -> None:
        self._all: list[Exchange] = []
        # Where in the list the unanswered ones stand.
        self._http: dict[str, deque[int]] = {}
        self._dns: dict[tuple[object, ...], int] = {}
        self._tls: dict[str, int] = {}

    def result(self) -> tuple[Exchange, ...]:
        """What was said so far."""
        return tuple(self._all)

    def add(self, message: Message) -> None:
        """Takes up a message; one without what it needs to be understood is passed over.

        Raises:
            ValueError: A number in it is none.
        """
        ends = _ends(message)
        if ends is None or not message.get("frame.number"):
            return
        if "dns.flags.response" in message:
            self._add_dns(message, *ends)
        if "http.request.method" in message or "http.response.code" in message:
            self._add_http(message, *ends)
        if "tls.handshake.type" in message or "tls.alert_message.desc" in message:
            self._add_tls(message, *ends)

    def _add_http(self, message: Message, source: Endpoint, target: Endpoint) -> None:
        waiting = self._http.setdefault(_last(message, "tcp.stream"), deque())
        hosts = message.get("http.host", ())
        targets = message.get("http.request.uri", ())
        for place, method in enumerate(message.get("http.request.method", ())):
            asked = targets[place] if place < len(targets) else ""
            named, _ = redact.split_target(asked)
            host = redact.host(hosts[place]) if place < len(hosts) else ""
            waiting.append(len(self._all))
            self._all.append(
                HttpExchange(
                    source,
                    target,
                    *_frame_and_time(message),
                    method[:_LONGEST_NAME],
                    host or named,
                    redact.path(asked),
                    None,
                    None,
                )
            )
        for code in message.get("http.response.code", ()):
            if int(code) in _INFORMATIONAL or not waiting:
                continue
            place = waiting.popleft()
            asked_for = self._all[place]
            if isinstance(asked_for, HttpExchange):
                self._all[place] = replace(
                    asked_for, status=int(code), seconds=_since(asked_for.start, message)
                )

    def _add_dns(self, message: Message, source: Endpoint, target: Endpoint) -> None:
        is_answer = _last(message, "dns.flags.response") in ("1", "True")
        client, server = (target, source) if is_answer else (source, target)
        name = _last(message, "dns.qry.name")[:_LONGEST_NAME]
        key = (client, server, _last(message, "dns.id"), name, _last(message, "dns.qry.type"))
        if not is_answer:
            if key not in self._dns:  # a repeated question waits for the same answer
                self._dns[key] = len(self._all)
                kind = _dns_type(_last(message, "dns.qry.type"))
                self._all.append(
                    DnsExchange(client, server, *_frame_and_time(message), name, kind, None, None)
                )
            return
        place = self._dns.pop(key, None)
        asked = None if place is None else self._all[place]
        if place is not None and isinstance(asked, DnsExchange):
            rcode = _rcode(_last(message, "dns.flags.rcode"))
            self._all[place] = replace(asked, rcode=rcode, seconds=_since(asked.start, message))

    def _add_tls(self, message: Message, source: Endpoint, target: Endpoint) -> None:
        stream = _last(message, "tcp.stream")
        kinds = message.get("tls.handshake.type", ())
        if _CLIENT_HELLO in kinds and stream not in self._tls:
            self._tls[stream] = len(self._all)
            name = _last(message, "tls.handshake.extensions_server_name")[:_LONGEST_NAME]
            self._all.append(TlsExchange(source, target, *_frame_and_time(message), name, None, None, ()))
        place = self._tls.get(stream)
        asked = None if place is None else self._all[place]
        if place is None or not isinstance(asked, TlsExchange):
            return
        if _SERVER_HELLO in kinds and asked.version is None:
            chosen = _last(message, "tls.handshake.extensions.supported_version") or _last(
                message, "tls.handshake.version"
            )
            asked = replace(asked, version=_tls_version(chosen), seconds=_since(asked.start, message))
        told = [each for each in message.get("tls.alert_message.desc", ()) if each != _CLOSE_NOTIFY]
        alerts = tuple(_ALERTS.get(int(each), f"alert {int(each)}") for each in told)
        self._all[place] = replace(asked, alerts=(*asked.alerts, *alerts)[:4])


def _ends(message: Message) -> tuple[Endpoint, Endpoint] | None:
    """Sender and receiver, of the innermost where a tunnel has several."""
    ip = "ip" if "ip.src" in message else "ipv6"
    transport = "tcp" if "tcp.srcport" in message else "udp"
    names = (f"{ip}.src", f"{transport}.srcport", f"{ip}.dst", f"{transport}.dstport")
    source, source_port, target, target_port = (_last(message, name) for name in names)
    if not (source and source_port and target and target_port):
        return None
    return Endpoint(source, int(source_port)), Endpoint(target, int(target_port))


def _last(message: Message, name: str) -> str:
    values = message.get(name)
    return values[-1] if values else ""


def _frame_and_time(message: Message) -> tuple[int, float]:
    return int(_last(message, "frame.number")), float(_last(message, "frame.time_relative") or 0)


def _since(start: float, message: Message) -> float:
    return round(_frame_and_time(message)[1] - start, 9)


def _dns_type(number: str) -> str:
    return _DNS_TYPES.get(int(number), f"TYPE{int(number)}") if number else ""


def _rcode(number: str) -> str:
    code = int(number) if number else 0
    return _RCODES[code] if code < len(_RCODES) else f"RCODE{code}"


def _tls_version(value: str) -> str:
    number = int(value, 0) if value else 0
    return _TLS_VERSIONS.get(number, f"version 0x{number:04x}")
