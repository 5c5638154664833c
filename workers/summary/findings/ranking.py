"""All findings of a capture, the gravest first, and no more of them than somebody reads. Pure."""

from collections import Counter
from collections.abc import Iterable

from workers.summary.finding import Finding
from workers.thread.words import count

MORE = "more"
"""The id of what counts the findings that are left out."""

MOST = 30
"""Findings of one capture."""

MOST_OF_A_KIND = 5
"""Findings with the same id: a port scan finds a hundred refusing ports, and each is the same news."""

_ORDER = {"critical": 0, "warning": 1, "info": 2}


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By severity, then by how many clients and how often; what is left out is counted at the end."""
    ordered = in_order(findings)
    kept: list[Finding] = []
    kinds: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for finding in ordered:
        if kinds[finding.id] < MOST_OF_A_KIND and len(kept) < MOST:
            kinds[finding.id] += 1
            kept.append(finding)
        else:
            left[finding.id] += 1
    return (*kept, _more(left)) if left else tuple(kept)


def joined(findings: Iterable[Finding], others: Iterable[Finding]) -> tuple[Finding, ...]:
    """Ranked findings with others that came later; with a grave one among those no capture is healthy."""
    later = tuple(others)
    grave = any(each.severity != "info" for each in later)
    return ranked([*(each for each in findings if not grave or each.id != "healthy"), *later])


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """By severity, then by how many clients and how often."""
    return sorted(findings, key=_key)


def _key(finding: Finding) -> tuple[int, float, float, float, str]:
    clients, times = (float(finding.numbers.get(name, 0)) for name in ("clients", "times"))
    return (_ORDER[finding.severity], -clients, -times, finding.frame or 0, finding.id)


def _more(left: Counter[str]) -> Finding:
    kinds = ", ".join(f"{number:,} of `{name}`" for name, number in left.most_common())
    return Finding(
        MORE,
        "info",
        f"Besides these there {'is' if left.total() == 1 else 'are'} {count(left.total(), 'finding')} more: "
        f"{kinds}.",
        {"left_out": left.total()},
        next="Capture again with a narrower filter to see them apart.",
    )
