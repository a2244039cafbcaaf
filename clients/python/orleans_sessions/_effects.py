"""What the core wants done. The connection does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Union

from .errors import SessionError
from .updates import FollowedUpdate


@dataclass(frozen=True)
class Send:
    """Send this text on the current socket."""

    text: str


@dataclass(frozen=True)
class Look:
    """Read the question over HTTP, after the wait of this attempt, and pass the result to `Core.on_record` or `Core.on_failed_look`."""

    question_id: str
    attempt: int


@dataclass(frozen=True)
class Tell:
    """Tell those who wait for this question, and all who follow."""

    update: FollowedUpdate


@dataclass(frozen=True)
class Fail:
    """Those who wait for this question get an error."""

    question_id: str
    error: SessionError


@dataclass(frozen=True)
class Settle:
    """A cancel has its answer: an error, or None."""

    ticket: int
    error: Optional[SessionError]


@dataclass(frozen=True)
class Live:
    """The socket is live."""


@dataclass(frozen=True)
class Settled:
    """The server has said what is open. No update may tell what has changed."""


@dataclass(frozen=True)
class Abandon:
    """The socket is of no use: close it and connect again."""


@dataclass(frozen=True)
class Again:
    """Call `Core.send_again` after this time."""

    delay_ms: int


@dataclass(frozen=True)
class Move:
    """Open another socket after this time, and leave this one for it."""

    delay_ms: int


@dataclass(frozen=True)
class Renew:
    """Send a fresh token after this time."""

    delay_ms: int = 0


@dataclass(frozen=True)
class Report:
    """An error of the server that belongs to nothing that waits."""

    code: str
    message: str


Effect = Union[Send, Look, Tell, Fail, Settle, Live, Settled, Abandon, Again, Move, Renew, Report]
