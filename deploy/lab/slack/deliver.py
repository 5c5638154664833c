"""Taking a request to the app, by Socket Mode when it is connected, else over HTTP, and its ack back."""

import asyncio
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

import aiohttp

from deploy.lab.slack import signing
from deploy.lab.slack.socketmode import NotAcknowledgedError, Sockets
from deploy.lab.slack.workspace import Workspace

Json = dict[str, Any]

_OK = range(200, 300)
_AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"


class Kind(StrEnum):
    """The kinds of request, as Socket Mode names them."""

    COMMAND = "slash_commands"
    INTERACTION = "interactive"
    EVENT = "events_api"


@dataclass(frozen=True, slots=True)
class Forgery:
    """How a request over HTTP differs from what Slack would send.

    Attributes:
        wrong_signature: Signed with another secret.
        age: Seconds that its timestamp lies in the past.
        extra: Further form fields.
    """

    wrong_signature: bool = False
    age: int = 0
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Retry:
    """Which repetition of an event this is, from 1, and why: `http_timeout` or `http_error`."""

    number: int
    reason: str

    @property
    def headers(self) -> dict[str, str]:
        """As HTTP says it."""
        return {"X-Slack-Retry-Num": str(self.number), "X-Slack-Retry-Reason": self.reason}


@dataclass(frozen=True, slots=True)
class Ack:
    """An app's answer.

    Attributes:
        status: HTTP's status; 200 for an ack over a websocket; None when there was none.
        milliseconds: From the request to the answer, or to giving up.
        body: JSON, or text, or None for an empty one.
        error: None, `operation_timeout` or `dispatch_failed`: what Slack tells the user.
        no_retry: Whether the app asked not to repeat the request.
    """

    status: int | None
    milliseconds: int
    body: Any = None
    error: str | None = None
    no_retry: bool = False


class Delivery:
    """Sends requests to the one app that is installed."""

    def __init__(self, workspace: Workspace, sockets: Sockets) -> None:
        self._workspace = workspace
        self._sockets = sockets
        self._session: aiohttp.ClientSession | None = None
        self._repeating: set[asyncio.Task[None]] = set()

    async def send(
        self, kind: Kind, payload: Json, forgery: Forgery | None = None, retry: Retry | None = None
    ) -> Ack:
        """Sends one request once, and waits for its ack as long as Slack does."""
        started = asyncio.get_running_loop().time()
        if self._sockets.connected:
            ack = await self._by_socket(kind, payload, started, retry)
        else:
            ack = await self._by_http(kind, payload, started, forgery or Forgery(), retry)
        self._workspace.calls.delivered(
            kind.value, status=ack.status, milliseconds=ack.milliseconds, error=ack.error
        )
        return ack

    async def send_event(self, payload: Json) -> Ack:
        """Sends an event; one that is not acknowledged is repeated in the background, up to three times."""
        ack = await self.send(Kind.EVENT, payload)
        if ack.error is not None and not ack.no_retry:
            task = asyncio.create_task(self._repeat(payload, ack))
            self._repeating.add(task)
            task.add_done_callback(self._repeating.discard)
        return ack

    async def close(self) -> None:
        """Ends what is under way."""
        for task in list(self._repeating):
            task.cancel()
        if self._session is not None:
            await self._session.close()

    async def _repeat(self, payload: Json, ack: Ack) -> None:
        for number, pause in enumerate(self._workspace.retry_after, start=1):
            await asyncio.sleep(pause)
            reason = "http_timeout" if ack.error == "operation_timeout" else "http_error"
            ack = await self.send(Kind.EVENT, payload, retry=Retry(number, reason))
            if ack.error is None or ack.no_retry:
                return

    async def _by_socket(self, kind: Kind, payload: Json, started: float, retry: Retry | None) -> Ack:
        envelope: Json = {
            "type": kind.value,
            "accepts_response_payload": kind is not Kind.EVENT,
            "payload": payload,
        }
        if kind is Kind.EVENT:
            envelope["retry_attempt"] = retry.number if retry else 0
            envelope["retry_reason"] = retry.reason if retry else ""
        try:
            body = await self._sockets.send(envelope)
        except NotAcknowledgedError as error:
            return Ack(None, _since(started), error=str(error))
        return Ack(200, _since(started), body or None)

    async def _by_http(
        self, kind: Kind, payload: Json, started: float, forgery: Forgery, retry: Retry | None
    ) -> Ack:
        workspace = self._workspace
        if workspace.request_url is None:
            return Ack(None, 0, error="dispatch_failed")
        body, content_type = _encode(kind, payload, forgery)
        timestamp = int(workspace.clock()) - forgery.age
        secret = workspace.credentials.signing_secret
        signed = signing.headers("0" * 32 if forgery.wrong_signature else secret, timestamp, body)
        if self._session is None:
            # A connection kept from before an app's restart would look like a refusal of its successor's.
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        try:
            async with self._session.post(
                workspace.request_url,
                data=body,
                headers={
                    "Content-Type": content_type,
                    "Accept": "application/json,*/*",
                    "User-Agent": _AGENT,
                    **signed,
                    **(retry.headers if retry else {}),
                },
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=workspace.ack_within),
            ) as response:
                answer = _decode(await response.text())
                error = None if response.status in _OK else "dispatch_failed"
                no_retry = response.headers.get("X-Slack-No-Retry") == "1"
                return Ack(response.status, _since(started), answer, error, no_retry)
        except TimeoutError:
            return Ack(None, _since(started), error="operation_timeout")
        except aiohttp.ClientError:
            return Ack(None, _since(started), error="dispatch_failed")


def _encode(kind: Kind, payload: Json, forgery: Forgery) -> tuple[bytes, str]:
    if kind is Kind.EVENT:
        return json.dumps(payload).encode(), "application/json"
    fields = payload if kind is Kind.COMMAND else {"payload": json.dumps(payload)}
    return urlencode({**fields, **forgery.extra}).encode(), "application/x-www-form-urlencoded"


def _decode(text: str) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _since(started: float) -> int:
    return round((asyncio.get_running_loop().time() - started) * 1000)
