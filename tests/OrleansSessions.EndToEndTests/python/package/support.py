"""What the tests of the package with a real server share. The server's addresses and keys are in the environment."""

import asyncio
import contextlib
import os
import ssl
import urllib.parse

URL = os.environ.get("SESSIONS_URL", "")


class Proxy:
    """Passes connections on to the server, and breaks all of them when told to. With a certificate it speaks TLS."""

    def __init__(self, secure=False):
        self.secure, self.writers, self.tasks = secure, set(), set()

    async def __aenter__(self):
        context = None
        if self.secure:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(os.environ["TLS_CERTIFICATE"], os.environ["TLS_KEY"])
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=context)
        port = self.server.sockets[0].getsockname()[1]
        self.url = f"https://localhost:{port}" if self.secure else f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *error):
        self.server.close()
        self.cut()
        if self.tasks:
            await asyncio.wait(self.tasks)
        await self.server.wait_closed()

    def cut(self):
        for writer in self.writers:
            writer.transport.abort()

    async def serve(self, reader, writer):
        target = urllib.parse.urlsplit(URL)
        self.tasks.add(asyncio.current_task())
        self.writers.add(writer)
        try:
            onward_reader, onward = await asyncio.open_connection(target.hostname, target.port)
            self.writers.add(onward)
            await asyncio.gather(self.copy(reader, onward), self.copy(onward_reader, writer))
        finally:
            self.writers -= {writer, onward}

    @staticmethod
    async def copy(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
            else:
                writer.close()


def trusted():
    """TLS that trusts the authority of the test."""
    return ssl.create_default_context(cafile=os.environ["TLS_AUTHORITY"])


def within(work, seconds=20):
    return asyncio.wait_for(work, seconds)
