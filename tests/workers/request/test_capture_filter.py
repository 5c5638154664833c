import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.hangs import HANGS
from workers.request.capture_filter import CompilerError, FilterError, check
from workers.request.filter_error import pointed

DOCS = Path(__file__).parents[3] / "docs/request.md"

GOOD = [
    *(
        "",
        "port 80",
        "tcp",
        "host 10.1.2.3",
        "src host 10.1.2.3 and dst port 443",
        "net 10.0.0.0/8",
        "net 10",
    ),
    *(
        "net 10.1.0.0 mask 255.255.0.0",
        "src net 192.168.1.0/24",
        "portrange 8000-8080",
        "tcp portrange 1-1023",
    ),
    *("tcp[13] & 4 != 0", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "tcp[tcpflags] == tcp-syn", "len > 100"),
    *("icmp[icmptype] == icmp-echo", "icmp6", "ip6", "host fe80::1", "ip6 net 2001:db8::/32", "arp or rarp"),
    *(
        "ether host aa:bb:cc:dd:ee:ff",
        "ether host aa-bb-cc-dd-ee-ff",
        "ether proto 0x0806",
        "ether[0] & 1 != 0",
    ),
    *(
        "not port 22",
        "!(port 22)",
        "port 80 or 443",
        "tcp port (80 or 443)",
        "port http",
        "port http or https",
    ),
    *(
        "src or dst port 53",
        "src and dst host 10.1.2.3",
        "ip proto \\tcp",
        "ip proto 47",
        "ip proto ospf",
        "vlan",
    ),
    *(
        "vlan 100 and ip",
        "mpls",
        "less 100",
        "greater 1400",
        "ip[6:2] & 0x1fff = 0",
        "6 = ip[9]",
        "broadcast",
    ),
    *(
        "ether multicast",
        "ip multicast",
        "udp port 53 || tcp port 53",
        "(tcp or udp) && port 53",
        "sctp",
        "stp",
    ),
    *("ip[0] & 0xf != 5", "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420", "host ::ffff:10.1.2.3", "inbound"),
]

# A filter and the part of it that is pointed at; "" when that is the place behind its end.
BAD = [
    ("port", ""),
    ("port 80 and", ""),
    ("not", ""),
    ("(port 80", ""),
    ("tcp[13", ""),
    ("tcp[13] &", ""),
    ("tcp[13] & 4", ""),
    ("((tcp[13] + 1", ""),
    ("host", ""),
    ("port 80 90", "90"),
    ("port 80 port 443", "port"),
    ("port 80)", ")"),
    ("and port 80", "and"),
    ("port 80 and and port 443", "and"),
    ("port 80 & port 443", "&"),
    ("port = 80", "="),
    ("10.1.2.3", "10.1.2.3"),
    ("port 80 or 10.1.2.3", "10.1.2.3"),
    ("port 99999", "99999"),
    ("port nosuchservice", "nosuchservice"),
    ("port 80 or nosuchservice", "nosuchservice"),
    ("ip proto nosuchprotocol", "nosuchprotocol"),
    ("vlan 5000", "5000"),
    ("net 10.0.0.1/8", "10.0.0.1/8"),
    ("port 80 and net 10.0.0.0/33", "/"),
    ("ip6 host 10.1.2.3", "10.1.2.3"),
    ("host aa:bb:cc:dd:ee:ff", "aa:bb:cc:dd:ee:ff"),
    ("tcp[13:3] = 0", "3"),
    ("icmp port 80", "port"),
    ("type mgt", "type"),
    ("ip and arp", "ip and arp"),
    ("tcp 80", "80"),
    ("less tcp", "tcp"),
    ("tcp and [13] = 2", "["),
]

# What libpcap is never asked.
REFUSED_UNASKED = [
    ("host example.com", "example.com"),
    ("example.com", "example.com"),
    ("host localhost", "localhost"),
    ("net loopback", "loopback"),
    ("gateway router", "router"),
    ("ether host printer", "printer"),
    ("src or dst web", "web"),
    ("port 80 and host web", "web"),
    ("port http and src web", "web"),
    ("host 10.1.2.3 or (port 80) and localhost", "localhost"),
    ("host \\tcp", "\\tcp"),
    ("tpc port 80", "tpc"),
    ("Port 80", "Port"),
    ("http", "http"),
    ("ip.addr == 10.1.2.3", "ip.addr"),
    ("80-90", "80-90"),
    ("len-4 > 3", "len-4"),
    ("host 300.1.1.1", "300.1.1.1"),
    ("host 1.2.3.4.5", "1.2.3.4.5"),
    ("host fe80::1::2", "fe80::1::2"),
    ("host fe80::1%eth0", "eth0"),
    ("host ::ffff:999.1.1.1", "::ffff:999.1.1.1"),
    ("ether host aa:bb:cc", "aa:bb:cc"),
    ("port 80; reboot", ";"),
    ("port $(id)", "$"),
    ("port `id`", "`"),
    ('"port 80"', '"'),
    ("port 80\nport 81", "\n"),
    ("port\x0080", "\x00"),
    ("port 80 é", "é"),
    ("$ab", "$"),
    ("(" * 100, "("),
]


def refusal(capture_filter: str, link_type: str = "EN10MB") -> FilterError:
    with pytest.raises(FilterError) as refused:
        check(capture_filter, link_type)
    assert not isinstance(refused.value, CompilerError)
    return refused.value


def compiles(capture_filter: str, link_type: str = "EN10MB") -> bool:
    """What tcpdump says, which has libpcap in another process of its own; without opening a device."""
    command = ["tcpdump", "-d", "-y", link_type, "--", capture_filter]
    return subprocess.run(command, capture_output=True, check=False, timeout=HANGS).returncode == 0


@pytest.mark.parametrize("capture_filter", GOOD)
def test_a_filter_that_tcpdump_takes_is_taken(capture_filter: str) -> None:
    assert compiles(capture_filter)
    check(capture_filter)


@pytest.mark.parametrize(("capture_filter", "place"), BAD)
def test_a_filter_that_tcpdump_refuses_is_refused_at_its_place(capture_filter: str, place: str) -> None:
    assert not compiles(capture_filter)
    error = refusal(capture_filter)
    assert capture_filter[error.position : error.position + error.length] == place
    if not place:
        assert error.position == len(capture_filter)
        assert "ends too early" in error.sentence


@pytest.mark.parametrize(("capture_filter", "place"), REFUSED_UNASKED)
def test_what_could_ask_a_name_server_or_is_no_filter_is_refused_at_its_place(
    capture_filter: str, place: str
) -> None:
    error = refusal(capture_filter)
    assert capture_filter[error.position : error.position + error.length] == place


@pytest.mark.parametrize(
    ("capture_filter", "hint"),
    [
        ("10.1.2.3", "as in `host 10.1.2.3`"),
        ("port 80 & port 443", "write `and`"),
        ("port 80 | port 443", "write `or`"),
        ("port == 80", "write `port` and the value without it"),
        ("port 80 90", "join conditions with `and` or `or`"),
        ("net 10.0.0.1/8", "write `net 10.0.0.0/8`"),
        ("tpc port 80", "did you mean `tcp`"),
        ("Port 80", "did you mean `port`"),
        ("https", "did you mean `port 443`"),
        ("tcp.port == 80", "display filters"),
        ("80-90", "`portrange 80-90`"),
        ("host web", "write its address instead"),
        ("web", "host names cannot be used"),
        ("ip and arp", "No packet can ever match"),
        ("port 99999", "99999"),
        ("(port 80", "a `)` is missing"),
        ("tcp[13", "a `]` is missing"),
    ],
)
def test_the_sentence_says_what_to_do(capture_filter: str, hint: str) -> None:
    assert hint in refusal(capture_filter).sentence


def test_the_place_is_marked_under_the_filter() -> None:
    lines = str(refusal("port 80 90 and tcp")).splitlines()
    assert lines[1:] == ["```", "port 80 90 and tcp", "        ^^", "```"]


def test_a_long_filter_is_cut_around_the_place() -> None:
    line, carets = pointed("a" * 200 + "X" + "b" * 200, 200, 1).splitlines()[1:3]
    assert line == "…" + "a" * 30 + "X" + "b" * 30 + "…"
    assert line[carets.index("^")] == "X"


def test_a_hostile_filter_is_harmless_in_the_message() -> None:
    message = str(refusal("port 80 `<!channel>```"))
    assert message.count("```") == 2
    assert "<" not in message


def test_a_filter_is_checked_for_the_link_type_it_is_compiled_for() -> None:
    for link_type in ("EN10MB", "LINUX_SLL", "LINUX_SLL2", "RAW", "NULL", "PPP"):
        check("tcp port 80 and host 10.1.2.3", link_type)
        assert compiles("tcp port 80 and host 10.1.2.3", link_type)
    check("ether host aa:bb:cc:dd:ee:ff", "EN10MB")
    assert not compiles("ether host aa:bb:cc:dd:ee:ff", "RAW")
    error = refusal("ether host aa:bb:cc:dd:ee:ff", "RAW")
    assert error.position == len("ether ")
    assert "supported only on ethernet" in error.sentence


def test_a_filter_longer_than_a_thousand_characters_is_refused_unread() -> None:
    assert "79,000 characters" in refusal("tcp and " * 9875).sentence
    check(("tcp or " * 143)[:-4])


def test_a_link_type_that_libpcap_does_not_know_is_one_sentence() -> None:
    with pytest.raises(CompilerError, match="knows no link type `TOKENS`"):
        check("tcp", "TOKENS")


def test_the_documentations_filters_are_filters() -> None:
    block = re.search(r"pcap-filter\(7\):\n\n((?:    .*\n)+)", DOCS.read_text())
    assert block
    examples = [part for part in re.split(r"\n| {3,}", block[1]) if part]
    assert len(examples) > 5
    for capture_filter in examples:
        check(capture_filter)


WORDS = st.sampled_from(
    [
        *(
            "tcp",
            "udp",
            "ip",
            "ip6",
            "arp",
            "ether",
            "port",
            "portrange",
            "host",
            "net",
            "src",
            "dst",
            "proto",
        ),
        *(
            "and",
            "or",
            "not",
            "(",
            ")",
            "[",
            "]",
            "!",
            "&",
            "=",
            "80",
            "443",
            "10.1.2.3",
            "10.0.0.0/8",
            "len",
        ),
        *(
            "fe80::1",
            "aa:bb:cc:dd:ee:ff",
            "http",
            "80-90",
            "gateway",
            "vlan",
            "\\tcp",
            "tcp[13]",
            "> 5",
            "mask",
        ),
        *("localhost", "localhost", "\\localhost"),
    ]
)
FILTERS = st.lists(WORDS, min_size=1, max_size=7).map(" ".join)
SEEDS = st.tuples(
    st.sampled_from([good for good in GOOD if good]), st.sampled_from(["and", "or"]), FILTERS
).map(" ".join)


def refused(capture_filter: str) -> FilterError | None:
    try:
        check(capture_filter)
    except CompilerError:
        raise
    except FilterError as error:
        return error
    return None


@settings(max_examples=examples(20))
@given(FILTERS | SEEDS)
def test_any_filter_is_taken_exactly_when_tcpdump_takes_it_and_never_with_a_host_name(
    capture_filter: str,
) -> None:
    # `localhost` stands for any host: libpcap finds it without a name server, and would take it.
    error = refused(capture_filter)
    if error is None:
        assert "localhost" not in capture_filter
        assert compiles(capture_filter)
    else:
        assert 0 <= error.position <= len(capture_filter)
        assert error.length > 0
        assert error.sentence.endswith((".", "?"))
        assert "host name" in error.sentence or not compiles(capture_filter)


@settings(max_examples=examples(10))
@given(st.text(max_size=200))
def test_any_text_is_a_filter_or_one_sentence(text: str) -> None:
    error = refused(text)
    assert error is None or "\n" not in error.sentence
