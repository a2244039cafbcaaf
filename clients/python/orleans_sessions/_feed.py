"""A sequence of updates with one reader."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Deque, Generic, Iterable, List, Optional, TypeVar, Union

from .errors import BehindError, SessionError
from .updates import Accepted, Ended, FollowedUpdate, Gone, Restarted, Text

U = TypeVar("U", bound=Union[Accepted, Text, Restarted, Ended, Gone])

MAX_UNREAD = 1000


class _UnreadText:
    """Adjacent pieces of one answer that were not read yet."""

    def __init__(self, first: Text) -> None:
        self.first = first
        self.pieces: List[str] = [first.text]

    def joined(self) -> Text:
        return Text(self.first.question_id, self.first.question, "".join(self.pieces))


class Feed(Generic[U]):
    """An asynchronous iterator. What is not read is kept: pieces of text are joined, so it does not grow by each piece."""

    def __init__(self, first: Iterable[FollowedUpdate] = ()) -> None:
        self._unread: Deque[Union[FollowedUpdate, _UnreadText]] = deque()
        self._is_over = False
        self._error: Optional[SessionError] = None
        self._changed = asyncio.Event()
        for update in first:
            self.put(update)

    def put(self, update: FollowedUpdate) -> None:
        if self._is_over:
            return
        last = self._unread[-1] if self._unread else None
        if isinstance(update, Text):
            if isinstance(last, _UnreadText) and last.first.question_id == update.question_id:
                last.pieces.append(update.text)
            else:
                self._unread.append(_UnreadText(update))
        else:
            if isinstance(update, Restarted) and isinstance(last, _UnreadText) and last.first.question_id == update.question_id:
                # Withdrawn before it was read.
                self._unread.pop()
            self._unread.append(update)
        if len(self._unread) > MAX_UNREAD:
            self._unread.clear()
            self.close(BehindError(MAX_UNREAD))
        self._changed.set()

    def close(self, error: Optional[SessionError] = None) -> None:
        """The reader gets the rest, and then the error or the end."""
        if not self._is_over:
            self._is_over, self._error = True, error
            self._changed.set()

    def __aiter__(self) -> Feed[U]:
        return self

    async def __anext__(self) -> U:
        while not self._unread:
            if self._error is not None:
                raise self._error.with_traceback(None)
            if self._is_over:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        update = self._unread.popleft()
        return update.joined() if isinstance(update, _UnreadText) else update  # type: ignore[return-value]
