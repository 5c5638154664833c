"""`podcap capture` in a lab, with a kubeconfig and an agent image and no other setting."""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest
import yaml

from bot.terminal.dispatch import run
from deploy.lab.handle import LabHandle
from tests.bot.terminal.conftest import Terminal, Typed, ask_for_cheese, interrupt, told, wait_for_line
from tests.hangs import HANGS
from tests.orders import terminal_order
from workers.ledger.engine import open_engine
from workers.ledger.ledger import Ledger

SYN = "tcp.flags.syn == 1 and tcp.flags.ack == 0"


def rest(process: "subprocess.Popen[bytes]") -> tuple[str, str]:
    """What a process writes until its end."""
    output, errors = process.communicate(timeout=HANGS)
    return (output or b"").decode(), errors.decode()


def test_ctrl_c_stops_and_keeps_exactly_the_packets_asked_for(
    lab: LabHandle, terminal: Terminal, pod: str
) -> None:
    ports = range(40001, 40006)
    # Few enough for each to have its row: the kubelet and others are at port 80 as well.
    only = ("tcp", "port", "80", "and", "portrange", "40001-40005")
    process = terminal.start("capture", pod, "10m", *only, "-o", "cheese.pcap", "--explain")
    before = wait_for_line(process, "Capturing on")
    ask_for_cheese(lab, pod, ports)
    interrupt(process)
    output, errors = rest(process)
    assert process.returncode == 0, before + errors
    file = terminal.folder / "cheese.pcap"

    # Each connection whole, none of its payload.
    assert {str(port) for port in ports} <= set(told(file, "tcp.srcport", SYN))
    assert told(file, "frame.number", "not tcp.port == 80") == []
    assert told(file, "frame.number", "tcp.len > 0 and frame.cap_len > 120") == []
    assert told(file, "frame.number", "tcp.len > 0") != []
    total = len(told(file, "frame.number", "frame"))
    assert f"Stopped: {total} packets" in errors

    # The flows as the thread shows them, alone on standard output.
    assert f":{ports[0]}" in output
    assert "client" in output.splitlines()[0]
    assert "Headers only" in output.splitlines()[-1]

    # --explain says how the interface was found before the first packet.
    assert "By namespace" in before
    assert "Excluded:" in before
    assert before.index("Decided: ") < before.index("Capturing on")

    # The trail has it all.
    entries = terminal.trail()
    assert [event for event, _, _ in entries] == [
        "requested", "queued", "tapping", "tapped", "capturing", "stop requested", "collecting",
        "summarising", "delivering", "file delivered", "stopped",
    ]  # fmt: skip
    asked = entries[0][2]
    assert (asked["origin"], asked["user_id"], asked["channel_id"]) == ("terminal", "lab-admin", "")
    delivered = entries[-2][2]
    assert delivered["where"] == str(file)
    assert delivered["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert terminal.files() == ["cheese.pcap"]


def test_a_capture_ends_with_its_duration_in_a_file_named_after_it(terminal: Terminal, pod: str) -> None:
    drawn = ("--html", "page.html", "--picture", "picture.png")
    done = terminal.run("capture", pod, "1s", "tcp port 80 and tcp[13] & 4 != 0", *drawn)
    assert done.returncode == 0, done.stderr
    (name,) = set(terminal.files()) - {"page.html", "picture.png"}
    assert f"<h1>{pod}</h1>" in (terminal.folder / "page.html").read_text()
    assert (terminal.folder / "picture.png").read_bytes().startswith(b"\x89PNG")
    namespace, _, bare = pod.partition("/")
    assert name.startswith("cap-")
    assert name.endswith(f"_{namespace}_{bare}.pcapng")
    assert f"Written to {name}" in done.stderr
    assert "Done: " in done.stderr
    # Nothing of Slack's way of writing, no sequences for a terminal where there is none.
    assert not any(odd in done.stdout + done.stderr for odd in ("&amp;", "\x1b", "\r", "<@"))
    assert "tcp[13] & 4 != 0" in done.stderr
    # What it is stands in the file itself.
    about = subprocess.run(
        ["capinfos", "-M", terminal.folder / name], capture_output=True, text=True, check=True
    )
    assert f"{name.partition('_')[0]}: {pod}, 1s, headers only, filter: tcp port 80 and" in about.stdout
    assert f"Description = {pod} on k8s-node0" in about.stdout
    assert "Filter string = tcp port 80 and tcp[13] & 4 != 0" in about.stdout


def test_packets_are_on_standard_output_while_they_arrive(
    lab: LabHandle, terminal: Terminal, pod: str
) -> None:
    process = terminal.start("capture", pod, "10m", "tcp", "port", "80", "-o", "-")
    reader = subprocess.Popen(
        ["tshark", "-n", "-l", "-r", "-", "-T", "fields", "-e", "tcp.srcport"],
        stdin=process.stdout,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    process.stdout.close()
    wait_for_line(process, "Capturing on")
    ask_for_cheese(lab, pod, [40011])
    lines: IO[bytes] | None = reader.stdout
    assert lines is not None
    while lines.readline().strip() != b"40011":
        assert process.poll() is None, "it was not told while the capture ran"
    interrupt(process)
    assert process.stderr is not None
    errors = process.stderr.read().decode()
    assert process.wait() == 0, errors
    lines.read()
    lines.close()
    assert reader.wait() == 0
    assert "client" in errors  # the flows, because standard output has packets
    process.stderr.close()
    assert terminal.trail()[-2][2]["where"] == "standard output"


def test_what_was_streamed_is_byte_for_byte_what_the_trail_has(
    lab: LabHandle, terminal: Terminal, pod: str
) -> None:
    process = terminal.start("capture", pod, "10m", "tcp", "port", "80", "-o", "-")
    wait_for_line(process, "Capturing on")
    ask_for_cheese(lab, pod, [40021])
    interrupt(process, signal.SIGTERM)
    packets, errors = process.communicate(timeout=HANGS)
    assert process.returncode == 0, errors
    assert terminal.trail()[1][0] == "streaming"
    assert terminal.trail()[-2][2]["sha256"] == hashlib.sha256(packets).hexdigest()
    assert "40021" in told(packets, "tcp.srcport", SYN)


def test_a_reader_that_goes_away_stops_the_capture_though_no_packet_comes(
    terminal: Terminal, pod: str
) -> None:
    process = terminal.start("capture", pod, "10m", "tcp", "port", "1", "-o", "-")
    assert process.stdout is not None
    assert process.stdout.read(4) == b"\xd4\xc3\xb2\xa1"  # the header comes at once
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() == 0, errors
    assert "Traceback" not in errors
    assert terminal.trail()[-1][0] == "stopped"


def test_ctrl_c_before_the_first_packet_ends_the_capture_in_the_trail(terminal: Terminal, pod: str) -> None:
    process = terminal.start("capture", pod, "10m")
    wait_for_line(process, "asked for by")
    interrupt(process)
    _, errors = rest(process)
    assert "Traceback" not in errors
    events = [event for event, _, _ in terminal.trail()]
    assert (events[0], events[-1]) == ("requested", "stopped")


@pytest.fixture
def held_execs(lab: LabHandle) -> Iterator[Callable[[], None]]:
    """Lets the cluster not answer another exec in an agent pod."""

    def hold() -> None:
        match = {"resource": "pods", "subresource": "exec", "namespace": "podcap"}
        fault = json.dumps({"match": match, "times": 1000, "delay_seconds": 600})
        lab.kubectl("create", "--raw", "/_lab/faults", "-f", "-", text=fault)

    yield hold
    lab.kubectl("delete", "--raw", "/_lab/faults")


def test_a_second_ctrl_c_ends_at_once_and_keeps_nothing_but_the_trail(
    terminal: Terminal, pod: str, held_execs: Callable[[], None]
) -> None:
    process = terminal.start("capture", pod, "10m")
    wait_for_line(process, "Capturing on")
    held_execs()  # or it might be done before the second one
    interrupt(process)
    wait_for_line(process, "Stopping")
    interrupt(process)
    _, errors = rest(process)
    assert process.returncode == 1
    assert "second Ctrl-C" in errors
    assert "Traceback" not in errors
    assert terminal.files() == []
    assert terminal.trail()[-1][0] == "failed"


def test_what_a_killed_terminal_left_goes_with_the_next_capture(
    lab: LabHandle, terminal: Terminal, pod: str
) -> None:
    process = terminal.start("capture", pod, "10m")
    wait_for_line(process, "Capturing on")
    process.kill()
    rest(process)
    shutil.rmtree(terminal.temporary)  # nobody can remove what a killed process has in hand
    terminal.temporary.mkdir()
    assert lab.kubectl("get", "pods", "-n", "podcap", "-o", "name").strip() != ""
    with closing(sqlite3.connect(terminal.folder / "var" / "podcap.db")) as database, database:
        database.execute("UPDATE heartbeats SET at = '2020-01-01 00:00:00'")
        database.execute("UPDATE captures SET started_at = '2020-01-01 00:00:00'")
    # Another one was killed before it began.
    engine = open_engine(f"sqlite:///{terminal.folder}/var/podcap.db")
    killed, _ = Ledger(engine).request(
        terminal_order(idempotency_key="terminal/killed", seconds=1, user_id="lab-admin", user_name="root")
    )
    engine.dispose()
    with closing(sqlite3.connect(terminal.folder / "var" / "podcap.db")) as database, database:
        database.execute("UPDATE captures SET requested_at = '2020-01-01' WHERE id = ?", [killed.id])
    assert terminal.run("capture", pod, "1s").returncode == 0
    while lab.kubectl("get", "pods", "-n", "podcap", "-o", "name").strip():
        time.sleep(0.1)  # it is terminating
    events = [event for event, _, _ in terminal.trail()]
    assert events[-1] == "delivered"
    engine = open_engine(f"sqlite:///{terminal.folder}/var/podcap.db")
    assert [capture.id for capture in Ledger(engine).watch.waiting() + Ledger(engine).watch.active()] == []
    engine.dispose()


def test_a_capture_that_the_policy_denies_is_one_sentence_and_no_pod(
    lab: LabHandle, terminal: Terminal, pod: str
) -> None:
    policy = terminal.folder / "policy.yaml"
    policy.write_text("rules:\n  - channels: [incidents]\n  - namespaces: [shop]\n")
    before = made_pods(lab)
    done = terminal.run("capture", pod, PODCAP_POLICY=str(policy))
    assert (done.returncode, done.stdout) == (1, "")
    told_lines = [line for line in done.stderr.splitlines() if line.startswith("podcap: ")]
    sentence = (
        "podcap: The policy does not allow you to capture in namespace `traefik` from a terminal: "
        "whoever runs podcap can add a rule to the file in PODCAP_POLICY."
    )
    assert told_lines == [sentence]
    assert [event for event, _, _ in terminal.trail()] == ["requested", "denied"]
    assert made_pods(lab) == before


def made_pods(lab: LabHandle) -> int:
    lines = (lab.directory / "requests.jsonl").read_text().splitlines()
    asked = [json.loads(line) for line in lines]
    return sum(
        (one["verb"], one["resource"], one["namespace"]) == ("create", "pods", "podcap") for one in asked
    )


def test_who_may_not_create_the_agent_pod_is_told_that_and_not_that_one_may_be_left(
    lab: LabHandle, terminal: Terminal, pod: str
) -> None:
    lab.kubectl("create", "clusterrole", "looker", "--verb=get,list", "--resource=pods,nodes,namespaces")
    lab.kubectl(
        "create", "clusterrolebinding", "looker", "--clusterrole=looker", "--serviceaccount=traefik:default"
    )
    config = yaml.safe_load(lab.places.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": lab.kubectl("create", "token", "default", "-n", "traefik").strip()}
    kubeconfig = terminal.folder / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(config))
    try:
        done = terminal.run("capture", pod, "1s", KUBECONFIG=str(kubeconfig))
    finally:
        lab.kubectl("delete", "clusterrolebinding,clusterrole", "looker")
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("podcap: ")]
    assert "may not create pods in namespace podcap" in line


def test_an_api_server_that_is_out_of_reach_is_one_sentence(terminal: Terminal) -> None:
    config = yaml.safe_load(Path(terminal.environment["KUBECONFIG"]).read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    kubeconfig = terminal.folder / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(config))
    done = terminal.run("capture", "traefik/cheddar", KUBECONFIG=str(kubeconfig))
    (line,) = done.stderr.splitlines()
    assert "at https://127.0.0.1:1 does not answer" in line


def test_whole_packets_need_a_policy_that_allows_them_to_this_person(
    lab: LabHandle, terminal: Terminal, pod: str
) -> None:
    denied = terminal.run("capture", pod, "--full")
    assert denied.returncode == 1
    assert "PODCAP_POLICY" in denied.stderr
    policy = terminal.folder / "policy.yaml"
    policy.write_text("rules:\n  - users: [kubernetes:lab-admin]\n    payload: true\n")
    terminal.environment["PODCAP_POLICY"] = str(policy)
    process = terminal.start("capture", pod, "10m", "full", "tcp", "port", "80", "-o", "-")
    wait_for_line(process, "Capturing on")
    ask_for_cheese(lab, pod, [40031])
    interrupt(process)
    packets, errors = process.communicate(timeout=HANGS)
    assert process.returncode == 0, errors
    assert b"GET / HTTP/1.1" in packets
    assert b"GET" in errors  # what was said, too


def test_a_pod_that_is_not_there_is_one_sentence_that_names_near_ones(terminal: Terminal, pod: str) -> None:
    done = terminal.run("capture", f"{pod}x", "1s")
    assert done.returncode == 1
    assert f"Did you mean {pod.partition('/')[2]}" in done.stderr
    assert terminal.files() == []


def test_a_file_that_is_there_is_replaced_by_force_alone(terminal: Terminal, typed: Typed, pod: str) -> None:
    file = terminal.folder / "mine.pcap"
    file.write_text("dear to me")
    code, _, refused = typed(terminal, "capture", pod, "1s", "-o", "mine.pcap")
    assert code == 2
    assert "--force" in refused
    assert file.read_text() == "dear to me"
    forced = terminal.run("capture", "-o", "mine.pcap", pod, "--force", "1s")
    assert forced.returncode == 0, forced.stderr
    assert file.read_bytes()[:4] == b"\xd4\xc3\xb2\xa1"
    assert terminal.files() == ["mine.pcap"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Say which pod to capture"),
        (["cheddar"], "Put the namespace before the pod"),
        (["traefik/Cheddar"], "lower-case"),
        (["traefik/cheddar", "30"], "needs a unit"),
        (["traefik/cheddar", "->"], "stands between two ends"),
        (["traefik/cheddar", "->", "traefik/tls", "30"], "needs a unit"),
        (["traefik/cheddar", "2h"], "too long"),
        (["traefik/cheddar", "port", "80", "30s"], "before the filter"),
        (["traefik/cheddar", 'host "10.244.1.2"'], '`"` means nothing in a filter: write only the filter'),
        (["traefik/cheddar", "-o", "/no/such/folder/x.pcap"], "There is no folder"),
        (["traefik/cheddar", "-o", "/dev/null"], "no regular file"),
    ],
)
def test_what_cannot_be_understood_is_one_sentence_and_exit_code_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["capture", *words]) == 2
    output, errors = capsys.readouterr()
    (line,) = errors.splitlines()
    assert output == ""
    assert line.startswith("podcap: ")
    assert sentence in line
    assert "/podcap" not in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"PODCAP_AGENT_IMAGE": ""}, "PODCAP_AGENT_IMAGE is not set"),
        (
            {"KUBECONFIG": "/no/such/file"},
            "No way to a cluster: there is no file /no/such/file: correct KUBECONFIG",
        ),
        ({"PODCAP_POLICY": "/no/such/file"}, "PODCAP_POLICY"),
        ({"PODCAP_DATABASE_URL": "nonsense"}, "PODCAP_DATABASE_URL"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_one_sentence(
    tmp_path: Path, lab: LabHandle, typed: Typed, settings: dict[str, str], sentence: str
) -> None:
    usual = {"PODCAP_AGENT_IMAGE": "image", "KUBECONFIG": str(lab.places.kubeconfig)}
    code, output, errors = typed(Terminal(tmp_path, **(usual | settings)), "capture", "traefik/cheddar")
    assert (code, output) == (1, "")
    (line,) = errors.splitlines()
    assert sentence in line


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("port 80 and (", ["port 80 and (", "             ^"]),
        ("host example.com", ["host example.com", "     ^^^^^^^^^^^"]),
        ("len <= 80 & &", ["len <= 80 & &", "            ^"]),
    ],
)
def test_the_place_in_a_filter_that_cannot_be_used_is_marked_below_it(
    capsys: pytest.CaptureFixture[str], words: str, lines: list[str]
) -> None:
    assert run(["capture", "traefik/cheddar", words]) == 2
    sentence, *marked = capsys.readouterr().err.splitlines()
    assert sentence.startswith("podcap: ")
    assert marked == lines


def test_packets_are_not_written_to_a_terminal(tmp_path: Path) -> None:
    master, slave = os.openpty()
    terminal = Terminal(tmp_path, PODCAP_AGENT_IMAGE="image", KUBECONFIG=str(tmp_path / "kubeconfig"))
    process = terminal.start("capture", "traefik/cheddar", "-o", "-", stdout=slave)
    _, errors = rest(process)
    os.close(master)
    os.close(slave)
    assert process.returncode == 2
    assert "wireshark -k -i -" in errors


@pytest.mark.parametrize("word", ["--help", "-h", "help"])
def test_help_is_no_failure(capsys: pytest.CaptureFixture[str], word: str) -> None:
    try:
        code: object = run(["capture", word])
    except SystemExit as end:  # argparse's way
        code = end.code
    assert code == 0
    assert "NAMESPACE/POD" in capsys.readouterr().out


@pytest.mark.parametrize(("typed_in", "sentence"), [("n\n", "You did not agree"), (None, "add --yes")])
def test_so_many_pods_are_asked_about_first(terminal: Terminal, typed_in: str | None, sentence: str) -> None:
    terminal.environment["PODCAP_ASK_ABOVE"] = "2"
    arguments = ("capture", "traefik/deploy/cheddar", "1s")
    if typed_in is None:
        done = terminal.run(*arguments)
        code, errors = done.returncode, done.stderr
    else:
        master, slave = os.openpty()
        os.write(master, typed_in.encode())
        process = terminal.start(*arguments, stdin=slave)
        errors = process.communicate(timeout=HANGS)[1].decode()
        code = process.returncode
        os.close(master)
        os.close(slave)
        assert "Capture all of them? [y/N]" in errors
    assert (code, terminal.files()) == (1, [])
    assert "3 pods on 3 nodes" in errors
    assert sentence in errors
