"""Asks one question and cuts its own TCP connection at the given frames. Prints what came of it as one line of JSON.

    python3 drops.py CLIENT_FOLDER URL QUESTION FRAME[,FRAME...]
"""
import asyncio, json, sys

sys.path.insert(0, sys.argv[1])
from sessions_client import Session


class Dropping(Session):
    def __init__(self, url, drops):
        super().__init__(url)
        self.drops, self.frames, self.dropped, self.with_text, self.rewritten = drops, 0, 0, set(), 0

    async def on_frame(self, f):
        await super().on_frame(f)
        self.frames += 1
        if f.get("type") == "delta":
            self.with_text.add(self.connects)
        if self.frames in self.drops and self.socket:
            self.dropped += 1
            self.socket.writer.transport.abort()


async def main(url, text, drops):
    async with Dropping(url, drops) as session:
        question = await asyncio.wait_for(session.ask(text, id_note="unknown fields are ignored"), 60)
        print(json.dumps({
            "text": question.text, "status": question.end["status"], "next": question.next, "deltas": question.end["deltas"],
            "utf8": len(question.text.encode()), "bytes": question.end["bytes"], "dropped": session.dropped, "connects": session.connects,
            "connections_with_text": len(session.with_text), "last": session.last}))

asyncio.run(main(sys.argv[2], sys.argv[3], {int(n) for n in sys.argv[4].split(",")}))
