"""Ids of sessions and questions: docs/protocol.md, section 1."""

from __future__ import annotations

import re
import secrets

_ALPHABET = re.compile(r"[A-Za-z0-9._~:@-]+")
_MAX_SESSION, _MAX_QUESTION = 128, 64


def new_question_id() -> str:
    return "q-" + secrets.token_hex(12)


def check_session_id(session: str) -> str:
    return _check("session", session, _MAX_SESSION)


def check_question_id(question_id: str) -> str:
    return _check("question", question_id, _MAX_QUESTION)


def _check(what: str, value: str, limit: int) -> str:
    if len(value) > limit or not _ALPHABET.fullmatch(value) or (what == "session" and value in (".", "..")):
        dots = ", and is neither '.' nor '..'" if what == "session" else ""
        raise ValueError(f"The id of a {what} has 1 to {limit} characters from A-Z a-z 0-9 . _ ~ : @ -{dots}. This is none: {value[:200]!r}")
    return value
