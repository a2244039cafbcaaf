"""Asks and answers, over the end of the server's process. Prints 'seen' when the asker has the first piece, and goes on after a line on stdin.
Then prints what came of it, with the offset at which each request to answer began.

    python3 restart.py URL
"""

import asyncio
import json
import sys

import orleans_sessions.session as session_module
from orleans_sessions import connect
from orleans_sessions._upload import Upload

offsets = []


class Spied(Upload):
    async def _request(self, offset):
        offsets.append(offset)
        return await super()._request(offset)


async def main(url):
    loop = asyncio.get_running_loop()

    async def pieces():
        yield "one "
        await loop.run_in_executor(None, sys.stdin.readline)
        yield "two"

    async def serve():
        async for question in answerer.unanswered():
            await answerer.answer(question, pieces())

    async with connect(url, "restart") as asker, connect(url, "restart") as answerer:
        serving = asyncio.ensure_future(serve())
        updates = []
        async for update in asker.ask("Count."):
            updates.append(type(update).__name__)
            if len(updates) == 2:
                print("seen", flush=True)
        print(json.dumps({"updates": updates, "text": update.text, "status": update.status, "offsets": offsets}), flush=True)
    await serving


session_module.Upload = Spied
asyncio.run(main(sys.argv[1]))
