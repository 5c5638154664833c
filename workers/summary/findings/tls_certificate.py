"""Certificates that have expired, will soon, or are not valid yet, at the time of the capture. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import Certificate, TlsExchange
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, wording

ID = "tls-certificate"

SOON = 14 * 86_400
"""Seconds: cert-manager and ACME clients renew 30 days before the end, so with half of that left they "
"failed."""

SHORT_LIVED = 30 * 86_400
"""Seconds of life below which a certificate (of a mesh, say) is renewed in its last days on purpose."""

DATED = frozenset(("certificate_expired", "bad_certificate", "certificate_unknown"))
"""Alerts of clients that do not take a certificate for its dates (RFC 8446, 6.2)."""

MOST_NAMES = 20
"""So many names of a certificate are read."""

_DAY = 86_400


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each server and certificate."""
    begin = (evidence.summary.totals.first or 0) / 1e9
    found: dict[tuple[Endpoint, Certificate], list[TlsExchange]] = {}
    for each in evidence.summary.exchanges:
        if isinstance(each, TlsExchange) and each.certificate:
            found.setdefault((each.server, each.certificate), []).append(each)
    yield from _misnamed(evidence, found)
    for (server, certificate), seen in found.items():
        now = begin + seen[0].start
        said = _trouble(certificate, now)
        if not said:
            continue
        left = (certificate.expires - now) / _DAY
        name = wording.quoted(", ".join(certificate.names[:3]))
        shown = f"tls.handshake.type == 11 && {filters.sender(server)}"
        clients = {each.client.address for each in seen}
        failed = Counter(
            wording.quoted(alert) for each in seen for alert in each.alerts[:1] if alert in DATED
        )
        of_it = ""
        if failed:
            of_it = f"; {wording.many(failed.total(), 'handshake')} failed for it with {wording.some(failed)}"
        yield Finding(
            ID,
            "warning" if is_valid(certificate, now) else "critical",
            f"The certificate of {wording.server(evidence.names, server)} for {name}, issued by "
            f"{wording.quoted(certificate.issuer)}, {said}{of_it}.",
            {
                "times": len(seen),
                "clients": len(clients),
                "days_left": round(left, 1),
                "failed": failed.total(),
            },
            filters.and_answers(seen[0].frame, shown),
            seen[0].frame,
            "Renew it, and look why its renewal did not happen (`kubectl get certificate`)."
            if certificate.begins <= now
            else "Compare the clocks of the issuer and of this node.",
        )


def is_valid(certificate: Certificate, now: float) -> bool:
    """Whether its dates let it be taken, in seconds since 1970."""
    return certificate.begins <= now < certificate.expires


def _misnamed(
    evidence: Evidence, found: Mapping[tuple[Endpoint, Certificate], list[TlsExchange]]
) -> Iterator[Finding]:
    """One for each server and name that it was asked for, and that its certificate does not have."""
    others: dict[tuple[Endpoint, str], list[TlsExchange]] = {}
    for (server, certificate), seen in found.items():
        for each in seen:
            if _lacks(certificate, each.server_name):
                others.setdefault((server, each.server_name), []).append(each)
    for (server, name), asked in others.items():
        has = dict.fromkeys(one for each in asked if each.certificate for one in each.certificate.names)
        names = wording.some(Counter(map(wording.quoted, has)), numbers=False)
        clients = [each.client.address for each in asked]
        yield Finding(
            ID,
            "warning",
            f"{wording.server(evidence.names, server)} was asked for {wording.quoted(name)} by "
            f"{wording.hosts(evidence.names, clients)}, and its certificate is for {names} only: clients "
            "that check names refuse it.",
            {
                "times": len(asked),
                "clients": len(set(clients)),
                "failed": sum(bool(each.alerts) for each in asked),
            },
            filters.and_answers(
                asked[0].frame,
                f"tls.handshake.type == 11 && {filters.connections((each.client, server) for each in asked)}",
            ),
            asked[0].frame,
            "Check the host name that is asked for, and which certificate the server or Ingress has for it "
            "(its default one answers for names that it does not know).",
        )


def _lacks(certificate: Certificate, name: str) -> bool:
    """Whether it has names of hosts, all of them read, and not that one (RFC 9525, 6.3)."""
    wanted = name.lower().rstrip(".")
    names = [each.lower() for each in certificate.names]
    if not wanted or len(names) >= MOST_NAMES or not any("." in each for each in names):
        return False
    return wanted not in names and "*." + wanted.partition(".")[2] not in names


def _trouble(certificate: Certificate, now: float) -> str:
    until = f"{datetime.fromtimestamp(certificate.expires, UTC):%Y-%m-%d %H:%M} UTC"
    if certificate.begins > now:
        return f"is not valid before {datetime.fromtimestamp(certificate.begins, UTC):%Y-%m-%d %H:%M} UTC"
    if certificate.expires <= now:
        return f"expired {(now - certificate.expires) / _DAY:,.1f} days before this capture, at {until}"
    lives_long = certificate.expires - certificate.begins > SHORT_LIVED
    if lives_long and certificate.expires - now < SOON:
        return f"expires {(certificate.expires - now) / _DAY:,.1f} days after this capture, at {until}"
    return ""
