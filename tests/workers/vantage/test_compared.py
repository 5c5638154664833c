"""The comparison in a process of its own."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.workers.summary.packets import SYN
from tests.workers.vantage.world import MS, PASTA, WEB, At, Sent, World, numbered, talk
from workers.names.snapshot import Pod, Snapshot
from workers.vantage.compared import ComparedError, compared

CLUSTER = Snapshot(pods=(Pod("shop", "pasta", "node2", ("10.244.2.2",)),))


def test_a_merged_file_is_compared_with_the_names_of_the_cluster(tmp_path: Path) -> None:
    world = World(numbered(WEB, PASTA))
    route = [At(each, "10.244.1.2:40000", "10.244.2.2:80") for each in (WEB, PASTA)]
    world.pass_by(route, talk())
    world.pass_by(
        [replace(each, client="10.244.1.2:40001") for each in route],
        [Sent(at * 1000 * MS, SYN, sequence=5, identity=at, lost=1) for at in (2, 3)],
    )
    path = tmp_path / "merged.pcapng"
    path.write_bytes(world.file().getvalue())
    comparison = compared(path, world.vantages, CLUSTER)
    assert comparison == world.compare(CLUSTER)
    assert "to `shop/pasta:80` left `shop/web`" in comparison.findings[0].sentence


def test_what_is_no_merged_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"hello")
    with pytest.raises(ComparedError) as refused:
        compared(path, numbered(WEB, PASTA), Snapshot())
    assert str(refused.value) == (
        "The vantage points could not be compared. The file is not pcapng as podcap writes it."
    )


def test_a_file_with_more_interfaces_than_vantage_points_is_refused(tmp_path: Path) -> None:
    world = World(numbered(WEB, PASTA))
    world.pass_by(
        [At(WEB, "10.244.1.2:1", "10.244.2.2:2"), At(PASTA, "10.244.1.2:1", "10.244.2.2:2")], talk()
    )
    path = tmp_path / "merged.pcapng"
    path.write_bytes(world.file().getvalue())
    with pytest.raises(ComparedError):
        compared(path, numbered(WEB), Snapshot())


def test_a_capture_without_packets_compares_to_nothing(tmp_path: Path) -> None:
    path = tmp_path / "merged.pcapng"
    path.write_bytes(World(numbered(WEB, PASTA)).file().getvalue())
    assert compared(path, numbered(WEB, PASTA), Snapshot()).passages == ()


@pytest.fixture(scope="module")
def flood(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """The merged file of five thousand connections."""
    world = World(numbered(WEB, PASTA))
    for port in range(1024, 6024):
        world.pass_by(
            [At(each, f"10.244.1.2:{port}", "10.244.2.2:80") for each in (WEB, PASTA)], [Sent(0, SYN)]
        )
    path = tmp_path_factory.mktemp("flood") / "merged.pcapng"
    path.write_bytes(world.file().getvalue())
    return path, world


@pytest.mark.parametrize("memory", range(36 << 20, 37 << 20, 1 << 18))
def test_a_comparison_that_memory_does_not_hold_is_refused_in_one_sentence(
    flood: tuple[Path, World], memory: int
) -> None:
    """Wherever it runs out: with some limits the process that compares neither went on nor ended."""
    path, world = flood
    with pytest.raises(ComparedError) as refused:
        compared(path, world.vantages, Snapshot(), memory=memory)
    assert str(refused.value).partition(": ")[2] in {
        f"it needs more than {memory // 1_000_000} MB of memory.",
        "the process that reads the packets was ended by signal 11.",
    }
