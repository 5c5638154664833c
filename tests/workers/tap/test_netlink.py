from hypothesis import given
from hypothesis import strategies as st

from workers.tap.counters import Counters
from workers.tap.links import Forwarding, Link, Neighbour
from workers.tap.netlink import Netlink, netlink

NOTHING = Netlink([], {}, {}, {}, [], [], {}, {})
PRINTED = """link 1 - - - - lo
link 4 - - - bridge cni0
link 9 2 7 4 veth veth09b7438a
link 12 9 - - vlan eth0.5
nsid 41 7
nsid 42 -1
inode 41 4026532618
mark 41 4026532625
neighbour 0a000009 4 4 020000000009
neighbour 0a00000a 4 32 02000000000a
learned 020000000009 9 4
route 0a000009 1 32 9 -
route fd000000000000000000000000000009 1 128 9 -
count 9 15 23
"""


def test_each_line_becomes_what_it_says() -> None:
    assert netlink(PRINTED) == Netlink(
        links=[
            Link(1, "lo"),
            Link(4, "cni0", "bridge"),
            Link(9, "veth09b7438a", "veth", "cni0", 2, 7),
            Link(12, "eth0.5", "vlan", None, 9),
        ],
        netns_ids={41: 7, 42: None},
        inodes={41: 4026532618},
        marks={41: 4026532625},
        # A neighbour that failed to answer has no address to speak of.
        neighbours=[Neighbour("10.0.0.9", "cni0", "02:00:00:00:00:09")],
        forwarding=[Forwarding("02:00:00:00:00:09", "veth09b7438a", "cni0")],
        routes={"10.0.0.9": "veth09b7438a", "fd00::9": "veth09b7438a"},
        counted={9: Counters(15, 23)},
    )


def test_what_a_shell_or_perl_complains_of_is_nothing() -> None:
    assert netlink("sh: 1: perl: not found\nnetlink: Operation not permitted at -e line 5.\n") == NOTHING


def test_a_line_that_was_cut_is_left_out() -> None:
    cut = PRINTED[: PRINTED.index("veth veth09b7438a") + 4]
    assert [link.name for link in netlink(cut).links] == ["lo", "cni0"]


@given(st.text(alphabet="link nsid mark route count neighbour learned 0123456789abf-\n", max_size=300))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    netlink(text)
