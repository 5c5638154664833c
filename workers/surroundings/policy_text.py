"""NetworkPolicies in words. Pure."""

from collections.abc import Mapping
from typing import Any

from workers.surroundings.policies import Direction, Policy


def rules_text(each: Policy, direction: Direction) -> tuple[str, ...]:
    """What a policy allows in a direction, a line a rule: `from pods app=shop: TCP 80, 443`."""
    rules = each.rules(direction)
    word = "from" if direction == "Ingress" else "to"
    if not rules:
        return (f"nothing {word} anywhere",)
    return tuple(f"{word} {_peers_text(rule.get(word) or [])}: {_ports_text(rule)}" for rule in rules)


def _peers_text(listed: list[Mapping[str, Any]]) -> str:
    return " or ".join(map(_peer_text, listed)) if listed else "anywhere"


def _peer_text(given: Mapping[str, Any]) -> str:
    block = given.get("ipBlock")
    if block:
        but = ", ".join(block.get("except") or [])
        return f"{block['cidr']}{f' but {but}' if but else ''}"
    pods, namespaces = given.get("podSelector"), given.get("namespaceSelector")
    said = [] if pods is None else [f"pods {_selector_text(pods)}"]
    if namespaces is not None:
        said.append(f"namespaces {_selector_text(namespaces)}")
    return " in ".join(said)


def _selector_text(selector: Mapping[str, Any]) -> str:
    said = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for each in selector.get("matchExpressions") or []:
        values = ",".join(each.get("values") or [])
        said.append(f"{each['key']} {each['operator']}{f' ({values})' if values else ''}")
    return ",".join(said) or "of any label"


def _ports_text(rule: Mapping[str, Any]) -> str:
    ports = rule.get("ports") or []
    if not ports:
        return "any port"
    return ", ".join(
        f"{each.get('protocol') or 'TCP'} {each.get('port', 'any')}{_to(each)}" for each in ports
    )


def _to(port: Mapping[str, Any]) -> str:
    return f"-{port['endPort']}" if port.get("endPort") else ""
