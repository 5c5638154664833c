"""A request as an access log tells it, in the formats of nginx, Apache, Envoy and Traefik. Pure.

Each format is the software's own default, or what its documentation shows: nginx `combined`
(ngx_http_log_module) with what ingress-nginx and others write behind it, Apache `common` and `combined`
(mod_log_config), Envoy's default format string and Istio's, Traefik's common log format; and JSON with the
names that those give to their fields.
"""

import json
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any, NamedTuple

from workers.summary.protocols.redact import host as shown_host
from workers.summary.protocols.redact import path as shown_path
from workers.summary.protocols.redact import split_target

LONGEST = 8192
"""Characters of a line; what is longer is no access log."""


class Access(NamedTuple):
    """One request.

    Attributes:
        form: `common`, `combined`, `Envoy`, `Traefik` or `JSON`.
        client: The address that the log names as the client's, as it is written canonically; "" for none.
        port: The client's port, where the log has it.
        method: In capitals; "" when the request could not be read by the server either.
        path: Without secrets, as exchanges have it.
        status: None when the log has none.
        seconds: How long it took, as the log says; None when it does not.
        forwarded: What the request's X-Forwarded-For began with; "" for none.
        host: What it was asked for; "" when the log does not say.
    """

    form: str
    client: str
    port: int | None
    method: str
    path: str
    status: int | None
    seconds: float | None = None
    forwarded: str = ""
    host: str = ""


_TEXT = r"\"((?:[^\"\\]|\\.)*)\""
_COMMON = re.compile(
    r"(?:([\w.-]{1,253}:\d{1,5}) )?(\S{1,253}) \S{1,128} ([^\[\"]{1,128}) \[([^\]]{1,64})\] "
    rf"{_TEXT} (\d{{3}}|-) (\d{{1,15}}|-)(?: {_TEXT} {_TEXT})?(.*)"
)
_TRAEFIK = re.compile(rf" (\d+|-) {_TEXT} {_TEXT} (\d+)ms")
_INGRESS = re.compile(r" \d+ (\d{1,6}\.\d{1,6}) \[")
_FORWARDED = re.compile(rf" {_TEXT}$")
_ENVOY = re.compile(rf"\[(\d{{4}}-\d\d-\d\dT[\d:.]+Z)\] {_TEXT} (\d{{1,3}}) (\S+) (.*)")
_ENVOY_NUMBERS = re.compile(r"(?:^| )(\d+) (\d+) (\d+) (?:\d+|-) ")
_QUOTED = re.compile(_TEXT)
_REQUEST = re.compile(r"([A-Z][A-Za-z_-]{0,31}) (\S{1,8000})(?: HTTP/([\d.]{1,4}))?")


def access(line: str) -> Access | None:
    """The request that a line tells of; None for any other line."""
    text = line.strip()
    if not text or len(text) > LONGEST:
        return None
    if text[0] == "{":
        return _json(text)
    if found := _ENVOY.fullmatch(text):
        return _envoy(found)
    if found := _COMMON.fullmatch(text):
        return _common(found)
    return None


def _common(found: re.Match[str]) -> Access:
    vhost, client, _, _, request, status, _, referer, _, rest = found.groups()
    address, port = _client(client)
    form, seconds, forwarded = "common" if referer is None else "combined", None, ""
    if behind := _TRAEFIK.fullmatch(rest):
        form, seconds = "Traefik", int(behind[4]) / 1000
    elif behind := _INGRESS.match(rest):
        seconds = float(behind[1])
    elif behind := _FORWARDED.fullmatch(rest):
        forwarded = _forwarded(behind[1])
    asked = vhost.partition(":")[0] if vhost else ""
    return _access(form, (address, port), request, _number(status), seconds, forwarded, asked)


def _envoy(found: re.Match[str]) -> Access:
    """Istio writes more than Envoy, and between the same numbers; the downstream's address stands behind."""
    _, request, status, _, rest = found.groups()
    texts = _QUOTED.findall(rest)
    numbers = _ENVOY_NUMBERS.search(rest)
    # The last five texts are X-Forwarded-For, user agent, request id, authority, upstream.
    named = texts[-5:] if len(texts) >= 5 else []  # noqa: PLR2004
    behind = rest[rest.rfind('"') + 1 :].split()
    # Istio: upstream cluster, upstream's local address, then downstream's local and remote address.
    client = _client(behind[3]) if len(behind) >= 4 else ("", None)  # noqa: PLR2004
    return _access(
        "Envoy",
        client,
        request,
        _number(status) or None,  # 0: the server sent nothing
        int(numbers[3]) / 1000 if numbers else None,
        _forwarded(named[0]) if named else "",
        "" if not named or named[3] == "-" else named[3],
    )


_CLIENT = (
    *("remote_addr", "downstream_remote_address", "ClientHost", "ClientAddr", "client_ip", "clientip"),
    *("remote_ip", "remoteIp", "remoteAddr", "client_addr", "client", "ip", "remote"),
)
_METHOD = ("request_method", "method", "RequestMethod", "requestMethod", "verb")
_PATH = (
    *("request_uri", "RequestPath", "path", "uri", "url", "requestUrl", "request_url"),
    "x_envoy_original_path",
)
_STATUS = ("status", "response_code", "DownstreamStatus", "status_code", "statusCode", "OriginStatus", "code")
_FORWARDED_BY = ("http_x_forwarded_for", "x_forwarded_for", "x-forwarded-for", "X-Forwarded-For")
_HOST = ("authority", "RequestHost", "host", "http_host", "vhost", "server_name")
_DURATIONS = {
    "request_time": 1.0,  # nginx, seconds
    "duration": 1e-3,  # Envoy, milliseconds
    "duration_ms": 1e-3,
    "Duration": 1e-9,  # Traefik, nanoseconds
}


def _json(text: str) -> Access | None:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    inner = fields.get("request")
    if isinstance(inner, dict):  # Caddy
        fields = {**fields, **inner}
    method, path = _first(fields, _METHOD), _first(fields, _PATH)
    request = inner if isinstance(inner, str) else f"{method} {path}"
    status = _number(_first(fields, _STATUS))
    if not _REQUEST.match(request) or status is None:
        return None
    address, port = _client(_first(fields, _CLIENT))
    forwarded, host = _forwarded(_first(fields, _FORWARDED_BY)), _first(fields, _HOST)
    return _access("JSON", (address, port), request, status or None, _seconds(fields), forwarded, host)


def _seconds(fields: Mapping[str, Any]) -> float | None:
    for name, factor in _DURATIONS.items():
        text = _first(fields, (name,))
        if re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,18})?", text):
            return factor * float(text)
    return None


def _access(
    form: str,
    client: tuple[str, int | None],
    request: str,
    status: int | None,
    seconds: float | None,
    forwarded: str,
    host: str,
) -> Access:
    found = _REQUEST.match(request)
    method, target = (found[1].upper(), found[2]) if found else ("", "")
    named, _ = split_target(target)
    asked = shown_host(named or ("" if host == "-" else host))
    return Access(form, *client, method, shown_path(target), status, seconds, forwarded, asked)


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> str:
    values: Iterator[Any] = (fields[name] for name in names if name in fields)
    return next((str(value)[:LONGEST] for value in values if _is_scalar(value)), "")


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool) and value not in ("", "-")


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[0-9]{1,3}", text) else None


def _client(text: str) -> tuple[str, int | None]:
    """An address and its port, from `10.0.0.1`, `10.0.0.1:80`, `[::1]:80`, `::1`; a name is none."""
    for address, port in _readings(text):
        try:
            return str(ip_address(address)), int(port) if port else None
        except ValueError:
            continue
    return "", None


def _readings(text: str) -> Iterator[tuple[str, str]]:
    yield text, ""
    address, _, port = text.rpartition(":")
    if re.fullmatch(r"[0-9]{1,5}", port):
        yield address.removeprefix("[").removesuffix("]"), port


def _forwarded(text: str) -> str:
    """The first address of an X-Forwarded-For: who the proxy before said that the client is."""
    return _client(text.partition(",")[0].strip())[0]
