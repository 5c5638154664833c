"""What one finding explains, no other tells as well; and sentences that say more where more is known."""

from tests.workers.summary import packets
from tests.workers.summary.findings.cases import (
    GET_REQUEST,
    alert,
    hello,
    mtu_blackhole,
    nearly_zero_window,
    request_unanswered,
    request_unanswered_by_a_server_that_closes,
)
from tests.workers.summary.findings.wire import POD, WEB, Wire, ids
from tests.workers.summary.packets import ACK, PSH, RST, SYN
from workers.summary.finding import Finding


def one(wire: Wire) -> Finding:
    (finding,) = wire.findings()
    return finding


def test_what_icmp_says_of_a_connection_is_told_in_place_of_no_answer() -> None:
    wire = Wire().http()
    knock = wire.tcp(8080, opened=False).send(0, b"", SYN)
    quoted = packets.ipv4(WEB, POD, 6, packets.tcp(knock.client[1], 8080, flags=SYN))
    wire.icmp(3, 3, by="10.244.1.1", quoted=quoted).wait(2)
    finding = one(wire.http())
    assert (finding.id, finding.severity) == ("icmp-error", "critical")
    assert finding.sentence == (
        "`10.244.1.1` reported *port unreachable* 1 time about packets of `10.244.2.2` to `10.244.1.2:8080`: "
        "1 connection could not be opened for it."
    )
    assert finding.next.startswith("Something rejects these connections on purpose")


def test_what_is_too_big_for_the_way_is_not_told_as_lost() -> None:
    wire = Wire().http()
    talk = wire.tcp(9000)
    for _ in range(4):
        talk.hears(bytes(1400)).wait(0.3).send(1, bytes(1400), PSH | ACK, again=1400).send(0)
    quoted = packets.ipv4(POD, WEB, 6, packets.tcp(9000, talk.client[1], bytes(1400)))
    assert ids(wire.findings()) == {"retransmissions"}
    assert ids(wire.icmp(3, 4, by="10.244.1.1", quoted=quoted, mtu=1300).findings()) == {"mtu"}


def test_large_packets_that_vanish_are_not_told_as_lost_as_well() -> None:
    assert ids(mtu_blackhole().findings()) == {"mtu-blackhole"}


def test_a_reset_behind_an_alert_is_told_with_the_alert() -> None:
    wire = Wire()
    wire.tcp(443).says(hello()).hears(bytes(10)).says(alert(48)).reset(0)
    assert ids(wire.findings()) == {"tls-failure"}


def test_a_capture_of_one_direction_does_not_call_connections_unanswered() -> None:
    wire = Wire()
    talk = wire.tcp(9000, opened=False).send(0, b"", SYN)
    for _ in range(5):
        talk.says(bytes(100)).wait(1)
    assert ids(wire.findings()) == {"one-way"}


def test_a_port_that_had_accepted_connections_before_it_refused_one_is_told_so() -> None:
    wire = Wire().http(2)
    wire.tcp(80, opened=False).send(0, b"", SYN).send(1, b"", RST | ACK)
    finding = one(wire)
    assert finding.sentence == (
        "`10.244.1.2:80` refused 1 connection from `10.244.2.2`: it had accepted 2 connections before, so "
        "its process ended or starts again."
    )


def test_a_port_that_answers_others_is_told_to_accept_too_slowly() -> None:
    wire = Wire().http(2)
    wire.tcp(80, opened=False).send(0, b"", SYN).wait(1).send(0, b"", SYN, again=1)
    finding = one(wire)
    assert "it answered 2 others, so its application accepts too slowly" in finding.sentence
    assert "TcpExtListenOverflows" in finding.next


def test_a_request_without_an_answer_is_told_with_how_it_ended() -> None:
    finding = one(request_unanswered())
    assert (finding.severity, finding.frame) == ("critical", 13)
    assert finding.sentence == (
        "`10.244.1.2:80` did not answer 1 of 2 HTTP requests: `GET web/report`, from `10.244.2.2`; the "
        "client gave up after 3.0 s."
    )
    closed = one(request_unanswered_by_a_server_that_closes())
    assert closed.sentence.endswith("; it closed the connection instead.")


def test_a_request_of_which_only_the_answers_were_not_captured_is_no_failure() -> None:
    wire = Wire()
    wire.tcp(opened=False).says(GET_REQUEST).send(0)
    summary = wire.summary()
    assert [group.answer for group in summary.groups] == ["answer not captured"]
    assert not summary.event_counts


def test_a_capture_without_a_single_answer_is_not_called_healthy() -> None:
    assert Wire().dns("example.com", None).findings() == []


def test_a_healthy_capture_says_what_has_no_answer_yet_and_how_long_the_slowest_took() -> None:
    wire = Wire().http(2, seconds=1.5)
    wire.tcp().says(GET_REQUEST).send(1)
    assert one(wire).sentence.endswith(
        "2 HTTP requests with a status below 400 (the slowest took 1.5 s); 1 HTTP request without an "
        "answer so far."
    )


def test_a_window_that_was_full_for_a_moment_is_usual() -> None:
    finding = one(nearly_zero_window())
    assert (finding.id, "2 full receive windows" in finding.sentence) == ("healthy", True)


def test_a_server_that_was_sent_a_stream_and_resets_is_not_told_to_have_left_a_request() -> None:
    wire = Wire()
    talk = wire.tcp(5201)
    for _ in range(80):
        talk.says(bytes(1400))
    talk.reset(1)
    finding = one(wire)
    assert (finding.severity, finding.numbers["when"]) == ("warning", "in the middle")


def test_answers_that_read_the_same_are_told_of_the_server_that_gave_them() -> None:
    wire = Wire()
    for server, client in ((POD, WEB), (WEB, POD)):
        wire.tcp(client=client, server=server).get(status=200 if server == POD else 503).close()
        wire.tcp(client=client, server=server).get(status=503).close()
        talk = wire.tcp(6379, client=client, server=server).says(b"*1\r\n$6\r\nDBSIZE\r\n")
        talk.hears(b"-NOAUTH Authentication required.\r\n").close()
    told = {
        (each.id, each.numbers["address"], each.numbers["times"])
        for each in wire.findings()
        if each.id in {"http-server-error", "call-failure"}
    }
    assert told == {
        ("http-server-error", f"{POD}:80", 1),
        ("http-server-error", f"{WEB}:80", 2),
        ("call-failure", f"{POD}:6379", 1),
        ("call-failure", f"{WEB}:6379", 1),
    }
