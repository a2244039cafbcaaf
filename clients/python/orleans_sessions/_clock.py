"""Time, so that tests need none."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Coroutine, Optional, Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    def now(self) -> float:
        """Seconds of a clock that nobody sets."""

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class TimeIsUp(Exception):
    """Raised by `within`."""


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Returns the result of `work`. After that time it cancels the work and raises `TimeIsUp`."""
    task, timer = asyncio.ensure_future(work), asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise TimeIsUp
    finally:
        await cancelled(timer)
        await cancelled(task)


async def cancelled(task: "Optional[asyncio.Future[Any]]") -> None:
    """Cancels a task and waits until it is over, whatever it ends with."""
    if task is not None and not task.done():
        task.cancel()
        await asyncio.wait({task})
    if task is not None and not task.cancelled():
        task.exception()
