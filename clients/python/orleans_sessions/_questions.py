"""The questions of a session that have not ended, as far as the client knows."""

from __future__ import annotations

from collections import OrderedDict
from typing import Dict, Iterator, List, Optional

from ._known import Known

_REMEMBERED_ENDS = 1000


class Questions:
    def __init__(self) -> None:
        self._known: Dict[str, Known] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._order: List[str] = []

    def __iter__(self) -> Iterator[Known]:
        return iter(list(self._known.values()))

    def find(self, question_id: Optional[str]) -> Optional[Known]:
        return None if question_id is None else self._known.get(question_id)

    def obtain(self, question_id: str) -> Known:
        return self._known.setdefault(question_id, Known(question_id))

    def ask(self, question_id: str, question: str, body: str) -> Known:
        """Adds a question of this client, or makes one of it that another client has asked."""
        self.revive(question_id)
        is_known = question_id in self._known
        known = self.obtain(question_id)
        if is_known and known.body is None:
            known.was_followed, known.followed_question = True, known.question
        # The server says again whether it accepts it: the id can be that of another client's question with another text.
        known.question, known.body, known.is_accepted, known.is_missing = question, body, False, False
        return known

    def has_ended(self, question_id: str) -> bool:
        """True for the last ends, because events of those questions can be repeated."""
        return question_id in self._ended

    def revive(self, question_id: str) -> None:
        """The question is asked again."""
        self._ended.pop(question_id, None)

    def drop(self, known: Known) -> None:
        self._known.pop(known.id, None)

    def end(self, known: Known, is_remembered: bool = True) -> None:
        self.drop(known)
        self._order = [question_id for question_id in self._order if question_id != known.id]
        if is_remembered:
            self._ended[known.id] = None
        if len(self._ended) > _REMEMBERED_ENDS:
            self._ended.popitem(last=False)

    def clear(self) -> None:
        self._known.clear()

    # What the server has accepted: the running question first, then the queue.

    @property
    def running(self) -> Optional[str]:
        """The first one that is not known to have ended."""
        return next((question_id for question_id in self._order if (known := self.find(question_id)) is None or known.end is None), None)

    def accept(self, question_id: str) -> None:
        if question_id not in self._order:
            self._order.append(question_id)

    def set_open(self, question_ids: List[str], is_new_epoch: bool) -> None:
        self._order = question_ids
        for question_id in question_ids:
            if is_new_epoch:
                # In the same epoch, the list can be older than an end that was read over HTTP. In another one, the id is asked again.
                self.revive(question_id)
            if not self.has_ended(question_id):
                self.obtain(question_id)

    def is_open(self, known: Known) -> bool:
        return known.id in self._order

    def open(self) -> List[Known]:
        return [self._known[question_id] for question_id in self._order if question_id in self._known]
