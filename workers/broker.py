"""Where the queue is, as kombu wants to be told: a URL, and options of its transport."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

_SENTINEL = "sentinel://"
_MASTER = "master_name"


@dataclass(frozen=True)
class Broker:
    """A broker's URL and its transport's options."""

    url: str
    options: dict[str, Any]


def broker(url: str, **options: Any) -> Broker:
    """What PODCAP_BROKER_URL names.

    Args:
        url: `redis://…`, or Sentinels, each a URL, with the name of what they watch at the end:
            `sentinel://:PASSWORD@host1:26379;sentinel://host2:26379/0?master_name=NAME`. The first one's
            password is that of Redis. Kombu takes the name as an option and not from the URL.
        options: The transport's other options.

    Raises:
        ValueError: Sentinels, and no name.
    """
    if not url.startswith(_SENTINEL):
        return Broker(url, options)
    address, _, query = url.partition("?")
    names = parse_qs(query).get(_MASTER, [])
    if len(names) != 1:
        raise ValueError("the URL of Sentinels ends with ?master_name= and the name of what they watch")
    return Broker(address, {**options, _MASTER: names[0]})
