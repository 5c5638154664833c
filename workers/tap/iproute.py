"""What `ip -j` and `bridge -j` print, in types: for where the netlink program cannot run. Pure."""

import json
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from workers.tap.framing import Section
from workers.tap.links import Forwarding, Link, Neighbour

Told = tuple[list[Link], list[Neighbour], list[Forwarding], dict[str, str]]
"""Links, neighbours, forwarding, and routes: address to device."""


def iproute(found: Mapping[str, Section], missing: list[str]) -> Told:
    """Reads the sections `links`, `neighbours`, `forwarding` and `route/ADDRESS`.

    Args:
        found: All sections.
        missing: A clause is added for each command that does not answer.
    """

    def rows(name: str, command: str) -> list[dict[str, Any]]:
        section = found.get(name, Section("", 127))
        try:
            listed = json.loads(section.text or "[]") if section.code == 0 else None
        except ValueError:
            listed = None
        if not isinstance(listed, list):
            missing.append(f"`{command}` does not answer ({section.first_line})")
            return []
        return [row for row in listed if isinstance(row, dict)]

    links = [_link(row) for row in rows("links", "ip -j -d link") if "ifindex" in row]
    neighbours = [
        Neighbour(row["dst"], row["dev"], row["lladdr"].lower())
        for row in rows("neighbours", "ip -j neigh")
        if "lladdr" in row and "dev" in row and "FAILED" not in row.get("state", [])
    ]
    # `permanent` are the ports' own addresses; without a master it is no bridge's entry.
    forwarding = [
        Forwarding(row["mac"].lower(), row["ifname"], row["master"])
        for row in rows("forwarding", "bridge -j fdb")
        if row.get("master") and row.get("state") != "permanent"
    ]
    asked = [name.partition("/")[2] for name in found if name.startswith("route/")]
    routes = {a: row["dev"] for a in asked for row in rows(f"route/{a}", "ip -j route get") if _alone(row)}
    return links, neighbours, forwarding, routes


def _link(row: Mapping[str, Any]) -> Link:
    return Link(
        ifindex=row["ifindex"],
        name=row["ifname"],
        kind=row.get("linkinfo", {}).get("info_kind"),
        master=row.get("master"),
        peer_index=row.get("link_index"),
        netns_id=row.get("link_netnsid"),
    )


def _alone(row: Mapping[str, Any]) -> bool:
    """Whether the route leads to this one address, without a gateway."""
    if "dev" not in row or "gateway" in row or row.get("dst", "default") == "default":
        return False
    return ip_network(row["dst"], strict=False).num_addresses == 1
