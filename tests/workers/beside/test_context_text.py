import unicodedata
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.workers.beside.scene import (
    CLUSTER,
    POD,
    SERVER,
    around,
    asked,
    line,
    log,
    policy,
    summary,
    tracked,
)
from workers.beside.beside import Around, Beside
from workers.beside.context_text import context_text
from workers.beside.log_lines import MOST, log_lines
from workers.pod_logs.pod_log import LogLine
from workers.summary.endpoint import Endpoint
from workers.surroundings.pod_state import Condition, Container, PodEvent, PodState
from workers.surroundings.sockets import Listener, Sockets
from workers.surroundings.tracked import Tracked

TITLE = "cap-7f3k9q: traefik/cheddar-1 for 10 s"


def probe(port: int) -> Tracked:
    gateway = Endpoint("10.244.1.1", port)
    return Tracked("tcp", "TIME_WAIT", gateway, SERVER, SERVER, gateway)


def told() -> Around:
    state = PodState("Running", {}, (Container("cheese", 1, "Error", 1),), (Condition("Ready", "True"),))
    first = around(
        routes=("default via 10.244.1.1 dev eth0", "10.9.0.0/16 dev eth1"),
        sockets=Sockets({"ESTABLISHED": 1}, (Listener("TCP", "0.0.0.0", 80, 0),)),
        counters={"Tcp.RetransSegs": 1, "Ip.InReceives": 10},
        state=state,
        policies=(policy(ingress=[{"ports": [{"port": 80}]}]),),
        missing=("Something is missing.",),
    )
    last = replace(
        first,
        at=first.at + 10**10,
        routes=("default via 10.244.1.1 dev eth0", "10.8.0.0/16 dev eth1"),
        sockets=Sockets({"ESTABLISHED": 3, "TIME-WAIT": 2}, (Listener("TCP", "0.0.0.0", 80, 4),), waiting=1),
        counters={"Tcp.RetransSegs": 13, "Ip.InReceives": 1210},
        tracked=(
            *map(probe, (1, 2)),
            tracked(),
            tracked()._replace(answers_from=SERVER._replace(address="10.244.2.3")),
        ),
        events=(PodEvent(first.at + 10**9, "Warning", "Unhealthy", "Readiness probe failed", 3, first.at),),
    )
    lines = log(line(1.02), LogLine(first.at, "cheese", "ready"), notes=("Container proxy logged more.",))
    return Around([Beside(0, POD, summary(asked(1.0)), first, last, lines)], cluster=CLUSTER)


EXPECTED = """\
cap-7f3k9q: traefik/cheddar-1 for 10 s
What was around the pod when its capture began and when it ended, and what it logged meanwhile. Times are \
UTC, by the clock of the pod's node.

traefik/cheddar-1 on node k8s-node01, 10.244.1.3
================================================
Looked at 19:20:00.000 and 19:20:10.000
- Something is missing.

Pod
  phase Running, Ready=True
  container cheese: 1 restart, ended before: Error (exit code 1)

Events
  * 19:20:01.000 Warning Unhealthy (3 times): Readiness probe failed

NetworkPolicies that select it
  traefik/web
    ingress from anywhere: TCP 80

Routes
    default via 10.244.1.1 dev eth0
  - 10.9.0.0/16 dev eth1
  + 10.8.0.0/16 dev eth1

Sockets
  TCP 0.0.0.0:80 listens, 4 connections not accepted yet
  ESTABLISHED: 1 -> 3
  TIME-WAIT: 0 -> 2
  sockets that wait for something they sent again: 0 -> 1

What its kernel counted meanwhile
  Tcp.RetransSegs +12: segments that it sent again
  Ip.InReceives +1,200

What its node tracks of its connections
  tcp TIME_WAIT 192.168.1.35:51234 -> 192.168.1.12:32604, behind this node 10.244.1.1:40001 -> 10.244.1.3:80
  tcp 10.244.1.1 -> 10.244.1.3:80, not rewritten: 2 connections

Log
  - Container proxy logged more.
  19:20:01.020 10.244.1.1 - - [23/Nov/2026:19:20:01 +0000] "GET / HTTP/1.1" 200 42 "-" "curl/8.5.0"   \
<- client 192.168.1.35:51234 (connection tracking of node k8s-node01), frame 7
  19:20:00.000 ready
"""


def test_all_that_is_known_stands_in_the_file() -> None:
    assert context_text(TITLE, told()) == EXPECTED
    one = told()
    both = Around([*one.besides, replace(one.besides[0], number=1)], cluster=CLUSTER)
    assert "around each pod" in context_text(TITLE, both)
    assert log_lines(both).startswith("*What the pods' own logs say*")


def test_of_a_pod_that_nothing_is_known_of_only_its_name_stands_there() -> None:
    text = context_text(TITLE, Around([Beside(0, POD, summary())]))
    assert text.splitlines()[3:] == EXPECTED.splitlines()[3:5]


def test_what_was_seen_at_the_end_only_is_told_as_that() -> None:
    given_around = told()
    (beside,) = given_around.besides
    text = context_text(TITLE, Around([replace(beside, before=None)], cluster=CLUSTER))
    assert "Looked at 19:20:10.000 only" in text
    assert "    default via 10.244.1.1 dev eth0\n    10.8.0.0/16 dev eth1\n" in text
    assert "counted meanwhile" not in text


def test_the_thread_shows_a_line_beside_who_it_was() -> None:
    text = log_lines(told())
    assert 'cheddar-1 19:20:01.020 10.244.1.1 "GET /" 200\n' in text
    assert "← client 192.168.1.35:51234" in text
    assert "more requests" not in text


def test_the_thread_shows_few_lines_and_those_that_tell_first() -> None:
    lines = [line(at / 10) for at in range(40)]
    requests = [asked(at / 10 - 0.01, 40000 + at) for at in range(40)]
    after = around(20, tracked=(tracked(40030),))
    beside = Beside(0, POD, summary(*requests), around(), after, log(*lines))
    text = log_lines(Around([beside], cluster=CLUSTER))
    assert text.count("GET /") == MOST
    assert "19:20:03.000" in text
    assert text.endswith("… and 34 more requests: the context file has them.")


def test_without_a_log_the_thread_says_nothing_or_why() -> None:
    assert log_lines(Around([Beside(0, POD, summary())])) == ""
    beside = Beside(0, POD, summary(), log=log(notes=("Its log is not here: <no> right.",)))
    assert log_lines(Around([beside])) == "Logs: Its log is not here: &lt;no&gt; right."


@given(st.text(max_size=80), st.text(max_size=40))
@settings(max_examples=examples(40))
def test_no_words_of_others_have_power_over_the_file_or_the_message(words: str, name: str) -> None:
    said = LogLine(around().at, name, words, line(1.0).access)
    state = around(1, routes=(words,), events=(PodEvent(5, name, words, words),), missing=(words,))
    given_around = Around([Beside(0, POD, summary(), state, state, log(said, notes=(words,)))])
    text = context_text(TITLE, given_around)
    assert all(each == "\n" or unicodedata.category(each)[0] != "C" for each in text)
    message = log_lines(given_around)
    inside = message.removeprefix("*What the pod's own log says*\n```\n").removesuffix("\n```")
    assert not set("<>`") & set(inside)
