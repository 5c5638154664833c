import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.masking import mask

TOKEN = "xoxb-1234567890-abcdefGHIJ"


@pytest.mark.parametrize(
    ("line", "secret", "kept"),
    [
        (f"invalid token {TOKEN}.", TOKEN, "invalid token"),
        ("connected with xapp-1-A0123-45678-deadbeef", "deadbeef", "connected"),
        ("cannot reach redis://:hunter22@redis.example:6379/0", "hunter22", "@redis.example:6379/0"),
        ("postgresql://podcap:s%40cret@db/podcap refused", "s%40cret", "podcap:***@db/podcap refused"),
        ("POST https://hooks.slack.com/commands/T0/1/XyZ failed", "XyZ", "failed"),
        ('{"url": "https://files.slack.com/upload/v1/CwABAAA"}', "CwABAAA", '"}'),
        ("{'Authorization': 'Bearer abc.def.ghi'}", "abc.def.ghi", "Authorization"),
        ("authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz", "authorization"),
        ("Cookie: session=0123", "session=0123", "Cookie"),
        ("s3 GET /b/f?X-Amz-Signature=0a1b&X-Amz-Date=2", "0a1b", "s3 GET /b/f?"),
    ],
)
def test_what_looks_like_a_secret_is_masked_and_the_rest_stays(line: str, secret: str, kept: str) -> None:
    for shown in (line, json.dumps({"message": line})):
        masked = mask(shown)
        assert secret not in masked
        assert json.dumps(kept)[1:-1] in masked or kept in masked


@pytest.mark.parametrize(
    "line",
    [
        '{"message": "GET http://10.0.0.1:6443/api/v1/pods?watch=1", "capture": "cap-7f3k9q"}',
        "tcpdump: listening on veth09b7438a, link-type EN10MB (Ethernet)",
        "traefik/cheddar-845749dbd6-zcdjm 30s port 80 and host 10.244.1.1",
        "s3://captures/podcap/cap-7f3k9q_traefik_cheddar.pcap",
    ],
)
def test_an_ordinary_line_stays_as_it_is(line: str) -> None:
    assert mask(line, ("short",)) == line


@given(st.text(min_size=6).filter(lambda secret: "*" not in secret), st.text(), st.text())
def test_a_secret_known_by_its_value_is_in_no_line(secret: str, before: str, after: str) -> None:
    assert secret not in mask(f"{before}{secret}{after}", (secret,))
