"""Asks one question over a connection that is made to fail by plan. Prints what came of it as one line of JSON.

    python3 drops.py CLIENT_FOLDER URL QUESTION '{"drop": [FRAME...], "lose": [FRAME...], "rewind": [FRAME...]}'

Frames received are counted from 1, over all connections. After one in `drop`, the client cuts its own TCP connection; one in `lose`, or the first
delta after it, is thrown away unseen; after one in `rewind` the client asks for everything after its position once more. With a plan that is empty, nothing fails.
"""
import asyncio, json, sys

sys.path.insert(0, sys.argv[1])
from sessions_client import Session


class Failing(Session):
    def __init__(self, url, plan):
        super().__init__(url)
        self.plan = {deed: sorted(plan.get(deed, [])) for deed in ("drop", "lose", "rewind")}
        self.done = {"drop": 0, "lose": 0, "rewind": 0}
        self.received, self.sent, self.with_text, self.answered_again, self.lost = [], [], set(), asyncio.Event(), 0

    def due(self, deed):
        is_due = bool(self.plan[deed]) and len(self.received) >= self.plan[deed][0]
        if is_due:
            self.plan[deed].pop(0)
            self.done[deed] += 1
        return is_due

    async def connection(self):
        try:
            return await super().connection()
        finally:
            self.lost += 1

    def send(self, frame):
        self.sent.append(frame)
        super().send(frame)

    async def on_frame(self, f):
        if self.socket.writer.is_closing():
            return
        self.received.append(f)
        if f["type"] == "delta" and self.due("lose"):
            return
        await super().on_frame(f)
        if f["type"] == "delta":
            self.with_text.add(self.connects)
        if f["type"] == "done" and f.get("replay"):
            self.answered_again.set()
        if self.live and not self.replaying and self.due("rewind"):
            self.rewind()
        if self.due("drop"):
            self.socket.writer.transport.abort()


async def main(url, text, plan):
    async with Failing(url, plan) as session:
        question = await asyncio.wait_for(session.ask(text), 60)
        end, last = question.end, session.last

        # The same id once more: answered from the log, and no position moves.
        while not session.live:
            await asyncio.sleep(0.01)
        session.answered_again.clear()
        session.send(question.body)
        await asyncio.wait_for(session.answered_again.wait(), 10)
        print(json.dumps({
            "text": question.text, "status": end["status"], "next": question.next, "deltas": end["deltas"], "utf8": len(question.text.encode()),
            "bytes": end["bytes"], "done": session.done, "connects": session.connects, "lost": session.lost, "connections_with_text": len(session.with_text),
            "last": last, "last_after_asking_again": session.last, "received": session.received, "sent": session.sent}))

asyncio.run(main(sys.argv[2], sys.argv[3], json.loads(sys.argv[4])))
