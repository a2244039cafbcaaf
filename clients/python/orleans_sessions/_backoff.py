"""When to connect again: docs/protocol.md, section 12, "When the socket closes"."""

from __future__ import annotations

from typing import Callable

_STEADY_SECONDS = 10


def wait_ms(attempt: int, min_ms: float, max_ms: float, advice_ms: float, random: Callable[[], float]) -> float:
    """A random time below a bound that doubles with each attempt, but at least the time that the server advised."""
    return max(advice_ms, random() * min(max_ms, min_ms * float(2 ** min(attempt, 30))))


class Backoff:
    def __init__(self, random: Callable[[], float]) -> None:
        self.min_ms, self.max_ms = 250.0, 15_000.0
        self._attempt = 0
        self._random = random

    def next_ms(self, open_for: float, advice_ms: int) -> float:
        if open_for >= _STEADY_SECONDS:
            self._attempt = 0
        self._attempt += 1
        return wait_ms(self._attempt - 1, self.min_ms, self.max_ms, advice_ms, self._random)
