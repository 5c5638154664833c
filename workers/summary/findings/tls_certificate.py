"""Certificates that have expired, will soon, or are not valid yet, at the time of the capture. Pure."""

from collections.abc import Iterator
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

_DAY = 86_400


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each server and certificate."""
    begin = (evidence.summary.totals.first or 0) / 1e9
    found: dict[tuple[Endpoint, Certificate], list[TlsExchange]] = {}
    for each in evidence.summary.exchanges:
        if isinstance(each, TlsExchange) and each.certificate:
            found.setdefault((each.server, each.certificate), []).append(each)
    for (server, certificate), seen in found.items():
        now = begin + seen[0].start
        said = _trouble(certificate, now)
        if not said:
            continue
        left = (certificate.expires - now) / _DAY
        name = wording.quoted(", ".join(certificate.names[:3]))
        shown = f"tls.handshake.type == 11 && {filters.sender(server)}"
        clients = {each.client.address for each in seen}
        yield Finding(
            ID,
            "warning" if left > 0 and certificate.begins <= now else "critical",
            f"The certificate of {wording.server(evidence.names, server)} for {name}, issued by "
            f"{wording.quoted(certificate.issuer)}, {said}.",
            {"times": len(seen), "clients": len(clients), "days_left": round(left, 1)},
            filters.and_answers(seen[0].frame, shown),
            seen[0].frame,
            "Renew it, and look why its renewal did not happen (`kubectl get certificate`)."
            if certificate.begins <= now
            else "Compare the clocks of the issuer and of this node.",
        )


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
