import dataclasses
import json
import pickle
from fnmatch import fnmatchcase
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from workers.policy.decide import Asker, Decision, decide, may_approve, may_read_trail
from workers.policy.names import Approvers, Named, ResolvedPolicy, ResolvedRule, resolve
from workers.policy.rules import policy_of
from workers.request.request import Request, Target, TargetKind

RULE = ResolvedRule(None, None, None, None, None, None, payload=False)
ASKER = Asker("U1", frozenset({"S1"}), "C1", "incidents", "alice@example.com")


def request(
    namespace: str = "traefik", seconds: int = 30, cluster: str = "default", *, full: bool = False
) -> Request:
    return Request((Target(cluster, TargetKind.POD, namespace, "cheddar"),), seconds, "port 80", full)


def policy(*rules: ResolvedRule, audit: tuple[Named, ...] = (), is_set: bool = True) -> ResolvedPolicy:
    return ResolvedPolicy(rules, audit, is_set, ())


def rule(**keys: Any) -> ResolvedRule:
    return dataclasses.replace(RULE, **keys)


def people(*users: str, groups: tuple[str, ...] = ()) -> ResolvedRule:
    return rule(user_ids=users, usergroup_ids=groups)


def allowed(given_rule: ResolvedRule, asked: Request | None = None) -> bool:
    return decide(policy(given_rule), ASKER, asked or request()).allowed


def test_entering_a_namespace_or_a_pod_and_reading_its_log_is_up_to_the_rule_that_decides() -> None:
    asked = request()
    for key in ("namespace_tap", "exec_in_pod", "logs"):
        allowing = rule(**{key: True})
        assert getattr(decide(policy(allowing, RULE), ASKER, asked), key)
        assert not getattr(decide(policy(RULE, allowing), ASKER, asked), key)
        assert not getattr(decide(policy(), ASKER, asked), key)


def of(*targets: Target, full: bool = False) -> Request:
    return Request(targets, 30, "", full)


def pods(namespace: str) -> Target:
    return Target("default", TargetKind.DEPLOYMENT, namespace, "web")


NODE = Target("default", TargetKind.NODE, "", "worker-1")


def test_every_target_needs_a_rule_and_those_without_one_are_named_together() -> None:
    rules = policy(rule(namespaces=("shop-*",)))
    assert decide(rules, ASKER, of(pods("shop-a"), pods("shop-b"))).rules == (1,)
    refused = decide(rules, ASKER, of(pods("shop-a"), pods("traefik"), NODE))
    assert not refused.allowed
    assert "capture in namespace `traefik` and node `worker-1` from this channel" in refused.sentence
    document = yaml.safe_load(refused.example.strip("`"))
    assert document["rules"][0]["namespaces"] == ["traefik"]
    assert document["rules"][0]["nodes"] == ["worker-1"]


def test_of_several_rules_each_must_allow_all_of_it() -> None:
    wide = {"payload": True, "namespace_tap": True, "exec_in_pod": True, "logs": True, "uplinks": True}
    rules = policy(rule(namespaces=("a",), max_seconds=60, **wide), rule(namespaces=("b",), max_seconds=40))
    both = decide(rules, ASKER, of(pods("b"), pods("a")))
    assert (both.allowed, both.rules, both.max_seconds) == (True, (2, 1), 40)
    assert both.sentence == "Rules 2, 1 of the policy allow it."
    assert not any((both.payload, both.namespace_tap, both.exec_in_pod, both.logs))
    assert both.uplinks == {"a"}
    assert decide(rules, ASKER, of(pods("a"), full=True)).allowed
    assert (
        "Rule 2 of the policy allows headers only"
        in decide(rules, ASKER, of(pods("a"), pods("b"), full=True)).sentence
    )


def test_a_node_is_captured_only_by_a_rule_that_names_it() -> None:
    assert not decide(policy(RULE), ASKER, of(NODE)).allowed
    assert not decide(policy(rule(nodes=("master-*",))), ASKER, of(NODE)).allowed
    assert decide(policy(rule(nodes=("worker-?",))), ASKER, of(NODE)).allowed
    assert not decide(policy(rule(nodes=("*",))), ASKER, of(NODE, full=True)).allowed


def test_a_rule_about_nodes_alone_is_about_no_namespace() -> None:
    assert not decide(policy(rule(nodes=("*",))), ASKER, of(pods("shop"))).allowed
    both = rule(nodes=("*",), namespaces=("shop",))
    assert decide(policy(both), ASKER, of(pods("shop"), NODE)).allowed


def test_approval_is_needed_when_one_of_the_rules_wants_it_and_two_must_want_the_same() -> None:
    approving = rule(namespaces=("a",), approval=APPROVERS)
    assert decide(policy(approving, RULE), ASKER, of(pods("b"), pods("a"))).approval == APPROVERS
    others = rule(namespaces=("b",), approval=Approvers(("U9",), ()))
    refused = decide(policy(approving, others), ASKER, of(pods("a"), pods("b")))
    assert refused.sentence.startswith("Rules 1 and 2 of the policy want the approval of different people")
    assert not refused.allowed


APPROVERS = Approvers(user_ids=("U2", "U3"), usergroup_ids=("S2",))


@given(
    st.sampled_from(["U1", "U2", "U3", "U4"]),
    st.sampled_from(["U1", "U2", "U3", "U4"]),
    st.frozensets(st.sampled_from(["S1", "S2"])),
)
def test_one_of_those_named_approves_and_never_whoever_asked(
    asked_by: str, presses: str, groups: frozenset[str]
) -> None:
    refusal = may_approve(APPROVERS, Asker(presses, groups, "C1"), asked_by=asked_by)
    named = presses in {"U2", "U3"} or "S2" in groups
    assert (refusal is None) == (named and presses != asked_by)


def test_who_must_approve_is_what_the_deciding_rule_says() -> None:
    demanding = rule(approval=APPROVERS)
    assert decide(policy(demanding, RULE), ASKER, request()).approval == APPROVERS
    assert decide(policy(RULE, demanding), ASKER, request()).approval is None
    assert policy(demanding).usergroup_ids == {"S2"}
    assert APPROVERS.mention == "<!subteam^S2> or <@U2> or <@U3>"


def test_a_rule_without_keys_allows_headers_to_anybody() -> None:
    assert decide(policy(RULE), ASKER, request()) == Decision(True, "Rule 1 of the policy allows it.", (1,))


def test_a_rule_asks_for_the_channel() -> None:
    assert allowed(rule(channel_ids=("C0", "C1")))
    assert not allowed(rule(channel_ids=("C0",)))
    assert not allowed(rule(channel_ids=()))


def test_a_rule_asks_for_the_person_or_one_of_their_groups() -> None:
    assert allowed(people("U0", "U1"))
    assert allowed(people("U0", groups=("S0", "S1")))
    assert not allowed(people("U0", groups=("S0",)))
    assert not allowed(people())


def test_a_rule_asks_for_the_cluster() -> None:
    assert allowed(rule(clusters=("default",)))
    assert not allowed(rule(clusters=("prod",)))


def test_a_rule_asks_for_the_namespace_by_name_or_pattern() -> None:
    assert allowed(rule(namespaces=("kube-system", "tr*f?k")))
    assert allowed(rule(namespaces=("*",)))
    assert not allowed(rule(namespaces=("traef", "raefik", "traefik?")))


def test_a_longer_capture_than_the_rule_allows_is_refused_with_the_limit() -> None:
    limited = rule(max_seconds=60)
    assert allowed(limited, request(seconds=60))
    decision = decide(policy(limited), ASKER, request(seconds=61))
    assert not decision.allowed
    assert "at most 1m here, not 1m1s: ask for `1m`" in decision.sentence
    assert (decision.rules, decision.max_seconds) == ((1,), 60)


def test_whole_packets_need_a_rule_that_says_so() -> None:
    assert allowed(rule(payload=True), request(full=True))
    decision = decide(policy(RULE), ASKER, request(full=True))
    assert not decision.allowed
    assert "ask again without `full`" in decision.sentence
    assert not decision.payload


def test_the_first_rule_that_matches_decides_even_if_a_later_one_allows_more() -> None:
    rules = policy(rule(clusters=("prod",)), rule(max_seconds=10), RULE)
    assert decide(rules, ASKER, request()).rules == (2,)
    assert not decide(rules, ASKER, request()).allowed


def test_when_nothing_matches_the_answer_is_no_and_says_for_which_namespace() -> None:
    decision = decide(policy(), ASKER, request("kube-system"))
    assert not decision.allowed
    assert decision.rules == ()
    assert "namespace `kube-system`" in decision.sentence


def test_without_a_policy_the_sentence_names_the_setting() -> None:
    decision = decide(policy(is_set=False), ASKER, request())
    assert not decision.allowed
    assert "no policy yet" in decision.sentence
    assert "PODCAP_POLICY" in decision.sentence


class Names:
    """A Directory in which the asker's names are the asker's."""

    def channel_id(self, name: str) -> str | None:
        return "C1" if name == ASKER.channel_name else None

    def usergroup_id(self, handle: str) -> str | None:
        return f"not asked for {handle}"

    def user_id(self, email: str) -> str | None:
        return "U1" if email == ASKER.email else None


def shown_policy(example: str) -> Any:
    lines = example.splitlines()
    assert lines[0] == lines[-1] == "```"
    shown = "\n".join(lines[1:-1])
    return yaml.safe_load(shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


REQUESTS = st.builds(
    request,
    namespace=st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True),
    seconds=st.integers(1, 600),
    cluster=st.sampled_from(["default", "prod-eu"]),
    full=st.booleans(),
)


@given(REQUESTS, st.booleans())
def test_the_example_is_a_policy_that_allows_the_request_and_nothing_longer(
    asked: Request, named: bool
) -> None:
    asker = ASKER if named else Asker("U1", frozenset(), "C1")
    decision = decide(policy(is_set=False), asker, asked)
    resolved = resolve(policy_of(shown_policy(decision.example)), Names())
    assert resolved.unresolved == ()
    assert decide(resolved, asker, asked).allowed
    longer = dataclasses.replace(asked, seconds=asked.seconds + 1)
    assert not decide(resolved, asker, longer).allowed


def test_names_in_the_example_cannot_leave_its_code_block() -> None:
    asker = Asker("U1", frozenset(), "C1", "x```<!channel>", '"@evil`')
    example = decide(policy(), asker, request()).example
    assert example.count("```") == 2
    assert "<" not in example


def ids(kind: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from([f"{kind}1", f"{kind}2"]), max_size=2).map(tuple)


@st.composite
def rules(draw: st.DrawFn) -> ResolvedRule:
    anybody = draw(st.booleans())
    return ResolvedRule(
        channel_ids=draw(st.none() | ids("C")),
        user_ids=None if anybody else draw(ids("U")),
        usergroup_ids=None if anybody else draw(ids("S")),
        clusters=draw(st.none() | st.just(("default",)) | st.just(())),
        namespaces=draw(
            st.none() | st.lists(st.sampled_from(["traefik", "shop-*", "*-b", "?"]), max_size=2).map(tuple)
        ),
        max_seconds=draw(st.none() | st.integers(1, 100)),
        payload=draw(st.booleans()),
    )


ASKERS = st.builds(
    Asker,
    user_id=st.sampled_from(["U1", "U2", "U3"]),
    usergroup_ids=st.frozensets(st.sampled_from(["S1", "S2", "S3"])),
    channel_id=st.sampled_from(["C1", "C2", "C3"]),
)
ASKED = st.builds(
    request,
    namespace=st.sampled_from(["traefik", "shop-a", "shop-b", "x"]),
    seconds=st.integers(1, 120),
    cluster=st.sampled_from(["default", "prod"]),
    full=st.booleans(),
)


def permits(given_rule: ResolvedRule, asker: Asker, asked: Request) -> bool:
    """Whether a rule says yes, told in another way than `decide` does."""
    who = given_rule.user_ids is None or bool(
        {asker.user_id, *asker.usergroup_ids} & {*given_rule.user_ids, *(given_rule.usergroup_ids or ())}
    )
    conditions = {
        "channel": given_rule.channel_ids is None or asker.channel_id in given_rule.channel_ids,
        "who": who,
        "cluster": given_rule.clusters is None or asked.first.cluster in given_rule.clusters,
        "namespace": given_rule.namespaces is None
        or any(fnmatchcase(asked.first.namespace, glob) for glob in given_rule.namespaces),
        "duration": asked.seconds <= (given_rule.max_seconds or asked.seconds),
        "payload": given_rule.payload >= asked.full,
    }
    return all(conditions.values())


@given(st.lists(rules(), max_size=4), ASKERS, ASKED)
def test_nothing_is_allowed_that_no_rule_permits(
    given_rules: list[ResolvedRule], asker: Asker, asked: Request
) -> None:
    decision = decide(policy(*given_rules), asker, asked)
    if decision.allowed:
        (number,) = decision.rules
        assert permits(given_rules[number - 1], asker, asked)
    if not any(permits(one, asker, asked) for one in given_rules):
        assert not decision.allowed
    if given_rules and permits(given_rules[0], asker, asked):
        assert decision.allowed


@given(st.lists(rules(), max_size=3), ASKERS, ASKED)
def test_a_policy_that_went_through_a_queue_decides_the_same(
    given_rules: list[ResolvedRule], asker: Asker, asked: Request
) -> None:
    sent = policy(*given_rules)
    assert json.dumps(dataclasses.asdict(sent))
    assert decide(pickle.loads(pickle.dumps(sent)), asker, asked) == decide(sent, asker, asked)


@given(st.lists(rules(), max_size=3), ASKERS, ASKED)
def test_every_answer_is_one_sentence(given_rules: list[ResolvedRule], asker: Asker, asked: Request) -> None:
    decision = decide(policy(*given_rules), asker, asked)
    assert decision.sentence.endswith(".")
    assert "\n" not in decision.sentence
    assert bool(decision.example) == (decision.rules == ())


def test_nobody_reads_the_trail_whom_the_policy_does_not_name_for_that() -> None:
    sentence = may_read_trail(policy(RULE), ASKER)
    assert sentence is not None
    assert "`audit`" in sentence


@pytest.mark.parametrize(
    ("named", "allowed"),
    [
        (Named(None, None, None), True),
        (Named(None, ("U1",), ()), True),
        (Named(None, ("U2",), ()), False),
        (Named(None, (), ("S1",)), True),
        (Named(("C1",), ("U1",), ()), True),
        (Named(("C2",), ("U1",), ()), False),
    ],
)
def test_the_trail_is_read_by_whom_an_audit_rule_names_where_it_says(named: Named, allowed: bool) -> None:
    assert (may_read_trail(policy(audit=(named,)), ASKER) is None) is allowed
