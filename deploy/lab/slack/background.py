"""The stand-in in a thread of one's own process, for tests that want to look into it."""

import asyncio
import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy.lab.slack.app import serving
from deploy.lab.slack.workspace import Workspace

_SECONDS = 20


class BackgroundSlack:
    """A stand-in that serves while the context is entered.

    Args:
        folder: Where files go.
    """

    workspace: Workspace

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="slack")
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(_SECONDS):
            raise RuntimeError("the Slack stand-in did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_SECONDS)

    async def _serve(self) -> None:
        async with serving(self._folder) as workspace:
            self.workspace = workspace
            self._loop = asyncio.get_running_loop()
            self._stop = asyncio.Event()
            self._started.set()
            await self._stop.wait()

    @property
    def api_url(self) -> str:
        """The value for SLACK_API_URL."""
        return f"{self.workspace.base_url}/api/"

    def id(self, name: str) -> str:
        """The id of a channel or a person.

        Raises:
            KeyError: There is none of that name.
        """
        found = self.workspace.world.channel(name) or self.workspace.world.user(name)
        if found is None:
            raise KeyError(name)
        return found.id

    def control(self, name: str, **body: Any) -> dict[str, Any]:
        """POSTs to /_lab/NAME; its answer, with `http_status`."""
        status, text, _ = self.request("POST", f"/_lab/{name}", json.dumps(body).encode())
        return {"http_status": status, **json.loads(text)}

    def read(self, name: str, **query: str) -> str:
        """What /_lab/NAME shows."""
        return self.request("GET", f"/_lab/{name}?{urllib.parse.urlencode(query)}")[1]

    def state(self) -> dict[str, Any]:
        """/_lab/state."""
        state: dict[str, Any] = json.loads(self.read("state"))
        return state

    def request(
        self, method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str, dict[str, str]]:
        """A plain HTTP request to a path of the stand-in or to a whole URL.

        Returns:
            Status, body and headers, whatever the status is.
        """
        url = url if "://" in url else f"{self.workspace.base_url}{url}"
        request = urllib.request.Request(url, body, headers or {}, method=method)  # noqa: S310, loopback
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310, loopback
                return answer.status, answer.read().decode(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), dict(error.headers)

    def call(
        self, method: str, body: bytes, content_type: str, authorization: str | None = None
    ) -> dict[str, Any]:
        """A call of the Web API with a body of one's own, and the bot's token unless another is given."""
        token = f"Bearer {self.workspace.credentials.bot_token}" if authorization is None else authorization
        headers = {"Content-Type": content_type, "Authorization": token}
        answer: dict[str, Any] = json.loads(self.request("POST", f"/api/{method}", body, headers)[1])
        return answer
