"""An HTTP server on loopback whose replies a test writes."""

import asyncio
import json
from typing import Any, Awaitable, Callable, Dict, List, Optional


class Request:
    """One request. Its body is read line by line, and it can be answered before it has ended."""

    def __init__(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.method, self.target = head.split(" ")[:2]
        fields = (line.partition(": ") for line in head.split("\r\n")[1:] if line)
        self.headers: Dict[str, str] = {name: value for name, _, value in fields}
        self._reader, self._writer = reader, writer

    async def chunk(self) -> Optional[bytes]:
        """The next chunk, or None at the end of the body."""
        size = int(await self._reader.readuntil(b"\r\n"), 16)
        data = (await self._reader.readexactly(size + 2))[:-2]
        return data if size else None

    async def line(self) -> Dict[str, Any]:
        return json.loads((await self.chunk()) or b"")

    async def lines(self) -> List[Dict[str, Any]]:
        """All lines of the rest of the body."""
        lines = []
        while (data := await self.chunk()) is not None:
            lines.append(json.loads(data))
        return lines

    async def reply(self, status: int, /, **body: Any) -> None:
        payload = json.dumps(body).encode()
        self._writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(payload), payload))
        await self._writer.drain()

    async def reply_chunked(self, **body: Any) -> None:
        payload = json.dumps(body).encode()
        halves = b"".join(b"%x;a=b\r\n%s\r\n" % (len(half), half) for half in (payload[:5], payload[5:]))
        self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%s0\r\nX: y\r\n\r\n" % halves)
        await self._writer.drain()

    def cut(self) -> None:
        self._writer.transport.abort()


Handler = Callable[[Request], Awaitable[None]]


class Loopback:
    """`posts` has a handler for each POST, in their order, and `stored` the reply to a GET."""

    def __init__(self) -> None:
        self.posts: List[Handler] = []
        self.stored: Dict[str, Any] = {}
        self.status = 200
        self.reads: List[Request] = []
        self.faults: List[BaseException] = []

    async def __aenter__(self) -> "Loopback":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = "http://127.0.0.1:%d" % self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._server.close()
        await self._server.wait_closed()
        if self.faults and not error[0]:
            raise self.faults[0]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = Request((await reader.readuntil(b"\r\n\r\n")).decode(), reader, writer)
            if request.method == "GET":
                self.reads.append(request)
                await request.reply(self.status, **self.stored)
            else:
                await self.posts.pop(0)(request)
        except Exception as fault:
            self.faults.append(fault)
        finally:
            writer.close()


async def until(condition: Callable[[], bool]) -> None:
    """Waits for what happens on a real connection, at most 10 s."""
    deadline = asyncio.get_running_loop().time() + 10
    while not condition():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError("It did not happen within 10 s.")
        await asyncio.sleep(0.001)
