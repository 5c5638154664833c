"""Names in a policy become Slack's ids when a process starts.

After that a name means what it meant then: who renames a channel to `incidents` gains nothing by it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from workers.policy.rules import CHANNEL_ID, KUBERNETES_USER, USER_ID, AuditRule, Policy, Rule


class Directory(Protocol):
    """Who and what a Slack workspace has; each method gives an id, or None when nothing bears that name."""

    def channel_id(self, name: str) -> str | None:
        """The id of the channel with this name, without #."""

    def usergroup_id(self, handle: str) -> str | None:
        """The id of the user group with this handle, without @."""

    def user_id(self, email: str) -> str | None:
        """The id of the person with this e-mail address."""


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a rule names, and where; None matches anything, an empty tuple nothing.

    A rule's `users` are people and user groups: both None or neither, and a match with either is enough.
    """

    channel_ids: tuple[str, ...] | None
    user_ids: tuple[str, ...] | None
    usergroup_ids: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Approvers:
    """Who may approve what a rule allows, by Slack's ids of people and of user groups."""

    user_ids: tuple[str, ...]
    usergroup_ids: tuple[str, ...]

    @property
    def mention(self) -> str:
        """All of them, as Slack calls them: `<!subteam^S1> or <@U1>`."""
        groups = [f"<!subteam^{group}>" for group in self.usergroup_ids]
        return " or ".join([*groups, *(f"<@{user}>" for user in self.user_ids)])


@dataclass(frozen=True, slots=True)
class ResolvedRule(Named):
    """A rule with ids.

    `max_seconds` None: no limit; `nodes` None: no node; `namespaces` None: any, or none where `nodes`
    is not None; `approval` None: nobody needs to approve.
    """

    clusters: tuple[str, ...] | None
    namespaces: tuple[str, ...] | None
    max_seconds: int | None
    payload: bool
    namespace_tap: bool = False
    exec_in_pod: bool = False
    logs: bool = False
    uplinks: bool = False
    nodes: tuple[str, ...] | None = None
    approval: Approvers | None = None


@dataclass(frozen=True, slots=True)
class ResolvedPolicy:
    """A policy that needs nobody to be asked any more.

    `is_set`: whether there is a policy file. `unresolved`: names in it that nothing in Slack bears; they
    never match.
    """

    rules: tuple[ResolvedRule, ...]
    audit: tuple[Named, ...]
    is_set: bool
    unresolved: tuple[str, ...]

    @property
    def usergroup_ids(self) -> frozenset[str]:
        """Every user group that a rule names: whether somebody is in them decides."""
        named: tuple[Named, ...] = (*self.rules, *self.audit)
        asking = [rule.usergroup_ids or () for rule in named]
        approving = [rule.approval.usergroup_ids for rule in self.rules if rule.approval is not None]
        return frozenset(group for groups in (*asking, *approving) for group in groups)


def resolve(policy: Policy, directory: Directory) -> ResolvedPolicy:
    """The policy with ids in the place of names; the directory is asked once for each name.

    Raises:
        What the directory raises, when Slack cannot be asked.
    """
    rules: tuple[AuditRule, ...] = (*policy.rules, *policy.audit)
    named = [name for rule in rules for name in (*(rule.channels or ()), *(rule.users or ()))]
    named += [name for rule in policy.rules for name in rule.approval or ()]
    ids = {name: _id(name, directory) for name in dict.fromkeys(named)}
    return ResolvedPolicy(
        rules=tuple(_resolved(rule, ids) for rule in policy.rules),
        audit=tuple(Named(**_named(rule, ids)) for rule in policy.audit),
        is_set=policy.is_set,
        unresolved=tuple(name for name, found in ids.items() if found is None),
    )


def _id(name: str, directory: Directory) -> str | None:
    if CHANNEL_ID.fullmatch(name) or USER_ID.fullmatch(name) or KUBERNETES_USER.fullmatch(name):
        return name
    if name.startswith("@"):
        return directory.usergroup_id(name[1:])
    if "@" in name:
        return directory.user_id(name)
    return directory.channel_id(name)


def _named(rule: AuditRule, ids: dict[str, str | None]) -> dict[str, tuple[str, ...] | None]:
    users = rule.users
    people = None if users is None else [name for name in users if not name.startswith("@")]
    groups = None if users is None else [name for name in users if name.startswith("@")]
    return {
        "channel_ids": _found(rule.channels, ids),
        "user_ids": _found(people, ids),
        "usergroup_ids": _found(groups, ids),
    }


def _resolved(rule: Rule, ids: dict[str, str | None]) -> ResolvedRule:
    return ResolvedRule(
        **_named(rule, ids),
        clusters=rule.clusters,
        namespaces=rule.namespaces,
        max_seconds=rule.max_duration,
        payload=rule.payload,
        namespace_tap=rule.namespace_tap,
        exec_in_pod=rule.exec_in_pod,
        logs=rule.logs,
        uplinks=rule.uplinks,
        nodes=rule.nodes,
        approval=None if rule.approval is None else _approvers(rule.approval, ids),
    )


def _approvers(names: tuple[str, ...], ids: dict[str, str | None]) -> Approvers:
    return Approvers(
        user_ids=_found((name for name in names if not name.startswith("@")), ids) or (),
        usergroup_ids=_found((name for name in names if name.startswith("@")), ids) or (),
    )


def _found(names: Iterable[str] | None, ids: dict[str, str | None]) -> tuple[str, ...] | None:
    if names is None:
        return None
    return tuple(found for name in names if (found := ids[name]) is not None)
