"""The client of docs/protocol.md, section 12, without sockets and time: frames go in, effects come out."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Mapping, Optional

from ._cancels import Cancel, Cancels
from ._effects import Abandon, Again, Effect, Fail, Live, Look, Move, Renew, Report, Send, Settle, Settled, Tell
from ._known import Known, is_final
from ._position import Position
from ._questions import Questions
from .errors import LostError, RefusedError, SessionError, UnreadableError
from .updates import Gone, Update

Frame = Mapping[str, Any]

MAX_REWINDS = 3
MAX_LOOKS = 4

_DEFAULT_RETRY_MS = 1000

_COMES_BACK = frozenset({"draining", "internal", "connection_limit"})
"""Errors after which the server closes the socket for now. A question stays, and is sent again on the next one."""

_CLOSES = _COMES_BACK | {"token_expired", "session_removed", "message_too_large"}
"""Errors that are told by what follows: the socket is closed."""

_REFUSES_CANCEL = frozenset({"question_not_found", "no_open_question", "session_not_found", "permission_denied", "store_unavailable"})


class Core:
    """Each public method returns the effects of one event, in their order."""

    def __init__(self) -> None:
        self.position = Position()
        self.questions = Questions()
        self.is_live = False
        self._is_greeted = False
        self._is_replaying = False
        self._message_bytes: Optional[int] = None
        self._rewinds = 0
        self._cancels = Cancels()
        self._effects: List[Effect] = []
        self._on: Dict[str, Callable[[Frame], None]] = {
            "hello": self._on_hello, "resumed": self._on_resumed, "snapshot": self._on_snapshot, "cancelling": self._on_cancelling,
            "error": self._on_error, "ping": self._on_ping, "expiring": lambda frame: self._do(Renew()),
            "reconnect": lambda frame: self._do(Move(frame.get("delay_ms", 0)))}

    # What the caller wants.

    def ask(self, question_id: str, question: str, body: str) -> List[Effect]:
        known = self.questions.find(question_id)
        if known is not None and known.body is not None and known.is_accepted:
            # Asked twice by this client. What the server has accepted needs no other answer.
            return self._done()
        if known is not None and known.body is None and not known.is_missing and known.question not in (None, question):
            message = f"The question id '{question_id}' is in use for another text."
            self._do(Fail(question_id, RefusedError({"code": "question_conflict", "message": message, "question_id": question_id})))
            return self._done()
        self._send_question(self.questions.ask(question_id, question, body))
        return self._done()

    def cancel(self, question_id: Optional[str]) -> "tuple[int, List[Effect]]":
        """Returns the ticket by which the cancel is settled, too."""
        # Bound now, because by the time that it is sent, another question can be running.
        cancel = self._cancels.add(question_id or self.questions.running)
        self._send_cancel(cancel)
        return cancel.ticket, self._done()

    def stop(self, error: SessionError) -> List[Effect]:
        for known in self.questions:
            self._do(Fail(known.id, error))
        self._settle_cancels(self._cancels.take_all(), error)
        self.questions.clear()
        self.detach()
        return self._done()

    # The socket.

    def attach(self) -> None:
        """A new socket is the current one. Its first frame is `hello`, or an error."""
        self.detach()
        self._cancels.reconnected()

    def detach(self) -> None:
        self.is_live = self._is_greeted = self._is_replaying = False

    def on_frame(self, frame: Frame) -> List[Effect]:
        kind = frame["type"]
        if kind in self._on:
            if self._is_greeted or kind in ("hello", "error"):
                self._on[kind](frame)
        elif self._is_greeted and "seq" in frame:
            # An event of a kind that this client does not know has its place in the log, too.
            self._on_event(frame)
        return self._done()

    def send_again(self) -> List[Effect]:
        """Sends what has no answer yet once more. The server takes each id once, and a repeated replay is dropped."""
        if self.is_live and self._is_replaying:
            self._send_resume()
        for known in self.questions:
            if known.body is not None and not known.is_accepted:
                self._send_question(known)
        for cancel in self._cancels:
            cancel.is_sent = False
            self._send_cancel(cancel)
        return self._done()

    # What was read over HTTP.

    def on_record(self, question_id: str, record: Optional[Frame]) -> List[Effect]:
        """A question as the server has it, or None if it has no such question."""
        known = self.questions.find(question_id)
        if known is not None:
            if record is None:
                self._on_no_record(known)
            elif is_final(record):
                self._tell(known.show(record["text"], record["deltas"]))
                self._finish(known, record)
            elif known.end is not None or (known.is_missing and not self.questions.is_open(known)):
                # The `done` can arrive before the end can be read, and the reply can be older than the list of what is open.
                self._look_again(known, "the server still has it as open")
            else:
                known.is_read, known.is_missing, known.failures = False, False, 0
                if record["deltas"] > known.next:
                    self._tell(known.show(record["text"], record["deltas"]))
        return self._done()

    def on_failed_look(self, question_id: str, why: str) -> List[Effect]:
        known = self.questions.find(question_id)
        if known is not None:
            self._look_again(known, why)
        return self._done()

    def _look(self, known: Known) -> None:
        if not known.is_read:
            known.is_read, known.failures = True, 0
            self._do(Look(known.id, 0))

    def _look_again(self, known: Known, why: str) -> None:
        known.failures += 1
        if known.failures < MAX_LOOKS:
            self._do(Look(known.id, known.failures))
            return
        known.is_read = False
        # Without a socket the server is away as a whole: settling on the next one looks again.
        if known.has_ended and self.is_live:
            self._give_up(known, UnreadableError(known.id, why))

    def _on_no_record(self, known: Known) -> None:
        if known.body is not None and not known.is_accepted:
            # It was asked anew while this was read.
            known.is_read = False
        elif known.end is not None:
            self._give_up(known, UnreadableError(known.id, "the server does not have it any more"))
        else:
            self._give_up(known, LostError(known.id))

    # Frames.

    def _on_hello(self, frame: Frame) -> None:
        self._is_greeted = True
        self._message_bytes = frame.get("limits", {}).get("message_bytes")
        self._is_replaying = frame.get("resuming", False)
        if not self._is_replaying:
            self._settle(frame, frame["seq"])

    def _on_resumed(self, frame: Frame) -> None:
        self._is_replaying = False
        self._settle(frame, frame["to_seq"])

    def _settle(self, frame: Frame, last: int) -> None:
        if (self.position.epoch, self.position.last) != (frame["epoch"], last):
            self._rewinds = 0
        self.questions.set_open([entry["question_id"] for entry in frame["open"]], is_new_epoch=frame["epoch"] != self.position.epoch)
        self.position.move(frame["epoch"], last)
        if not self.is_live:
            self.is_live = True
            self._do(Live())
        self._do(Settled())
        for known in self.questions:
            known.is_missing = False
            is_open = self.questions.is_open(known)
            # An open question that somebody else has asked says nothing about what this client has asked with its id.
            known.is_accepted = known.is_accepted or (is_open and not known.was_followed)
            if known.body is not None and not known.is_accepted:
                self._send_question(known)
            elif not is_open:
                known.is_missing, known.failures = True, 0
                self._look(known)
        message = "The connection was lost before the server answered, and no question was known to run when the cancel was sent."
        self._settle_cancels(self._cancels.take_unclear(), RefusedError({"code": "no_open_question", "message": message}))
        for cancel in self._cancels:
            self._send_cancel(cancel)

    def _on_ping(self, frame: Frame) -> None:
        self._send({"type": "pong", "seq": frame["seq"]})
        if frame["seq"] > self.position.last and self.is_live and not self._is_replaying:
            self._rewind()

    def _rewind(self) -> None:
        self._rewinds += 1
        if self._rewinds > MAX_REWINDS:
            self._rewinds = 0
            self.position.move(None, 0)
            self._do(Abandon())
            return
        self._is_replaying = True
        self._send_resume()

    def _send_resume(self) -> None:
        self._send({"type": "resume", "epoch": self.position.epoch, "after_seq": self.position.last})

    def _on_event(self, frame: Frame) -> None:
        last = self.position.last
        verdict = self.position.judge(frame, self._is_replaying)
        if self.position.last > last:
            self._rewinds = 0
        if verdict == "rewind":
            self._rewind()
        elif verdict == "apply":
            self._apply(frame)

    def _apply(self, frame: Frame) -> None:
        kind, question_id = frame["type"], frame.get("question_id")
        if kind == "done":
            # Also of a question that ended long ago: it answers a cancel.
            self._settle_cancels(self._cancels.take(question_id), None)
        if kind == "accepted" and question_id is not None and not frame.get("replay") and not frame.get("duplicate"):
            # A question that the server had forgotten was asked again, with its id.
            self.questions.revive(question_id)
        if kind not in ("accepted", "delta", "done") or question_id is None or self.questions.has_ended(question_id):
            return
        known = self.questions.obtain(question_id)
        if kind == "accepted":
            self.questions.accept(question_id)
            self._tell(known.accept(frame))
        elif kind == "delta":
            added = known.append(frame)
            if added is None:
                self._look(known)
            else:
                self._tell(added)
        elif known.is_complete(frame):
            self._finish(known, frame)
        else:
            known.is_accepted, known.end = True, frame
            self._look(known)

    def _on_snapshot(self, frame: Frame) -> None:
        known = self.questions.find(frame["question_id"])
        if known is None:
            # The end of a question that this client does not wait for: it ended before it came, or was told already.
            if is_final(frame):
                return
            known = self.questions.obtain(frame["question_id"])
        told = known.take_part(frame)
        if told is not None:
            self._tell(told)
            if is_final(frame):
                self._finish(known, frame)

    def _on_cancelling(self, frame: Frame) -> None:
        self._settle_cancels(self._cancels.take(frame["question_id"], or_running=True), None)

    def _on_error(self, frame: Frame) -> None:
        code, question_id = frame["code"], frame.get("question_id")
        known = self.questions.find(question_id)
        is_about_asking = known is not None and known.body is not None and not known.is_accepted and code != "question_not_found"
        if known is not None and is_about_asking:
            if code not in _COMES_BACK:
                self._refuse(known, frame)
            return
        if self.is_live and code == "rate_limited" and question_id is None:
            # The server did not read that message, and does not say which one it was.
            self._do(Again(frame.get("retry_after_ms") or _DEFAULT_RETRY_MS))
            return
        if self.is_live and code in _REFUSES_CANCEL:
            cancels = self._cancels.take(question_id, or_running=question_id is None)
            self._settle_cancels(cancels, RefusedError(frame))
            if cancels:
                return
        if self.is_live and frame.get("param") == "token" and frame.get("retryable"):
            # The server could not check the token. It can still be the right one.
            self._do(Renew(frame.get("retry_after_ms") or _DEFAULT_RETRY_MS))
        if self.is_live and (code not in _CLOSES or frame.get("param") == "token"):
            self._do(Report(code, frame["message"]))

    def _refuse(self, known: Known, error: Frame) -> None:
        if known.was_followed:
            known.follow_again()
        else:
            self.questions.drop(known)
        self._do(Fail(known.id, RefusedError(error)))

    # Ends.

    def _finish(self, known: Known, end: Frame) -> None:
        if not end.get("status"):
            end = {**end, "status": end["state"]}
        self.questions.end(known)
        self._settle_cancels(self._cancels.take(known.id), None)
        self._do(Tell(known.ended(end)))

    def _give_up(self, known: Known, error: SessionError) -> None:
        # A question that the server has forgotten can be asked again with its id, by anyone.
        self.questions.end(known, is_remembered=not isinstance(error, LostError))
        self._do(Fail(known.id, error))
        self._do(Tell(Gone(known.id, known.question, error)))

    # Sending.

    def _send_question(self, known: Known) -> None:
        if not self.is_live or known.body is None:
            return
        size, limit = len(known.body.encode()), self._message_bytes
        if limit is not None and size > limit:
            # The server would close the socket for it, with a code that ends the session.
            message = f"The message of the question has {size:,} bytes. The server takes {limit:,}."
            self._refuse(known, {"code": "message_too_large", "message": message, "question_id": known.id})
        else:
            self._do(Send(known.body))

    def _send_cancel(self, cancel: Cancel) -> None:
        if not self.is_live or cancel.is_sent:
            return
        cancel.is_sent = True
        cancel.question_id = cancel.question_id or self.questions.running
        self._send({"type": "cancel", **({"question_id": cancel.question_id} if cancel.question_id else {})})

    def _settle_cancels(self, cancels: List[Cancel], error: Optional[SessionError]) -> None:
        for cancel in cancels:
            self._do(Settle(cancel.ticket, error))

    def _send(self, frame: Frame) -> None:
        self._do(Send(json.dumps(frame)))

    def _tell(self, updates: List[Update]) -> None:
        for update in updates:
            self._do(Tell(update))

    def _do(self, effect: Effect) -> None:
        self._effects.append(effect)

    def _done(self) -> List[Effect]:
        effects, self._effects = self._effects, []
        return effects
