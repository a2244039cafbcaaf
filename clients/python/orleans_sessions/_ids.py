"""Ids of sessions and questions: docs/protocol.md, section 1."""

from __future__ import annotations

import re
import secrets

_ALPHABET = re.compile(r"[A-Za-z0-9._~:@-]+")
_MAX_SESSION, _MAX_QUESTION = 128, 64


def new_question_id() -> str:
    return "q-" + secrets.token_hex(12)


def check_session_id(session: str) -> str:
    return _check("The id of a session", session, _MAX_SESSION)


def check_question_id(question_id: str) -> str:
    return _check("The id of a question", question_id, _MAX_QUESTION)


def check_error_code(code: str) -> str:
    return _check("The code of an AnswerError", code, _MAX_QUESTION)


def _check(what: str, value: str, limit: int) -> str:
    if len(value) > limit or not _ALPHABET.fullmatch(value) or value in (".", ".."):
        raise ValueError(f"{what} has 1 to {limit} characters from A-Z a-z 0-9 . _ ~ : @ -, and is neither '.' nor '..'. This is none: {value[:200]!r}")
    return value
