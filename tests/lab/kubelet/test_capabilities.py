"""Capabilities and the system-call filter, as containerd decides them."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.lab.kubelet.capabilities import ALL, DEFAULT, granted, in_mask
from deploy.lab.kubelet.seccomp import runtime_default

names = st.sets(st.sampled_from(ALL))


def context(add: list[str], drop: list[str]) -> dict[str, object]:
    return {"capabilities": {"add": add, "drop": drop}}


def test_the_default_is_what_a_real_containers_mask_says() -> None:
    assert set(DEFAULT) == in_mask(0xA80425FB)
    assert set(granted({})) == set(DEFAULT)


@given(names, names)
def test_drop_comes_before_add(add: set[str], drop: set[str]) -> None:
    assert set(granted(context(sorted(add), sorted(drop)))) == (set(DEFAULT) - drop) | add


@given(names)
def test_dropping_all_leaves_what_is_added(add: set[str]) -> None:
    assert set(granted(context([f"CAP_{name}" for name in add], ["all"]))) == add


@given(names)
def test_adding_all_adds_what_the_runtime_has(available: set[str]) -> None:
    assert set(granted(context(["ALL"], ["ALL"]), available)) == available


def test_an_unknown_capability_is_named() -> None:
    with pytest.raises(ValueError, match="unknown capability: SYS_EVERYTHING"):
        granted(context(["SYS_EVERYTHING"], []))


@given(names)
def test_the_filter_denies_a_guarded_call_exactly_without_its_capability(capabilities: set[str]) -> None:
    rules = runtime_default(capabilities)["syscalls"]
    denied = set(chain.from_iterable(rule["names"] for rule in rules if "args" not in rule))

    assert ("setns" in denied) == ("SYS_ADMIN" not in capabilities)
    assert ("clone3" in denied) == ("SYS_ADMIN" not in capabilities)
    assert ("bpf" in denied) == (not capabilities & {"SYS_ADMIN", "BPF"})
    assert ("chroot" in denied) == ("SYS_CHROOT" not in capabilities)
    assert "keyctl" in denied
    assert not denied & {"ptrace", "socket", "read"}


def test_no_flag_for_a_new_namespace_passes_without_sys_admin() -> None:
    rules = runtime_default(())["syscalls"]
    flags = [rule["args"][0]["value"] for rule in rules if rule["names"] == ["clone"]]

    assert sum(flags) == 0x7E020000
    assert all(rule["args"][0]["valueTwo"] == rule["args"][0]["value"] for rule in rules if "args" in rule)
