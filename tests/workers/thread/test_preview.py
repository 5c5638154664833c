from workers.ledger.tap_record import TapKind, TapRecord
from workers.thread.preview import on_each_node, preview


def pod(node: str | None) -> TapRecord:
    return TapRecord(0, namespace="shop", pod="web", node=node)


def uplink(node: str) -> TapRecord:
    return TapRecord(0, TapKind.UPLINK, node=node)


def test_how_many_pods_on_how_many_nodes_these_are_is_said_in_a_few_words() -> None:
    assert preview([pod("n1")]) == "1 pod on 1 node"
    assert preview([pod("n1"), pod("n1"), pod("n2")]) == "3 pods on 2 nodes"
    assert preview([pod("n1"), uplink("n1"), uplink("n2")]) == "1 pod and 2 uplinks on 2 nodes"
    assert preview([uplink("n1")]) == "the uplink of n1"
    assert preview([uplink("n1"), uplink("n2")]) == "2 uplinks on 2 nodes"


def test_a_pod_without_a_node_adds_none() -> None:
    assert preview([pod("n1"), pod(None)]) == "2 pods on 1 node"
    assert on_each_node([pod(None)]) == ["no node yet: 1 pod"]


def test_each_node_is_a_line_the_fullest_first() -> None:
    assert on_each_node([pod("n1"), pod("n2"), pod("n2"), uplink("n1"), uplink("n3")]) == [
        "n2: 2 pods",
        "n1: 1 pod, its uplink",
        "n3: its uplink",
    ]


def test_of_many_nodes_the_rest_is_counted() -> None:
    lines = on_each_node([pod(f"n{number:03}") for number in range(27)])
    assert (len(lines), lines[-1]) == (26, "and 2 more nodes")
