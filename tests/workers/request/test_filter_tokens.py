import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.request.filter_tokens import (
    Kind,
    TokenError,
    foreign_name,
    mixes_and_or,
    stray_character,
    tokens,
)


def test_words_and_signs_are_told_apart_with_their_places() -> None:
    read = tokens("host fe80::1 && tcp[13:2]&0x4!=0 or port 80-90")
    assert [(token.text, token.kind) for token in read] == [
        ("host", Kind.KEYWORD),
        ("fe80::1", Kind.ADDRESS),
        ("&&", Kind.SIGN),
        ("tcp", Kind.KEYWORD),
        ("[", Kind.SIGN),
        ("13", Kind.NUMBER),
        (":", Kind.SIGN),
        ("2", Kind.NUMBER),
        ("]", Kind.SIGN),
        ("&", Kind.SIGN),
        ("0x4", Kind.NUMBER),
        ("!=", Kind.SIGN),
        ("0", Kind.NUMBER),
        ("or", Kind.KEYWORD),
        ("port", Kind.KEYWORD),
        ("80-90", Kind.NAME),
    ]


TEXTS = st.text("tcp port80-90:./\\()[]!<>=&|^ $;é", max_size=40)


def unreadable(text: str) -> TokenError | None:
    try:
        tokens(text)
    except TokenError as error:
        return error
    return None


@given(TEXTS)
def test_tokens_and_spaces_are_all_of_a_filter(text: str) -> None:
    if unreadable(text) is None:
        pieces = [token.text for token in tokens(text)]
        assert "".join(pieces) == text.replace(" ", "")
        assert all(text.startswith(token.text, token.position) for token in tokens(text))
        assert stray_character(text) is None


@given(TEXTS)
def test_what_cannot_be_read_is_where_it_is_said_to_be(text: str) -> None:
    error = unreadable(text)
    if error is not None:
        assert error.text
        assert text.startswith(error.text, error.position)
        assert unreadable(text[: error.position]) is None


@pytest.mark.parametrize(
    "capture_filter",
    [
        *("port http", "port http or https", "port (http or https)", "ip proto ospf and not igp", "llc u"),
        *("host 10.1.2.3 and port http", "port 80 and not (domain or http)", "ifname eth0"),
    ],
)
def test_names_of_services_and_protocols_may_stand_where_they_belong(capture_filter: str) -> None:
    assert foreign_name(tokens(capture_filter)) is None


@pytest.mark.parametrize(
    "capture_filter",
    [
        *("web", "host web", "src web", "port http and src web", "port http or (host 10.1.2.3 or web)"),
        *(
            "host 10.1.2.3 or (port 80) and web",
            "host 10.1.2.3 and (port http) or not (web)",
            "llc u and web",
        ),
        *("(port http) and web", "port http and tcp and web", "len > 5 and web", "ifname eth0 or web"),
    ],
)
def test_a_name_that_could_be_a_hosts_is_found(capture_filter: str) -> None:
    name = foreign_name(tokens(capture_filter))
    assert name
    assert name.text == "web"


@pytest.mark.parametrize(
    "capture_filter",
    [
        "port 80 or port 443 and host 10.1.2.3",
        "port 80 and port 443 or host 10.1.2.3",
        "tcp && port 80 || udp",
        "(tcp and port 80 or udp)",
        "src or dst port 80 and tcp or udp",
    ],
)
def test_and_beside_or_without_parentheses_is_seen(capture_filter: str) -> None:
    assert mixes_and_or(capture_filter)


@pytest.mark.parametrize(
    "capture_filter",
    [
        *("", "port 80", "port 80 and tcp and host 10.1.2.3", "(port 80 or port 443) and host 10.1.2.3"),
        *(
            "tcp and (port 80 or 443)",
            "src or dst port 80 and tcp",
            "tcp[13] & 4 | 2 != 0 and tcp",
            "port 80; or",
        ),
    ],
)
def test_and_and_or_that_cannot_be_mistaken_are_left_alone(capture_filter: str) -> None:
    assert not mixes_and_or(capture_filter)
