from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.tap.procfs import namespace

EVIDENCE = Path(__file__).parents[2] / "evidence"
FILES = ("if_inet6", "igmp", "dev_mcast", "route", "fib_trie")


def recorded(node: str, pid: int) -> dict[str, str]:
    return {name: (EVIDENCE / node / f"proc-{pid}-net" / name).read_text() for name in FILES}


@pytest.mark.parametrize(
    ("node", "pid", "address", "mac"),
    [
        ("node1", 397, "10.244.1.2", "e6:89:57:b4:a1:18"),
        ("node1", 446, "10.244.1.3", "ce:91:d5:f3:69:a3"),
        ("node1", 3019, "10.244.1.5", "52:b0:0e:9a:de:fa"),
        ("node2", 370, "10.244.2.2", "be:05:91:63:56:f2"),
    ],
)
def test_a_recorded_namespace_tells_address_interface_index_and_mac(
    node: str, pid: int, address: str, mac: str
) -> None:
    inside = namespace(recorded(node, pid))
    assert address in inside.addresses
    assert inside.carriers[address] == "eth0"
    assert inside.indexes["eth0"] == 2
    assert inside.link_local == {"eth0": mac}


def test_of_two_interfaces_the_one_whose_network_has_the_address_carries_it() -> None:
    files = recorded("node1", 397)
    files["igmp"] += "3\tnet1      :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"
    assert namespace(files).carriers["10.244.1.2"] == "eth0"
    files["route"] = files["route"].replace("eth0", "net1")
    assert namespace(files).carriers["10.244.1.2"] == "net1"


def test_of_two_interfaces_none_carries_an_address_that_neither_network_has() -> None:
    files = recorded("node1", 397)
    files["igmp"] += "3\tnet1      :     1      V3\n"
    files["route"] = ""
    assert "10.244.1.2" not in namespace(files).carriers


def test_an_address_that_ipv6_alone_has_is_found_with_its_index() -> None:
    row = "fd000000000000000000000000000009 0c 40 00 80     eth0\n"
    inside = namespace({"if_inet6": row})
    assert inside.carriers == {"fd00::9": "eth0"}
    assert inside.indexes == {"eth0": 12}


def test_the_loopback_address_is_carried_by_nothing() -> None:
    assert "127.0.0.1" not in namespace(recorded("node1", 397)).carriers


def test_a_privacy_address_gives_no_mac() -> None:
    row = "fe800000000000000123456789abcdef 02 40 20 80     eth0\n"
    assert namespace({"if_inet6": row}).link_local == {}


def test_no_files_are_an_empty_namespace() -> None:
    assert namespace({}).addresses == frozenset()


@given(st.dictionaries(st.sampled_from(FILES), st.integers(0, 2000)))
def test_files_that_end_anywhere_are_read_as_far_as_they_go(lengths: dict[str, int]) -> None:
    whole = recorded("node1", 397)
    namespace({name: whole[name][:length].rpartition("\n")[0] for name, length in lengths.items()})
