"""The one file that knows the package websockets, in all its versions from 10.4 on."""

from __future__ import annotations

import importlib
import json
import re
import warnings
from ssl import SSLContext
from typing import Any, Awaitable, Callable, Dict, Mapping, Optional, Protocol, Union

from ._exchange import read_body


class SocketClosed(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class UpgradeRefused(Exception):
    """The server answered the upgrade with this status. `problem` is its problem document, or empty."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"The server answered the upgrade with status {status}.")
        self.status = status
        self.problem = problem


class Socket(Protocol):
    async def send(self, text: str) -> None:
        """Raises `SocketClosed`."""

    async def receive(self) -> Union[str, bytes]:
        """The next message. Raises `SocketClosed`."""

    async def close(self, code: int) -> None:
        """Closes the socket, and waits for the other side, but not long."""


OpenSocket = Callable[[str, Dict[str, str]], Awaitable[Socket]]
"""Opens a socket at an address, with headers. Raises `UpgradeRefused`, or `OSError` if the server cannot be reached."""

_MAX_FRAME_BYTES = 4 * 1024 * 1024
_LOST = 1006

_FIRST_WITH_CHUNKS = (14, 2)
"""The first version whose new client reads a refused upgrade with a chunked body. Before, it raises an error without the status."""

_FIRST_WITH_PROXIES = 15
_HANDLED = frozenset({101, 301, 302, 303, 307, 308})


def websockets_opener(ssl: Optional[SSLContext]) -> OpenSocket:
    async def open_socket(url: str, headers: Dict[str, str]) -> Socket:
        exceptions = importlib.import_module("websockets.exceptions")
        # The session has its own heartbeats, and the server accepts no compression.
        options: Dict[str, Any] = {"compression": None, "ping_interval": None, "close_timeout": 2, "max_size": _MAX_FRAME_BYTES, "open_timeout": None}
        if url.startswith("wss:") and ssl is not None:
            options["ssl"] = ssl
        try:
            return _WebSocket(await _connect(url, headers, options), exceptions.ConnectionClosed)
        except exceptions.InvalidStatus as refused:
            raise UpgradeRefused(refused.response.status_code, _problem(refused.response.body)) from refused
        except (exceptions.WebSocketException, EOFError, ValueError) as failure:
            raise ConnectionError(f"The server did not open a WebSocket: {failure}") from failure

    return open_socket


class _WebSocket:
    def __init__(self, connection: Any, closed: type[BaseException]) -> None:
        self._connection = connection
        self._closed: Any = closed

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except self._closed as closed:
            raise _closed(closed) from closed

    async def receive(self) -> Union[str, bytes]:
        try:
            message: Union[str, bytes] = await self._connection.recv()
            return message
        except self._closed as closed:
            raise _closed(closed) from closed

    async def close(self, code: int) -> None:
        await self._connection.close(code)


def _closed(closed: Any) -> SocketClosed:
    return SocketClosed(closed.rcvd.code if closed.rcvd is not None else _LOST)


async def _connect(url: str, headers: Dict[str, str], options: Dict[str, Any]) -> Any:
    version = re.match(r"(\d+)\.(\d+)", importlib.import_module("websockets.version").version)
    if version is None or (int(version[1]), int(version[2])) < _FIRST_WITH_CHUNKS:
        return await _connect_legacy(url, headers, options)
    client = importlib.import_module("websockets.asyncio.client")
    if int(version[1]) >= _FIRST_WITH_PROXIES:
        # The HTTP requests of this package use no proxy, so the socket uses none either.
        options = {**options, "proxy": None}
    return await client.connect(url, additional_headers=headers, **options)


async def _connect_legacy(url: str, headers: Dict[str, str], options: Dict[str, Any]) -> Any:
    """The client of earlier versions. It reports the status of a refused upgrade, but not the body, which says why."""
    with warnings.catch_warnings():
        # From 14.0 on it warns of itself.
        warnings.simplefilter("ignore", DeprecationWarning)
        client = importlib.import_module("websockets.legacy.client")
    base: Any = client.WebSocketClientProtocol

    class Reading(base):  # type: ignore[misc]
        async def read_http_response(self) -> Any:
            status, response_headers = await super().read_http_response()
            if status not in _HANDLED:
                fields = {name.lower(): value for name, value in response_headers.raw_items()}
                raise UpgradeRefused(status, _problem(await read_body(self.reader, status, fields)))
            return status, response_headers

    return await client.connect(url, extra_headers=headers, create_protocol=Reading, **options)


def _problem(body: Optional[bytes]) -> Mapping[str, Any]:
    try:
        problem = json.loads(body or b"{}")
        return problem if isinstance(problem, dict) else {}
    except ValueError:
        return {}
