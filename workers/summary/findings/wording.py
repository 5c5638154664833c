"""Words that findings have in common: who, how many, how long. Pure."""

from collections import Counter
from collections.abc import Iterable

from workers.names.names import Names
from workers.request.quoting import inert
from workers.summary.endpoint import Endpoint
from workers.thread.words import count

LONGEST = 120
_MOST_NAMED = 3


def quoted(text: str) -> str:
    """Text from packets or the cluster between backticks: inert, cut, and never empty."""
    return f"`{inert(text, LONGEST) or '-'}`"


def server(names: Names, end: Endpoint) -> str:
    """A name and the port: `` `traefik/cheddar-…zcdjm:80` ``."""
    return quoted(names.shown(end.address, end.port))


def host(names: Names, address: str) -> str:
    """A name without port."""
    return quoted(names.shown(address))


def some(counted: Counter[str], *, numbers: bool = True) -> str:
    """`A (12), B (3) and 4 others`: what came most often, then the rest as a number."""
    # Not most_common(n), which imports at its first call: where packets are read that is over.
    most = counted.most_common()[:_MOST_NAMED]
    said = [f"{text} ({number:,})" if numbers and len(counted) > 1 else text for text, number in most]
    rest = len(counted) - len(most)
    if rest:
        return f"{', '.join(said)} and {count(rest, 'other')}"
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def hosts(names: Names, addresses: Iterable[str]) -> str:
    """Whose the addresses are, the most frequent first."""
    return some(Counter(host(names, address) for address in addresses))


def many(number: int, noun: str, *, least: bool = False) -> str:
    """`12 times`; with `least`, where more happened than was kept: `at least 500 times`."""
    return f"{'at least ' if least else ''}{count(number, noun)}"


def share(part: float, whole: float) -> str:
    """`3 %`, `0.02 %`."""
    percent = 100 * part / whole if whole else 0.0
    return f"{percent:.0f} %" if percent >= 1 or not percent else f"{percent:.2g} %"
