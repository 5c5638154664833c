"""The lab is closed: nodes see themselves alone, nothing leads out, the machine sees nothing new."""

import ipaddress
import json
import subprocess
import time
from pathlib import Path

import pytest

from deploy.lab.handle import LabHandle
from deploy.lab.plan import LAN, NODES, POD_RANGE, ROUTED_GATEWAY, SERVICE_RANGE
from tests.hangs import HANGS

NAMES = [node.name for node in NODES]
INSIDE = [ipaddress.IPv4Network(one) for one in (LAN, POD_RANGE, ROUTED_GATEWAY, SERVICE_RANGE)]


@pytest.mark.parametrize("name", NAMES)
def test_a_node_sees_its_own_processes_alone(lab: LabHandle, name: str) -> None:
    lines = lab.node(name, "sh", "-c", "cat /proc/[0-9]*/cgroup").splitlines()
    groups = {line.split(":", 2)[2] for line in lines}

    assert all(group.startswith(("/system", "/kubepods")) or group == "/" for group in groups)
    own = lab.node(name, "sh", "-c", "tr '\\0' ' ' </proc/1/cmdline")
    assert "deploy.lab.kubelet" in own
    assert name in own
    others = [other for other in NAMES if other != name]
    everyone = lab.node(name, "sh", "-c", "cat /proc/[0-9]*/cmdline").split("\0")
    assert not [word for word in everyone if word in others]


@pytest.mark.parametrize("name", NAMES)
def test_a_nodes_sysfs_shows_the_interfaces_of_its_own_network(lab: LabHandle, name: str) -> None:
    by_sysfs = set(lab.node(name, "ls", "/sys/class/net").split())
    by_netlink = {link["ifname"] for link in json.loads(lab.node(name, "ip", "-j", "link"))}

    assert by_sysfs == by_netlink
    assert {"lo", "eth0", "cni0"} <= by_sysfs


def test_no_route_of_a_node_or_of_the_client_leaves_the_lab(lab: LabHandle) -> None:
    tables = [lab.node(name, "ip", "-j", "route") for name in NAMES] + [lab.client("ip", "-j", "route")]

    for table in tables:
        destinations = [route["dst"] for route in json.loads(table)]
        assert "default" not in destinations
        for destination in destinations:
            assert any(ipaddress.IPv4Network(destination).subnet_of(net) for net in INSIDE)


def test_a_pod_cannot_reach_the_machine_or_the_world(lab: LabHandle) -> None:
    program = (
        "import socket, sys\n"
        "for address in (('192.0.2.1', 80), ('10.0.0.1', 443)):\n"
        "    try: socket.create_connection(address, 2)\n"
        "    except OSError as error: print(error.errno)\n"
    )

    answers = lab.exec("shopper", "python3", "-c", program).split()

    assert answers == ["101", "101"]  # ENETUNREACH, said by the node at once


def test_the_machine_has_no_interface_of_the_lab(lab: LabHandle) -> None:
    links = json.loads(subprocess.run(["ip", "-j", "link"], capture_output=True, check=True).stdout)
    names = {link["ifname"] for link in links}
    ours = {
        link["address"]
        for name in NAMES
        for link in json.loads(lab.node(name, "ip", "-j", "link"))
        if link["ifname"] != "lo"
    }

    assert not names & {"cni0", "br0", "client", *NAMES}
    # Loopback, and tunnels without an address, have this one on every machine.
    assert not (ours & {link["address"] for link in links}) - {"00:00:00:00:00:00"}


def test_the_machine_sees_no_mount_of_the_lab(lab: LabHandle) -> None:
    mounts = Path("/proc/self/mountinfo").read_text()

    assert str(lab.directory) not in mounts
    assert lab.places.key not in mounts


def test_a_container_sees_neither_the_project_nor_the_machines_files(lab: LabHandle) -> None:
    project = str(Path(__file__).parents[2])
    seen = lab.exec("shopper", "sh", "-c", f"ls -d {project} /home /boot /var/lib/dpkg 2>/dev/null; ls /")

    assert set(seen.split()) <= {
        *("bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "opt", "proc", "root", "run", "sbin"),
        *("srv", "sys", "tmp", "usr", "var"),
    }


def test_what_a_container_writes_never_reaches_the_image(lab: LabHandle) -> None:
    lab.exec("shopper", "sh", "-c", "echo changed >/usr/bin/whoami; rm /usr/bin/yes; touch /new")
    root = lab.places.images / "cheddar_lab" / "rootfs"

    assert (root / "usr/bin/whoami").read_bytes().startswith(b"\x7fELF")
    assert (root / "usr/bin/yes").exists()
    assert not (root / "new").exists()


def test_a_distroless_pod_has_no_shell_and_no_coreutils(lab: LabHandle) -> None:
    programs = {path.name for path in (lab.places.images / "distroless_lab/rootfs/usr/bin").iterdir()}

    assert programs == {"python3"}


def test_the_node_that_is_lost_has_no_process(lab: LabHandle) -> None:
    with pytest.raises(Exception, match="the lab runs no node 'k8s-node04'"):
        lab.node("k8s-node04", "true")
    conditions = lab.get("node", "k8s-node04", "")["status"]["conditions"]
    ready = next(one for one in conditions if one["type"] == "Ready")

    assert ready["status"] == "Unknown"
    assert lab.get("pod", "lost")["status"]["phase"] == "Running"


def test_a_command_on_a_node_ends_with_whoever_started_it(lab: LabHandle) -> None:
    watched = ["sh", "-c", "echo $$; exec sleep 1000"]
    command = lab.command("node", NAMES[0], *watched)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        there = f"/proc/{process.stdout.readline().strip()}"
        assert lab.node(NAMES[0], "cat", f"{there}/comm").strip() in {"sh", "sleep"}
        process.terminate()

    deadline = time.monotonic() + HANGS
    while lab.node(NAMES[0], "sh", "-c", f"test -d {there} && echo there || :"):
        assert time.monotonic() < deadline, "it runs on"
