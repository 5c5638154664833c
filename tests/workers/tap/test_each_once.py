"""The filter that leaves ports of bridges out, as tcpdump's own compiler takes it."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from workers.tap.each_once import bridge_ports, not_at_ports
from workers.tap.links import Link

BRIDGE = Link(1, "cni0", "bridge")


def port(index: int, master: str = "cni0") -> Link:
    return Link(index, f"veth{index}", "veth", master, 2, index)


def test_without_ports_there_is_no_filter() -> None:
    assert not_at_ports([]) == ""
    assert not_at_ports([Link(1, "lo"), Link(2, "eth0"), Link(9, "cali9", "veth", None, 2, 3)]) == ""


@pytest.mark.parametrize("kind", ["bridge", "bond", "team", "openvswitch"])
def test_ports_of_whatever_leads_them_are_left_out(kind: str) -> None:
    assert not_at_ports([Link(1, "lo"), Link(2, "m", kind), port(5, "m")]) == "not (ifindex 5)"


def test_what_is_bound_to_a_vrf_stays_since_the_vrf_does_not_show_it_again() -> None:
    assert bridge_ports([Link(2, "red", "vrf"), port(5, "red")]) == []


def test_indexes_without_another_link_between_them_are_one_term() -> None:
    links = [BRIDGE, port(5), port(6), port(90), Link(100, "flannel.1", "vxlan"), port(101)]
    assert not_at_ports(links) == (
        "not (ifindex 5 or ifindex 90 or (link[4:4] > 5 and link[4:4] < 90) or ifindex 101)"
    )


def test_five_hundred_ports_are_few_words() -> None:
    assert len(not_at_ports([BRIDGE, *(port(index) for index in range(10, 510))])) < 100


@settings(max_examples=examples(50))
@given(st.dictionaries(st.integers(2, 60), st.booleans()))
def test_exactly_the_ports_are_left_out(is_port: dict[int, bool]) -> None:
    links = [BRIDGE, *(port(i) if is_one else Link(i, f"x{i}") for i, is_one in is_port.items())]
    left = {index for index in [1, *is_port] if passes(not_at_ports(links), index)}
    assert left == {link.ifindex for link in links} - {link.ifindex for link in bridge_ports(links)}


def passes(words: str, index: int) -> bool:
    """The filter's own words, read as Python: they are spelled the same."""
    said = words.replace("link[4:4]", str(index)).replace("ifindex", f"{index} ==")
    return bool(eval(said or "True"))


def test_tcpdump_takes_it_beside_the_ports_asked_for() -> None:
    words = not_at_ports([BRIDGE, port(5), port(6), port(90)])
    argv = ["tcpdump", "-y", "LINUX_SLL2", "-d", f"(tcp port 80) and {words}"]
    program = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert "ld       [4]" in program
