"""The agent image: Debian packages alone, those that the scripts need, and its contents do the work."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.handle import LabHandle
from tests.deploy import agents, debian, dockerfile, shell
from tests.hangs import HANGS
from workers.agent.agent import AgentPod
from workers.cluster.cluster import Cluster, connect
from workers.spool.spool import Spool, SpoolLimits
from workers.tap.gather import arguments, gather
from workers.tap.tap import decide

ROOT = Path(__file__).parents[2]
IMAGE = "podcap-agent:debian"
SCRIPTS = sorted(path for folder in ("tap", "spool") for path in (ROOT / "workers" / folder).glob("*.sh"))


@pytest.fixture(scope="module")
def stage() -> dockerfile.Stage:
    (only,) = dockerfile.stages(ROOT / "deploy" / "agent" / "Dockerfile")
    return only


@pytest.fixture(scope="module")
def packages(stage: dockerfile.Stage) -> dict[str, Path]:
    return debian.resolve([*debian.BASE, *stage.packages])


@pytest.fixture(scope="module")
def root(packages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("agent") / "rootfs"
    debian.unpack(packages.values(), root)
    return root


def test_the_image_is_debians_with_nothing_but_packages_put_in(stage: dockerfile.Stage) -> None:
    assert stage.base.startswith("debian:")
    assert ":latest" not in stage.base
    assert {name for name, _ in stage.instructions} == {"RUN", "CMD"}
    (install,) = stage.all("RUN")
    assert {command.split()[0] for command in install.split(" && ")} == {"apt-get", "rm", "find"}


def needed() -> tuple[set[str], set[str]]:
    """Programs that are called for certain, and words that may be programs which another one starts."""
    texts = [path.read_text() for path in SCRIPTS]
    argv = agents.manifest("cap-debian", "podcap", IMAGE)["spec"]["containers"][0]["command"]
    called = {argv[0], "sh"}.union(*map(shell.commands, texts))
    return called, called.union(*map(shell.words, texts))


def test_every_program_that_the_scripts_call_is_in_the_image(root: Path) -> None:
    called, _ = needed()
    assert {"tcpdump", "ip", "bridge", "perl", "setsid", "timeout", "stat"} <= needed()[1]
    missing = {
        name for name in called if not any((root / "usr" / at / name).exists() for at in ("bin", "sbin"))
    }
    assert not missing


def test_the_packages_are_exactly_those_that_provide_what_the_base_lacks(
    stage: dockerfile.Stage, packages: dict[str, Path]
) -> None:
    base = debian.resolve(debian.BASE)
    _, words = needed()
    beyond = {name: debian.programs(file) & words for name, file in packages.items() if name not in base}
    assert {name for name, used in beyond.items() if used} == stage.packages
    assert "perl-base" in base


@pytest.fixture(scope="module")
def agent(lab: LabHandle, root: Path) -> Iterator[AgentPod]:
    """An agent pod of the image, as a worker makes it."""
    _hand_over(root, lab.places.images)
    with (
        connect(lab.places.kubeconfig) as cluster,
        agents.running(cluster, "cap-debian", "podcap", IMAGE) as agent,
    ):
        yield agent


def _hand_over(root: Path, images: Path) -> None:
    """Puts the root file system among the images of the lab's nodes; whole, or not at all."""
    # Where the machine has AppArmor, its profile of /usr/bin/tcpdump would confine the lab's containers, too:
    # they have none of their own.
    (root / "usr/local/bin").mkdir(parents=True, exist_ok=True)
    (root / "usr/bin/tcpdump").rename(root / "usr/local/bin/tcpdump")
    folder = images / "podcap-agent_debian"
    shutil.copytree(root, folder / "rootfs", symlinks=True)
    image = {
        "name": IMAGE,
        "id": f"sha256:{hashlib.sha256(IMAGE.encode()).hexdigest()}",
        "command": ["sleep", "900"],
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        "sizeBytes": 0,
    }
    new = folder / "image.json.new"
    new.write_text(json.dumps(image))
    new.rename(folder / "image.json")


@pytest.fixture
def cluster(lab: LabHandle) -> Iterator[Cluster]:
    with connect(lab.places.kubeconfig) as cluster:
        yield cluster


@pytest.fixture
def pod(lab: LabHandle, cluster: Cluster) -> Any:
    """One of the lab's pods on the agent pod's node."""
    found = next(pod for pod in lab.pods("task=cheddar") if pod["spec"]["nodeName"] == agents.NODE)
    return cluster.running_pod("traefik", found["metadata"]["name"])


def test_the_evidence_script_runs_in_it_without_one_failing_part(agent: AgentPod, pod: Any) -> None:
    done = agent.run(arguments("0123", pod), seconds=HANGS)
    ends = [line.split() for line in done.stdout.decode().splitlines() if line.startswith("@0123 ")]
    assert {code for _, _, code in ends} == {"0"}
    assert [name for _, name, _ in ends][-1] == "end"
    assert done.stderr == b""


@pytest.mark.parametrize(
    "command", ["ip -j -d link", "ip -j neigh", "ip -j route show", "bridge -j fdb show", "tcpdump --version"]
)
def test_every_program_that_was_installed_works_in_it(agent: AgentPod, command: str) -> None:
    done = agent.run(command.split(), seconds=HANGS)
    assert (done.exit_code, bool(done.stdout)) == (0, True)


def test_the_pod_is_found_with_it_at_high_confidence(agent: AgentPod, pod: Any) -> None:
    assert decide(gather(agent, pod), pod).confidence == "high"


def test_tcpdump_spools_a_pods_packets_in_it(
    lab: LabHandle, agent: AgentPod, pod: Any, tmp_path: Path
) -> None:
    spool, file = Spool(agent), tmp_path / "spool.pcap"
    limits = SpoolLimits(seconds=300, packets=20, bytes=1 << 20)
    spool.start(decide(gather(agent, pod), pod), "tcp port 80", limits)
    with subprocess.Popen(lab.command("traffic", "300"), stdout=subprocess.DEVNULL) as traffic:
        spool.follow(file)
        traffic.terminate()
    report = spool.finish(file)
    listing = subprocess.run(["tcpdump", "-n", "-r", file], capture_output=True, text=True, check=True).stdout
    assert (report.ended_by, report.packets_captured) == ("packets", 20)
    assert len(listing.splitlines()) == 20
    assert all(pod.ips[0] in line for line in listing.splitlines())


def test_a_spool_that_is_stopped_ends_in_it_in_good_order(agent: AgentPod, pod: Any, tmp_path: Path) -> None:
    spool, file = Spool(agent, directory="/spool/second"), tmp_path / "spool.pcap"
    agent.run(["mkdir", "/spool/second"], seconds=HANGS)
    spool.start(decide(gather(agent, pod), pod), "", SpoolLimits(seconds=300, packets=100_000, bytes=1 << 20))
    spool.follow(file, should_stop=lambda: True)
    assert spool.finish(file).ended_by == "stopped"
