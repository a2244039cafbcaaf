"""How a socket ended, and what that means: docs/protocol.md, section 7, "Close codes"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional

from .errors import StoppedError

CONNECTION_LOST, TOKEN_EXPIRED, SESSION_REMOVED = 1006, 4005, 4104

_PROTOCOL = frozenset({1003, 1007, 1008, 1009, 4100})
_REFUSED = frozenset({4101, 4103, 4126})
_NORMAL, _FIRST_STOP = 1000, 4100


@dataclass(frozen=True)
class Closed:
    """The end of a socket, or of the attempt to open one."""

    code: int
    message: str = ""
    """What is known about it, for people."""
    status: Optional[int] = None
    """The HTTP status of an upgrade that was refused."""
    error: Optional[Mapping[str, Any]] = None
    """The error that was its last frame, or the problem document of the refused upgrade."""
    was_greeted: bool = False
    open_for: float = 0.0
    token: str = ""

    @property
    def advice_ms(self) -> int:
        return int((self.error or {}).get("retry_after_ms") or 0)

    @property
    def needs_token(self) -> bool:
        error = self.error or {}
        # With `param`, the error refuses another token than the one that is in force.
        return self.code == TOKEN_EXPIRED or (error.get("code") == "token_expired" and error.get("param") != "token")

    def stop(self, reason: Optional[str] = None) -> Optional[StoppedError]:
        """Why the session stops, or None if it comes back."""
        reason = reason or self._reason()
        if reason is None:
            return None
        error = self.error or {}
        message = error.get("message") or error.get("detail") or self.message or f"The server closed the socket with {self.code}."
        return StoppedError(reason, str(message), error.get("code"), None if self.status else self.code)

    def _reason(self) -> Optional[str]:
        if self.code == SESSION_REMOVED:
            return "session_removed"
        if self.code in _PROTOCOL:
            return "protocol"
        is_refused_upgrade = self.status is not None and 400 <= self.status < 500 and self.status != 429
        is_refused_at_attach = not self.was_greeted and self.status is None and self.error is not None and not self.error.get("retryable", False)
        if self.code in _REFUSED or is_refused_upgrade or is_refused_at_attach:
            return "refused"
        return "ended" if self.code == _NORMAL or self.code >= _FIRST_STOP else None
