"""Every exchange recorded with a real Kubernetes 1.36.2, sent to the stand-in: the same answers.

Left out of the comparison, in every answer, because no two clusters have the same: `uid`, `resourceVersion`,
times, `managedFields` (who set which field; the stand-in does not keep it), and the opaque `continue` token,
which is decoded instead. Headers are compared by content type.
"""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

EVIDENCE = Path(__file__).parents[2] / "evidence"
_OWN = {"uid", "resourceVersion", "managedFields", "creationTimestamp", "continue"}
EXCHANGES = json.loads((EVIDENCE / "rest.json").read_text())


def comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items() if key not in _OWN}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    return value


@pytest.fixture(scope="module")
def answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Any]]:
    """The stand-in's answers to all recorded requests in their order, on the recorded cluster's objects."""
    make_server = request.getfixturevalue("make_server")
    state = tmp_path_factory.mktemp("recorded")
    (state / "seed").mkdir()
    for name in ("nodes", "deployments", "pods", "services"):
        (state / "seed" / f"{name}.json").write_text((EVIDENCE / f"{name}.json").read_text())
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "traefik"}}
    (state / "seed" / "a-namespace.json").write_text(json.dumps(namespace))
    server = make_server(state)
    clients = {
        "admin": server.client(),
        "service account without a role": server.account("traefik", "default"),
    }
    yield [
        clients[one["request"]["as"]].request(
            one["request"]["method"], one["request"]["path"], one["request"]["body"]
        )
        for one in EXCHANGES
    ]
    server.forget()


@pytest.mark.parametrize("number", range(len(EXCHANGES)), ids=lambda n: EXCHANGES[n]["request"]["path"][-60:])
def test_a_recorded_request_gets_the_recorded_answer(answers: list[Any], number: int) -> None:
    expected, got = EXCHANGES[number], answers[number]

    assert got.code == expected["status"]
    assert got.headers["Content-Type"] == expected["headers"]["Content-Type"]
    assert comparable(got.body) == comparable(expected["body"])


def test_a_continue_token_says_where_the_next_page_starts(answers: list[Any]) -> None:
    def decoded(answer: Any) -> Any:
        token = answer["metadata"]["continue"]
        return json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))

    expected, got = decoded(EXCHANGES[-1]["body"]), decoded(answers[-1].body)

    assert set(got) == set(expected)
    assert got["v"] == expected["v"]
    assert got["start"] == expected["start"]
    assert str(got["rv"]) == answers[-1].body["metadata"]["resourceVersion"]


def test_what_is_recorded_as_present_is_present_in_the_stand_ins_answer(
    recorded: Callable[[str], Any], answers: list[Any]
) -> None:
    """The fields left out of the comparison are there, except the one that is said not to be kept."""
    missing = []

    def walk(expected: Any, got: Any, path: str) -> None:
        if isinstance(expected, dict) and isinstance(got, dict):
            missing.extend(f"{path}.{key}" for key in expected if key not in got and key != "managedFields")
            for key in expected.keys() & got.keys():
                walk(expected[key], got[key], f"{path}.{key}")

    for expected, got in zip(recorded("rest"), answers, strict=True):
        walk(expected["body"], got.body, expected["request"]["path"])

    assert missing == []
