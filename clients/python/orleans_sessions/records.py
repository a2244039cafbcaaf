"""A question as the server keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional

FINAL = frozenset({"completed", "incomplete", "cancelled", "failed", "timeout"})


@dataclass(frozen=True)
class QuestionRecord:
    """A question and its answer so far, from `history` or `question`.

    `status` is None while the question is open; `state` then says where it is (`queued`, `accepted`, `answering`, `recovering`, or one that a later
    server has added). `asked_at` is a time in ISO 8601. The other fields are those of `Ended`.
    """

    id: str
    question: str
    state: str
    status: Optional[str]
    text: str
    reason: Optional[str]
    message: Optional[str]
    retryable: bool
    retry_after_ms: Optional[int]
    first_ms: Optional[int]
    total_ms: Optional[int]
    asked_at: Optional[str]

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> QuestionRecord:
        return cls(
            id=body["question_id"], question=body["question"], state=body["state"], status=body.get("status"), text=body["text"],
            reason=body.get("reason"), message=body.get("message"), retryable=body.get("retryable", False),
            retry_after_ms=body.get("retry_after_ms"), first_ms=body.get("first_ms"), total_ms=body.get("total_ms"), asked_at=body.get("asked_at"))
