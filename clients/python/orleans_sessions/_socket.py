"""The one file that knows the package websockets, in all its versions from 10.4 on."""

from __future__ import annotations

import importlib
import json
from ssl import SSLContext
from typing import Any, Awaitable, Callable, Dict, Mapping, Optional, Protocol, Union


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
_MAX_PROBLEM_BYTES = 64 * 1024
_LOST = 1006


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
        except (exceptions.InvalidHandshake, EOFError) as failure:
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
    try:
        client = importlib.import_module("websockets.asyncio.client")
    except ImportError:
        return await _connect_legacy(url, headers, options)
    try:
        # HTTP requests of this package use no proxy, so the socket uses none either.
        connecting = client.connect(url, additional_headers=headers, proxy=None, **options)
        return await connecting
    except TypeError as failure:
        if "proxy" not in str(failure):
            raise
        return await client.connect(url, additional_headers=headers, **options)


async def _connect_legacy(url: str, headers: Dict[str, str], options: Dict[str, Any]) -> Any:
    """Before version 13. It reports the status of a refused upgrade, but not the body, which says why."""
    client = importlib.import_module("websockets.legacy.client")

    base: Any = client.WebSocketClientProtocol

    class Reading(base):  # type: ignore[misc]
        async def read_http_response(self) -> Any:
            status, response_headers = await super().read_http_response()
            if status not in (101, 301, 302, 303, 307, 308):
                raise UpgradeRefused(status, _problem(await self._read_body(response_headers)))
            return status, response_headers

        async def _read_body(self, response_headers: Mapping[str, str]) -> bytes:
            length = response_headers.get("Content-Length", "")
            size = int(length) if length.isdigit() else 0
            body: bytes = await self.reader.readexactly(size) if size <= _MAX_PROBLEM_BYTES else b""
            return body

    return await client.connect(url, extra_headers=headers, create_protocol=Reading, **options)


def _problem(body: Optional[bytes]) -> Mapping[str, Any]:
    try:
        problem = json.loads(body or b"{}")
        return problem if isinstance(problem, dict) else {}
    except ValueError:
        return {}
