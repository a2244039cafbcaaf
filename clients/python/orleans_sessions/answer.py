"""The answer to one question of this client."""

from __future__ import annotations

import asyncio
import weakref
from typing import Generator, Iterable, List, Optional

from ._feed import Feed
from .errors import SessionError
from .updates import Accepted, Ended, Restarted, Text, Update


class Answer:
    """Iterate over it for the updates as they come, or await it for the whole answer. Both can be done, and as often as needed.

        async for update in answer: ...     # Accepted, Text, Restarted; Ended is the last one
        ended = await answer                # how it ended is a value: ended.status, ended.text, ...

    Both raise `RefusedError`, `LostError`, `UnreadableError` or `StoppedError` if there is no end. An iteration that begins late gets the text so far
    first. Leaving an iteration, and cancelling its task, does not cancel the question: `Session.cancel` does.
    """

    def __init__(self, question_id: str, question: str, so_far: Iterable[Update]) -> None:
        self.id = question_id
        self.question = question
        self._accepted: Optional[Accepted] = None
        self._pieces: List[str] = []
        self._ended: Optional[Ended] = None
        self._error: Optional[SessionError] = None
        self._over = asyncio.Event()
        # An iterator that nobody holds any more needs no updates.
        self._feeds: weakref.WeakSet[Feed[Update]] = weakref.WeakSet()
        for update in so_far:
            self._take(update)

    def __aiter__(self) -> Feed[Update]:
        feed: Feed[Update] = Feed(self._so_far())
        if self._over.is_set():
            feed.close(self._error)
        else:
            self._feeds.add(feed)
        return feed

    def __await__(self) -> Generator[None, None, Ended]:
        yield from self._over.wait().__await__()
        if self._ended is None:
            assert self._error is not None
            raise self._error.with_traceback(None)
        return self._ended

    def _so_far(self) -> List[Update]:
        text = [Text(self.id, self.question, "".join(self._pieces))] if self._pieces else []
        return [update for update in (self._accepted, *text, self._ended) if update is not None]

    def _take(self, update: Update) -> None:
        if isinstance(update, Accepted):
            self._accepted = update
        elif isinstance(update, Text):
            self._pieces.append(update.text)
        elif isinstance(update, Restarted):
            self._pieces = []
        else:
            self._ended = update
        for feed in self._feeds:
            feed.put(update)
        if self._ended is not None:
            self._close(None)

    def _fail(self, error: SessionError) -> None:
        self._error = error
        self._close(error)

    def _close(self, error: Optional[SessionError]) -> None:
        self._over.set()
        for feed in list(self._feeds):
            feed.close(error)
        self._feeds.clear()
