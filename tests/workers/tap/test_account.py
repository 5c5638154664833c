from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from workers.cluster.pod import Pod
from workers.tap.account import account
from workers.tap.evidence import Evidence
from workers.tap.tap import decide, explain

Visits = Callable[[Pod], Any]
NAMES = ["cheddar-655d8555f-f7d7z", "cheddar-655d8555f-rhg54", "cheddar-655d8555f-5hfjj", "distroless"]


@pytest.mark.parametrize("name", NAMES)
def test_every_link_of_the_node_is_chosen_or_excluded_with_a_reason(
    pods: dict[str, Pod], visit: Visits, name: str
) -> None:
    evidence = visit(pods[name]).evidence()
    tap = decide(evidence, pods[name])
    lines = list(account(evidence, pods[name]))
    excluded = [line for line in lines if line.startswith("Excluded: ")]
    assert len(excluded) == len(evidence.links) - 1
    assert not any(f" {tap.interface} " in line for line in excluded)
    assert lines[-1] == f"Decided: {explain(tap)}"


def test_a_link_with_the_same_peer_index_in_another_namespace_is_named_as_such(
    pods: dict[str, Pod], visit: Visits
) -> None:
    """What the plain search for an index would have taken."""
    pod = pods["distroless"]
    lines = list(account(visit(pod).evidence(), pod))
    assert [line for line in lines if "the same index in another namespace" in line]
    assert any(line.startswith("By namespace ") and "veth860ac1e8 (7)" in line for line in lines)
    assert any(line.startswith("By route ") and line.endswith("finds nothing") for line in lines)


def test_without_evidence_it_ends_with_the_reason_against_a_tap(pods: dict[str, Pod]) -> None:
    lines = list(account(Evidence(), pods["distroless"]))
    assert lines[-1].startswith("Decided: No process of pod distroless was found")


def test_a_pod_on_its_nodes_network_is_said_to_be_one(pods: dict[str, Pod]) -> None:
    pod = replace(pods["distroless"], host_network=True)
    assert any("its node's network" in line for line in account(Evidence(), pod))
