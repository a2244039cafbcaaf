"""One HTTP/1.1 request and its reply, which can be read while the request is still being sent."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from ssl import SSLContext, create_default_context
from typing import Any, Dict, List, Mapping, Optional
from urllib.parse import SplitResult

from .errors import UnreachableError

_MAX_HEAD_BYTES = 64 * 1024
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Reply:
    status: int
    body: Mapping[str, Any]
    """The JSON of the body; empty if there is none."""

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300


class Exchange:
    """Call `send_head`, `send_line` as often as needed and `end_body`; `read_reply` at any time; and `close` in any case."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: SplitResult, ssl: Optional[SSLContext]) -> Exchange:
        context = (ssl or create_default_context()) if url.scheme == "https" else None
        port = url.port or _DEFAULT_PORTS[url.scheme]
        try:
            return cls(*await asyncio.open_connection(url.hostname, port, ssl=context, limit=_MAX_HEAD_BYTES))
        except OSError as failure:
            raise UnreachableError(f"{url.hostname}:{port} cannot be reached: {failure}") from failure

    def send_head(self, method: str, url: SplitResult, headers: Mapping[str, str], body: Optional[bytes] = None) -> None:
        """Sends the request and its body or, for a POST without one, the head of a request whose body follows in lines."""
        fields: Dict[str, str] = {"Host": url.netloc, "Accept": "application/json", "Connection": "close", **headers}
        if body is not None:
            fields["Content-Length"] = str(len(body))
        elif method == "POST":
            fields["Transfer-Encoding"] = "chunked"
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._writer.write(head.encode("latin-1") + b"\r\n" + (body or b""))

    async def send_line(self, line: bytes) -> None:
        """Sends one line of the body, and waits while the server reads slowly."""
        self._writer.write(b"%x\r\n%s\n\r\n" % (len(line) + 1, line))
        try:
            await self._writer.drain()
        except OSError as failure:
            raise UnreachableError(f"The connection broke while the request was sent: {failure}") from failure

    def end_body(self) -> None:
        self._writer.write(b"0\r\n\r\n")

    async def read_reply(self) -> Reply:
        try:
            while True:
                head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                status = int(head[0].split(" ", 2)[1])
                if status >= 200:
                    return Reply(status, _parse(await read_body(self._reader, status, _fields(head[1:]))))
        except (OSError, EOFError, asyncio.LimitOverrunError, ValueError, IndexError) as failure:
            raise UnreachableError(f"The server broke off its reply: {failure or type(failure).__name__}") from failure

    async def close(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            pass  # It is closed, which is all that is wanted.


async def read_body(reader: asyncio.StreamReader, status: int, fields: Mapping[str, str]) -> bytes:
    """Reads the body of a reply whose head had these fields, with their names in small letters."""
    if status in (204, 304):
        return b""
    if fields.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader)
    if "content-length" in fields:
        return await reader.readexactly(int(fields["content-length"]))
    return await reader.read()


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    chunks: List[bytes] = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        chunks.append(await reader.readexactly(size))
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers
    return b"".join(chunks)


def _fields(lines: List[str]) -> Dict[str, str]:
    pairs = (line.partition(":") for line in lines if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _parse(body: bytes) -> Mapping[str, Any]:
    try:
        parsed = json.loads(body) if body else {}
    except ValueError:
        # A proxy's page. The status says enough.
        return {}
    return parsed if isinstance(parsed, dict) else {}
