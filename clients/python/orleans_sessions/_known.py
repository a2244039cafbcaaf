"""One question that has not ended, as the client knows it."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional

from .records import FINAL
from .updates import Accepted, Ended, Restarted, Text, Update


class Known:
    def __init__(self, question_id: str, question: Optional[str] = None, body: Optional[str] = None) -> None:
        self.id = question_id
        self.question = question
        self.body = body
        """The frame with which this client asked, or None if another client did."""
        self.is_accepted = False
        """True if the server has it. If this client has asked it: true if the server has accepted that."""
        self.was_followed = False
        """True if it was known before this client asked it, and the server has not said whether it is the same question."""
        self.followed_question: Optional[str] = None
        self.next = 0
        self.end: Optional[Mapping[str, Any]] = None
        """The `done` of a question whose text must still be read."""
        self.is_missing = False
        """True if the server did not list it as open: it has ended or is lost."""
        self.is_read = False
        """True while it is being read over HTTP."""
        self.failures = 0
        self.position: Optional[int] = None
        self._pieces: List[str] = []
        self._parts: List[str] = []
        self._bytes = 0

    @property
    def text(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    @property
    def has_ended(self) -> bool:
        return self.end is not None or self.is_missing

    def so_far(self) -> List[Update]:
        """What a sequence that begins now must be told first."""
        accepted: List[Update] = [Accepted(self.id, self.question, self.position)] if self.position is not None else []
        return accepted + ([Text(self.id, self.question, self.text)] if self._pieces else [])

    def accept(self, frame: Mapping[str, Any]) -> List[Update]:
        """Tells the acceptance once, however often it is repeated."""
        self.is_accepted, self.was_followed = True, False
        self.question = self.question if self.question is not None else frame.get("question")
        if self.position is not None:
            return []
        self.position = int(frame.get("position", 0))
        return [Accepted(self.id, self.question, self.position)]

    def follow_again(self) -> None:
        """What this client has asked was refused. The question goes on for whoever follows."""
        self.question, self.body, self.is_accepted, self.was_followed = self.followed_question, None, True, False

    def append(self, frame: Mapping[str, Any]) -> Optional[List[Update]]:
        """Returns None if text before this piece is missing."""
        index, count = frame["index"], frame.get("count", 1)
        if index + count <= self.next:
            return []
        if index != self.next:
            return None
        self._is_answered()
        self.next += count
        return self._add(frame["text"])

    def take_part(self, frame: Mapping[str, Any]) -> Optional[List[Update]]:
        """Takes one part of a snapshot. Returns None if more parts follow."""
        self._parts = [frame["text"]] if frame["part"] == 1 else self._parts + [frame["text"]]
        if frame["part"] < frame["parts"]:
            return None
        self._is_answered()
        self.question = self.question if self.question is not None else frame.get("question")
        text, self._parts = "".join(self._parts), []
        return self.show(text, frame["deltas"])

    def show(self, text: str, deltas: int) -> List[Update]:
        """Replaces the text. What is known stays; only a text that does not begin with it restarts the answer."""
        shown, self.next = self.text, deltas
        if text.startswith(shown):
            return self._add(text[len(shown):])
        self._pieces, self._bytes = [], 0
        return [Restarted(self.id, self.question), *self._add(text)]

    def is_complete(self, end: Mapping[str, Any]) -> bool:
        return bool(self.next == end["deltas"] and self._bytes == end["bytes"])

    def ended(self, end: Mapping[str, Any]) -> Ended:
        return Ended(
            question_id=self.id, question=self.question, status=end["status"], reason=end.get("reason"), message=end.get("message"),
            retryable=end.get("retryable", False), retry_after_ms=end.get("retry_after_ms"), text=self.text, first_ms=end.get("first_ms"),
            total_ms=end.get("total_ms"))

    def _is_answered(self) -> None:
        self.is_accepted = self.is_accepted or not self.was_followed

    def _add(self, text: str) -> List[Update]:
        if not text:
            return []
        self._pieces.append(text)
        self._bytes += len(text.encode())
        return [Text(self.id, self.question, text)]


def is_final(frame: Mapping[str, Any]) -> bool:
    return (frame.get("status") or frame.get("state")) in FINAL
