"""What happens to a question, as updates in their order. Each names its question, and has the question's text if it is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Union

from .errors import SessionError


@dataclass(frozen=True)
class Accepted:
    """The server has accepted the question. `position` is 0 if it starts now, otherwise its place in the queue."""

    question_id: str
    question: Optional[str]
    position: int


@dataclass(frozen=True)
class Text:
    """A piece of the answer, to be appended to what there is."""

    question_id: str
    question: Optional[str]
    text: str


@dataclass(frozen=True)
class Restarted:
    """The text so far is withdrawn, and the pieces begin again."""

    question_id: str
    question: Optional[str]


@dataclass(frozen=True)
class Ended:
    """The question has ended, and this is the whole answer. `text` is exactly the pieces since the last `Restarted`, joined.

    `status` is `completed`, `incomplete`, `cancelled`, `failed` or `timeout`. `reason` and `message` say why, except for `completed`. `retryable` says
    whether asking again can succeed, and `retry_after_ms` how long to wait before that, if it is known. `first_ms` is the time to the first text (None
    without text), `total_ms` to the end.
    """

    question_id: str
    question: Optional[str]
    status: str
    reason: Optional[str]
    message: Optional[str]
    retryable: bool
    retry_after_ms: Optional[int]
    text: str
    first_ms: Optional[int]
    total_ms: Optional[int]


@dataclass(frozen=True)
class Gone:
    """Only in `follow`: nothing more will come for this question. `error` is a `LostError` or an `UnreadableError`."""

    question_id: str
    question: Optional[str]
    error: SessionError


Update = Union[Accepted, Text, Restarted, Ended]
FollowedUpdate = Union[Accepted, Text, Restarted, Ended, Gone]
