"""The client under the conformance tool: docs/conformance.md describes the lines that it reads and writes."""

import asyncio
import json
import os
import sys
import threading
from typing import Any, Awaitable, Dict, List, Optional

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from orleans_sessions import Accepted, Answer, Ended, Gone, RefusedError, Restarted, Session, SessionError, StoppedError, Text, connect  # noqa: E402


def write(event: str, **fields: Any) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


def write_present(event: str, **fields: Any) -> None:
    write(event, **{name: value for name, value in fields.items() if value is not None})


def refused(error: RefusedError, question_id: Optional[str]) -> None:
    write_present(
        "refused", id=question_id, code=error.code, message=error.message, param=error.param, retryable=error.retryable,
        retry_after_ms=error.retry_after_ms, active_question_id=error.active_question_id, active_for_ms=error.active_for_ms)


async def follow(session: Session) -> None:
    try:
        async for update in session.follow():
            if isinstance(update, Accepted):
                write("accepted", id=update.question_id, position=update.position)
            elif isinstance(update, Text):
                write("text", id=update.question_id, text=update.text)
            elif isinstance(update, Restarted):
                write("restarted", id=update.question_id)
            elif isinstance(update, Gone):
                write(update.error.code, id=update.question_id)
            elif isinstance(update, Ended):
                fields = ("status", "reason", "message", "retryable", "retry_after_ms", "text")
                write("ended", id=update.question_id, **{name: getattr(update, name) for name in fields})
    except StoppedError:
        pass  # The line `stopped` reports it.


async def report(answer: Answer) -> None:
    """What following does not show: why there is no end."""
    try:
        await answer
    except RefusedError as error:
        refused(error, answer.id)
    except StoppedError:
        write("failed", id=answer.id, reason="stopped")
    except SessionError:
        pass  # Followed, too.


async def cancel(session: Session, question_id: Optional[str]) -> None:
    try:
        await session.cancel(question_id)
    except RefusedError as error:
        refused(error, question_id)
    except StoppedError:
        pass  # The line `stopped` reports it.


async def history(session: Session) -> None:
    questions: List[Dict[str, Any]] = [
        {"id": record.id, "question": record.question, "status": record.status or record.state, "text": record.text} for record in await session.history()]
    write("history", questions=questions)


async def guarded(work: Awaitable[None]) -> None:
    try:
        await work
    except Exception as fault:
        write("error", message=f"{type(fault).__name__}: {fault}")


class Player:
    def __init__(self, first: Dict[str, Any]) -> None:
        self.token = first.get("token") or ""
        self.stopped = asyncio.Event()
        self.session = connect(first["url"], first["session"], token=lambda: self.token, on_state=self.on_state)

    def on_state(self, state: str) -> None:
        if state == "stopped":
            self.stopped.set()
        else:
            write("state", state=state)

    async def obey(self, line: Dict[str, Any]) -> None:
        if line["do"] == "ask":
            await report(self.session.ask(line["question"], id=line.get("id"), if_busy=line.get("if_busy"), options=line.get("options")))
        elif line["do"] == "cancel":
            await cancel(self.session, line.get("id"))
        elif line["do"] == "history":
            await history(self.session)
        elif line["do"] == "token":
            self.token = line["token"]
        else:
            write("error", message=f"This client does not know {line['do']!r}.")

    async def play(self, lines: "asyncio.Queue[Optional[Dict[str, Any]]]") -> None:
        async def obey_all() -> None:
            while (line := await lines.get()) is not None and line["do"] != "close":
                tasks.append(asyncio.ensure_future(guarded(self.obey(line))))

        async with self.session:
            tasks = [asyncio.ensure_future(guarded(follow(self.session)))]
            ends = [asyncio.ensure_future(guarded(obey_all())), asyncio.ensure_future(self.stopped.wait())]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait(tasks)
        stopped = self.session.stopped
        assert stopped is not None
        write_present("stopped", reason=stopped.reason, code=stopped.server_code, close=stopped.close, message=stopped.message)


async def main() -> None:
    lines: "asyncio.Queue[Optional[Dict[str, Any]]]" = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, json.loads(line))
        loop.call_soon_threadsafe(lines.put_nowait, None)

    # A daemon, because nothing ends a read of stdin.
    threading.Thread(target=read, daemon=True).start()
    first = await lines.get()
    if first is None or first["do"] != "connect":
        write("error", message="The first line is 'connect'.")
        return
    await Player(first).play(lines)


if __name__ == "__main__":
    asyncio.run(main())
