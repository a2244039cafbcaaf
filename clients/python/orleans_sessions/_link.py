"""One socket: frames in and out, and its end as a value."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Dict, Mapping, Optional, Union

from ._clock import Clock, TimeIsUp, cancelled, within
from ._closes import CONNECTION_LOST, Closed
from ._socket import OpenSocket, Socket, SocketClosed, UpgradeRefused

_OPEN_SECONDS = 10
_MISSED_HEARTBEATS = 3
_DEFAULT_HEARTBEAT_MS = 25_000
_NORMAL, _INVALID = 1000, 1007

Frame = Mapping[str, Any]


class Link:
    """Call `receive` until it returns `Closed`, and `close` in any case."""

    def __init__(self, socket: Socket, clock: Clock, token: str) -> None:
        self.token = self.offered = token
        """The last token that the server has accepted or refused, and the last one that it was sent: it cannot always check one."""
        self.last_error: Optional[Frame] = None
        """The last frame if it was an error: it can explain a close that follows."""
        self.was_greeted = False
        self._socket = socket
        self._clock = clock
        self._opened = self._heard = clock.now()
        self._silence = _MISSED_HEARTBEATS * _DEFAULT_HEARTBEAT_MS / 1000
        self._unread: Optional[Frame] = None
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()
        self._writer = asyncio.ensure_future(self._write())
        self._watcher = asyncio.ensure_future(self._watch())
        self._closing: Optional[asyncio.Future[None]] = None

    @classmethod
    async def open(cls, open_socket: OpenSocket, url: str, headers: Dict[str, str], clock: Clock, token: str) -> "Union[Link, Closed]":
        async def opening() -> Socket:
            return await open_socket(url, headers)

        try:
            return cls(await within(clock, _OPEN_SECONDS, opening()), clock, token)
        except UpgradeRefused as refused:
            return Closed(CONNECTION_LOST, str(refused), refused.status, refused.problem, token=token)
        except TimeIsUp:
            return Closed(CONNECTION_LOST, f"The server did not open the socket within {_OPEN_SECONDS} s.", token=token)
        except OSError as failure:
            return Closed(CONNECTION_LOST, f"The server cannot be reached: {failure}", token=token)

    @property
    def open_for(self) -> float:
        """The seconds since it was opened."""
        return self._clock.now() - self._opened

    def send(self, text: str) -> None:
        """Sends a frame, after those before it. On a broken socket nothing happens: `receive` reports that."""
        self._outgoing.put_nowait(text)

    async def receive(self) -> Union[Frame, Closed]:
        if self._unread is not None:
            frame, self._unread = self._unread, None
            return frame
        receive = asyncio.ensure_future(self._socket.receive())
        try:
            await asyncio.wait({self._watcher, receive}, return_when=asyncio.FIRST_COMPLETED)
            if not receive.done():
                return self._closed(CONNECTION_LOST, "The server was silent for three heartbeats.")
            return self._read(receive.result())
        except SocketClosed as closed:
            return self._closed(closed.code)
        finally:
            await cancelled(receive)

    def put_back(self, frame: Frame) -> None:
        """The next `receive` returns this frame."""
        self._unread = frame

    async def close(self) -> None:
        """Closes the socket with 1000. Safe to repeat; each call returns when it is closed."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.wait({self._closing})

    async def _close(self) -> None:
        await cancelled(self._writer)
        await cancelled(self._watcher)
        try:
            await self._socket.close(_NORMAL)
        except OSError:
            pass  # It is closed already, which is all that is wanted.

    async def _write(self) -> None:
        try:
            while True:
                await self._socket.send(await self._outgoing.get())
        except (SocketClosed, OSError):
            pass  # `receive` reports it.

    async def _watch(self) -> None:
        while (left := self._heard + self._silence - self._clock.now()) > 0:
            await self._clock.sleep(left)

    def _read(self, message: Union[str, bytes]) -> Union[Frame, Closed]:
        self._heard = self._clock.now()
        try:
            frame = json.loads(message) if isinstance(message, str) else None
        except ValueError:
            frame = None
        if not isinstance(frame, dict) or not isinstance(frame.get("type"), str):
            return self._closed(_INVALID, "The server sent something that is not a frame.")
        self.last_error = frame if frame["type"] == "error" else None
        if frame["type"] == "authenticated" or (self.last_error and frame.get("param") == "token" and not frame.get("retryable")):
            self.token = self.offered
        if frame["type"] == "hello":
            self.was_greeted = True
            self._silence = _MISSED_HEARTBEATS * (frame.get("heartbeat_ms") or _DEFAULT_HEARTBEAT_MS) / 1000
            self._watcher.cancel()
            self._watcher = asyncio.ensure_future(self._watch())
        return frame

    def _closed(self, code: int, message: str = "") -> Closed:
        return Closed(code, message, None, self.last_error, self.was_greeted, self.open_for, self.token)
