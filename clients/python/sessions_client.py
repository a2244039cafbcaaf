"""A client for OrleansSessions: docs/protocol.md, section 12, as a program. Standard library only.

    python3 sessions_client.py ws://localhost:5080/ws/my-session "What is a silo?" ["Authorization: Bearer ..." ...] """
import asyncio, base64, hashlib, json, os, random, struct, sys, time, urllib.parse, urllib.request

STOP, FINAL = {1000, 1003, 1007, 1008, 1009}, {"completed", "cancelled", "failed", "timeout", "incomplete"}

class Refused(Exception):
    """The server refused a question, or this client."""

class WebSocket:
    """The part of RFC 6455 that a client of text frames needs."""
    def __init__(self, reader, writer):
        self.reader, self.writer, self.close_code, self.unread = reader, writer, 1006, None

    @classmethod
    async def connect(cls, url, headers):
        at, key = urllib.parse.urlsplit(url), base64.b64encode(os.urandom(16)).decode()
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        secure = at.scheme == "wss" or None
        reader, writer = await asyncio.open_connection(at.hostname, at.port or (443 if secure else 80), ssl=secure)
        writer.write(f"GET {at.path}?{at.query} HTTP/1.1\r\nHost: {at.netloc.rpartition('@')[2]}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{lines}\r\n".encode())
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

    def close(self):
        self.send(struct.pack(">H", 1000), 8)
        self.writer.close()

    async def receive(self):
        """Returns the next text message, or None when the socket is closed. close_code then holds the code."""
        message, unread, self.unread = b"", self.unread, None
        if unread:
            return unread
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
        self.id, self.body, self.accepted, self.text, self.next, self.end, self.parts = id, body, False, "", 0, None, []
        self.finished = asyncio.get_running_loop().create_future()

class Session:
    """Keeps a session's questions across lost connections. Use it as `async with Session(url) as s: await s.ask(...)`.

    The headers and the query of the URL are sent with every request. `api` is the HTTP address of the session: by default the URL with
    /v1/sessions/ instead of /ws/."""
    def __init__(self, url, on_text=lambda question, text: None, headers=None, api=None):
        self.url, self.headers = urllib.parse.urlsplit(url), dict(headers or {})
        self.api = urllib.parse.urlsplit(api or "/v1/sessions/".join(url.replace("ws", "http", 1).rsplit("/ws/", 1)))
        if any(end in name + value for name, value in self.headers.items() for end in "\r\n"):
            raise ValueError("A header contains a line break.")
        self.on_text, self.epoch, self.last, self.replaying, self.rewinds, self.refusal = on_text, None, 0, False, 0, None
        self.questions, self.socket, self.mover, self.live, self.greeted = {}, None, None, False, False
        self.min_ms, self.max_ms, self.advice_ms, self.heartbeat_ms, self.connects = 250, 15000, 0, 25000, 0

    async def __aenter__(self):
        self.task = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *fault):
        if self.socket:
            self.socket.send(struct.pack(">H", 1000), 8)
        self.task.cancel()

    async def ask(self, text, **fields):
        """Asks, and returns the Question when it has ended: `text` is the answer, `end` has the fields of `done`."""
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
            if (code := await self.connection()) in STOP or code >= 4100 or self.refusal:
                raise Refused(self.refusal or f"The server closed the socket with {code}.")
            attempt = 0 if time.monotonic() - opened >= 10 else attempt
            advice, self.advice_ms = self.advice_ms, 0
            await asyncio.sleep(self.wait_ms(attempt, advice) / 1000)
            attempt += 1

    def wait_ms(self, attempt, advice):
        return max(advice, random.uniform(0, min(self.max_ms, self.min_ms * 2 ** min(attempt, 16))))

    async def connection(self):
        try:
            self.refusal = None
            self.socket = await self.open()
            while (text := await self.receive()) is not None:
                await self.on_frame(json.loads(text))
            return self.socket.close_code
        except (OSError, EOFError, asyncio.TimeoutError):
            return 1006
        finally:
            self.mover and self.mover.cancel()
            socket, self.socket, self.mover, self.live, self.greeted = self.socket, None, None, False, False
            socket and socket.writer.close()

    async def open(self):
        position = {"epoch": self.epoch, "after": self.last} if self.epoch else {}
        query = "&".join(filter(None, [self.url.query, urllib.parse.urlencode({"v": 1, **position})]))
        socket = await asyncio.wait_for(WebSocket.connect(self.url._replace(query=query).geturl(), self.headers), 10)
        self.connects += 1
        return socket

    async def receive(self):
        while True:
            socket, text = self.socket, None
            try:
                text = await asyncio.wait_for(socket.receive(), 3 * self.heartbeat_ms / 1000)
            except (OSError, EOFError, asyncio.TimeoutError):
                if socket is self.socket:
                    raise
            if socket is self.socket:
                return text

    async def move(self, wait_ms):
        """Opens the next socket while the present one serves. Once it is greeted it replaces that one, and repeats what that one has delivered meanwhile."""
        for attempt in range(64):
            await asyncio.sleep(wait_ms / 1000)
            epoch, socket, first = self.epoch, None, {}
            try:
                socket = await self.open()
                socket.unread = await asyncio.wait_for(socket.receive(), 10)
                first = json.loads(socket.unread or "{}")
                if first.get("type") == "hello" and epoch == self.epoch:
                    old, self.socket, self.mover = self.socket, socket, None
                    return old.close()
            except (OSError, EOFError, asyncio.TimeoutError, Refused):
                pass
            finally:
                socket and socket is not self.socket and socket.close()
            wait_ms = self.wait_ms(attempt, first.get("retry_after_ms", 0))

    async def on_frame(self, f):
        kind = f.get("type")
        self.advice_ms, self.refusal = (f.get("retry_after_ms", 0), self.refusal) if kind == "error" else (0, None)
        if kind == "hello":
            self.greeted, self.live = True, False
            self.heartbeat_ms, self.min_ms, self.max_ms = f["heartbeat_ms"], f["reconnect"]["min_ms"], f["reconnect"]["max_ms"]
        if kind in ("hello", "resumed"):
            self.replaying = f.get("resuming", False)
            if not self.replaying:
                self.settle(f, f["seq"] if kind == "hello" else f["to_seq"])
        elif kind == "snapshot":
            self.on_snapshot(f)
        elif kind == "reconnect":
            self.mover = self.mover or asyncio.create_task(self.move(f["delay_ms"]))
        elif kind == "ping":
            self.send({"type": "pong", "seq": f["seq"]})
            if f["seq"] > self.last and not self.replaying:
                self.rewind()
        elif kind == "error":
            self.on_error(f)
        elif "seq" in f and self.takes(f):
            await self.apply(f)

    def on_error(self, f):
        if not self.greeted and not f.get("retryable"):
            self.refusal = f["code"] + ": " + f["message"]
        question = self.questions.get(f.get("question_id"))
        if question and not question.accepted and not question.finished.done():
            del self.questions[question.id]
            question.finished.set_exception(Refused(f["code"] + ": " + f["message"]))
        elif self.replaying and f.get("retryable") and "question_id" not in f and "param" not in f:
            self.socket.writer.close()  # it may have refused the resume, and the next connection begins with one

    def settle(self, f, last):
        """Sends missing questions again, including those that a server without a store has lost: a program need not ask first."""
        self.epoch, self.last, self.live, open = f["epoch"], last, True, {entry["question_id"] for entry in f["open"]}
        for question in self.questions.values():
            question.accepted = question.id in open
            if question.body and not question.finished.done() and question.id not in open:
                self.send(question.body)

    def takes(self, f):
        """Returns whether to apply a numbered frame, and moves the position."""
        replay, duplicate = f.get("replay", False), f.get("duplicate", False)
        if self.replaying and not replay:
            return False
        if duplicate or f["seq"] <= self.last:
            return replay or duplicate
        if f.get("from_seq", f["seq"]) == self.last + 1:
            self.last, self.rewinds = f["seq"], 0
        elif self.replaying or not replay:
            self.rewind()
            return False
        return True

    def rewind(self):
        self.replaying, self.rewinds = True, self.rewinds + 1
        if self.rewinds > 3:
            self.epoch, self.rewinds = None, 0
            return self.socket.writer.close()
        self.send({"type": "resume", "epoch": self.epoch, "after_seq": self.last})

    async def apply(self, f):
        question = self.question(f.get("question_id"))
        question.accepted = True
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
            question.accepted = True
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
        url = self.api._replace(path=f"{self.api.path}/questions/{question.id}").geturl()
        request = urllib.request.Request(url, headers=self.headers)
        body = await asyncio.to_thread(lambda: json.load(urllib.request.urlopen(request, timeout=10)))
        self.show(question, body["text"], body["deltas"])

async def main(url, text, *headers):
    pairs = dict(map(str.strip, header.split(":", 1)) for header in headers)
    async with Session(url, lambda question, text: print(text, end="", flush=True), pairs) as session:
        question = await session.ask(text)
        print("" if question.end["status"] == "completed" else f"\n[{question.end['status']}: {question.end['reason']}]")

if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:])) if len(sys.argv) >= 3 else sys.exit(__doc__)
