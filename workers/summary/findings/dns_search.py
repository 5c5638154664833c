"""Names that are looked up with every search domain before they are looked up as they are. Pure.

A pod's resolv.conf has `ndots:5` and three search domains or more (Kubernetes, "DNS for Services and Pods"):
a name with fewer than five dots is tried with each of them first.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from workers.summary.exchange import DnsExchange
from workers.summary.finding import Evidence, Finding
from workers.summary.findings import filters, wording

ID = "dns-search-domains"

LEAST = 6
"""Questions in vain: three search domains for both IPv4 and IPv6, which is one name looked up once."""


def asked(evidence: Evidence) -> list[DnsExchange]:
    """All DNS exchanges that are known."""
    return [each for each in evidence.summary.exchanges if isinstance(each, DnsExchange)]


def expansions(exchanges: Iterable[DnsExchange]) -> dict[int, str]:
    """Questions for a longer form of a name that the same client asked for, answered with NXDOMAIN.

    Returns:
        By their place among `exchanges`: that name.
    """
    listed = list(exchanges)
    names = {(each.client.address, each.name) for each in listed}
    found: dict[int, str] = {}
    for place, each in enumerate(listed):
        if each.rcode != "NXDOMAIN":
            continue
        labels = each.name.split(".")
        # The shortest: what was meant, not another of its forms.
        for size in range(1, len(labels) - 1):
            name = ".".join(labels[:size])
            if (each.client.address, name) in names:
                found[place] = name
                break
    return found


def find(evidence: Evidence) -> Iterator[Finding]:
    """One for each client whose search domains cost that many questions."""
    exchanges = asked(evidence)
    clients: dict[str, list[tuple[DnsExchange, str]]] = defaultdict(list)
    answered = {(each.client.address, each.name) for each in exchanges if each.rcode == "NOERROR"}
    for place, name in expansions(exchanges).items():
        each = exchanges[place]
        if (each.client.address, name) in answered:
            clients[each.client.address].append((each, name))
    for client, wasted in clients.items():
        if len(wasted) < LEAST:
            continue
        total = sum(each.client.address == client for each in exchanges)
        meant = Counter(wording.quoted(name) for _, name in wasted)
        first = wasted[0][0]
        # Of the names the most frequent, of the questions those that failed.
        shown = filters.dns_names(each.name for each, _ in wasted)
        one = wasted[0][1]
        yield Finding(
            ID,
            "warning",
            f"{len(wasted):,} of {total:,} DNS questions of {wording.host(evidence.names, client)} were in "
            "vain: "
            f"its resolver tries each search domain (`ndots:5`) before it asks for {wording.some(meant)} "
            "itself.",
            {"times": len(wasted), "questions": total, "names": len(meant), "clients": 1},
            filters.from_frame(first.frame, f"{filters.address(client)} && {shown}" if shown else "dns"),
            first.frame,
            f"Write the name with a dot at its end ({wording.quoted(one + '.')}), or set `ndots` lower in "
            "the pod's "
            "`dnsConfig.options`.",
        )
