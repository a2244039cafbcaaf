"""Finds the questions of a session that wait for an answer from outside."""

from __future__ import annotations

import asyncio
from typing import Optional, Tuple

from ._clock import Clock, TimeIsUp, within
from ._http import Http
from .answering import OpenQuestion
from .errors import RefusedError, UnreachableError
from .updates import FollowedUpdate, Text

_RETRY_SECONDS = 1


class Unanswered:
    """Call `next` again and again. `wake` makes it look again."""

    def __init__(self, http: Http, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._last: Optional[Tuple[str, int]] = None
        self._changed = asyncio.Event()
        self._is_over = False

    def wake(self) -> None:
        self._changed.set()

    def on_update(self, update: FollowedUpdate) -> None:
        # A queued question starts when another one ends, without an event of its own.
        if not isinstance(update, Text):
            self.wake()

    def close(self) -> None:
        self._is_over = True
        self.wake()

    async def next(self) -> Optional[OpenQuestion]:
        """The next question, or None after `close`."""
        while not self._is_over:
            self._changed.clear()
            try:
                found = await self._look()
                if found is not None:
                    return found
                await self._changed.wait()
            except (UnreachableError, RefusedError) as failure:
                if isinstance(failure, RefusedError) and not failure.retryable:
                    raise
                await self._pause()
        return None

    async def _look(self) -> Optional[OpenQuestion]:
        """The running question, unless it was returned before. Only it can be answered; the others of the list are queued."""
        session = await self._http.session()
        running = session["open"][0] if session is not None and session["open"] else None
        if running is None or (running["question_id"], running["attempt"]) == self._last:
            return None
        so_far = ""
        if running["bytes"] > 0:
            stored = await self._http.question(running["question_id"])
            if stored is None or stored.get("status"):
                return None
            so_far = stored["text"]
        self._last = running["question_id"], running["attempt"]
        return OpenQuestion(running["question_id"], running["question"], running["attempt"], so_far)

    async def _pause(self) -> None:
        try:
            await within(self._clock, _RETRY_SECONDS, self._until_changed())
        except TimeIsUp:
            pass  # Time to look again.

    async def _until_changed(self) -> None:
        await self._changed.wait()
