"""Plain requests to the API server: JSON in, JSON out, every wait limited.

The kubernetes client contributes what is hard to get right (kubeconfig, client certificates, tokens that are
renewed, exec plugins, proxies, TLS); objects stay the API's own JSON.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import urllib3
import yaml
from kubernetes import config
from kubernetes.client import ApiClient, Configuration
from kubernetes.config.config_exception import ConfigException

from workers.cluster.errors import ClusterError, UnreachableError, from_answer

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0

# A request that only asks, or that removes by name, does no harm when it is sent twice. 429 and 503 come with
# Retry-After when the API server sheds load, and nothing was done then.
_RETRIES = urllib3.Retry(
    total=3,
    connect=2,
    read=2,
    redirect=0,
    status=3,
    allowed_methods=frozenset({"GET", "DELETE"}),
    status_forcelist=(429, 503),
    backoff_factor=0.2,
    raise_on_status=False,
)


class Api:
    """One connection pool to one API server. Not shared between threads: every thread opens its own."""

    def __init__(self, configuration: Configuration) -> None:
        configuration.retries = _RETRIES
        self.configuration = configuration
        self._client = ApiClient(configuration)

    @classmethod
    def connect(cls, kubeconfig: str | Path | None, context: str | None = None) -> Self:
        """Reads a kubeconfig (several, joined as in $KUBECONFIG), or without one the pod's service account.

        Raises:
            ClusterError: Neither can be read.
        """
        configuration = Configuration()
        if kubeconfig is not None and not _is_there(str(kubeconfig)):
            raise ClusterError(f"No way to a cluster: there is no file {kubeconfig}: correct KUBECONFIG.")
        try:
            if kubeconfig is None:
                config.load_incluster_config(configuration)
            else:
                config.load_kube_config(str(kubeconfig), context=context, client_configuration=configuration)
        except _UNREADABLE as error:
            what = "KUBECONFIG is not set and this is no pod" if kubeconfig is None else str(kubeconfig)
            why = " ".join(str(error).split()).rstrip(".")
            raise ClusterError(f"No way to a cluster: {what} ({why}).") from error
        return cls(configuration)

    def headers(self) -> dict[str, str]:
        """The headers that say who asks; a token that nears its end is renewed first."""
        setting = self.configuration.auth_settings().get("BearerToken")
        return {setting["key"]: setting["value"]} if setting and setting["value"] else {}

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        *,
        seconds: float = ANSWER_SECONDS,
    ) -> dict[str, Any]:
        """One request and its JSON answer.

        Raises:
            ClusterError: An answer that is no success, or none within `seconds`.
        """
        answer = self._send(method, path, query, body, seconds=seconds)
        try:
            data = answer.read()
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(self.configuration.host, error) from error
        if not _OK <= answer.status < _NO_LONGER_OK:
            raise from_answer(answer.status, data)
        try:
            answered: dict[str, Any] = json.loads(data)
        except ValueError as error:
            raise _unreachable(self.configuration.host, error) from error
        return answered

    def content(
        self, path: str, query: Mapping[str, Any], *, limit_bytes: int, seconds: float = ANSWER_SECONDS
    ) -> bytes:
        """What is no JSON, such as a log: its first `limit_bytes`.

        Raises:
            ClusterError: An answer that is no success, or a pause of `seconds`.
        """
        answer = self._send("GET", path, query, None, seconds=seconds)
        try:
            if answer.status != _OK:
                raise from_answer(answer.status, answer.read())
            data = bytearray()
            for chunk in answer.stream(1 << 16):
                data += chunk
                if len(data) >= limit_bytes:
                    break
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(self.configuration.host, error) from error
        finally:
            answer.close()
        return bytes(data[:limit_bytes])

    def lines(self, path: str, query: Mapping[str, Any], *, seconds: float) -> Iterator[dict[str, Any]]:
        """A watch: each JSON line as it comes, until the server ends it or is silent for `seconds`."""
        answer = self._send("GET", path, query, None, seconds=seconds)
        if answer.status != _OK:
            raise from_answer(answer.status, answer.read())
        rest = b""
        try:
            for chunk in answer.stream(1 << 16):
                *whole, rest = (rest + chunk).split(b"\n")
                yield from (json.loads(line) for line in whole if line.strip())
        except urllib3.exceptions.HTTPError:
            return  # Silence or a cut: whoever watches asks again, and learns the state then.
        finally:
            answer.close()

    def close(self) -> None:
        """Closes every connection."""
        self._client.rest_client.pool_manager.clear()

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
        *,
        seconds: float,
    ) -> urllib3.BaseHTTPResponse:
        url = self.configuration.host + path + (f"?{urlencode(query)}" if query else "")
        headers = self.headers() | {"accept": "application/json, */*"}
        if body is not None:
            headers["content-type"] = "application/json"
        try:
            answer: urllib3.BaseHTTPResponse = self._client.rest_client.pool_manager.request(
                method,
                url,
                body=None if body is None else json.dumps(body).encode(),
                headers=headers,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=seconds),
                preload_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(self.configuration.host, error) from error
        return answer


# What the kubernetes client raises for a kubeconfig that is no YAML, or no kubeconfig.
_UNREADABLE = (ConfigException, yaml.YAMLError, OSError, ValueError, TypeError, KeyError, AttributeError)


# One of several that are joined may be missing, as with kubectl.
def _is_there(kubeconfig: str) -> bool:
    paths = (os.path.expanduser(path) for path in kubeconfig.split(os.pathsep))  # noqa: PTH111, as the client
    return any(path and Path(path).exists() for path in paths)


_OK = 200
_NO_LONGER_OK = 300


def _unreachable(host: str, error: Exception) -> UnreachableError:
    cause = getattr(error, "reason", None) or error
    return UnreachableError(
        f"The cluster's API server at {host} does not answer ({type(cause).__name__}): try again later."
    )
