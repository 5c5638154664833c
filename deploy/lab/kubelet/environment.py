"""A container's environment and command line, with Kubernetes' `$(NAME)` references resolved: pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_REFERENCE = re.compile(r"\$(?:\$|\((?P<name>[^()]+)\))")


def environment(
    pod: Mapping[str, Any],
    container: Mapping[str, Any],
    image_env: Sequence[str],
    pod_address: str,
    host_address: str,
) -> dict[str, str]:
    """Name -> value: the image's, the pod's host name, the container's own, in this order.

    Raises:
        ValueError: A `valueFrom` other than a `fieldRef` to one of the fields below.
    """
    fields = {
        "metadata.name": pod["metadata"]["name"],
        "metadata.namespace": pod["metadata"].get("namespace", "default"),
        "metadata.uid": pod["metadata"]["uid"],
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "status.podIP": pod_address,
        "status.hostIP": host_address,
    }
    values = dict(entry.partition("=")[::2] for entry in image_env)
    values["HOSTNAME"] = (
        pod["spec"]["nodeName"] if pod["spec"].get("hostNetwork") else pod["metadata"]["name"]
    )
    for entry in container.get("env") or ():
        if "valueFrom" in entry:
            path = (entry["valueFrom"].get("fieldRef") or {}).get("fieldPath")
            if path not in fields:
                raise ValueError(
                    f"env {entry['name']}: only a fieldRef to one of {', '.join(fields)} is supported"
                )
            values[entry["name"]] = fields[path]
        else:
            values[entry["name"]] = expand(entry.get("value") or "", values)
    return values


def command_line(
    container: Mapping[str, Any], image_command: Sequence[str], values: Mapping[str, str]
) -> list[str]:
    """The container's `command`, else the image's, and its `args`."""
    words = [*(container.get("command") or image_command), *(container.get("args") or ())]
    return [expand(word, values) for word in words]


def expand(text: str, values: Mapping[str, str]) -> str:
    """`$(NAME)` becomes the value if there is one and stays as it is otherwise; `$$` becomes `$`."""

    def replace(match: re.Match[str]) -> str:
        if match["name"] is None:
            return "$"
        return values.get(match["name"], match[0])

    return _REFERENCE.sub(replace, text)
