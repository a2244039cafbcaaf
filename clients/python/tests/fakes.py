"""A server and a clock that do what a test says."""

import asyncio
import heapq
import itertools
import json
from typing import Any, Callable, Dict, List, Optional

from orleans_sessions._addresses import Addresses
from orleans_sessions._connection import Surroundings
from orleans_sessions._http import Credentials
from orleans_sessions._socket import SocketClosed, UpgradeRefused
from orleans_sessions._tokens import Tokens
from orleans_sessions.session import Session


async def settle() -> None:
    """Lets everything happen that needs no time."""
    for _ in range(60):
        await asyncio.sleep(0)


class FakeClock:
    def __init__(self) -> None:
        self.time = 0.0
        self._order = itertools.count()
        self._sleepers: List[Any] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        done = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.time + seconds, next(self._order), done))
        await done

    async def advance(self, seconds: float) -> None:
        """Moves the time, and wakes those that are due, in their order."""
        end = self.time + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self.time, _, done = heapq.heappop(self._sleepers)
            if not done.done():
                done.set_result(None)
            await settle()
        self.time = end


class FakeSocket:
    """A socket, seen from the server: `sent` has what the client sent, and `give` sends it something."""

    def __init__(self, url: str, headers: Dict[str, str]) -> None:
        self.url, self.headers = url, headers
        self.sent: List[Dict[str, Any]] = []
        self.closed_with: Optional[int] = None
        self._messages: "asyncio.Queue[Any]" = asyncio.Queue()

    async def give(self, *frames: Dict[str, Any]) -> None:
        for frame in frames:
            self._messages.put_nowait(json.dumps(frame))
        await settle()

    async def give_raw(self, message: Any) -> None:
        self._messages.put_nowait(message)
        await settle()

    async def end(self, code: int) -> None:
        self._messages.put_nowait(SocketClosed(code))
        await settle()

    def of(self, kind: str) -> List[Dict[str, Any]]:
        return [frame for frame in self.sent if frame["type"] == kind]

    async def send(self, text: str) -> None:
        self.sent.append(json.loads(text))

    async def receive(self) -> Any:
        message = await self._messages.get()
        if isinstance(message, SocketClosed):
            raise message
        return message

    async def close(self, code: int) -> None:
        self.closed_with = code


class FakeHttp:
    """`stored` has the replies to reads of a question, the last one again and again; an exception is raised."""

    def __init__(self, addresses: Addresses) -> None:
        self.addresses = addresses
        self.stored: List[Any] = [None]
        self.reads: List[str] = []

    async def question(self, question_id: str) -> Any:
        self.reads.append(question_id)
        reply = self.stored.pop(0) if len(self.stored) > 1 else self.stored[0]
        if isinstance(reply, Exception):
            raise reply
        return reply


class FakeServer:
    def __init__(self, token: Any = None) -> None:
        self.sockets: List[FakeSocket] = []
        self.opened: List[float] = []
        self.refusals: List[Any] = []
        """What the next upgrades fail with."""
        self.clock = FakeClock()
        self.random = 1.0
        self.states: List[str] = []
        self.http = FakeHttp(Addresses("http://server", "s1", "/ws/{session}", "/v1/sessions/{session}"))
        world = Surroundings(self._open, self.http, Credentials(Tokens(token), {}), self.clock, lambda: self.random)  # type: ignore[arg-type]
        self.session = Session("s1", world, self.states.append)

    @property
    def socket(self) -> FakeSocket:
        return self.sockets[-1]

    async def live(self, **fields: Any) -> FakeSocket:
        """Greets the last socket."""
        await settle()
        await self.socket.give(hello(**fields))
        return self.socket

    async def _open(self, url: str, headers: Dict[str, str]) -> FakeSocket:
        self.opened.append(self.clock.time)
        if self.refusals:
            raise self.refusals.pop(0)
        self.sockets.append(FakeSocket(url, headers))
        return self.sockets[-1]


def refused_upgrade(status: int, **problem: Any) -> UpgradeRefused:
    return UpgradeRefused(status, problem)


def hello(epoch: str = "e1", seq: int = 0, open: Any = (), resuming: bool = False, heartbeat_ms: int = 25_000, **fields: Any) -> Dict[str, Any]:
    return {
        "type": "hello", "epoch": epoch, "seq": seq, "open": [{"question_id": id, "state": "answering"} for id in open], "resuming": resuming,
        "heartbeat_ms": heartbeat_ms, "reconnect": {"min_ms": 100, "max_ms": 400}, **fields}


def resumed(to_seq: int, epoch: str = "e1", open: Any = (), recovered: bool = True) -> Dict[str, Any]:
    return {"type": "resumed", "recovered": recovered, "epoch": epoch, "to_seq": to_seq, "open": [{"question_id": id} for id in open]}


def accepted(seq: int, id: str, **fields: Any) -> Dict[str, Any]:
    return {"type": "accepted", "seq": seq, "question_id": id, "duplicate": False, "position": 0, **fields}


def delta(seq: int, id: str, index: int, text: str, **fields: Any) -> Dict[str, Any]:
    return {"type": "delta", "seq": seq, "question_id": id, "index": index, "text": text, **fields}


def done(seq: int, id: str, text: str, deltas: int, status: str = "completed", **fields: Any) -> Dict[str, Any]:
    return {
        "type": "done", "seq": seq, "question_id": id, "status": status, "reason": None, "message": None, "retryable": False, "deltas": deltas,
        "bytes": len(text.encode()), "first_ms": 1, "total_ms": 2, **fields}


def snapshot(id: str, text: str, deltas: int, status: str = "answering", part: int = 1, parts: int = 1, **fields: Any) -> Dict[str, Any]:
    return {
        "type": "snapshot", "question_id": id, "text": text, "part": part, "parts": parts, "deltas": deltas, "bytes": len(text.encode()),
        "status": status, **fields}


def record(id: str, text: str, deltas: int, status: Optional[str] = None) -> Dict[str, Any]:
    ended = {} if status is None else {"status": status}
    return {
        "question_id": id, "question": "?", "state": status or "answering", "text": text, "deltas": deltas, "bytes": len(text.encode()), **ended}


async def collect(updates: Any, into: List[Any], on: Callable[[Any], None] = lambda update: None) -> None:
    async for update in updates:
        into.append(update)
        on(update)
