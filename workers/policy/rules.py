"""What a policy file says: rules, each of which names who may capture what, where and for how long.

Beside the rules it can name who may read the audit trail.
"""

import re
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError, field_validator

from workers.request.duration import seconds_of

CHANNEL_ID = re.compile(r"[CG][A-Z0-9]+")
USER_ID = re.compile(r"[UW][A-Z0-9]+")
_CHANNEL_NAME = re.compile(r"#?[^\s#@,A-Z]+")
_HANDLE = re.compile(r"@[^\s@]+")
KUBERNETES_USER = re.compile(r"kubernetes:[^\s@]\S*")
"""Somebody at a terminal, by the name that Kubernetes knows them by."""
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_CLUSTER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?")
_NODE = re.compile(r"[-.a-z0-9*?]{1,253}")
_NAMESPACE = re.compile(r"[-a-z0-9*?]{1,63}")


class PolicyError(Exception):
    """A policy cannot be used; each of `lines` is one error in one line that says where it is."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class AuditRule(BaseModel):
    """Who may read the trail, and where. A key that is left out matches anything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: tuple[str, ...] | None = Field(None, description="Channels: names or ids.")
    users: tuple[str, ...] | None = Field(
        None, description="People by e-mail address or id, user groups by handle with @."
    )

    @field_validator("channels", mode="before")
    @classmethod
    def _are_channels(cls, value: Any) -> tuple[str, ...]:
        return tuple(text.removeprefix("#") for text in _names(value, _is_channel))

    @field_validator("users", mode="before")
    @classmethod
    def _are_users(cls, value: Any) -> tuple[str, ...]:
        return _names(value, _is_user)


class Rule(AuditRule):
    """Who may capture what. A key that is left out matches anything; a key that is there must match."""

    clusters: tuple[str, ...] | None = Field(None, description="Names of clusters.")
    namespaces: tuple[str, ...] | None = Field(
        None,
        description="Namespaces, with * and ? as in a shell. A rule with nodes and without this has none.",
    )
    max_duration: int | None = Field(
        None, description="The longest capture, such as 10m in the file and 600 here."
    )
    payload: StrictBool = Field(False, description="Whether whole packets may be captured.")
    namespace_tap: StrictBool = Field(
        False, description="Whether the agent pod may enter the pod's network namespace, with more rights."
    )
    exec_in_pod: StrictBool = Field(
        False,
        description="Whether one command may run in the pod itself, to ask for its interface's other end.",
    )
    logs: StrictBool = Field(
        False,
        description="Whether the pod's own log lines of the capture's time are shown beside the packets.",
    )

    uplinks: StrictBool = Field(
        False,
        description="Whether a Service is captured at its nodes' uplinks, too, where its clients come in.",
    )
    nodes: tuple[str, ...] | None = Field(
        None, description="Nodes whose uplink may be captured, with * and ?. Left out: none."
    )

    approval: tuple[str, ...] | None = Field(
        None, description="Who may approve it, one of them other than the asker. Left out: nobody needs to."
    )

    @field_validator("approval", mode="before")
    @classmethod
    def _are_approvers(cls, value: Any) -> tuple[str, ...]:
        return _names(value, _is_approver)

    @field_validator("clusters", mode="before")
    @classmethod
    def _are_clusters(cls, value: Any) -> tuple[str, ...]:
        return _names(value, _is_cluster)

    @field_validator("namespaces", mode="before")
    @classmethod
    def _are_namespaces(cls, value: Any) -> tuple[str, ...]:
        return _names(value, _is_namespace)

    @field_validator("nodes", mode="before")
    @classmethod
    def _are_nodes(cls, value: Any) -> tuple[str, ...]:
        return _names(value, _is_node)

    @field_validator("max_duration", mode="before")
    @classmethod
    def _is_duration(cls, value: Any) -> int:
        seconds = seconds_of(value) if isinstance(value, str) else None
        if not seconds:
            raise ValueError(f"{value!r} is no duration: write for example 30s, 5m or 1h")
        return seconds


class Policy(BaseModel):
    """All rules, in their order: the first that matches decides, nothing matching means no.

    `audit` names who may read the trail; nobody when it is left out. `is_set` is false when there is no
    policy file at all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[Rule, ...]
    audit: tuple[AuditRule, ...] = ()
    is_set: bool = True


NOBODY = Policy(rules=(), is_set=False)
"""What holds without a policy file."""


def policy_of(document: Any) -> Policy:
    """The policy in what a YAML file contains.

    Raises:
        PolicyError: One line for each error, with the rule's number (the first is 1) and the key.
    """
    if not isinstance(document, dict) or "rules" not in document or set(document) - {"rules", "audit"}:
        raise PolicyError(
            "it must have the key `rules` with a list of rules below it, and may have `audit`, nothing else"
        )
    try:
        return Policy.model_validate(document)
    except ValidationError as error:
        raise PolicyError(*(_line(dict(one)) for one in error.errors())) from None


def _line(error: dict[str, Any]) -> str:
    section, *where = error["loc"]
    if not where:
        return f"{section}: must be a list, each rule beginning with `-`"
    number, *key = where
    audit = section == "audit"
    place = f"{'audit ' if audit else ''}rule {int(number) + 1}" + (f", {key[0]}" if key else "")
    if error["type"] == "extra_forbidden":
        known = ", ".join((AuditRule if audit else Rule).model_fields)
        return f"{place}: there is no such key; the keys are {known}"
    if error["type"] == "model_type":
        return f"{place}: must have keys, such as `channels: [incidents]`"
    if error["type"].startswith("bool"):
        return f"{place}: must be true or false, not {error['input']!r}"
    return f"{place}: {error['msg'].removeprefix('Value error, ')}"


def _names(value: Any, check: Callable[[str], str | None]) -> tuple[str, ...]:
    """The names in a list, each of which `check` has no sentence against."""
    if not isinstance(value, list):
        raise ValueError(f"must be a list in brackets, not {value!r}")  # noqa: TRY004, pydantic gathers these
    if not value:
        raise ValueError("matches nothing, being empty: name something, or leave the key out to match any")
    for name in value:
        wrong = check(name) if isinstance(name, str) else "no text: put it in quotes"
        if wrong:
            raise ValueError(f"{name!r} is {wrong}")
    return tuple(value)


def _is_channel(text: str) -> str | None:
    if CHANNEL_ID.fullmatch(text) or _CHANNEL_NAME.fullmatch(text):
        return None
    return "neither a channel's name, such as incidents, nor its id, such as C024BE91L"


def _is_user(text: str) -> str | None:
    if any(form.fullmatch(text) for form in (USER_ID, KUBERNETES_USER, _HANDLE, _EMAIL)):
        return None
    return 'neither an e-mail address nor a user group, such as "@oncall", nor kubernetes:NAME'


def _is_approver(text: str) -> str | None:
    if any(form.fullmatch(text) for form in (USER_ID, _HANDLE, _EMAIL)):
        return None
    return 'neither an e-mail address nor a user group, such as "@platform": one approves in Slack'


def _is_cluster(text: str) -> str | None:
    return None if _CLUSTER.fullmatch(text) else "no name of a cluster"


def _is_namespace(text: str) -> str | None:
    if _NAMESPACE.fullmatch(text):
        return None
    return 'no namespace: lower-case letters, digits and hyphens, * for any number of them, as in "shop-*"'


def _is_node(text: str) -> str | None:
    if _NODE.fullmatch(text):
        return None
    return 'no node: lower-case letters, digits, hyphens and dots, * for any number of them, as in "worker-*"'
