import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.summary.protocols import redact

SECRETS = st.text(
    "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=16, max_size=40
).filter(lambda text: any(c.isdigit() for c in text) and any(c.isalpha() for c in text))


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/", "/"),
        ("/api/v1/pods/cheddar-845749dbd6-zcdjm", "/api/v1/pods/cheddar-845749dbd6-zcdjm"),
        ("/path?token=abc", "/path?…"),
        ("/path%3Ftoken=abc", "/path?…"),
        ("/path;jsessionid=abc", "/path?…"),
        ("/path#access_token=abc", "/path?…"),
        ("/login/password/hunter2/x", "/login/password/…/x"),
        ("/key=abc/x", "/key=…/x"),
        ("/reset/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "/reset/…"),
        ("/services/T000/B000/aB3dE5fG7hI9jK1lM3nO5p", "/services/T000/B000/…"),
        ("/bot123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/getMe", "/…/getMe"),
        ("/user:hunter2@host/", "/…/"),
        ("http://user:hunter2@example.com/a/b?c=d", "/a/b?…"),
        ("http://example.com?c=d", "?…"),
        ("example.com:443", "example.com:443"),
        ("*", "*"),
    ],
)
def test_a_path_is_shown_without_what_may_be_secret(target: str, shown: str) -> None:
    assert redact.path(target) == shown


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        ("/a", ("", "/a")),
        ("http://user:pw@example.com:8080/a", ("example.com:8080", "/a")),
        ("HTTP://example.com", ("example.com", "")),
        ("http://example.com?x=http://a@b/", ("example.com", "?x=http://a@b/")),
    ],
)
def test_an_absolute_target_has_a_host_of_its_own(target: str, parts: tuple[str, str]) -> None:
    assert redact.split_target(target) == parts


@given(
    SECRETS,
    st.sampled_from(["/a?x=%s", "/a/%s", "/%s/b", "/a;%s", "http://u:%s@h/a", "/token/%s", "/a=%s", "//%s"]),
)
def test_a_token_does_not_come_through_wherever_it_stands(secret: str, place: str) -> None:
    target = place.replace("%s", secret)
    assert secret not in redact.path(target)
    assert secret not in redact.split_target(target)[0]


@given(st.text(max_size=2000))
def test_any_target_becomes_a_short_path(target: str) -> None:
    assert len(redact.path(target)) <= 310


def test_a_host_is_shown_without_user_and_password() -> None:
    assert redact.host("user:hunter2@example.com:80") == "example.com:80"
    assert redact.host("example.com/?token=1@2") == "example.com"
