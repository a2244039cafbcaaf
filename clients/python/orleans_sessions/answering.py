"""The other side: questions that wait for an answer from outside (the responder `external`), and what became of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import AsyncIterable, Optional, Union

Pieces = Union[str, AsyncIterable[str]]
"""The text of an answer: as a whole, or in pieces while they are made."""


@dataclass(frozen=True)
class OpenQuestion:
    """A question that waits for its answer.

    `so_far` is the text that an earlier answerer has sent before it was lost, and is usually empty: an answer goes on after it. `attempt` counts how often
    the question has been tried.
    """

    id: str
    question: str
    attempt: int
    so_far: str


@dataclass(frozen=True)
class Outcome:
    """What became of an answer.

    `is_delivered` is true if the server has all of it. Otherwise the question was over before: `code` is `already_done` (with its `status`, for example
    `cancelled` or `timeout`), `question_not_found` (it was removed), `stale_attempt` (a later attempt is answering) or `offset_mismatch` (somebody else
    is answering).
    """

    question_id: str
    is_delivered: bool
    code: Optional[str] = None
    status: Optional[str] = None
