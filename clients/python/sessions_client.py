"""A client for OrleansSessions: docs/protocol.md, section 12, as a program. Standard library only.

    python3 sessions_client.py ws://localhost:5080/ws/my-session "What is a silo?" """
import asyncio, base64, hashlib, json, os, random, struct, sys, time, urllib.parse, urllib.request

STOP, FINAL = {1000, 1003, 1007, 1008, 1009}, {"completed", "cancelled", "failed", "timeout", "incomplete"}

class Refused(Exception):
    """The server refused a question, or told this client to stop."""

class WebSocket:
    """As much of RFC 6455 as a client of text frames needs."""
    def __init__(self, reader, writer):
        self.reader, self.writer, self.close_code = reader, writer, 1006

    @classmethod
    async def connect(cls, url):
        at, key = urllib.parse.urlsplit(url), base64.b64encode(os.urandom(16)).decode()
        secure = at.scheme == "wss" or None
        reader, writer = await asyncio.open_connection(at.hostname, at.port or (443 if secure else 80), ssl=secure)
        writer.write(f"GET {at.path}?{at.query} HTTP/1.1\r\nHost: {at.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        proof = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        if (status := int(head.split(" ", 2)[1])) != 101 or proof not in head:
            writer.close()
            raise (ConnectionError if status >= 500 or status == 429 else Refused)(head.splitlines()[0])
        return cls(reader, writer)

    def send(self, payload, opcode=1):
        mask, size = os.urandom(4), len(payload)
        length = bytes([128 | size]) if size < 126 else struct.pack(">BH", 254, size) if size < 65536 else struct.pack(">BQ", 255, size)
        self.writer.write(bytes([128 | opcode]) + length + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(payload)))

    async def receive(self):
        """The next text message; None once the socket is closed, with the reason in close_code."""
        message = b""
        while True:
            first, second = await self.reader.readexactly(2)
            if (size := second & 127) > 125:
                size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
            payload, opcode = await self.reader.readexactly(size), first & 15
            if opcode == 8:
                self.close_code = int.from_bytes(payload[:2], "big") if size >= 2 else 1005
                self.send(payload[:2], 8)
                return None
            if opcode == 9:
                self.send(payload, 10)
            elif opcode < 3:
                message += payload
                if first & 0x80:
                    return message.decode()

class Question:
    def __init__(self, id, body=None):
        self.id, self.body, self.text, self.next, self.end, self.parts = id, body, "", 0, None, []
        self.finished = asyncio.get_running_loop().create_future()

class Session:
    """Keeps a session's questions over any number of lost connections. Use it as `async with Session(url) as s: await s.ask(...)`."""
    def __init__(self, url, on_text=lambda question, text: None):
        self.url, self.on_text, self.epoch, self.last, self.replaying = url, on_text, None, 0, False
        self.questions, self.socket, self.live = {}, None, False
        self.min_ms, self.max_ms, self.advice_ms, self.heartbeat_ms, self.connects = 250, 15000, 0, 25000, 0

    async def __aenter__(self):
        self.task = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *fault):
        if self.socket:
            self.socket.send(struct.pack(">H", 1000), 8)
        self.task.cancel()

    async def ask(self, text, **fields):
        """Returns the ended Question: its text, and the fields of `done` in `end`."""
        id = "py-" + os.urandom(8).hex()
        question = self.questions[id] = Question(id, {"type": "question", "id": id, "question": text, **fields})
        self.live and self.send(question.body)
        await asyncio.wait({question.finished, self.task}, return_when=asyncio.FIRST_COMPLETED)
        return question.finished.result() if question.finished.done() else self.task.result()

    def send(self, frame):
        self.socket.send(json.dumps(frame).encode())

    async def run(self):
        attempt = 0
        while True:
            opened = time.monotonic()
            if (code := await self.connection()) in STOP or code >= 4100:
                raise Refused(f"The server closed the socket with {code}.")
            attempt = 0 if time.monotonic() - opened >= 10 else attempt + 1
            advice, self.advice_ms = self.advice_ms, 0
            await asyncio.sleep(max(advice, random.uniform(0, min(self.max_ms, self.min_ms * 2 ** min(attempt, 16)))) / 1000)

    async def connection(self):
        query = "?v=1" + (f"&epoch={urllib.parse.quote(self.epoch)}&after={self.last}" if self.epoch else "")
        try:
            self.socket, self.connects = await asyncio.wait_for(WebSocket.connect(self.url + query), 10), self.connects + 1
            while (text := await asyncio.wait_for(self.socket.receive(), 3 * self.heartbeat_ms / 1000)) is not None:
                await self.on_frame(json.loads(text))
            return self.socket.close_code
        except (OSError, EOFError, asyncio.TimeoutError):
            return 1006
        finally:
            socket, self.socket, self.live = self.socket, None, False
            socket and socket.writer.close()

    async def on_frame(self, f):
        kind = f.get("type")
        if kind == "hello":
            self.heartbeat_ms, self.min_ms, self.max_ms = f["heartbeat_ms"], f["reconnect"]["min_ms"], f["reconnect"]["max_ms"]
        if kind in ("hello", "resumed"):
            self.replaying = f.get("resuming", False)
            if not self.replaying:
                self.settle(f, f["seq"] if kind == "hello" else f["to_seq"])
        elif kind == "snapshot":
            self.on_snapshot(f)
        elif kind == "ping":
            self.send({"type": "pong", "seq": f["seq"]})
            if f["seq"] > self.last and not self.replaying:
                self.rewind()
        elif kind == "error":
            self.advice_ms = f.get("retry_after_ms", 0)
            question = self.questions.pop(f.get("question_id"), None)
            if question and not question.finished.done():
                question.finished.set_exception(Refused(f["code"] + ": " + f["message"]))
        elif "seq" in f and self.takes(f):
            await self.apply(f)

    def settle(self, f, last):
        self.epoch, self.last, self.live, open = f["epoch"], last, True, {entry["question_id"] for entry in f["open"]}
        for question in self.questions.values():
            if question.body and not question.finished.done() and question.id not in open:
                self.send(question.body)

    def takes(self, f):
        """Whether to apply a numbered frame; moves the position."""
        replay, duplicate = f.get("replay", False), f.get("duplicate", False)
        if self.replaying and not replay:
            return False
        if duplicate or f["seq"] <= self.last:
            return replay or duplicate
        if f.get("from_seq", f["seq"]) == self.last + 1:
            self.last = f["seq"]
        elif self.replaying or not replay:
            self.rewind()
            return False
        return True

    def rewind(self):
        self.replaying = True
        self.send({"type": "resume", "epoch": self.epoch, "after_seq": self.last})

    async def apply(self, f):
        question = self.question(f.get("question_id"))
        if f["type"] == "delta":
            count = f.get("count", 1)
            if f["index"] == question.next:
                self.show(question, question.text + f["text"], question.next + count)
            elif f["index"] + count > question.next:
                await self.fetch(question)
        elif f["type"] == "done":
            if question.next != f["deltas"] or len(question.text.encode()) != f["bytes"]:
                await self.fetch(question)
            self.finish(question, f)

    def on_snapshot(self, f):
        question = self.question(f["question_id"])
        question.parts = [f["text"]] if f["part"] == 1 else question.parts + [f["text"]]
        if f["part"] == f["parts"]:
            self.show(question, "".join(question.parts), f["deltas"])
            if f["status"] in FINAL:
                self.finish(question, f)

    def question(self, id):
        return self.questions.get(id) or self.questions.setdefault(id, Question(id))

    def show(self, question, text, next):
        shown, question.text, question.next = question.text, text, next
        self.on_text(question, text.removeprefix(shown) if text.startswith(shown) else "\n" + text)

    def finish(self, question, end):
        if not question.finished.done():
            question.end = end
            question.finished.set_result(question)

    async def fetch(self, question):
        at = urllib.parse.urlsplit(self.url.replace("ws", "http", 1))
        url = f"{at.scheme}://{at.netloc}/v1/sessions/{at.path.rsplit('/', 1)[1]}/questions/{question.id}"
        body = await asyncio.to_thread(lambda: json.load(urllib.request.urlopen(url, timeout=10)))
        self.show(question, body["text"], body["deltas"])

async def main(url, text):
    async with Session(url, lambda question, text: print(text, end="", flush=True)) as session:
        question = await session.ask(text)
        print("" if question.end["status"] == "completed" else f"\n[{question.end['status']}: {question.end['reason']}]")

if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:])) if len(sys.argv) == 3 else sys.exit(__doc__)
