"""Cancels that have no answer yet. They are sent again on the next socket, because cancelling twice is harmless."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, List, Optional


@dataclass
class Cancel:
    ticket: int
    question_id: Optional[str]
    """None means the running question, of which the client does not know yet which one it is."""
    is_sent: bool = False
    """True if this socket was sent it."""
    is_unclear: bool = False
    """True if an earlier socket was sent it without an id. By now another question can be running, which nobody wanted to cancel."""


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
        for cancel in self._waiting:
            cancel.is_unclear = cancel.is_unclear or (cancel.is_sent and cancel.question_id is None)
            cancel.is_sent = False

    def take_unclear(self) -> List[Cancel]:
        taken = [cancel for cancel in self._waiting if cancel.is_unclear]
        self._waiting = [cancel for cancel in self._waiting if cancel not in taken]
        return taken

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
