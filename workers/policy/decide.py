"""Whether a policy allows a request: pure, so that bot and worker come to the same answer."""

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase

from workers.policy.names import Approvers, Named, ResolvedPolicy, ResolvedRule
from workers.request.duration import shown
from workers.request.quoting import inert, verbatim
from workers.request.request import Request, Target


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and where: Slack's ids of the person, of the user groups they are in, and of the channel.

    At a terminal: `kubernetes:NAME`, no groups, and an empty channel.

    The channel's name and the person's e-mail address are for the example in the answer only.
    """

    user_id: str
    usergroup_ids: frozenset[str]
    channel_id: str
    channel_name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy says.

    `sentence`: why. `rule`: the number of the deciding rule, from 1; None when no rule matches.
    `max_seconds`, `payload`, `namespace_tap`, `exec_in_pod`, `logs`: the most that rule allows;
    `max_seconds` None: no limit. `approval`: who must approve it besides; None when nobody needs to.
    `example`: when no rule matches, a policy that would allow this request, as a code block for Slack.
    """

    allowed: bool
    sentence: str
    rule: int | None = None
    max_seconds: int | None = None
    payload: bool = False
    namespace_tap: bool = False
    exec_in_pod: bool = False
    logs: bool = False
    example: str = ""
    approval: Approvers | None = None


def decide(policy: ResolvedPolicy, asker: Asker, request: Request) -> Decision:
    """The answer of the first rule that matches channel, person, cluster and namespace; without one, no."""
    for number, rule in enumerate(policy.rules, start=1):
        if _matches(rule, asker, request.target):
            refusal = _refusal(number, rule, request)
            return Decision(
                allowed=refusal is None,
                sentence=refusal or f"Rule {number} of the policy allows it.",
                rule=number,
                max_seconds=rule.max_seconds,
                payload=rule.payload,
                namespace_tap=rule.namespace_tap,
                exec_in_pod=rule.exec_in_pod,
                logs=rule.logs,
                approval=rule.approval,
            )
    return Decision(
        allowed=False, sentence=_nobody(policy, asker, request.target), example=_example(asker, request)
    )


def may_approve(approvers: Approvers, person: Asker, *, asked_by: str) -> str | None:
    """Why this person may not approve or deny a capture, in one sentence; None when they may.

    Args:
        approvers: Whom the rule names.
        person: Who wants to.
        asked_by: The id of whoever asked for the capture: never the second person.
    """
    if person.user_id == asked_by:
        return "You asked for this capture yourself: somebody else must approve it."
    named = person.user_id in approvers.user_ids
    if named or not person.usergroup_ids.isdisjoint(approvers.usergroup_ids):
        return None
    return "The policy does not let you approve this capture: its message says who may."


def may_read_trail(policy: ResolvedPolicy, asker: Asker) -> str | None:
    """Why this person may not read the audit trail here, in one sentence; None when a rule allows it."""
    if any(_is_named(rule, asker) for rule in policy.audit):
        return None
    return (
        "The policy does not allow you to read the audit trail from this channel: "
        "whoever runs podcap can name you below `audit` in the file in PODCAP_POLICY."
    )


def _matches(rule: ResolvedRule, asker: Asker, target: Target) -> bool:
    return (
        _is_named(rule, asker)
        and (rule.clusters is None or target.cluster in rule.clusters)
        and (rule.namespaces is None or any(fnmatchcase(target.namespace, glob) for glob in rule.namespaces))
    )


def _is_named(rule: Named, asker: Asker) -> bool:
    if rule.channel_ids is not None and asker.channel_id not in rule.channel_ids:
        return False
    if rule.user_ids is None or rule.usergroup_ids is None:
        return rule.user_ids is None and rule.usergroup_ids is None
    return asker.user_id in rule.user_ids or not asker.usergroup_ids.isdisjoint(rule.usergroup_ids)


def _refusal(number: int, rule: ResolvedRule, request: Request) -> str | None:
    if rule.max_seconds is not None and request.seconds > rule.max_seconds:
        limit = shown(rule.max_seconds)
        return (
            f"Rule {number} of the policy allows at most {limit} here, not {shown(request.seconds)}: "
            f"ask for `{limit}`."
        )
    if request.full and not rule.payload:
        return f"Rule {number} of the policy allows headers only here: ask again without `full`."
    return None


def _nobody(policy: ResolvedPolicy, asker: Asker, target: Target) -> str:
    if not policy.is_set:
        return (
            "podcap has no policy yet, so nobody may capture: "
            "whoever runs podcap sets PODCAP_POLICY to a file that allows it."
        )
    here = "this channel" if asker.channel_id else "a terminal"
    return (
        f"The policy does not allow you to capture in namespace `{inert(target.namespace)}` from "
        f"{here}: whoever runs podcap can add a rule to the file in PODCAP_POLICY."
    )


def _example(asker: Asker, request: Request) -> str:
    values = {
        **({"channels": [asker.channel_name or asker.channel_id]} if asker.channel_id else {}),
        "users": [asker.email or asker.user_id],
        "clusters": [request.target.cluster],
        "namespaces": [request.target.namespace],
    }
    # JSON's lists and strings are YAML's, too.
    keys = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    keys.append(f"max_duration: {shown(request.seconds)}")
    if request.full:
        keys.append("payload: true")
    lines = ["# This policy would allow it.", "rules:", f"  - {keys[0]}", *(f"    {key}" for key in keys[1:])]
    return "\n".join(["```", *map(verbatim, lines), "```"])
