"""Streams one answer to the server: docs/protocol.md, section 11, "Streamed answers"."""

from __future__ import annotations

import asyncio
import json
from typing import Any, AsyncIterator, Callable, Dict, Optional, Tuple, Union

from ._clock import Clock, TimeIsUp, cancelled, within
from ._exchange import Exchange, Reply
from ._http import Http, failure
from .answering import OpenQuestion, Outcome, Pieces
from .errors import AnswerError, RefusedError, SessionError, UnreachableError

_LINE_BYTES = 8 * 1024
_REPLY_SECONDS = 30
_QUIET_SECONDS = 15
_OVER = frozenset({"already_done", "stale_attempt", "question_not_found", "session_not_found"})


class Upload:
    """One answer. It keeps the whole text, because the server can ask for a part of it again."""

    def __init__(self, http: Http, clock: Clock, wait_ms: Callable[[int, int], float], question: OpenQuestion) -> None:
        """`wait_ms` says how long to wait after so many requests in vain, and an advice of the server."""
        self._http = http
        self._clock = clock
        self._wait_ms = wait_ms
        self._question = question
        self._text = bytearray(question.so_far.encode())
        self._end: Optional[Dict[str, Any]] = None
        self._fault: Optional[Exception] = None
        self._has_more = asyncio.Event()
        self._is_sent = asyncio.Event()

    async def run(self, pieces: Pieces) -> Outcome:
        """Sends the pieces while they are made. If the question ends before, what makes them is cancelled at once."""
        producing = asyncio.ensure_future(self._produce(_whole(pieces) if isinstance(pieces, str) else pieces.__aiter__()))
        try:
            outcome = await self._deliver()
        finally:
            await cancelled(producing)
        if self._fault is not None:
            raise self._fault
        return outcome

    async def _produce(self, pieces: AsyncIterator[str]) -> None:
        try:
            async for piece in pieces:
                if piece:
                    # Half a surrogate pair has no UTF-8. Two halves in one piece are a character.
                    self._text += piece.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
                    self._is_sent.clear()
                    self._has_more.set()
                    # What makes the text is not faster than the server.
                    await self._is_sent.wait()
            self._end = {"final": True}
        except AnswerError as error:
            self._end = {"error": {"code": error.code, "message": error.message}}
        except Exception as fault:
            # Its text is not for the asker. The caller gets it.
            self._fault, self._end = fault, {"error": {"code": "answerer_failed", "message": "The answerer has failed."}}
        finally:
            self._has_more.set()
            close = getattr(pieces, "aclose", None)
            if close is not None:
                await close()

    async def _deliver(self) -> Outcome:
        """Sends requests until one has told what became of the answer. Those that bring it no further are followed by longer and longer waits."""
        offset, reached, attempt = len(self._text), -1, 0
        while True:
            result, advice_ms = await self._try(offset)
            if isinstance(result, Outcome):
                return result
            attempt += 1
            if result is not None:
                attempt, reached, offset = (0, result, result) if result > reached else (attempt, reached, result)
            if attempt > 0 or advice_ms > 0:
                await self._clock.sleep(self._wait_ms(attempt, advice_ms) / 1000)

    async def _try(self, offset: int) -> Tuple[Union[Outcome, int, None], int]:
        """One request. Returns the outcome, or where the next request begins (None if that is not known), and the wait that the server advises."""
        try:
            reply = await self._request(offset)
        except UnreachableError:
            return await self._read_offset(), 0
        if reply.is_ok and reply.body.get("offset") == len(self._text) and self._end is not None:
            return Outcome(self._question.id, is_delivered=True), 0
        outcome = None if reply.is_ok else self._judge(reply)
        if outcome is not None:
            return outcome, 0
        expected = reply.body.get("expected_offset", reply.body.get("offset"))
        advice_ms = int(reply.body.get("retry_after_ms") or 0)
        return await self._read_offset() if expected is None else self._at(int(expected)), advice_ms

    def _judge(self, reply: Reply) -> Optional[Outcome]:
        """What a refusal means, or None if another request goes on."""
        code = reply.body.get("code")
        if code in _OVER:
            return self._over(str(code), reply.body.get("question_status"))
        if code != "offset_mismatch" and not (reply.body.get("retryable") or reply.status >= 500):
            error: SessionError = failure(reply)
            raise error
        return None

    def _over(self, code: str, status: Optional[str]) -> Outcome:
        # The reply to the last line can be lost. That the question is completed then says that the line has arrived.
        is_delivered = status == "completed" and self._end == {"final": True}
        return Outcome(self._question.id, is_delivered, None if is_delivered else code, status)

    async def _read_offset(self) -> Union[Outcome, int, None]:
        """How much of the answer the server has, after a connection that broke. None if it cannot say at the moment."""
        try:
            stored = await self._http.question(self._question.id)
        except UnreachableError:
            return None
        except RefusedError as refused:
            if not refused.retryable:
                raise
            return None
        if stored is None:
            return self._over("question_not_found", None)
        return self._over("already_done", stored["status"]) if stored.get("status") else self._at(int(stored["bytes"]))

    def _at(self, offset: int) -> Union[Outcome, int]:
        """More than this program has sent is from somebody else."""
        return offset if offset <= len(self._text) else Outcome(self._question.id, is_delivered=False, code="offset_mismatch")

    async def _request(self, offset: int) -> Reply:
        """One request from an offset on. Returns the reply, which can come at any time."""
        exchange = await self._http.open_lines(self._http.addresses.question(self._question.id, "/answer"))
        replying, sending = asyncio.ensure_future(exchange.read_reply()), asyncio.ensure_future(self._send(exchange, offset))
        try:
            await asyncio.wait({replying, sending}, return_when=asyncio.FIRST_COMPLETED)
            if not replying.done():
                if not isinstance(sending.exception(), (UnreachableError, type(None))):
                    sending.result()
                # All is sent, or the connection broke in one direction. Either way the reply is next.
                await within(self._clock, _REPLY_SECONDS, _until_done(replying))
            return replying.result()
        except TimeIsUp:
            raise UnreachableError(f"The server did not reply within {_REPLY_SECONDS} s.") from None
        finally:
            await cancelled(sending)
            await cancelled(replying)
            await exchange.close()

    async def _send(self, exchange: Exchange, offset: int) -> None:
        first: Dict[str, Any] = {"attempt": self._question.attempt, "offset": offset}
        while True:
            if offset < len(self._text):
                end = self._cut(offset)
                await exchange.send_line(_line({**first, "text": self._text[offset:end].decode()}))
                first, offset = {}, end
            elif self._end is not None:
                await exchange.send_line(_line({**first, **self._end}))
                exchange.end_body()
                return
            else:
                self._is_sent.set()
                self._has_more.clear()
                try:
                    await within(self._clock, _QUIET_SECONDS, _until_set(self._has_more))
                except TimeIsUp:
                    # Keeps the connection open through proxies.
                    await exchange.send_line(b"")

    def _cut(self, offset: int) -> int:
        """The end of the next line, which is not inside a character."""
        end = min(offset + _LINE_BYTES, len(self._text))
        while end < len(self._text) and self._text[end] & 0xC0 == 0x80:
            end -= 1
        return end


async def _whole(text: str) -> AsyncIterator[str]:
    yield text


async def _until_done(task: "asyncio.Future[Any]") -> None:
    await asyncio.wait({task})


async def _until_set(event: asyncio.Event) -> None:
    await event.wait()


def _line(fields: Dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode()
