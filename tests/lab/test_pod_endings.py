"""However a pod ends, it ends as in a real cluster and leaves nothing."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable

import aiohttp
import pytest

from deploy.lab.handle import LabHandle
from tests.hangs import HANGS

V5 = "v5.channel.k8s.io"


def processes_of(lab: LabHandle, uid: str, node: str = "k8s-node01") -> list[str]:
    """The command lines of all processes on a node that belong to a pod."""
    find = 'grep -ls "$1" /proc/[0-9]*/cgroup | cut -d/ -f3'
    script = f'for p in $({find}); do tr "\\0" " " <"/proc/$p/cmdline"; echo; done'
    return [
        line for line in lab.node(node, "sh", "-c", script, "sh", f"pod{uid}").splitlines() if line.strip()
    ]


def eventually(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + HANGS
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_an_empty_dir_over_its_limit_gets_the_pod_evicted_spool_and_all(lab: LabHandle) -> None:
    container = {"volumeMounts": [{"name": "spool", "mountPath": "/spool"}]}
    volumes = [{"name": "spool", "emptyDir": {"sizeLimit": "8Mi"}}]
    with lab.pod("full", container, volumes=volumes) as pod:
        uid = pod["metadata"]["uid"]
        lab.exec("full", *["dd", "if=/dev/zero", "of=/spool/a", "bs=1M", "count=7"], namespace="podcap")
        time.sleep(2)
        assert lab.get("pod", "full", "podcap")["status"]["phase"] == "Running"

        lab.exec("full", *["dd", "if=/dev/zero", "of=/spool/b", "bs=1M", "count=3"], namespace="podcap")
        status = lab.wait_for("full", lambda one: one["status"]["phase"] == "Failed", "podcap")["status"]
        eventually(lambda: not processes_of(lab, uid), "an evicted pod's processes are killed")
        disk = lab.places.nodes / "k8s-node01" / "disk" / "pods" / uid / "volumes"
        eventually(lambda: not disk.exists(), "an evicted pod's volumes are removed")

    assert status["reason"] == "Evicted"
    assert status["message"] == 'Usage of EmptyDir volume "spool" exceeds the limit "8Mi". '


def test_an_empty_dir_in_memory_is_full_at_its_limit(lab: LabHandle) -> None:
    container = {"volumeMounts": [{"name": "spool", "mountPath": "/spool"}]}
    volumes = [{"name": "spool", "emptyDir": {"medium": "Memory", "sizeLimit": "4Mi"}}]
    with lab.pod("memory", container, volumes=volumes), pytest.raises(RuntimeError, match="No space left"):
        lab.exec("memory", *["dd", "if=/dev/zero", "of=/spool/a", "bs=1M", "count=5"], namespace="podcap")


def test_a_pod_is_ended_at_its_deadline(lab: LabHandle) -> None:
    with lab.pod("late", {}, phase="Failed", activeDeadlineSeconds=2, terminationGracePeriodSeconds=0) as pod:
        uid = pod["metadata"]["uid"]
        eventually(lambda: not processes_of(lab, uid), "a pod at its deadline is killed")

    assert pod["status"]["reason"] == "DeadlineExceeded"
    assert pod["status"]["message"] == "Pod was active on the node longer than the specified deadline"


def test_deleting_a_pod_kills_what_it_left_detached_on_its_node(lab: LabHandle) -> None:
    with lab.pod("detaching", {}, hostPID=True, hostNetwork=True) as pod:
        uid = pod["metadata"]["uid"]
        grandchild = "setsid sh -c 'setsid sleep 4712 & sleep 4713'"
        quietly = "</dev/null >/dev/null 2>&1 &"
        detach = f"setsid sleep 4711 {quietly} {grandchild} {quietly}"
        lab.exec("detaching", "sh", "-c", detach, namespace="podcap")
        before = processes_of(lab, uid)
        lab.delete_pod("detaching", "podcap")
        after = processes_of(lab, uid)

    assert {"sleep 4711 ", "sleep 4712 ", "sleep 4713 "} <= set(before)
    assert after == []


def test_a_deleted_pod_leaves_no_interface_no_namespace_no_cgroup_and_no_file(lab: LabHandle) -> None:
    def left() -> tuple[str, str, str, str]:
        return (
            lab.node("k8s-node01", "ls", "/sys/class/net"),
            lab.node("k8s-node01", "sh", "-c", "find /sys/fs/cgroup -type d -name 'pod*' | sort"),
            lab.node("k8s-node01", "sh", "-c", "ls /var/lib/kubelet/pods /run/containers /run/crun"),
            lab.node("k8s-node01", "sh", "-c", "grep -c overlay /proc/self/mountinfo"),
        )

    before = left()
    with lab.pod("passing", {}):
        assert left() != before

    assert left() == before


def test_a_process_that_asks_for_time_gets_its_grace(lab: LabHandle) -> None:
    script = (
        "trap 'sleep 1; echo bye >/dev/termination; exit 0' TERM; echo waiting; while :; do sleep 0.1; done"
    )
    with lab.pod("graceful", {"command": ["sh", "-c", script]}, terminationGracePeriodSeconds=60):
        eventually(lambda: "waiting" in lab.kubectl("logs", "-n", "podcap", "graceful"), "the trap is set")
        began = time.monotonic()
        lab.delete_pod("graceful", "podcap")
        took = time.monotonic() - began

    assert took < 60


async def start_and_cut(lab: LabHandle, uid: str, *command: str) -> int:
    """Execs over the kubelet's own socket, reads one frame of output and cuts the connection; its length."""
    connector = aiohttp.UnixConnector(str(lab.places.socket("k8s-node01")))
    query = [("command", word) for word in command] + [("stdout", "true"), ("stderr", "true")]
    async with aiohttp.ClientSession("http://kubelet", connector=connector) as session:
        socket = await session.ws_connect(f"/pods/{uid}/exec", params=query, protocols=(V5,))
        await socket.receive()
        frame = await socket.receive()
        transport = socket._response.connection.transport  # type: ignore[union-attr]
        assert transport is not None
        transport.abort()
        return len(frame.data)


@pytest.mark.parametrize("command", [["tail", "-f", "/etc/passwd"], ["sh", "-c", "echo 1; exec sleep 4714"]])
def test_a_process_whose_exec_connection_was_cut_lives_on(lab: LabHandle, command: list[str]) -> None:
    with lab.pod("cut", {}) as pod:
        uid = pod["metadata"]["uid"]
        asyncio.run(start_and_cut(lab, uid, *command))
        time.sleep(1)
        alive = processes_of(lab, uid)

    assert any(line.startswith((" ".join(command), "sleep 4714")) for line in alive)


def test_a_process_nobody_reads_waits_when_its_pipe_is_full(lab: LabHandle) -> None:
    with lab.pod("unread", {}) as pod:
        uid = pod["metadata"]["uid"]
        asyncio.run(start_and_cut(lab, uid, "sh", "-c", "cat /dev/zero; echo $? >/tmp/ended"))
        time.sleep(1)
        script = "cat /proc/$(grep -l '^cat' /proc/[0-9]*/cmdline | cut -d/ -f3)/wchan; ls /tmp"
        said = lab.exec("unread", "sh", "-c", script, namespace="podcap")
        alive = processes_of(lab, uid)

    assert "cat /dev/zero " in alive
    assert "ended" not in said


def test_a_closed_exec_ends_the_input_of_its_process(lab: LabHandle) -> None:
    said = lab.kubectl("exec", "-i", "-n", "traefik", "shopper", "--", "wc", "-c", text="x" * 1_000)

    assert said.strip() == "1000"


async def heard_of_each(lab: LabHandle, uid: str, count: int) -> list[set[bytes]]:
    """What the processes of execs write that stay open side by side, each with both outputs."""
    connector = aiohttp.UnixConnector(str(lab.places.socket("k8s-node01")))
    words = ["sh", "-c", "echo heard; echo heard >&2; exec sleep 60"]
    query = [("command", word) for word in words] + [("stdout", "true"), ("stderr", "true")]
    heard = []
    async with aiohttp.ClientSession("http://kubelet", connector=connector) as session:
        for _ in range(count):
            socket = await session.ws_connect(f"/pods/{uid}/exec", params=query, protocols=(V5,))
            await socket.receive(timeout=HANGS)
            heard.append({(await socket.receive(timeout=HANGS)).data for _ in range(2)})
    return heard


def test_the_execs_after_one_that_was_cut_hear_their_processes(lab: LabHandle) -> None:
    """The cut one ends while somebody else still holds its standard error.

    The later ones stay open, so that every file number that the kubelet had for the cut one is used again.
    """
    with lab.pod("deaf", {}) as pod:
        uid = pod["metadata"]["uid"]
        ends_first = "sleep 4716 >/dev/null & exec timeout 1 cat /dev/zero"
        asyncio.run(start_and_cut(lab, uid, "sh", "-c", ends_first))
        eventually(lambda: not any("cat" in line for line in processes_of(lab, uid)), "cat ends")
        left = processes_of(lab, uid)
        heard = asyncio.run(heard_of_each(lab, uid, 6))

    assert "sleep 4716 " in left
    assert heard == [{b"\x01heard\n", b"\x02heard\n"}] * 6


def test_a_detached_process_lives_on_after_its_exec_has_returned(lab: LabHandle) -> None:
    with lab.pod("leaving", {}) as pod:
        lab.exec("leaving", "sh", "-c", "setsid sleep 4715 </dev/null >/dev/null 2>&1 &", namespace="podcap")
        alive = processes_of(lab, pod["metadata"]["uid"])

    assert "sleep 4715 " in alive


def test_a_terminal_is_a_terminal_with_the_size_it_is_given(lab: LabHandle) -> None:
    async def ask() -> str:
        uid = lab.get("pod", "shopper")["metadata"]["uid"]
        connector = aiohttp.UnixConnector(str(lab.places.socket("k8s-node01")))
        wait = 'until [ "${size#* }" = 132 ]; do sleep 0.1; size=$(stty size); done'
        words = ["sh", "-c", f"{wait}; stty size; tty; read line; echo got $line"]
        query = [("command", word) for word in words]
        query += [("stdin", "true"), ("stdout", "true"), ("tty", "true")]
        async with (
            aiohttp.ClientSession("http://kubelet", connector=connector) as session,
            session.ws_connect(f"/pods/{uid}/exec", params=query, protocols=(V5,)) as socket,
        ):
            said = b""
            while b"/dev/" not in said:
                # Again and again, as a window that is dragged: crun takes no size while it sets up.
                for height in (42, 43):
                    size = json.dumps({"Width": 132, "Height": height})
                    await socket.send_bytes(b"\x04" + size.encode())
                with contextlib.suppress(TimeoutError):
                    said += (await socket.receive(timeout=0.2)).data[1:]
            await socket.send_bytes(b"\x00cheese\n")
            return (said + b"".join([one.data[1:] async for one in socket if one.data[0] == 1])).decode()

    said = asyncio.run(ask())

    assert "42 132" in said or "43 132" in said
    assert "/dev/pts/" in said
    assert "got cheese" in said
