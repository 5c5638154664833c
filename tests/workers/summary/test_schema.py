"""What `podcap summarize --json` prints is what its schema says, and the schema describes all of it."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from tests.workers.summary import kinds, mutate, packets, spoken
from tests.workers.summary.findings.cases import SHOWN
from tests.workers.summary.flows.test_captures_of_packages import shipped
from tests.workers.summary.packets import Record
from tests.workers.summary.told import summary_of
from workers.summary import event
from workers.summary.decoded import Decoded
from workers.summary.files.packets import PcapError
from workers.summary.finding import Finding
from workers.summary.summarise import summary_json
from workers.summary.summary import VERSION, Summary, Totals

SCHEMA = json.loads(files("workers.summary").joinpath("schema.json").read_text())


def closed(schema: Any) -> Any:
    """The schema, with nothing allowed that it does not describe."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inside = {name: closed(value) for name, value in schema.items()}
    return {"additionalProperties": False, **inside} if isinstance(inside.get("required"), list) else inside


VALIDATOR = Draft202012Validator(closed(SCHEMA))


def faults(summary: Summary) -> list[str]:
    value = json.loads("".join(summary.json_pieces()))
    return [f"{error.json_path}: {error.message[:200]}" for error in VALIDATOR.iter_errors(value)]


def test_the_schema_is_one_and_of_this_version() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["version"]["const"] == VERSION
    assert tuple(SCHEMA["$defs"]["kind"]["enum"]) == get_args(event.Kind)


def test_the_documentation_has_every_field_that_stands_at_the_top() -> None:
    docs = (Path(__file__).parents[3] / "docs/summary.md").read_text()
    rows = re.findall(r"^\| `([a-z_]+)` \|", docs, re.MULTILINE)
    assert set(SCHEMA["properties"]) <= set(rows)
    assert {*SCHEMA["$defs"]["packet"]["properties"]} <= set(rows)


@pytest.mark.parametrize("about", SHOWN)
def test_captures_that_show_findings_are_told_as_it_says(about: str) -> None:
    assert faults(SHOWN[about][1]().summary()) == []


def test_every_protocol_and_every_kind_of_packet_is_told_as_it_says() -> None:
    for make in spoken.SECRETLY.values():
        assert faults(summary_of(make("word"))) == []
    assert faults(summary_of(spoken.names("<!channel>"))) == []
    for link_type, frames in kinds.frames().values():
        assert faults(summary_of(packets.pcap(map(Record, frames), link_type=link_type))) == []


def test_recorded_captures_are_told_as_it_says(recorded: Path) -> None:
    assert faults(summary_of(recorded.read_bytes())) == []


def test_files_with_faults_are_told_as_it_says() -> None:
    for number in range(150):
        try:
            summary = summary_of(mutate.mutated(number))
        except PcapError:
            continue
        assert faults(summary) == [], number


def test_what_tshark_counts_and_what_wireshark_says_is_told_as_it_says(labelled: Path) -> None:
    told = json.loads(summary_json(labelled, payload=True))
    assert told["counted_by"] == "tshark"
    assert [error.message for error in VALIDATOR.iter_errors(told)] == []
    packet = Decoded(6, "TCP", {"tcp.flags": "Flags: 0x014 (RST, ACK)"}, ("Connection reset (RST)",))
    finding = Finding("reset", "warning", "It was reset.", {"times": 1}, frame=6, packets=(packet,))
    assert faults(Summary(Totals(), (), payload=True, findings=(finding,))) == []


def test_what_is_told_otherwise_is_no_summary() -> None:
    told = json.loads("".join(summary_of(SHOWN["refused"][1]().file()).json_pieces()))
    told["flows"][0]["a"] = "somewhere"
    told["findings"][0]["severity"] = "bad"
    del told["notes"]
    assert len(list(VALIDATOR.iter_errors(told))) == 3


@pytest.mark.soak
def test_captures_of_packages_are_told_as_it_says() -> None:
    for path in shipped():
        try:
            summary = summary_of(path.read_bytes())
        except PcapError:
            continue
        assert faults(summary) == [], path
