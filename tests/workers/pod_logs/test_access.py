import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from workers.pod_logs.access import Access, access

NGINX = (
    '10.244.1.1 - - [23/Nov/2026:19:20:05 +0000] "GET /cheese?key=s3cret HTTP/1.1" 200 612 "-" "curl/8.5.0"'
)
INGRESS = (
    '10.244.1.1 - - [23/Nov/2026:19:20:05 +0000] "POST /orders HTTP/2.0" 503 190 "-" "k6/0.49" 401 0.012 '
    "[shop-orders-80] [] 10.244.2.9:8080 190 0.011 503 5d1f0e"
)
TRAEFIK = (
    '192.168.1.35 - - [23/Nov/2026:19:20:05 +0000] "GET /brie HTTP/1.1" 404 19 "-" "curl/8.5.0" 17 '
    '"websecure-traefik-cheddar@kubernetes" "http://10.244.1.3:80" 3ms'
)
ENVOY = (
    '[2026-11-23T19:20:05.123Z] "GET /status/200 HTTP/1.1" 200 - 0 1836 14 13 "203.0.113.9,10.244.1.7" '
    '"curl/8.5.0" "9f6a1c8e-1c1f-4d8c-8e3f-0f3b3d0c7a11" "bin.shop:8000" "10.244.2.9:80"'
)
ISTIO = (
    '[2026-11-23T19:20:05.123Z] "GET /status/418 HTTP/1.1" 418 - via_upstream - "-" 0 135 3 1 "-" "curl" '
    '"84961386-6d84-929d-98bd-c5aee93b5c88" "bin.shop:8000" "10.244.2.9:80" '
    "inbound|8000|| 127.0.0.6:33759 10.244.2.9:80 10.244.1.7:48930 outbound_.8000_._.bin.shop default"
)

FORWARDED = NGINX + ' "203.0.113.9, 10.244.1.7"'
VHOST = 'shop.example:80 2001:db8::1 - frank [23/Nov/2026:19:20:05 +0000] "HEAD / HTTP/1.0" 304 -'
NO_REQUEST = r'c.example - - [23/Nov/2026:19:20:05 +0000] "\x16\x03\x01 \"" 400 0 "-" "-"'
NGINX_JSON = {
    "remote_addr": "10.244.1.1",
    "request_method": "GET",
    "request_uri": "/a?b=c",
    "status": "200",
    "request_time": "0.250",
    "http_x_forwarded_for": "-",
    "host": "shop.example",
}
REQUEST_JSON = {"remote_addr": "10.244.1.1", "request": "PUT /a HTTP/1.1", "status": 201}
ENVOY_JSON = {
    "start_time": "2026-11-23T19:20:05.123Z",
    "method": "GET",
    "path": "/a",
    "response_code": 0,
    "duration": 1500,
    "downstream_remote_address": "10.244.1.7:48930",
    "authority": "shop",
    "x_forwarded_for": None,
}
TRAEFIK_JSON = {
    "ClientAddr": "[2001:db8::1]:5012",
    "ClientHost": "2001:db8::1",
    "DownstreamStatus": 200,
    "Duration": 2000000,
    "RequestMethod": "GET",
    "RequestPath": "/a",
    "RequestHost": "shop",
}
CADDY_JSON = {
    "msg": "handled request",
    "request": {"remote_ip": "10.0.0.1", "method": "GET", "uri": "/a", "host": "shop"},
    "status": 200,
}

COMBINED = Access("combined", "10.244.1.1", None, "GET", "/cheese?…", 200)
LINES = [
    (NGINX, COMBINED),
    (FORWARDED, COMBINED._replace(forwarded="203.0.113.9")),
    (NGINX.partition(' "-" ')[0], COMBINED._replace(form="common")),
    (VHOST, Access("common", "2001:db8::1", None, "HEAD", "/", 304, host="shop.example")),
    (NO_REQUEST, Access("combined", "", None, "", "", 400)),
    (INGRESS, Access("combined", "10.244.1.1", None, "POST", "/orders", 503, 0.012)),
    (TRAEFIK, Access("Traefik", "192.168.1.35", None, "GET", "/brie", 404, 0.003)),
    (ENVOY, Access("Envoy", "", None, "GET", "/status/200", 200, 0.014, "203.0.113.9", "bin.shop:8000")),
    (ISTIO, Access("Envoy", "10.244.1.7", 48930, "GET", "/status/418", 418, 0.003, "", "bin.shop:8000")),
    (
        json.dumps(NGINX_JSON),
        Access("JSON", "10.244.1.1", None, "GET", "/a?…", 200, 0.25, "", "shop.example"),
    ),
    (json.dumps(REQUEST_JSON), Access("JSON", "10.244.1.1", None, "PUT", "/a", 201)),
    (json.dumps(ENVOY_JSON), Access("JSON", "10.244.1.7", 48930, "GET", "/a", None, 1.5, "", "shop")),
    (json.dumps(TRAEFIK_JSON), Access("JSON", "2001:db8::1", None, "GET", "/a", 200, 0.002, "", "shop")),
    (json.dumps(CADDY_JSON), Access("JSON", "10.0.0.1", None, "GET", "/a", 200, None, "", "shop")),
]


@pytest.mark.parametrize(("line", "told"), LINES, ids=range(len(LINES)))
def test_a_request_is_read_from_each_format(line: str, told: Access) -> None:
    assert access(line) == told._replace(seconds=pytest.approx(told.seconds) if told.seconds else None)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "listening on :80",
        '{"level":"info","msg":"ready","path":"/","status":"up"}',
        '{"level":"info","status":200}',
        "[]",
        "{" * 5000,
        NGINX.replace("200", "OK"),
        NGINX + "x" * 9000,
    ],
)
def test_any_other_line_is_no_request(line: str) -> None:
    assert access(line) is None


@given(st.one_of(st.text(max_size=300), st.sampled_from([line for line, _ in LINES])), st.integers(0, 300))
@example("10.0.0.1 - - [" * 500, 0)
@example('{"status":200,"request":"GET / HTTP/1.1","duration":' + "9" * 4000 + "}", 0)
@settings(max_examples=examples(60))
def test_no_line_makes_it_fail(line: str, cut: int) -> None:
    for given_line in (line, line[:cut], line[cut:], line[cut:] + line[:cut]):
        found = access(given_line)
        assert found is None or found.status is None or 0 < found.status <= 999


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=4,
)
FIELDS = (
    "remote_addr",
    "method",
    "path",
    "status",
    "request",
    "duration",
    "Duration",
    "request_time",
    "host",
)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
@settings(max_examples=examples(60))
def test_no_object_makes_it_fail(fields: dict[str, object]) -> None:
    access(json.dumps(fields))
