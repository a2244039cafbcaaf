"""The package websockets, in the version that is installed, against a server on loopback that speaks no HTTP but what is needed here."""

import asyncio
import base64
import hashlib
import json
import struct
import unittest

from orleans_sessions._socket import SocketClosed, UpgradeRefused, websockets_opener

FORBIDDEN = {"code": "forbidden", "detail": "Not you."}
BODY = json.dumps(FORBIDDEN).encode()


class WebSocketsTests(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.heads, self.server = [], await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = "ws://127.0.0.1:%d/ws/s1?v=1" % self.server.sockets[0].getsockname()[1]
        self.open = websockets_opener(None)

    async def asyncTearDown(self):
        self.server.close()
        await self.server.wait_closed()

    async def test_headers_are_sent_messages_travel_and_the_close_code_is_told(self):
        socket = await self.open(self.url, {"Authorization": "Bearer t"})
        self.assertIn("\r\nAuthorization: Bearer t\r\n", self.heads[0])
        self.assertNotIn("permessage-deflate", self.heads[0])
        await socket.send("Grüße")
        self.assertEqual([await socket.receive(), await socket.receive()], ["Grüße", b"\x00"])
        for use in (socket.receive, socket.receive, lambda: socket.send("too late")):
            with self.assertRaises(SocketClosed) as raised:
                await use()
            self.assertEqual(raised.exception.code, 4104)
        await socket.close(1000)

    async def test_a_connection_that_breaks_counts_as_1006(self):
        socket = await self.open(self.url, {"X": "cut"})
        with self.assertRaises(SocketClosed) as raised:
            await socket.receive()
        self.assertEqual(raised.exception.code, 1006)

    async def test_a_refused_upgrade_tells_its_problem(self):
        for how, problem in (("refuse", FORBIDDEN), ("chunks", FORBIDDEN), ("page", {})):
            with self.assertRaises(UpgradeRefused) as raised:
                await self.open(self.url, {"X": how})
            self.assertEqual((raised.exception.status, raised.exception.problem), (403, problem))

    async def test_a_server_that_cannot_be_reached_or_is_none_is_an_os_error(self):
        with self.assertRaises(OSError):
            await self.open(self.url, {"X": "nonsense"})
        self.server.close()
        await self.server.wait_closed()
        with self.assertRaises(OSError):
            await self.open(self.url, {})

    async def serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        if "X: chunks" in head:
            chunks = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (BODY[:9], BODY[9:]))
            writer.write(b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n%s0\r\n\r\n" % chunks)
        elif "X: refuse" in head or "X: page" in head:
            body = BODY if "refuse" in head else b"<html>"
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        elif "X: nonsense" in head:
            writer.write(b"SMTP\r\n\r\n")
        else:
            key = head.split("Sec-WebSocket-Key: ")[1].split("\r\n")[0]
            accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
            writer.write(f"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode())
            if "X: cut" not in head:
                await self.echo(reader, writer)
        await writer.drain()
        writer.close()

    async def echo(self, reader, writer):
        _, length = await reader.readexactly(2)
        mask, data = await reader.readexactly(4), await reader.readexactly(length & 127)
        text = bytes(byte ^ mask[index & 3] for index, byte in enumerate(data))
        writer.write(bytes([0x81, len(text)]) + text + b"\x82\x01\x00" + b"\x88\x02" + struct.pack(">H", 4104))
        await writer.drain()
        # The other side answers the close frame.
        await reader.readexactly(8)
