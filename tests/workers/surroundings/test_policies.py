import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from workers.surroundings.policies import Peer, Policy, Port, Verdict, allowed, matches, policy
from workers.surroundings.policy_text import rules_text

SHOP = Peer("10.244.2.7", "shop", {"app": "shop"}, {"team": "a", "kubernetes.io/metadata.name": "shop"})
OUTSIDE = Peer("203.0.113.9", outside=True)
NODE = Peer("10.244.1.1", own_node=True)
NOT_KNOWN = Peer("10.244.2.99")
WEB = Port(80, names=("http",))


def of(**spec: object) -> Policy:
    return Policy("traefik", "p", spec)


def judged(peer: Peer, *rules: dict[str, object], port: Port = WEB) -> Verdict:
    return allowed([of(ingress=list(rules))], "Ingress", port, peer)


def test_without_a_policy_for_the_direction_everything_is_allowed() -> None:
    assert allowed([], "Ingress", WEB, OUTSIDE) is True
    assert allowed([of(ingress=[])], "Egress", WEB, OUTSIDE) is True
    assert allowed([of(policyTypes=["Egress"])], "Ingress", WEB, OUTSIDE) is True


def test_a_policy_without_rules_lets_nobody_in_but_the_pods_own_node() -> None:
    assert judged(SHOP) is False
    assert judged(OUTSIDE) is False
    assert judged(NODE) is True


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        ({}, True),
        ({"ports": [{"port": 80}]}, True),
        ({"ports": [{"port": 81}]}, False),
        ({"ports": [{"port": 80, "protocol": "UDP"}]}, False),
        ({"ports": [{"port": 70, "endPort": 90}]}, True),
        ({"ports": [{"port": 70, "endPort": 79}]}, False),
        ({"ports": [{"port": "http"}]}, True),
        ({"ports": [{"port": "metrics"}]}, False),
        ({"ports": [{"protocol": "TCP"}]}, True),
        ({"from": [{"podSelector": {}}]}, False),
        ({"from": [{"namespaceSelector": {}}]}, True),
        ({"from": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}]}, True),
        ({"from": [{"namespaceSelector": {"matchLabels": {"team": "b"}}}]}, False),
        ({"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "shop"}}}]}, True),
        ({"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "x"}}}]}, False),
        ({"from": [{"ipBlock": {"cidr": "10.244.0.0/16"}}]}, True),
        ({"from": [{"ipBlock": {"cidr": "10.244.0.0/16", "except": ["10.244.2.0/24"]}}]}, False),
        ({"from": [{"ipBlock": {"cidr": "10.1.0.0/16"}}, {"namespaceSelector": {}}]}, True),
        ({"from": [{"namespaceSelector": {}}], "ports": [{"port": 81}]}, False),
    ],
)
def test_a_rule_allows_what_kubernetes_says_it_does(rule: dict[str, object], verdict: Verdict) -> None:
    assert judged(SHOP, rule) is verdict


def test_one_rule_of_any_policy_is_enough() -> None:
    closed, opened = of(ingress=[]), of(ingress=[{"ports": [{"port": 80}]}])
    assert allowed([closed, opened], "Ingress", WEB, SHOP) is True


def test_what_cannot_be_told_is_neither_allowed_nor_forbidden() -> None:
    pods = {"from": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}]}
    assert judged(Peer("10.244.2.7", "shop", {"app": "shop"}), pods) is None
    assert judged(NOT_KNOWN, pods) is None
    assert judged(SHOP, {"ports": [{"port": "http"}]}, port=Port(80)) is None
    assert judged(NOT_KNOWN, {"ports": [{"port": 81}], **pods}) is False
    assert judged(OUTSIDE, pods) is False


def test_egress_is_judged_by_its_own_rules() -> None:
    dns = of(policyTypes=["Egress"], egress=[{"ports": [{"port": 53, "protocol": "UDP"}]}])
    assert allowed([dns], "Egress", Port(53, "UDP"), OUTSIDE) is True
    assert allowed([dns], "Egress", Port(443), OUTSIDE) is False
    implied = of(egress=[{}])
    assert implied.directions == ("Ingress", "Egress")


def test_a_policy_selects_by_labels_in_its_own_namespace() -> None:
    each = of(podSelector={"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["db"]}]})
    assert each.selects("traefik", {"app": "cheddar"})
    assert not each.selects("traefik", {"app": "db"})
    assert not each.selects("shop", {"app": "cheddar"})


@given(
    st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
    st.sampled_from(["a", "b"]),
    st.lists(st.sampled_from("xyz")),
    st.dictionaries(st.sampled_from("ab"), st.sampled_from("xyz")),
)
@settings(max_examples=examples(40))
def test_opposite_operators_never_agree(
    operator: str, key: str, values: list[str], labels: dict[str, str]
) -> None:
    opposite = {"In": "NotIn", "NotIn": "In", "Exists": "DoesNotExist", "DoesNotExist": "Exists"}[operator]
    one = {"matchExpressions": [{"key": key, "operator": operator, "values": values}]}
    other = {"matchExpressions": [{"key": key, "operator": opposite, "values": values}]}
    assert matches(one, labels) != matches(other, labels)


def test_rules_are_told_in_words() -> None:
    each = policy(
        {
            "metadata": {"namespace": "traefik", "name": "web"},
            "spec": {
                "ingress": [
                    {"from": [{"namespaceSelector": {"matchLabels": {"team": "a"}}, "podSelector": {}}]},
                    {"ports": [{"port": 80}, {"port": 70, "endPort": 79, "protocol": "UDP"}]},
                    {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]},
                ]
            },
        }
    )
    assert rules_text(each, "Ingress") == (
        "from pods of any label in namespaces team=a: any port",
        "from anywhere: TCP 80, UDP 70-79",
        "from 10.0.0.0/8 but 10.1.0.0/16: any port",
    )
    assert rules_text(each, "Egress") == ("nothing to anywhere",)
