"""What a kubelet is told of a pod that refers to ConfigMaps and Secrets."""

import base64
from typing import Any

import pytest

from deploy.lab.apiserver.handover import MissingError, handed_over
from deploy.lab.apiserver.resource import Resource

OBJECTS = {
    ("configmaps", "settings"): {"data": {"LEVEL": "info", "b": "2"}, "binaryData": {"c": "Mw=="}},
    ("secrets", "slack"): {"data": {"token": base64.b64encode(b"xoxb-1").decode()}},
}


def find(resource: Resource, name: str) -> Any:
    return OBJECTS.get((resource.plural, name))


def pod(container: dict[str, Any], *volumes: dict[str, Any]) -> dict[str, Any]:
    spec = {"containers": [{"name": "main", "image": "i:1", **container}], "volumes": list(volumes)}
    return {"metadata": {"name": "it", "namespace": "inst"}, "spec": spec}


def given(container: dict[str, Any], *volumes: dict[str, Any]) -> Any:
    return handed_over(pod(container, *volumes), find)["spec"]


def env(kind: str, name: str, key: str, **more: Any) -> dict[str, Any]:
    return {"name": "V", "valueFrom": {kind: {"name": name, "key": key, **more}}}


def test_variables_become_plain_ones_and_the_containers_own_come_last() -> None:
    container = {
        "env": [env("secretKeyRef", "slack", "token"), {"name": "A", "value": "$(V)"}],
        "envFrom": [{"configMapRef": {"name": "settings"}, "prefix": "P_"}],
    }

    spec = given(container)

    assert [(one["name"], one["value"]) for one in spec["containers"][0]["env"]] == [
        ("P_LEVEL", "info"),
        ("P_b", "2"),
        ("P_c", "3"),
        ("V", "xoxb-1"),
        ("A", "$(V)"),
    ]
    assert "envFrom" not in spec["containers"][0]


@pytest.mark.parametrize(
    ("container", "volume", "waiting", "message"),
    [
        (
            {},
            {"name": "a", "configMap": {"name": "nope"}},
            "ContainerCreating",
            'MountVolume.SetUp failed for volume "a" : configmap "nope" not found',
        ),
        (
            {},
            {"name": "a", "secret": {"secretName": "slack"}},
            "ContainerCreating",
            (
                'MountVolume.SetUp failed for volume "a" : '
                "the lab's kubelet mounts no Secret that holds anything"
            ),
        ),
        (
            {"env": [env("secretKeyRef", "nope", "x")]},
            {"name": "a", "emptyDir": {}},
            "CreateContainerConfigError",
            'secret "nope" not found',
        ),
        (
            {"env": [env("secretKeyRef", "slack", "nope")]},
            {"name": "a", "emptyDir": {}},
            "CreateContainerConfigError",
            "couldn't find key nope in Secret inst/slack",
        ),
    ],
)
def test_a_pod_waits_for_what_is_missing_and_says_what(
    container: dict[str, Any], volume: dict[str, Any], waiting: str, message: str
) -> None:
    with pytest.raises(MissingError) as missing:
        given(container, volume)

    assert (missing.value.waiting, str(missing.value)) == (waiting, message)


def test_what_is_optional_may_be_missing() -> None:
    container = {
        "env": [env("configMapKeyRef", "settings", "nope", optional=True)],
        "envFrom": [{"secretRef": {"name": "nope", "optional": True}}],
    }

    spec = given(container, {"name": "a", "configMap": {"name": "nope", "optional": True}})

    assert spec["containers"][0]["env"] == []
    assert spec["volumes"] == [{"name": "a", "projected": {"sources": []}}]


def test_the_object_in_the_store_stays_as_it_was() -> None:
    original = pod({"env": [env("secretKeyRef", "slack", "token")]})

    handed_over(original, find)

    assert original["spec"]["containers"][0]["env"][0]["valueFrom"]["secretKeyRef"]["key"] == "token"
