"""What RBAC grants to the service accounts of a namespace, and what a lab's log says they asked for."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EVERYWHERE = "*"


@dataclass(frozen=True, order=True)
class Access:
    """One thing that an account may do, or did.

    Attributes:
        account: The service account's name.
        resource: With its group and subresource, as in `pods/exec`, `deployments.apps`.
        namespace: `EVERYWHERE` for what a ClusterRoleBinding grants, and for what is in no namespace.
    """

    account: str
    verb: str
    resource: str
    namespace: str

    def covers(self, other: "Access") -> bool:
        """Whether this, granted, allows the other."""
        same = (self.account, self.verb, self.resource) == (other.account, other.verb, other.resource)
        return same and self.namespace in {EVERYWHERE, other.namespace}


def granted(objects: Iterable[dict[str, Any]]) -> set[Access]:
    """What the roles among these objects grant through the bindings among them."""
    everything = list(objects)
    roles = {_key(one): one["rules"] for one in everything if one["kind"] in {"Role", "ClusterRole"}}
    found = set()
    for binding in everything:
        if binding["kind"] not in {"RoleBinding", "ClusterRoleBinding"}:
            continue
        namespace = binding["metadata"].get("namespace", EVERYWHERE)
        reference = binding["roleRef"]
        place = namespace if reference["kind"] == "Role" else EVERYWHERE
        for rule in roles[reference["kind"], place, reference["name"]]:
            found |= {
                Access(subject["name"], verb, _qualified(resource, group), namespace)
                for subject in binding["subjects"]
                for verb in rule["verbs"]
                for resource in rule["resources"]
                for group in rule["apiGroups"]
            }
    return found


def asked(log: Path, since: int, namespace: str) -> tuple[set[Access], list[dict[str, Any]]]:
    """What the accounts of a namespace asked for, and which of their requests were forbidden.

    Args:
        log: The lab's `requests.jsonl`.
        since: The length of the log when it began.
        namespace: Of the accounts.
    """
    prefix = f"system:serviceaccount:{namespace}:"
    with log.open("rb") as file:
        file.seek(since)
        entries = [json.loads(line) for line in file]
    mine = [one for one in entries if one["user"].startswith(prefix) and one["resource"]]
    accesses = {
        Access(
            one["user"].removeprefix(prefix),
            one["verb"],
            _qualified(f"{one['resource']}/{one['subresource']}".rstrip("/"), one["group"]),
            one["namespace"] or EVERYWHERE,
        )
        for one in mine
    }
    return accesses, [one for one in mine if one["code"] in {401, 403}]


def _key(role: dict[str, Any]) -> tuple[str, str, str]:
    metadata = role["metadata"]
    return role["kind"], metadata.get("namespace", EVERYWHERE), metadata["name"]


def _qualified(resource: str, group: str) -> str:
    return f"{resource}.{group}" if group else resource
