"""Whatever else is on the node, a tap is at the pod's own link or nowhere."""

from hypothesis import given
from hypothesis import strategies as st

from tests.workers.tap.built import DIGITS, POD, Process, built, mirrored, veth
from workers.tap.tap import NoTap, decide

OWN = 9
macs = st.integers(1, 12)
indexes = st.integers(1, 12) | st.sampled_from([11, 111, 1110, 2111])
decoys = st.tuples(
    st.integers(20, 29),
    indexes,
    st.sampled_from(["-", "1", "7", "17", "77"]),
    st.sampled_from(["-", "4"]),
    st.sampled_from(["-", "veth", "netkit", "macvlan", "vlan", "ipvlan", "vxlan", "bridge", "tun"]),
    st.sampled_from(["eth0", "veth9", "cali1", f"cali{DIGITS}", f"eni{DIGITS}", "lxc_health", "cni0"]),
)
tables = st.lists(
    st.one_of(
        st.builds("neighbour 0a000009 {} 2 0200000000{:02x}".format, st.sampled_from([4, 9, 20, 25]), macs),
        st.builds("learned 0200000000{:02x} {} 4".format, macs, st.integers(20, 29)),
        st.builds("route 0a000009 1 32 {} -".format, st.integers(20, 29)),
        st.builds("count {} {} {}".format, st.integers(20, 29), st.just(40), st.just(50)),
    ),
    max_size=12,
)


def lines(links: list[tuple[int, int, str, str, str, str]], own: tuple[int, int]) -> list[str]:
    """The decoys as links, each with its own index and name; none is the pair of the pod's interface."""
    one_each = {link[0]: link for link in links}
    named = {link[5]: link for link in one_each.values()}
    return [
        f"link {index} {peer} {nsid} {master} {kind} {name}"
        for index, peer, nsid, master, kind, name in named.values()
        if (nsid, peer) != (str(own[1]), own[0]) or kind not in ("veth", "netkit")
    ]


@given(st.lists(decoys, max_size=10), tables)
def test_among_any_decoys_the_pods_own_link_is_found_when_its_pair_points_both_ways(
    links: list[tuple[int, int, str, str, str, str]], told: list[str]
) -> None:
    there = built("link 4 - - - bridge br0", veth(OWN, "own"), mirrored(OWN), *lines(links, (2, 7)), *told)
    assert decide(there, POD).ifindex == OWN


@given(st.lists(decoys, max_size=10), tables)
def test_among_any_decoys_no_other_link_is_taken(
    links: list[tuple[int, int, str, str, str, str]], told: list[str]
) -> None:
    there = built("link 4 - - - bridge br0", veth(OWN, "own"), *lines(links, (2, 7)), *told)
    try:
        tap = decide(there, POD)
    except NoTap:
        return
    assert tap.ifindex == OWN


@given(st.lists(decoys, max_size=10), tables, st.sampled_from([None, 7]))
def test_a_pod_without_a_link_on_the_node_is_never_tapped_at_one(
    links: list[tuple[int, int, str, str, str, str]], told: list[str], nsid: int | None
) -> None:
    told = [*lines(links, (2, 7)), *told]
    there = built("link 4 - - - bridge br0", *told, processes=(Process(nsid=nsid),))
    assert decide(there, POD, may_enter=True).method == "inside"


@given(st.lists(decoys, max_size=10), tables)
def test_a_pod_without_a_process_is_tapped_only_where_its_name_is(
    links: list[tuple[int, int, str, str, str, str]], told: list[str]
) -> None:
    there = built("link 4 - - - bridge br0", *lines(links, (2, 7)), *told, processes=())
    try:
        tap = decide(there, POD)
    except NoTap:
        return
    assert tap.interface.endswith(DIGITS)
    assert tap.confidence == "medium"
