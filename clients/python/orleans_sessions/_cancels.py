"""Cancels that have no answer yet. They are sent again on the next socket, because cancelling twice is harmless."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, List, Optional


@dataclass
class Cancel:
    ticket: int
    question_id: Optional[str]
    """None means the running question."""
    meant: Optional[str] = None
    """The question that was running when it was sent. On the next socket another one can be running, which nobody wanted to cancel."""
    is_sent: bool = False
    """True if this socket was sent it."""


class Cancels:
    def __init__(self) -> None:
        self._waiting: List[Cancel] = []
        self._ticket = 0

    def add(self, question_id: Optional[str]) -> Cancel:
        self._ticket += 1
        cancel = Cancel(self._ticket, question_id)
        self._waiting.append(cancel)
        return cancel

    def __iter__(self) -> Iterator[Cancel]:
        return iter(list(self._waiting))

    def reconnected(self) -> None:
        """From now on, a cancel of the running question means the one that was running when it was sent."""
        for cancel in self._waiting:
            cancel.question_id, cancel.is_sent = cancel.question_id or cancel.meant, False

    def take(self, question_id: Optional[str], or_running: bool = False) -> List[Cancel]:
        """Removes the cancels that an answer about this question settles: the ones of its id or, if there are none, the first one without an id."""
        taken = [cancel for cancel in self._waiting if question_id is not None and cancel.question_id == question_id]
        if not taken and or_running:
            taken = [cancel for cancel in self._waiting if cancel.question_id is None][:1]
        self._waiting = [cancel for cancel in self._waiting if cancel not in taken]
        return taken

    def take_all(self) -> List[Cancel]:
        taken, self._waiting = self._waiting, []
        return taken
