"""The parts that only compute: selectors, patches, names, quantities, pages, tables, protobuf, access."""

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.lab.apiserver import names, protobuf, quantity, rbac, schema, selectors, table, times
from deploy.lab.apiserver.listing import page
from deploy.lab.apiserver.patch import json_patch, merge_patch
from deploy.lab.apiserver.requestinfo import RequestInfo, parse
from deploy.lab.apiserver.resources import PODS, RESOURCES
from deploy.lab.apiserver.status import ApiError
from deploy.lab.apiserver.store import Change
from deploy.lab.apiserver.strategic import strategic_merge
from deploy.lab.apiserver.watch import seen

WORDS = st.text("abcxyz", min_size=1, max_size=3)
LABELS = st.dictionaries(WORDS, WORDS, max_size=4)
JSON = st.recursive(
    st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(WORDS, JSON, max_size=4)


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        ("", {}, True),
        ("app=web", {"app": "web"}, True),
        ("app==web", {"app": "api"}, False),
        ("app!=web", {}, True),
        ("app in (web, api)", {"app": "api"}, True),
        ("app in (web,api),tier", {"app": "api"}, False),
        ("app notin (web)", {}, True),
        ("app notin (web)", {"app": "web"}, False),
        ("!app", {}, True),
        ("app", {"app": ""}, True),
        ("n>3", {"n": "4"}, True),
        ("n<3", {"n": "x"}, False),
        ("podcap.dev/capture=cap-1", {"podcap.dev/capture": "cap-1"}, True),
    ],
)
def test_label_selectors_of_every_form(selector: str, labels: dict[str, str], expected: bool) -> None:
    assert all(met(labels) for met in selectors.parse_labels(selector)) is expected


@given(LABELS, LABELS)
def test_a_selector_of_equalities_matches_exactly_its_supersets(
    wanted: dict[str, str], labels: dict[str, str]
) -> None:
    text = ",".join(f"{key}={value}" for key, value in wanted.items())
    superset = all(labels.get(key) == value for key, value in wanted.items())

    assert all(met(labels) for met in selectors.parse_labels(text)) is superset
    assert selectors.of_object({"matchLabels": wanted})(labels) is superset


@given(LABELS, WORDS, st.lists(WORDS, min_size=1, max_size=3))
def test_notin_is_the_opposite_of_in(labels: dict[str, str], key: str, values: list[str]) -> None:
    inside = {"matchExpressions": [{"key": key, "operator": "In", "values": values}]}
    outside = {"matchExpressions": [{"key": key, "operator": "NotIn", "values": values}]}

    assert selectors.of_object(inside)(labels) is not selectors.of_object(outside)(labels)


def test_no_selector_selects_nothing_and_an_empty_one_everything() -> None:
    assert not selectors.of_object(None)({"a": "b"})
    assert selectors.of_object({})({"a": "b"})


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_twice_is_a_merge_patch_once(target: Any, patch: Any) -> None:
    once = merge_patch(target, patch)

    assert merge_patch(once, patch) == once


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_leaves_the_target_and_what_it_does_not_name(target: Any, patch: Any) -> None:
    before = copy.deepcopy(target)

    result = merge_patch(target, patch)

    assert target == before
    assert {k: v for k, v in result.items() if k not in patch} == {
        k: v for k, v in target.items() if k not in patch
    }


@given(OBJECTS, WORDS, JSON)
def test_a_json_patch_that_adds_and_removes_leaves_everything_as_it_was(
    target: dict[str, Any], key: str, value: Any
) -> None:
    target = {k: v for k, v in target.items() if k != key}
    steps = [{"op": "add", "path": f"/{key}", "value": value}, {"op": "remove", "path": f"/{key}"}]

    assert json_patch(target, steps[:1]) == target | {key: value}
    assert json_patch(target, steps) == target


def test_json_patch_escapes_moves_and_appends() -> None:
    target = {"a/b": {"c~d": [1, 2]}, "e": 5}
    patch = [
        {"op": "add", "path": "/a~1b/c~0d/-", "value": 3},
        {"op": "move", "from": "/e", "path": "/f"},
        {"op": "copy", "from": "/f", "path": "/a~1b/g"},
    ]

    assert json_patch(target, patch) == {"a/b": {"c~d": [1, 2, 3], "g": 5}, "f": 5}


def test_a_strategic_patch_merges_containers_by_name_and_ports_by_number() -> None:
    pod = {
        "spec": {
            "containers": [
                {"name": "a", "image": "a:1", "ports": [{"containerPort": 80}], "args": ["x"]},
                {"name": "b", "image": "b:1"},
            ]
        }
    }
    patch = {
        "spec": {
            "containers": [
                {
                    "name": "a",
                    "ports": [{"containerPort": 81}, {"containerPort": 80, "name": "http"}],
                    "args": ["y"],
                },
                {"name": "b", "$patch": "delete"},
                {"name": "c", "image": "c:1"},
            ],
            "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
        }
    }

    containers = strategic_merge("V1Pod", pod, patch)["spec"]["containers"]

    assert containers == [
        {"name": "c", "image": "c:1"},
        {
            "name": "a",
            "image": "a:1",
            "ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 81}],
            "args": ["y"],
        },
    ]


def test_a_strategic_patch_replaces_retains_and_deletes_from_lists() -> None:
    old = {"metadata": {"finalizers": ["a", "b"], "labels": {"x": "1"}}, "spec": {"type": "NodePort", "x": 1}}
    patch = {
        "metadata": {"$deleteFromPrimitiveList/finalizers": ["a"], "labels": {"$patch": "replace", "y": "2"}},
        "spec": {"$retainKeys": ["type"]},
    }

    assert strategic_merge("V1Service", old, patch) == {
        "metadata": {"finalizers": ["b"], "labels": {"y": "2"}},
        "spec": {"type": "NodePort"},
    }


def test_a_strategic_patch_without_its_merge_key_is_refused() -> None:
    pod = {"spec": {"containers": [{"name": "a"}]}}

    with pytest.raises(ApiError, match="does not contain declared merge key: name"):
        strategic_merge("V1Pod", pod, {"spec": {"containers": [{"image": "x"}]}})


@given(OBJECTS)
def test_a_strategic_patch_with_itself_changes_nothing(value: Any) -> None:
    assert strategic_merge("", value, value) == value


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", min_size=1, max_size=260))
def test_a_generated_name_is_as_good_as_its_prefix(prefix: str) -> None:
    made = names.generated(prefix)

    assert len(made) <= 63
    assert bool(names.subdomain("name", made)) == bool(names.subdomain("name", f"{prefix[:58]}b"))


@pytest.mark.parametrize("name", ["web", "a", "0", "a-b.c", "a" * 253])
def test_good_names(name: str) -> None:
    assert names.subdomain("name", name) == []


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "a..b", "a" * 254, "a\n", "ä"])
def test_bad_names(name: str) -> None:
    assert names.subdomain("name", name)


@given(st.integers(0, 10**6), st.sampled_from(["", "k", "M", "G", "Ki", "Mi", "Gi", "m"]))
def test_quantities_are_exact(number: int, suffix: str) -> None:
    factors = {"": 1, "k": 1000, "M": 10**6, "G": 10**9, "Ki": 1024, "Mi": 1024**2, "Gi": 1024**3}
    factor = Decimal(1) / 1000 if suffix == "m" else Decimal(factors[suffix])

    assert quantity.parse(f"{number}{suffix}") == number * factor


@pytest.mark.parametrize("text", ["", "much", "1 Gi", "1gi", "--1", "1e", "0x10"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match"):
        quantity.parse(text)


def item(name: str, namespace: str = "") -> dict[str, Any]:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"metadata": metadata | {"labels": {}}}


@given(st.sets(st.tuples(WORDS, WORDS), max_size=20), st.integers(1, 7))
def test_pages_of_any_size_hold_everything_once_in_order(keys: set[tuple[str, str]], limit: int) -> None:
    objects = [item(name, namespace) for namespace, name in sorted(keys)]
    found: list[Any] = []
    token = ""
    while True:
        one = page(objects, 7, limit, token, selected=False, namespaced=False)
        assert len(one.items) <= limit
        found += one.items
        token = one.metadata.get("continue", "")
        if not token:
            break
        assert one.metadata["remainingItemCount"] == len(objects) - len(found)

    assert found == objects


@pytest.mark.parametrize(
    ("method", "path", "query", "expected"),
    [
        ("GET", "/api/v1/namespaces/a/pods", {}, ("list", "", "pods", "", "a", "")),
        ("GET", "/api/v1/pods", {"watch": "1"}, ("watch", "", "pods", "", "", "")),
        ("GET", "/api/v1/namespaces/a/pods/b/exec", {}, ("get", "", "pods", "exec", "a", "b")),
        (
            "DELETE",
            "/apis/apps/v1/namespaces/a/deployments",
            {},
            ("deletecollection", "apps", "deployments", "", "a", ""),
        ),
        ("GET", "/api/v1/namespaces/a", {}, ("get", "", "namespaces", "", "a", "a")),
        ("PUT", "/api/v1/namespaces/a/status", {}, ("update", "", "namespaces", "status", "a", "a")),
        ("GET", "/api/v1/nodes", {"fieldSelector": "metadata.name=n"}, ("list", "", "nodes", "", "", "n")),
        ("GET", "/version", {}, ("get", "", "", "", "", "")),
        ("GET", "/apis/apps/v1", {}, ("get", "", "", "", "", "")),
    ],
)
def test_requests_are_read_as_rbac_reads_them(
    method: str, path: str, query: dict[str, str], expected: tuple[str, ...]
) -> None:
    info = parse(method, path, query)

    assert (info.verb, info.group, info.resource, info.subresource, info.namespace, info.name) == expected


@given(st.text("/abcdefg ?%", max_size=40))
def test_any_path_can_be_read(path: str) -> None:
    assert parse("GET", f"/{path}", {}).path == f"/{path}"


@pytest.mark.parametrize(
    ("rule", "asked", "expected"),
    [
        ({"resources": ["pods"]}, {"resource": "pods"}, True),
        ({"resources": ["pods"]}, {"resource": "pods", "subresource": "exec"}, False),
        ({"resources": ["pods/exec"]}, {"resource": "pods"}, False),
        ({"resources": ["*"]}, {"resource": "pods", "subresource": "exec"}, True),
        ({"resources": ["*/exec"]}, {"resource": "pods", "subresource": "exec"}, True),
        ({"resources": ["pods/*"]}, {"resource": "pods", "subresource": "exec"}, False),
        ({"resources": ["pods"], "apiGroups": ["apps"]}, {"resource": "pods"}, False),
        ({"resources": ["pods"], "resourceNames": ["a"]}, {"resource": "pods"}, False),
        ({"resources": ["pods"], "resourceNames": ["a"]}, {"resource": "pods", "name": "a"}, True),
        ({"resources": ["pods"], "verbs": ["list"]}, {"resource": "pods"}, False),
    ],
)
def test_what_a_rule_covers(rule: dict[str, Any], asked: dict[str, str], expected: bool) -> None:
    whole = {"verbs": ["get"], "apiGroups": [""]} | rule

    assert rbac.covers(whole, RequestInfo("get", "/", **asked)) is expected


def test_what_a_rule_covers_outside_the_resources() -> None:
    rule = {"verbs": ["get"], "nonResourceURLs": ["/api/*", "/version"]}

    assert rbac.covers(rule, RequestInfo("get", "/version"))
    assert rbac.covers(rule, RequestInfo("get", "/api/v1"))
    assert not rbac.covers(rule, RequestInfo("get", "/apis"))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.booleans()), max_size=20))
def test_a_watch_with_a_selector_replays_to_the_list_with_that_selector(
    steps: list[tuple[str, bool, bool]],
) -> None:
    """Whatever happens to three objects, who applies the watch's events has what a list would show."""
    now: dict[str, dict[str, Any]] = {}
    replayed: dict[str, Any] = {}

    def matches(value: dict[str, Any]) -> bool:
        return value["metadata"]["labels"].get("on") == "yes"

    for name, exists, on in steps:
        before = now.get(name)
        after = item(name)
        after["metadata"]["labels"] = {"on": "yes"} if on else {}
        if exists:
            now[name] = after
            kind = "ADDED" if before is None else "MODIFIED"
        elif before is not None:
            del now[name]
            after, kind = before, "DELETED"
        else:
            continue
        event = seen(Change(1, kind, "configmaps", after, before), matches)
        if event is None:
            continue
        if event[0] == "DELETED":
            del replayed[name]
        else:
            assert (name in replayed) is (event[0] == "MODIFIED")
            replayed[name] = event[1]

    assert replayed == {name: value for name, value in now.items() if matches(value)}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (200, "3m20s"),
        (600, "10m"),
        (3 * 3600 + 60, "3h1m"),
        (90000, "25h"),
        (3 * 86400, "3d"),
    ],
)
def test_ages_read_as_kubectl_prints_them(seconds: int, text: str) -> None:
    assert times.duration(seconds) == text


def test_a_table_of_pods_has_kubectls_columns() -> None:
    pod = item("web", "traefik") | {
        "spec": {"containers": [{"name": "a"}, {"name": "b"}], "nodeName": "k8s-node01"},
        "status": {
            "phase": "Running",
            "podIP": "10.244.1.2",
            "containerStatuses": [
                {"name": "a", "ready": True, "restartCount": 2, "state": {"running": {}}},
                {
                    "name": "b",
                    "ready": False,
                    "restartCount": 0,
                    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                },
            ],
        },
    }

    made = table.as_table(PODS, [pod], {})

    columns = [(one["name"], one["priority"]) for one in made["columnDefinitions"]]
    assert columns == [
        ("Name", 0), ("Ready", 0), ("Status", 0), ("Restarts", 0), ("Age", 0),
        ("IP", 1), ("Node", 1), ("Nominated Node", 1), ("Readiness Gates", 1),
    ]  # fmt: skip
    assert made["rows"][0]["cells"] == [
        "web", "1/2", "CrashLoopBackOff", "2", "<unknown>", "10.244.1.2", "k8s-node01", "<none>", "<none>",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "deleted", "word"),
    [
        ({"phase": "Pending"}, False, "Pending"),
        ({"phase": "Failed", "reason": "Evicted"}, False, "Evicted"),
        (
            {"phase": "Succeeded", "containerStatuses": [{"state": {"terminated": {"reason": "Completed"}}}]},
            False,
            "Completed",
        ),
        (
            {"phase": "Running", "containerStatuses": [{"state": {"terminated": {"exitCode": 3}}}]},
            False,
            "ExitCode:3",
        ),
        ({"phase": "Running"}, True, "Terminating"),
    ],
)
def test_the_word_for_a_pods_status(status: dict[str, Any], deleted: bool, word: str) -> None:
    pod = item("web") | {"spec": {"containers": [{}]}, "status": status}
    if deleted:
        pod["metadata"]["deletionTimestamp"] = "2026-11-23T08:44:08Z"

    assert table.as_table(PODS, [pod], {})["rows"][0]["cells"][2] == word


def test_every_resource_has_a_description_of_its_fields() -> None:
    for resource in RESOURCES:
        assert {"metadata", "kind", "apiVersion"} <= set(schema.fields_of(resource.model))


@given(JSON)
def test_conforming_twice_is_conforming_once(value: Any) -> None:
    try:
        once = schema.conform("V1Pod", {"metadata": {"name": "x"}, "spec": {"nodeSelector": value}})
    except schema.MismatchError:
        return

    assert schema.conform("V1Pod", once.value).value == once.value


def encoded(number: int, value: bytes | str | int) -> bytes:
    """One protobuf field."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    data = b""
    while value > 0x7F:
        data += bytes([value & 0x7F | 0x80])
        value >>= 7
    return data + bytes([value])


@given(st.text(min_size=1, max_size=300), LABELS, st.lists(WORDS, max_size=3))
def test_protobuf_is_read_as_it_was_written(name: str, labels: dict[str, str], finalizers: list[str]) -> None:
    metadata = encoded(1, name) + encoded(2, "")
    for key, value in labels.items():
        metadata += encoded(11, encoded(1, key) + encoded(2, value))
    for word in finalizers:
        metadata += encoded(14, word)
    typed = encoded(1, encoded(1, "v1") + encoded(2, "Namespace"))

    got = protobuf.decode(b"k8s\x00" + typed + encoded(2, encoded(1, metadata)))

    expected: dict[str, Any] = {"name": name}
    if labels:
        expected["labels"] = labels
    if finalizers:
        expected["finalizers"] = finalizers
    assert got == {"apiVersion": "v1", "kind": "Namespace", "metadata": expected}


@given(st.binary(max_size=100))
def test_bytes_that_are_no_protobuf_are_refused_not_misread(data: bytes) -> None:
    try:
        json.dumps(protobuf.decode(b"k8s\x00" + data))
    except protobuf.NotProtobufError:
        return
