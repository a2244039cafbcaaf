"""Who is told what happens: the answers of this client, and everyone who follows the session."""

from __future__ import annotations

import weakref
from typing import Callable, Dict, List, Optional

from ._feed import Feed
from .answer import Answer
from .errors import SessionError
from .updates import Ended, FollowedUpdate, Gone


class Audience:
    def __init__(self) -> None:
        self.listeners: List[Callable[[FollowedUpdate], None]] = []
        """Told of each update at once. They must not take long."""
        self.on_settled: List[Callable[[], None]] = []
        """Called when the server has said what is open, of which there may be no update."""
        self._answers: Dict[str, List[Answer]] = {}
        self._followers: weakref.WeakSet[Feed[FollowedUpdate]] = weakref.WeakSet()

    def add(self, answer: Answer) -> None:
        self._answers.setdefault(answer.id, []).append(answer)

    def follow(self, feed: Feed[FollowedUpdate]) -> None:
        self._followers.add(feed)

    def tell(self, update: FollowedUpdate) -> None:
        if not isinstance(update, Gone):
            for answer in self._answers.get(update.question_id, ()):
                answer._take(update)
        if isinstance(update, Ended):
            self._answers.pop(update.question_id, None)
        for feed in self._followers:
            feed.put(update)
        for listener in self.listeners:
            listener(update)

    def settled(self) -> None:
        for called in self.on_settled:
            called()

    def fail(self, question_id: str, error: SessionError) -> None:
        for answer in self._answers.pop(question_id, ()):
            answer._fail(error)

    def close(self, error: Optional[SessionError]) -> None:
        """No more updates come. Those who follow get this error, or the end."""
        for feed in self._followers:
            feed.close(error)
