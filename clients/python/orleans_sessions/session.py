"""A session: the public face of the client."""

from __future__ import annotations

import asyncio
import json
import random
from ssl import SSLContext
from types import TracebackType
from typing import Any, AsyncIterator, Callable, Dict, List, Mapping, Optional, Type

from ._addresses import Addresses
from ._audience import Audience
from ._clock import SystemClock, cancelled
from ._connection import Connection, Surroundings
from ._core import Core
from ._feed import Feed
from ._http import LOG, Credentials, Http
from ._ids import check_question_id, new_question_id
from ._socket import websockets_opener
from ._tokens import Token, Tokens
from ._unanswered import Unanswered
from ._upload import Upload
from .answer import Answer
from .answering import OpenQuestion, Outcome, Pieces
from .errors import StoppedError
from .records import QuestionRecord
from .updates import FollowedUpdate

_CLOSED = "closed"


def connect(
    url: str, session: str, *, token: Optional[Token] = None, headers: Optional[Mapping[str, str]] = None,
    on_state: Optional[Callable[[str], None]] = None, ssl: Optional[SSLContext] = None,
    socket_path: str = "/ws/{session}", api_path: str = "/v1/sessions/{session}",
) -> Session:
    """A session to be used as `async with connect("http://localhost:5080", "my-session") as session`.

    `url` is the base address of the server, `http(s)://host[:port][/prefix]`; `ws(s)://` means the same. Its query, for example `?scope=...`, is sent
    with each request. `token` is a token, or a function (async allowed) that returns one; it is called for each connection and request, and again before
    a token expires. An exception of it counts as a server that cannot be reached. `headers` are sent with each request, `ssl` is for `https`. `on_state`
    is called with each new state; it must not take long.
    Entering the session does not wait for the server: what is asked before it is live is sent when it is.

    Raises ValueError if the address or the id of the session is malformed. Proxies of the environment are not used.
    """
    clock, credentials = SystemClock(), Credentials(Tokens(token), headers or {})
    http = Http(Addresses(url, session, socket_path, api_path), credentials, ssl, clock)
    return Session(session, Surroundings(websockets_opener(ssl), http, credentials, clock, random.random), on_state)


class Session:
    """Made by `connect`. All of it belongs to one event loop."""

    def __init__(self, session: str, surroundings: Surroundings, on_state: Optional[Callable[[str], None]] = None) -> None:
        self.id = session
        self._world = surroundings
        self._on_state = on_state or (lambda state: None)
        self._state = "connecting"
        self._stopped: Optional[StoppedError] = None
        self._core = Core()
        self._audience = Audience()
        self._connection = Connection(surroundings, self._core, self._audience, self._set_state)
        self._waiting: List[Unanswered] = []
        self._running: Optional[asyncio.Future[None]] = None

    @property
    def state(self) -> str:
        """`connecting`, `live`, `reconnecting` or `stopped`."""
        return self._state

    @property
    def stopped(self) -> Optional[StoppedError]:
        """Why the session has stopped (`reason`, `code`, `close` and a message), or None."""
        return self._stopped

    async def __aenter__(self) -> Session:
        if self._running is not None or self._stopped is not None:
            raise RuntimeError("A session is entered once. Connect again for another one.")
        self._tell_state()
        self._running = asyncio.ensure_future(self._run())
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        await self.close()

    async def close(self) -> None:
        """Stops the session, and closes its socket with 1000. Open questions go on at the server. Safe to repeat."""
        self._stop(StoppedError(_CLOSED, "The session was closed by its caller."))
        await cancelled(self._running)

    def ask(
        self, text: str, *, id: Optional[str] = None, if_busy: Optional[str] = None, options: Optional[Mapping[str, Any]] = None,
        metadata: Optional[Mapping[str, Any]] = None,
    ) -> Answer:
        """Asks now, or as soon as the session is live. Iterate over the answer, or await it.

        `id` is the id of the question (1 to 64 characters); asking again with the same id and text is safe, and gives the same answer. `if_busy` is
        `reject` (the default), `queue` or `replace`. `options` are for the responder, which decides which it takes; `metadata` is passed to it unchanged.
        A question is sent again after a lost connection until it is accepted, but is never asked twice.

        Raises ValueError for a malformed id, for an id that is open here with another text, and for half a surrogate pair. What the server refuses is
        raised by the answer, and so is a question that is too large for a message (`message_too_large`).
        """
        self._check_entered()
        question_id = new_question_id() if id is None else check_question_id(id)
        fields: Dict[str, Any] = {"if_busy": if_busy, "options": options, "metadata": metadata}
        body = _body({"type": "question", "id": question_id, "question": text, **{name: value for name, value in fields.items() if value is not None}})
        known = self._core.questions.find(question_id)
        if known is not None and known.body is not None and known.question != text:
            raise ValueError(f"The question '{question_id}' is open with another text. Choose another id.")
        answer = Answer(question_id, text, known.so_far() if known is not None else ())
        if self._stopped is not None:
            answer._fail(self._stopped)
        else:
            self._audience.add(answer)
            self._connection.ask(question_id, text, body)
        return answer

    async def cancel(self, id: Optional[str] = None) -> None:
        """Cancels a question, or the one that is running now, whoever asked it. While the session reconnects, the cancel waits until it is live again.

        Returns when the server has taken the cancel; the question ends soon after with the status `cancelled`. Cancelling twice, or a question that has
        ended, is harmless. Raises `RefusedError` with `question_not_found` or `no_open_question`, and `StoppedError`.
        """
        self._check_entered()
        if id is not None:
            check_question_id(id)
        if self._stopped is not None:
            raise self._stopped.with_traceback(None)
        await self._connection.cancel(id)

    def follow(self) -> AsyncIterator[FollowedUpdate]:
        """The updates of all questions of the session, from now on, whoever asks them. The text so far of an open question comes first.

        `Accepted` can be missing for a question that was open before. If the server cannot replay what happened while the connection was lost, questions
        that were asked and have ended in between are missing: `history` has them. The sequence ends when this session is closed. It raises `StoppedError`
        if the session stops for another reason, and `BehindError` if 1,000 updates are not read.
        """
        feed: Feed[FollowedUpdate] = Feed(update for known in self._core.questions.open() for update in known.so_far())
        if self._stopped is not None:
            feed.close(None if self._stopped.reason == _CLOSED else self._stopped)
        else:
            self._audience.follow(feed)
        return feed

    async def history(self, limit: int = 50) -> List[QuestionRecord]:
        """The last questions and answers, oldest first, at most 100. Empty if the server does not know the session.

        Raises `RefusedError`, and `UnreachableError` if the server cannot be reached or the token function fails; it can be repeated.
        """
        return [QuestionRecord.read(body) for body in await self._world.http.questions(limit)]

    async def question(self, id: str) -> Optional[QuestionRecord]:
        """One question, or None if the server has none with this id. Raises the errors of `history`."""
        body = await self._world.http.question(check_question_id(id))
        return None if body is None else QuestionRecord.read(body)

    async def unanswered(self) -> AsyncIterator[OpenQuestion]:
        """The questions of the session that wait for an answer from outside (the server's responder is `external`), one after the other, for ever.

        Each attempt of a question comes once. The caller needs the permission `sessions:answer`, and names a foreign scope in the address:
        `connect("https://host?scope=...", ...)`. Two programs that do this in one session both get its questions. Ends when this session is closed; raises
        `StoppedError` if it stops for another reason, and `RefusedError`.
        """
        self._check_entered()
        waiting = Unanswered(self._world.http, self._world.clock)
        self._waiting.append(waiting)
        self._audience.listeners.append(waiting.on_update)
        self._audience.on_settled.append(waiting.wake)
        try:
            while self._stopped is None:
                question = await waiting.next()
                if question is not None:
                    yield question
        finally:
            self._waiting.remove(waiting)
            self._audience.listeners.remove(waiting.on_update)
            self._audience.on_settled.remove(waiting.wake)
        if self._stopped.reason != _CLOSED:
            raise self._stopped.with_traceback(None)

    async def answer(self, question: OpenQuestion, pieces: Pieces) -> Outcome:
        """Answers a question of `unanswered` with pieces of text, each visible to all at once, in one streamed request. Returns what became of it.

        If the question ends before, for example because it was cancelled, `pieces` is cancelled at once, even while it waits. A broken connection is
        continued, and what the server has lost is sent again, for as long as the question is open. An `AnswerError` of `pieces` ends the question as failed,
        with its code and message; any other exception does so with a general message, and is raised here. Cancelling this call leaves the question open.

        Raises `RefusedError` if the caller may not answer, or if something else than this program answers the question.
        """
        return await Upload(self._world.http, self._world.clock, self._connection.backoff.after, question).run(pieces)

    async def _run(self) -> None:
        try:
            stopped = await self._connection.run()
        except Exception as fault:
            # A fault of this client. Without this, every answer would wait for ever.
            LOG.error("The session has failed.", exc_info=fault)
            stopped = StoppedError("protocol", f"The client has failed: {fault!r}")
        self._stop(stopped)

    def _stop(self, stopped: StoppedError) -> None:
        if self._stopped is None:
            self._stopped = stopped
            self._connection.perform(self._core.stop(stopped))
            self._audience.close(None if stopped.reason == _CLOSED else stopped)
            self._set_state("stopped")

    def _set_state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self._tell_state()
            if state == "stopped":
                for waiting in self._waiting:
                    waiting.close()

    def _tell_state(self) -> None:
        try:
            self._on_state(self._state)
        except Exception as fault:
            LOG.error("The function on_state has failed.", exc_info=fault)

    def _check_entered(self) -> None:
        if self._running is None:
            raise RuntimeError("Enter the session first: async with connect(...) as session.")


def _body(frame: Mapping[str, Any]) -> str:
    # The limit of a message counts bytes in UTF-8, of which an escaped character takes more.
    body = json.dumps(frame, ensure_ascii=False)
    try:
        body.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"The question contains half a surrogate pair, {error.object[error.start]!r}. Only whole characters can be sent.") from error
    return body
