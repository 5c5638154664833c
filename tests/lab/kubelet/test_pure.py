"""The kubelet's small decisions."""

import ipaddress
import json
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.lab.kubelet.addresses import DECOY_INDEXES, Addresses, interface_name
from deploy.lab.kubelet.environment import command_line, environment, expand
from deploy.lab.kubelet.program_lookup import complaint, resolve
from deploy.lab.kubelet.qos import pod_cgroup, qos_class
from deploy.lab.kubelet.quantities import parse_bytes
from deploy.lab.kubelet.refusal import refusal
from deploy.lab.kubelet.since import parse_since
from deploy.lab.plan import NODES

EVIDENCE = Path(__file__).parents[2] / "evidence"


def recorded_pods() -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads((EVIDENCE / "pods.json").read_text())["items"]
    return items


@pytest.mark.parametrize(
    ("quantity", "count"),
    [("64Mi", 67_108_864), ("1G", 10**9), ("1500000", 1_500_000), (512, 512), ("0.5Ki", 512), ("1.5", 2)],
)
def test_a_quantity_of_bytes(quantity: str | int, count: int) -> None:
    assert parse_bytes(quantity) == count


@pytest.mark.parametrize("nonsense", ["", "64MB", "-1", "Mi", "1 Gi", "64mi"])
def test_what_is_no_quantity_of_bytes(nonsense: str) -> None:
    with pytest.raises(ValueError, match="not a quantity of bytes"):
        parse_bytes(nonsense)


@given(st.integers(0, 2**50))
def test_a_plain_number_of_bytes_is_itself(count: int) -> None:
    assert parse_bytes(str(count)) == count


def test_a_recorded_pods_quality_of_service_is_the_recorded_one() -> None:
    for pod in recorded_pods():
        assert qos_class(pod["spec"]) == pod["status"]["qosClass"]


def test_a_pods_cgroup_is_named_as_recorded() -> None:
    lines = (EVIDENCE / "node1" / "pid-netns-cgroup.txt").read_text().splitlines()
    recorded = {f"/{line.split()[2].rsplit('/', 1)[0]}" for line in lines}
    ours = {
        pod_cgroup(pod["spec"], pod["metadata"]["uid"])
        for pod in recorded_pods()
        if pod["spec"]["nodeName"] == "node1" and not pod["spec"].get("hostNetwork")
    }

    assert ours
    assert ours <= recorded


def test_limits_alone_are_guaranteed_and_half_of_them_is_burstable() -> None:
    both = {"limits": {"cpu": "1", "memory": "1Gi"}}

    assert qos_class({"containers": [{"resources": both}]}) == "Guaranteed"
    assert qos_class({"containers": [{"resources": both}, {}]}) == "Burstable"
    assert pod_cgroup({"containers": [{"resources": both}]}, "u") == "/kubepods/podu"


@given(st.lists(st.booleans(), max_size=300))
def test_no_two_pods_have_one_address_and_all_are_the_nodes(takes: list[bool]) -> None:
    addresses, held = Addresses(NODES[1].pod_range), []
    for take in takes:
        if take:
            address = addresses.take()
            assert address not in held
            assert address != NODES[1].gateway
            assert ipaddress.ip_address(address) in ipaddress.ip_network(NODES[1].pod_range)
            held.append(address)
        elif held:
            addresses.give_back(held.pop(0))


def test_an_address_is_used_again_only_after_all_others() -> None:
    addresses = Addresses("10.244.1.0/24")
    first = addresses.take()
    addresses.give_back(first)
    others = [addresses.take() for _ in range(252)]

    assert first == "10.244.1.2"
    assert first not in others
    assert addresses.take() == first
    with pytest.raises(LookupError, match="no address is free"):
        addresses.take()


def test_interface_indexes_begin_with_decoys_and_never_repeat() -> None:
    addresses = Addresses("10.244.1.0/24")
    indexes = [addresses.interface_index() for _ in range(3000)]

    assert {11, 111, 1110} <= set(indexes[:3])
    assert tuple(islice(indexes, len(DECOY_INDEXES))) == DECOY_INDEXES
    assert len(set(indexes)) == len(indexes)
    assert min(indexes) > 3


def test_an_interface_name_fits_the_kernel_and_depends_on_the_pod() -> None:
    assert len(interface_name("one")) == 12
    assert interface_name("one") != interface_name("two")


def test_references_are_expanded_as_kubernetes_does() -> None:
    assert expand("$(A)-$$(A)-$(B)-$A", {"A": "x"}) == "x-$(A)-$(B)-$A"


@given(st.text())
def test_text_without_a_dollar_stays_as_it_is(text: str) -> None:
    assert expand(text.replace("$", ""), {"A": "x"}) == text.replace("$", "")


def test_a_field_that_cannot_be_had_is_refused() -> None:
    pod = {"metadata": {"name": "p", "uid": "u"}, "spec": {"nodeName": "n"}}
    entry = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}

    with pytest.raises(ValueError, match="env A: only a fieldRef"):
        environment(pod, {"env": [entry]}, [], "10.244.1.2", "192.168.1.20")


def test_a_containers_command_replaces_the_images_and_its_args_follow() -> None:
    assert command_line({"args": ["b"]}, ["a"], {}) == ["a", "b"]
    assert command_line({"command": ["c"], "args": ["$(X)"]}, ["a"], {"X": "1"}) == ["c", "1"]


def test_a_program_is_found_as_the_container_finds_it(tmp_path: Path) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "bin").symlink_to("usr/bin")
    (tmp_path / "usr/bin/tool").write_text("")
    (tmp_path / "usr/bin/tool").chmod(0o755)
    (tmp_path / "usr/bin/data").write_text("")
    (tmp_path / "usr/bin/absolute").symlink_to("/bin/tool")
    (tmp_path / "usr/bin/loop").symlink_to("loop")
    (tmp_path / "usr/bin/host").symlink_to("../../../../../../../../bin/sh")

    assert complaint(tmp_path, ["tool"], "/sbin:/bin", "/") is None
    assert complaint(tmp_path, ["absolute"], "/bin", "/") is None
    assert complaint(tmp_path, ["./tool"], "", "/bin") is None
    assert complaint(tmp_path, ["loop"], "/bin", "/") == 'exec: "loop": executable file not found in $PATH'
    assert complaint(tmp_path, ["host"], "/bin", "/") == 'exec: "host": executable file not found in $PATH'
    assert complaint(tmp_path, ["/bin/data"], "/bin", "/") == 'exec: "/bin/data": permission denied'
    assert complaint(tmp_path, ["/x"], "/bin", "/") == 'exec: "/x": stat /x: no such file or directory'


@given(st.lists(st.sampled_from(["..", "a", "b", ".", "/"]), max_size=12))
def test_no_path_leads_out_of_the_containers_root(parts: list[str]) -> None:
    root = Path("/no/such/root")
    found = resolve(root, PurePosixPath("/", *parts))

    assert found is not None
    assert found.is_relative_to(root)
    assert ".." not in found.parts


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"initContainers": [{}]}, "spec.initContainers is not supported"),
        ({"hostIPC": True}, "spec.hostIPC is not supported"),
        (
            {"volumes": [{"name": "root", "hostPath": {"path": "/"}}]},
            "volume 'root': hostPath is not supported",
        ),
        (
            {"containers": [{"name": "c", "securityContext": {"privileged": True}}]},
            "container 'c': securityContext.privileged is not supported",
        ),
        (
            {"containers": [{"name": "c", "livenessProbe": {"exec": {}}}]},
            "container 'c': livenessProbe other than tcpSocket and httpGet is not supported",
        ),
    ],
)
def test_what_the_kubelet_cannot_honour_is_refused_with_a_sentence(
    spec: dict[str, Any], sentence: str
) -> None:
    assert refusal({"spec": {"containers": [], **spec}}) == f"{sentence} by the lab's kubelet"


def test_recorded_pods_are_not_refused() -> None:
    assert [refusal(pod) for pod in recorded_pods()] == [None] * len(recorded_pods())


def test_since_is_a_time_or_so_many_seconds_ago() -> None:
    assert parse_since(None, None, 10**18) == 0
    assert parse_since(None, 5, 10**10) == 5 * 10**9
    assert parse_since("1970-01-01T00:00:02Z", None, 0) == 2 * 10**9
    with pytest.raises(ValueError, match="Invalid isoformat"):
        parse_since("yesterday", None, 0)
