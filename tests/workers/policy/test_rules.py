import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from workers.policy.load import load
from workers.policy.rules import NOBODY, PolicyError, Rule, policy_of

DOCS = Path(__file__).parents[3] / "docs/policy.md"

EXAMPLE = """
rules:
  - channels: [incidents, "#ops", C024BE91L]
    users: ["@oncall", alice@example.com, U024BE91L]
    clusters: [default]
    namespaces: [traefik, "shop-*"]
    max_duration: 10m
    payload: true
  - namespaces: [sandbox]
"""


def errors(document: Any) -> tuple[str, ...]:
    with pytest.raises(PolicyError) as refused:
        policy_of(document)
    return refused.value.lines


def file(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(path: Path) -> str:
    with pytest.raises(PolicyError) as error:
        load(path)
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix(f"{path}: ")


def test_every_key_is_in_the_documentation_and_no_other() -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", DOCS.read_text(), re.MULTILINE))
    assert documented == set(Rule.model_fields)


def test_the_documentations_example_is_a_policy() -> None:
    indented = re.search(r"(?:^    .*\n)+", DOCS.read_text(), re.MULTILINE)
    assert indented
    policy = policy_of(yaml.safe_load(indented[0]))
    assert set(Rule.model_fields) == policy.rules[0].model_fields_set


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "matches nothing, being empty"),
        (["kubernetes:alice"], "one approves in Slack"),
        ("@platform", "must be a list in brackets"),
    ],
)
def test_approvers_are_people_and_groups_of_slack(value: Any, words: str) -> None:
    (line,) = errors({"rules": [{"approval": value}]})
    assert line.startswith("rule 1, approval: ")
    assert words in line


def test_a_policy_is_read_from_its_file(tmp_path: Path) -> None:
    first, second = load(file(tmp_path, EXAMPLE)).rules
    assert first.channels == ("incidents", "ops", "C024BE91L")
    assert first.users == ("@oncall", "alice@example.com", "U024BE91L")
    assert first.namespaces == ("traefik", "shop-*")
    assert (first.max_duration, first.payload) == (600, True)
    assert (second.channels, second.users, second.max_duration, second.payload) == (None, None, None, False)


def test_without_a_file_there_is_a_policy_that_names_nobody() -> None:
    assert load(None) is NOBODY
    assert not NOBODY.is_set
    assert NOBODY.rules == ()


def test_a_file_without_rules_in_its_list_is_a_policy_for_nobody(tmp_path: Path) -> None:
    policy = load(file(tmp_path, "rules: []"))
    assert policy.is_set
    assert policy.rules == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("# nothing yet\n", "is empty"),
        ("rules: [", "line 1, column 9: "),
        ("rules:\n  - users: [@oncall]\n", "needs quotes"),
        ("rules:\n  - namespaces: [*]\n", "needs quotes"),
        (
            "rules:\n  - channels: [a]\n    channels: [b]\n",
            "line 3, column 5: the key 'channels' stands there twice",
        ),
        ("rules: []\nrules: []\n", "stands there twice"),
        ("rules:\n  - !!python/object/apply:os.system [reboot]\n", "line 2"),
        ("rules: []\n---\nrules: []\n", "line 2"),
        ("a: 2024-99-99", "is no YAML"),
        ("hello", "the key `rules`"),
        ("- channels: [a]", "the key `rules`"),
        ("rules: []\nusers: [a@b.io]", "the key `rules`"),
        ("is_set: true\nrules: []", "the key `rules`"),
        ("rules: all", "rules: must be a list"),
        ("rules:", "rules: must be a list"),
        ("rules: [all]", "rule 1: must have keys"),
    ],
)
def test_a_file_that_is_no_policy_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    assert sentence in refused(file(tmp_path, text))


def test_a_missing_file_is_one_sentence_that_names_it_and_the_setting(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"nowhere\.yaml: there is no such file; PODCAP_POLICY"):
        load(tmp_path / "nowhere.yaml")


def test_a_folder_and_a_file_in_another_encoding_are_one_sentence_each(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path)
    path = tmp_path / "latin1.yaml"
    path.write_bytes("rules: [é]".encode("latin-1"))
    assert "UTF-8" in refused(path)


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ({"channel": ["a"]}, "rule 1, channel: there is no such key; the keys are channels, users, "),
        ({"channels": "a"}, "rule 1, channels: must be a list in brackets, not 'a'"),
        ({"channels": None}, "rule 1, channels: must be a list in brackets, not None"),
        ({"channels": []}, "rule 1, channels: matches nothing, being empty"),
        ({"channels": ["In Cidents"]}, "rule 1, channels: 'In Cidents' is neither a channel's name"),
        ({"users": ["alice"]}, "rule 1, users: 'alice' is neither an e-mail address nor a user group"),
        ({"users": [17]}, "rule 1, users: 17 is no text: put it in quotes"),
        ({"clusters": [""]}, "rule 1, clusters: '' is no name of a cluster"),
        ({"namespaces": ["Shop"]}, "rule 1, namespaces: 'Shop' is no namespace"),
        ({"namespaces": ["[a-z]"]}, "rule 1, namespaces: '[a-z]' is no namespace"),
        ({"max_duration": 600}, "rule 1, max_duration: 600 is no duration"),
        ({"max_duration": "0s"}, "rule 1, max_duration: '0s' is no duration"),
        ({"max_duration": None}, "rule 1, max_duration: None is no duration"),
        ({"payload": "yes"}, "rule 1, payload: must be true or false, not 'yes'"),
        ({"payload": 1}, "rule 1, payload: must be true or false, not 1"),
        ({"payload": None}, "rule 1, payload: must be true or false, not None"),
    ],
)
def test_an_error_in_a_rule_is_one_line_with_its_number_and_key(rule: dict[str, Any], line: str) -> None:
    (said,) = errors({"rules": [rule]})
    assert said.startswith(line)


def test_each_error_has_its_own_line_and_the_rules_are_counted_from_one() -> None:
    first, second = errors({"rules": [{"channels": ["a"]}, {"payload": "no"}, {"tribes": ["b"]}]})
    assert first.startswith("rule 2, payload: ")
    assert second.startswith("rule 3, tribes: ")


@pytest.mark.parametrize(
    ("audit", "line"),
    [
        ({"users": ["@security"]}, "audit: must be a list"),
        ([{"users": ["security"]}], "audit rule 1, users: 'security' is neither"),
        (
            [{}, {"payload": True}],
            "audit rule 2, payload: there is no such key; the keys are channels, users",
        ),
    ],
)
def test_an_error_below_audit_is_one_line_that_says_so(audit: Any, line: str) -> None:
    (said,) = errors({"rules": [], "audit": audit})
    assert said.startswith(line)
