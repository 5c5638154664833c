"""A Service's traffic as a table for a message and for a page."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.workers.service_truth.scene import Scene, with_affinity
from workers.names.names import Names
from workers.names.snapshot import Snapshot
from workers.service_truth.table import truth_page, truth_text
from workers.summary.endpoint import Endpoint

CLIENT = "192.168.1.35"


class Renamed(Names):
    """Pods as they are called in a cluster with long names."""

    def __init__(self, names: dict[str, str]) -> None:
        super().__init__(Snapshot())
        self._names = names

    def shown(self, address: str, port: int | None = None) -> str:
        return self._names.get(address) or super().shown(address, port)


def text(scene: Scene) -> str:
    return truth_text(scene.truth(), Names(scene.snapshot))


def test_it_shows_who_came_in_where_seen_as_whom_and_each_replicas_share() -> None:
    scene = Scene(service=with_affinity())
    for number, replica in enumerate("aab"):
        scene.comes(Endpoint(CLIENT, 50000 + number), "node1", replica, number, requests=2)
    assert (
        text(scene)
        == """\
Service traefik/cheddar:80, node port 32604
externalTrafficPolicy: Cluster, sessionAffinity: ClientIP (10,800 s)
client       came in at seen as       replica           conn. requests
192.168.1.35 node1      10.244.1.1    traefik/cheddar-a     2        4
192.168.1.35 node1      192.168.1.201 traefik/cheddar-b     1        2

replica           node  conn. requests   bytes share
traefik/cheddar-a node1     2        4  2.0 kB  67 %
traefik/cheddar-b node2     1        2  1.0 kB  33 %
traefik/cheddar-c node3     0        0 0 bytes   0 %"""
    )


def test_a_pods_name_is_shortened_alike_in_both_parts() -> None:
    scene = Scene().comes(Endpoint(CLIENT, 50000), "node1", "a")
    names = {
        each.address: f"traefik/cheddar-gruyere-…{number}kq2x"
        for number, each in enumerate(scene.truth().replicas)
    }
    told = truth_text(scene.truth(), Renamed(names), width=60).splitlines()
    shown = {word for line in told for word in line.split() if word.endswith("kq2x")}
    assert len(shown) == len(names)
    assert sum(line.count("kq2x") for line in told) == len(names) + 1
    assert all("…" in word for word in shown)


def test_where_no_request_could_be_read_none_is_counted() -> None:
    scene = Scene().comes(Endpoint(CLIENT, 50000), "node1", "a", requests=0)
    told = " ".join(text(scene).split())
    assert "192.168.1.35 node1 10.244.1.1 traefik/cheddar-a 1 -" in told
    assert "traefik/cheddar-a node1 1 - 1.0 kB 100 %" in told


def test_what_was_not_captured_has_no_numbers() -> None:
    scene = Scene().comes(Endpoint(CLIENT, 50000), "node1", "a", seen=False)
    told = truth_text(scene.truth(["a"]), Names(scene.snapshot))
    assert "traefik/cheddar-b node2 ? ? ? ?" in " ".join(told.split())
    assert told.endswith("and\nno captured interface saw them before that.")


@given(
    st.lists(
        st.tuples(st.integers(1, 250), st.sampled_from(["node1", "node2", "node3"]), st.sampled_from("abc")),
        min_size=1,
        max_size=60,
    ),
    st.integers(60, 120),
)
@settings(max_examples=examples(20), deadline=None)
def test_it_is_never_wider_or_longer_than_asked(came: list[tuple[int, str, str]], width: int) -> None:
    scene = Scene()
    for number, (host, entry, replica) in enumerate(came):
        scene.comes(Endpoint(f"2001:db8:1234:5678::{host:x}", 40000 + number), entry, replica, number)
    lines = truth_text(scene.truth(), Names(scene.snapshot), limit=5, width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= 20


def test_of_a_large_service_it_fits_into_one_section_of_a_message() -> None:
    scene = Scene(service=with_affinity(), where={chr(97 + number): "node1" for number in range(26)})
    for number in range(120):
        replica = chr(97 + number % 25)
        scene.comes(
            Endpoint(f"2001:db8:1234:5678::{number:x}", 40000), "node2", replica, number, seen=number > 9
        )
    told = truth_text(scene.truth([*scene.taps[:20], "uplink node2"]), Names(scene.snapshot))
    assert told.count("… and") == 2
    assert len(told) < 2_900


def test_the_page_has_the_same_and_whether_affinity_was_kept() -> None:
    scene = Scene(service=with_affinity())
    for number in range(2):
        scene.comes(Endpoint(CLIENT, 50000 + number), "node1", "b", number)
    page = truth_page(scene.truth(), {scene.ip("b"): "traefik/cheddar-b"})
    assert "Session affinity of traefik/cheddar" in page
    assert "<td>kept</td>" in page
    assert CLIENT in page
    assert "traefik/cheddar-b" in page
