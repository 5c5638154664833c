"""Files of /proc/PID/net: as real nodes had them, as this kernel has them, and as none would."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from workers.summary.endpoint import Endpoint
from workers.surroundings import kernel_counters, sockets, ways
from workers.surroundings.kernel_counters import WORDS, moved
from workers.surroundings.sockets import Listener, Sockets
from workers.surroundings.tracked import Tracked, clients, tracked

EVIDENCE = Path(__file__).parents[2] / "evidence"
FOLDERS = sorted(EVIDENCE.glob("node*/proc-*-net"))
HERE = Path("/proc/self/net")


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


CHEDDAR = files(EVIDENCE / "node1" / "proc-397-net")
DISTROLESS = files(EVIDENCE / "node1" / "proc-3019-net")


def test_the_counters_of_a_recorded_pod_are_read_by_name() -> None:
    found = kernel_counters.read(CHEDDAR)
    assert found["Tcp.PassiveOpens"] == 242
    assert found["Tcp.EstabResets"] == 217
    assert found["Tcp.RetransSegs"] == 0
    assert found["TcpExt.ListenOverflows"] == 0
    assert found["Tcp.MaxConn"] == -1
    assert len(found) > 200


def test_every_counter_that_has_words_is_one_that_this_kernel_has() -> None:
    here = kernel_counters.read({name: (HERE / name).read_text() for name in ("snmp", "netstat", "snmp6")})
    assert {name for name in WORDS if not name.startswith("Udp6")} <= set(here)


def test_what_moved_is_what_went_up() -> None:
    before = {"Tcp.RetransSegs": 1, "Tcp.CurrEstab": 1, "Tcp.InSegs": 9, "Ip.InReceives": 5}
    after = {"Tcp.RetransSegs": 4, "Tcp.CurrEstab": 7, "Tcp.InSegs": 9, "Ip.InReceives": 2, "Udp.NoPorts": 3}
    assert moved(before, after) == {"Tcp.RetransSegs": 3}


def test_a_recorded_pods_listening_socket_is_found() -> None:
    assert sockets.read(CHEDDAR).listeners == (Listener("TCP", "0.0.0.0", 80, 0),)
    assert sockets.read(DISTROLESS).listeners == (Listener("TCP", "0.0.0.0", 8080, 0),)


TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0301F40A:0050 0101F40A:C54A 01 00000010:00000005 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 0301F40A:0050 0101F40A:C54B 01 00000000:00000000 01:00000014 00000002     0        0 3 1 0 100 0 0 10 0
   3: 0301F40A:0050 0101F40A:C54C 06 00000000:00000000 03:00000014 00000000     0        0 0 3 0
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 9 1
   1: B80D0120000000000000000001000000:1F90 B80D0120000000000000000002000000:C000 08 0:0 00:0 0 0 0 9 1
"""
UDP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref drops
   0: 00000000:0035 00000000:0000 07 00000000:00000200 00:00000000 00000000     0        0 1 2 0 17
   1: 0301F40A:B1A5 0A00600A:0035 01 00000000:00000000 00:00000000 00000000     0        0 1 2 0 0
"""


def test_sockets_are_counted_by_state() -> None:
    found = sockets.read({"tcp": TCP, "tcp6": TCP6, "udp": UDP})
    assert found == Sockets(
        {"ESTABLISHED": 2, "TIME-WAIT": 1, "CLOSE-WAIT": 1},
        (
            Listener("TCP", "0.0.0.0", 80, 3),
            Listener("TCP", "::", 8080, 0),
            Listener("UDP", "0.0.0.0", 53, 0x200, 17),
        ),
        waiting=1,
        unread=5,
        unsent=16,
    )


def test_routes_and_neighbours_of_a_recorded_pod_read_like_iproute2s() -> None:
    assert ways.routes(CHEDDAR["route"]) == (
        "default via 10.244.1.1 dev eth0",
        "10.244.0.0/16 via 10.244.1.1 dev eth0",
        "10.244.1.0/24 dev eth0",
    )
    assert ways.neighbours(CHEDDAR["arp"]) == ("10.244.1.1 dev eth0 lladdr 9a:95:6e:ed:69:35",)


def test_routes_of_ipv6_are_read_without_what_is_local() -> None:
    zero, fd, gateway = "0" * 32, "fd" + "0" * 30, "fd" + "0" * 29 + "1"
    lines = [
        f"{fd} 40 {zero} 00 {zero} 00000100 00000001 00000000 00000001     eth0",
        f"{zero} 00 {zero} 00 {gateway} 00000400 00000003 00000000 00000003     eth0",
        f"{gateway} 80 {zero} 00 {zero} 00000000 00000002 00000000 80200001     eth0",
        f"ff{'0' * 30} 08 {zero} 00 {zero} 00000100 00000001 00000000 00000001     eth0",
        f"{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200       lo",
    ]
    assert ways.routes("", "\n".join(lines)) == ("fd00::/64 dev eth0", "default via fd00::1 dev eth0")


def test_a_neighbour_that_nobody_answers_for_is_incomplete() -> None:
    head = "IP address       HW type     Flags       HW address            Mask     Device\n"
    line = "10.244.1.9       0x1         0x0         00:00:00:00:00:00     *        eth0\n"
    assert ways.neighbours(head + line) == ("10.244.1.9 dev eth0 incomplete",)


NODE_PORT = (
    "ipv4     2 tcp      6 117 TIME_WAIT src=192.168.1.35 dst=192.168.1.12 sport=51234 dport=32604 "
    "src=10.244.1.3 dst=10.244.1.1 sport=80 dport=39123 [ASSURED] mark=0 zone=0 use=2"
)
DNS = (
    "ipv4     2 udp      17 25 src=10.244.1.3 dst=10.96.0.10 sport=40000 dport=53 [UNREPLIED] "
    "src=10.244.2.5 dst=10.244.1.3 sport=53 dport=40000 mark=0 zone=0 use=2"
)
SIX = (
    "ipv6     10 tcp      6 431999 ESTABLISHED src=2001:0db8:0000:0000:0000:0000:0000:0001 "
    "dst=2001:0db8:0000:0000:0000:0000:0000:0002 sport=1 dport=2 src=2001:0db8:0000:0000:0000:0000:0000:0002 "
    "dst=2001:0db8:0000:0000:0000:0000:0000:0001 sport=2 dport=1 [ASSURED] mark=0 zone=0 use=2"
)
PING = (
    "ipv4     2 icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=7 "
    "src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=7 mark=0 zone=0 use=2"
)


def test_what_a_node_tracks_tells_who_a_client_is() -> None:
    node_port, dns, six, ping = tracked(f"{NODE_PORT}\n{DNS}\n{SIX}\n{PING}")
    assert node_port == Tracked(
        "tcp",
        "TIME_WAIT",
        Endpoint("192.168.1.35", 51234),
        Endpoint("192.168.1.12", 32604),
        Endpoint("10.244.1.3", 80),
        Endpoint("10.244.1.1", 39123),
    )
    assert node_port.rewritten
    assert (dns.state, dns.rewritten, dns.answers_from) == ("", True, Endpoint("10.244.2.5", 53))
    assert (six.client, six.rewritten) == (Endpoint("2001:db8::1", 1), False)
    assert (ping.protocol, ping.rewritten) == ("icmp", False)
    seen_by_the_pod = Endpoint("10.244.1.1", 39123), Endpoint("10.244.1.3", 80)
    assert clients((node_port, dns, six)) == {seen_by_the_pod: node_port}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_recorded_pod_is_read(folder: Path) -> None:
    found = files(folder)
    assert ways.routes(found["route"])[0].startswith("default via 10.244.")
    assert sockets.read(found).listeners
    assert kernel_counters.read(found)["Ip.DefaultTTL"] == 64


GOOD = [*CHEDDAR.values(), TCP, TCP6, UDP, NODE_PORT, DNS, SIX, PING]


@given(st.text(max_size=200), st.sampled_from(GOOD), st.integers(0, 2000), st.integers(0, 2000))
@settings(max_examples=examples(60))
def test_no_file_makes_reading_fail(text: str, good: str, cut: int, other: int) -> None:
    for given_text in (text, good[:cut] + text + good[other:], good.replace(" ", text[:1])):
        kernel_counters.read(dict.fromkeys(("snmp", "netstat", "snmp6"), given_text))
        sockets.read(dict.fromkeys(("tcp", "tcp6", "udp", "udp6"), given_text))
        ways.routes(given_text, given_text)
        ways.neighbours(given_text)
        list(tracked(given_text))
