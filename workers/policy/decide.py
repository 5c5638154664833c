"""Whether a policy allows a request: pure, so that bot and worker come to the same answer."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from workers.policy.names import Approvers, Named, ResolvedPolicy, ResolvedRule
from workers.request.duration import shown
from workers.request.quoting import inert, verbatim
from workers.request.request import Request, Target, TargetKind


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

    `sentence`: why. `rules`: the numbers, from 1, of the rules that decide about the targets' namespaces and
    nodes, in the targets' order; none when no rule matches one of them. `max_seconds`, `payload`,
    `namespace_tap`, `exec_in_pod`, `logs`: the most that all of them allow; `max_seconds` None: no limit.
    `uplinks`: the namespaces whose Services may be captured at their nodes, too. `approval`: who must approve
    it besides; None when nobody needs to. `example`: when no rule matches, a policy that would allow this
    request, as a code block for Slack.
    """

    allowed: bool
    sentence: str
    rules: tuple[int, ...] = ()
    max_seconds: int | None = None
    payload: bool = False
    namespace_tap: bool = False
    exec_in_pod: bool = False
    logs: bool = False
    uplinks: frozenset[str] = frozenset()
    example: str = ""
    approval: Approvers | None = None


@dataclass(frozen=True, slots=True)
class _Where:
    """What a rule is asked about: a namespace, or a node, of a cluster."""

    cluster: str
    namespace: str = ""
    node: str = ""

    def __str__(self) -> str:
        return f"node `{inert(self.node)}`" if self.node else f"namespace `{inert(self.namespace)}`"


def decide(policy: ResolvedPolicy, asker: Asker, request: Request) -> Decision:
    """The answers of the first rules that match channel, person, cluster and each target's namespace or node.

    All of them must allow it: a target that no rule matches is a no to the whole request.
    """
    asked = tuple(dict.fromkeys(_where(target) for target in request.targets))
    deciding = {where: _deciding(policy, asker, where) for where in asked}
    unmatched = [where for where, number in deciding.items() if number is None]
    if unmatched:
        sentence = _nobody(policy, asker, unmatched)
        return Decision(allowed=False, sentence=sentence, example=_example(asker, request, unmatched))
    numbers = tuple(dict.fromkeys(number for number in deciding.values() if number is not None))
    rules = {number: policy.rules[number - 1] for number in numbers}
    refusals = (_refusal(number, rule, request) for number, rule in rules.items())
    refusal = next(filter(None, refusals), None) or _two_approvals(rules)
    limits = [rule.max_seconds for rule in rules.values() if rule.max_seconds is not None]
    return Decision(
        allowed=refusal is None,
        sentence=refusal or _allowed(numbers),
        rules=numbers,
        max_seconds=min(limits, default=None),
        payload=all(rule.payload for rule in rules.values()),
        namespace_tap=all(rule.namespace_tap for rule in rules.values()),
        exec_in_pod=all(rule.exec_in_pod for rule in rules.values()),
        logs=all(rule.logs for rule in rules.values()),
        uplinks=frozenset(
            where.namespace for where, number in deciding.items() if number and rules[number].uplinks
        ),
        approval=next((rule.approval for rule in rules.values() if rule.approval is not None), None),
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


def _where(target: Target) -> _Where:
    if target.kind is TargetKind.NODE:
        return _Where(target.cluster, node=target.name)
    return _Where(target.cluster, namespace=target.namespace)


def _deciding(policy: ResolvedPolicy, asker: Asker, where: _Where) -> int | None:
    numbered = enumerate(policy.rules, start=1)
    return next((number for number, rule in numbered if _matches(rule, asker, where)), None)


def _matches(rule: ResolvedRule, asker: Asker, where: _Where) -> bool:
    if not _is_named(rule, asker) or not (rule.clusters is None or where.cluster in rule.clusters):
        return False
    if where.node:
        return any(fnmatchcase(where.node, glob) for glob in rule.nodes or ())
    if rule.namespaces is None:
        return rule.nodes is None
    return any(fnmatchcase(where.namespace, glob) for glob in rule.namespaces)


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


def _two_approvals(rules: Mapping[int, ResolvedRule]) -> str | None:
    """One person approves a capture; rules that name different people cannot both have their way."""
    asking = {number: rule.approval for number, rule in rules.items() if rule.approval is not None}
    if len(set(asking.values())) < 2:  # noqa: PLR2004, two that differ
        return None
    numbers = " and ".join(str(number) for number in asking)
    return (
        f"Rules {numbers} of the policy want the approval of different people for these targets: "
        "ask for them one by one."
    )


def _allowed(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"Rule {numbers[0]} of the policy allows it."
    return f"Rules {', '.join(map(str, numbers))} of the policy allow it."


def _nobody(policy: ResolvedPolicy, asker: Asker, unmatched: Sequence[_Where]) -> str:
    if not policy.is_set:
        return (
            "podcap has no policy yet, so nobody may capture: "
            "whoever runs podcap sets PODCAP_POLICY to a file that allows it."
        )
    here = "this channel" if asker.channel_id else "a terminal"
    named = [str(where) for where in unmatched]
    places = " and ".join([", ".join(named[:-1]), named[-1]] if named[1:] else named)
    verb = "capture" if unmatched[0].node else "capture in"
    return (
        f"The policy does not allow you to {verb} {places} from "
        f"{here}: whoever runs podcap can add a rule to the file in PODCAP_POLICY."
    )


def _example(asker: Asker, request: Request, unmatched: Sequence[_Where]) -> str:
    namespaces = [where.namespace for where in unmatched if where.namespace]
    nodes = [where.node for where in unmatched if where.node]
    values = {
        **({"channels": [asker.channel_name or asker.channel_id]} if asker.channel_id else {}),
        "users": [asker.email or asker.user_id],
        "clusters": [request.first.cluster],
        **({"namespaces": namespaces} if namespaces else {}),
        **({"nodes": nodes} if nodes else {}),
    }
    # JSON's lists and strings are YAML's, too.
    keys = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    keys.append(f"max_duration: {shown(request.seconds)}")
    if request.full:
        keys.append("payload: true")
    lines = ["# This policy would allow it.", "rules:", f"  - {keys[0]}", *(f"    {key}" for key in keys[1:])]
    return "\n".join(["```", *map(verbatim, lines), "```"])
