"""DNS questions that were answered with a failure. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from workers.summary.endpoint import Endpoint
from workers.summary.exchange import DnsExchange
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, wording
from workers.summary.findings.dns_search import asked, expansions

ID = "dns-failure"

_RCODES = {"FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}
_WHY = {
    "NXDOMAIN": "there is no such name",
    "SERVFAIL": "it could not find out",
    "REFUSED": "it does not answer such questions, or not to that client",
}
_NEXT = {
    "NXDOMAIN": "Check the spelling and the namespace: a Service is `NAME.NAMESPACE.svc.cluster.local`.",
    "SERVFAIL": "Read the log of the cluster's DNS (CoreDNS): the server it forwards to fails or is not "
    "reached.",
    "REFUSED": "Check which zones that server has, and whom it lets ask.",
}


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each server and kind of failure; what search domains cause is left out."""
    exchanges = asked(evidence)
    expanded = expansions(exchanges)
    found: dict[tuple[Endpoint, str], list[DnsExchange]] = defaultdict(list)
    for place, each in enumerate(exchanges):
        if each.rcode not in (None, "NOERROR") and place not in expanded:
            found[each.server, each.rcode or ""].append(each)
    for (server, rcode), failed in found.items():
        names = Counter(wording.quoted(each.name) for each in failed)
        clients = [each.client.address for each in failed]
        first = failed[0]
        number = _RCODES.get(rcode)
        answers = f"dns.flags.response == 1 && {filters.address(server.address, 'src')}"
        answers += "" if number is None else f" && dns.flags.rcode == {number}"
        named = filters.dns_names(each.name for each in failed)
        why = f", which says that {_WHY[rcode]}" if rcode in _WHY else ""
        yield Finding(
            ID,
            "warning" if rcode == "NXDOMAIN" else "critical",
            f"{wording.host(evidence.names, server.address)} answered {rcode} to "
            f"{wording.many(len(failed), 'question')} of {wording.hosts(evidence.names, clients)} for "
            f"{wording.some(names)}{why}.",
            {"times": len(failed), "clients": len(set(clients)), "names": len(names), "rcode": rcode},
            filters.and_answers(first.frame, f"{answers} && {named}" if named else answers),
            first.frame,
            _NEXT.get(rcode, "Ask that server the same with `dig`, and read its log."),
        )
