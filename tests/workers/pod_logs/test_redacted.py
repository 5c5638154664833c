import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from workers.pod_logs.redacted import LONGEST, shown

SECRET = "hunter2-Zq8"
"""Short, as people choose them: nothing of its form tells that it is one."""

SHAPES = [
    "user alice password={}",
    "password: {} for alice",
    'login {{"user": "alice", "password": "{}", "ok": true}}',
    'msg="{{\\"password\\":\\"{}\\"}}"',
    "DB_PASSWORD='{}' started",
    "api-key => {}",
    "x-api-key: {}",
    "Authorization: Bearer {}",
    "authorization=Basic {}",
    "sent Bearer {} to upstream",
    "Cookie: theme=dark; sid={}; lang=en",
    '"set-cookie": "sid={}; Path=/"',
    "GET /login?user=alice&pw={} HTTP/1.1",
    '10.0.0.1 - - [x] "GET /a;jsessionid={} HTTP/1.1" 200 1 "http://shop.example/?q={}" "-"',
    "GET /reset/token/{} HTTP/1.1",
    "connecting to postgres://shop:{}@db.shop:5432/orders",
    "https://alice:{}@git.example/x.git",
    "clientSecret={} accepted",
    "-----BEGIN PRIVATE KEY-----{}",
]


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_named_a_secret_is_hidden(shape: str) -> None:
    told = shown(shape.format(SECRET, SECRET))
    assert "hunter2" not in told
    assert "Zq8" not in told
    assert "…" in told


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r",
        "xoxb-123456789012-abcdefABCDEF123456",
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
        "9e107d9d372bb6826bd81d3542a419d6",
    ],
)
def test_what_looks_like_a_secret_is_hidden_wherever_it_stands(secret: str) -> None:
    for line in (f"got {secret}", f"[{secret}]", f'{{"a":"{secret}"}}', f"/a/{secret}/b", f"x={secret},y=1"):
        assert secret not in shown(line)
        assert secret[-12:] not in shown(line)


@pytest.mark.parametrize(
    "line",
    [
        '10.244.1.1 - - [23/Nov/2026:19:20:05 +0000] "GET /bytes/4000 HTTP/1.1" 200 4000 "-" "curl/8.5.0"',
        "2026-11-23T19:20:05.123456789Z INFO cheddar-845749dbd6-zcdjm is ready after 1.25s",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
        "panic: runtime error: index out of range [5] with length 3",
        "[2001:db8::1]:5012 closed, what now? nothing",
        "",
    ],
)
def test_an_ordinary_line_stays_as_it_is(line: str) -> None:
    assert shown(line) == line


@given(st.text(), st.integers(0, 2))
@example("a://" * 3000, 0)
@example('"\\' * 4000, 0)
@example("token=" * 1500, 0)
@example("cookie:" * 1200, 0)
@example("/" * 9000, 0)
@example("a?" * 4000, 0)
@settings(max_examples=examples(100))
def test_any_line_at_all_can_be_shown(line: str, times: int) -> None:
    told = shown(line * 10**times)
    assert len(told) <= LONGEST


@given(st.sampled_from(SHAPES), st.text(max_size=30), st.text(max_size=30))
@settings(max_examples=examples(60))
def test_what_stands_around_a_named_secret_does_not_bring_it_out(shape: str, before: str, after: str) -> None:
    assert "hunter2" not in shown(f"{before} {shape.format(SECRET, SECRET)} {after}")
