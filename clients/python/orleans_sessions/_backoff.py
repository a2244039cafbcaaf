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

    def served(self, open_for: float) -> None:
        """A socket that was open for so many seconds is left or lost."""
        if open_for >= _STEADY_SECONDS:
            self._attempt = 0

    def next_ms(self, open_for: float, advice_ms: int) -> float:
        self.served(open_for)
        self._attempt += 1
        return self.after(self._attempt - 1, advice_ms)

    def after(self, attempt: int, advice_ms: float) -> float:
        """The wait after so many attempts of something else, within the bounds that the server has given."""
        return wait_ms(attempt, self.min_ms, self.max_ms, advice_ms, self._random)
