"""TLS handshakes that failed. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import HttpExchange, TlsExchange
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, wording
from workers.summary.findings.tls_certificate import DATED, is_valid

FAILURE, NO_ANSWER, PLAIN = "tls-failure", "tls-no-answer", "tls-plain-http"

PATIENCE = 5.0
"""Seconds for a ServerHello; a ClientHello that is younger when the capture ends may be answered still."""

TLS_PORTS = frozenset((443, 6443, 8443, 9443, 10250))
"""On these ports servers speak TLS; one that gets plain HTTP answers 400 or nothing."""

_BAD_REQUEST = 400

# RFC 8446, 6.2; RFC 7301; RFC 6066.
_WHY = {
    "unknown_ca": "the other end does not know who signed the certificate",
    "certificate_expired": "the certificate has expired",
    "bad_certificate": "the other end does not accept the certificate",
    "certificate_unknown": "the other end does not accept the certificate",
    "certificate_revoked": "the certificate was revoked",
    "unsupported_certificate": "the other end cannot use that kind of certificate",
    "protocol_version": "the two have no version of TLS in common",
    "handshake_failure": "the two have no cipher in common, or a client certificate is missing",
    "insufficient_security": "the ciphers offered are too weak for the server",
    "unrecognized_name": "the server has no such name",
    "certificate_required": "the server wants a client certificate",
    "no_application_protocol": "the two have no protocol (ALPN) in common",
    "access_denied": "the certificate is valid, its bearer may not connect",
}
_NEXT = {
    "unknown_ca": "Give the client the CA that signed the server's certificate, and let the server send its "
    "intermediate certificates.",
    "certificate_expired": "Renew the certificate, and look why its renewal did not happen.",
    "protocol_version": "Allow a version of TLS that both ends have (1.2 at least).",
    "certificate_required": "Give the client a certificate that the server's CA signed.",
    "unrecognized_name": "Check the host name that is asked for, and the names that the server or Ingress "
    "has.",
}


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each server and alert, for each server without an answer, for each that got plain HTTP."""
    end = evidence.summary.totals.duration
    alerts: dict[tuple[Endpoint, str], list[TlsExchange]] = defaultdict(list)
    silent: dict[Endpoint, list[TlsExchange]] = defaultdict(list)
    plain: dict[Endpoint, list[HttpExchange]] = defaultdict(list)
    for each in evidence.summary.exchanges:
        if isinstance(each, TlsExchange):
            if each.alerts and not _dated(evidence, each):
                alerts[each.server, each.alerts[0]].append(each)
            elif (
                each.version is None and not each.alerts and not each.unread and end - each.start >= PATIENCE
            ):
                silent[each.server].append(each)
        elif isinstance(each, HttpExchange) and each.server.port in TLS_PORTS and _useless(each):
            plain[each.server].append(each)
    for (server, alert), failed in alerts.items():
        yield _alert(evidence, server, alert, failed)
    for server, failed in silent.items():
        yield _silent(evidence, server, failed)
    for server, asked in plain.items():
        yield _plain(evidence, server, asked)


def _dated(evidence: Evidence, each: TlsExchange) -> bool:
    """Whether the certificate's dates say why it failed: then that finding tells of it."""
    begin = (evidence.summary.totals.first or 0) / 1e9
    certificate = each.certificate
    return (
        certificate is not None and each.alerts[0] in DATED and not is_valid(certificate, begin + each.start)
    )


def _useless(each: HttpExchange) -> bool:
    return each.status == _BAD_REQUEST or (each.status is None and not each.unread)


def _who(evidence: Evidence, failed: list[TlsExchange]) -> str:
    names = Counter(wording.quoted(each.server_name) for each in failed if each.server_name)
    clients = wording.hosts(evidence.names, (each.client.address for each in failed))
    return f"from {clients}{f', asked for {wording.some(names)}' if names else ''}"


def _numbers(failed: list[TlsExchange]) -> dict[str, float | int | str]:
    return {"times": len(failed), "clients": len({each.client.address for each in failed})}


def _shown(failed: list[TlsExchange]) -> str:
    pairs = filters.connections((each.client, each.server) for each in failed)
    return filters.from_frame(failed[0].frame, f"tcp.len > 0 && {pairs}")


def _alert(evidence: Evidence, server: Endpoint, alert: str, failed: list[TlsExchange]) -> Finding:
    said = wording.quoted(alert)
    return Finding(
        FAILURE,
        "critical",
        f"{wording.many(len(failed), 'TLS handshake')} with {wording.server(evidence.names, server)} "
        "failed with "
        f"the alert {said} ({_who(evidence, failed)}): "
        f"{_WHY.get(alert, 'one end did not accept what it got')}.",
        {**_numbers(failed), "alert": alert},
        _shown(failed),
        failed[0].frame,
        _NEXT.get(
            alert, "Try it with `openssl s_client -connect`, and read the log of the end that sent the alert."
        ),
    )


def _silent(evidence: Evidence, server: Endpoint, failed: list[TlsExchange]) -> Finding:
    return Finding(
        NO_ANSWER,
        "critical",
        f"{wording.server(evidence.names, server)} did not answer "
        f"{wording.many(len(failed), 'TLS handshake')} "
        f"({_who(evidence, failed)}) with TLS: the port speaks something else, such as plain HTTP, or the "
        "server "
        "hangs.",
        _numbers(failed),
        _shown(failed),
        failed[0].frame,
        "Check whether that port speaks TLS at all: the `scheme` of probes and clients, and the Service's "
        "`targetPort`.",
    )


def _plain(evidence: Evidence, server: Endpoint, asked: list[HttpExchange]) -> Finding:
    clients = [each.client.address for each in asked]
    pairs = [(each.client, each.server) for each in asked]
    return Finding(
        PLAIN,
        "critical",
        f"{wording.hosts(evidence.names, clients)} sent {wording.many(len(asked), 'plain HTTP request')} to "
        f"{wording.server(evidence.names, server)}, a port for TLS, and got no useful answer.",
        {"times": len(asked), "clients": len(set(clients))},
        filters.from_frame(asked[0].frame, f"tcp.len > 0 && {filters.connections(pairs)}"),
        asked[0].frame,
        "Use `https` in the client's URL, the Ingress's backend protocol or the probe's `scheme`.",
    )
