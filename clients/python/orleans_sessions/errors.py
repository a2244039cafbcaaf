"""What can go wrong. How a question ended is not an error: it is the `status` of `Ended`."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from ._ids import check_error_code

_MAX_MESSAGE_BYTES = 1024


class SessionError(Exception):
    """The base of all errors of this package. `code` is for programs, the message is for people."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class RefusedError(SessionError):
    """The server refused a question, a cancel or another request, and nothing has changed.

    `retryable` says whether the same request can succeed later, and `retry_after_ms` how long to wait before that, if it is known. `param` names the
    wrong field of a `bad_request`. For `session_busy`, `active_question_id` is the open question, and `active_for_ms` how long it has been open.
    """

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(str(error.get("message") or error.get("detail") or "The server refused the request."), str(error.get("code", "internal")))
        self.question_id: Optional[str] = error.get("question_id")
        self.param: Optional[str] = error.get("param")
        self.retryable = bool(error.get("retryable", False))
        self.retry_after_ms: Optional[int] = error.get("retry_after_ms")
        self.active_question_id: Optional[str] = error.get("active_question_id")
        self.active_for_ms: Optional[int] = error.get("active_for_ms")
        self.expected_offset: Optional[int] = error.get("expected_offset")
        self.question_status: Optional[str] = error.get("question_status")


class LostError(SessionError):
    """The server had accepted the question and has forgotten it. It is not asked again by itself; ask it again if that is right."""

    def __init__(self, question_id: str) -> None:
        super().__init__(f"The server has forgotten the question '{question_id}'. Ask it again if it is still of interest.", "lost")
        self.question_id = question_id


class UnreadableError(SessionError):
    """The question has ended, but its text could not be read from the server. `history` or `question` may read it later."""

    def __init__(self, question_id: str, why: str) -> None:
        super().__init__(f"The question '{question_id}' has ended, but its text could not be read: {why}", "unreadable")
        self.question_id = question_id


class StoppedError(SessionError):
    """The session has stopped. A question that was open may still be answered: ask it again with the same id, or read the history.

    `reason` is one of `closed`, `refused`, `token_expired`, `session_removed`, `protocol` and `ended`. `server_code` is the code of the server's error,
    and `close` the close code of the socket, if there was one. `code` is `server_code` or, without one, `stopped`.
    """

    def __init__(self, reason: str, message: str, code: Optional[str] = None, close: Optional[int] = None) -> None:
        super().__init__(message, code or "stopped")
        self.reason = reason
        self.server_code = code
        self.close = close


class UnreachableError(SessionError):
    """The server could not be reached, or broke off its reply, or the token function failed. The request can be repeated."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "unreachable")


class BehindError(SessionError):
    """A sequence of updates was not read for so long that the rest of it was dropped."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"More than {limit} updates were not read, so the sequence has ended. Read the history and follow again.", "reader_too_slow")


class AnswerError(SessionError):
    """Raise it while answering to end the question as failed. The asker sees the code and the message.

    The code is like the id of a question (1 to 64 characters), and the message has at most 1,024 bytes in UTF-8. Anything else is a ValueError.
    """

    def __init__(self, code: str, message: str) -> None:
        check_error_code(code)
        size = len(message.encode())
        if size > _MAX_MESSAGE_BYTES:
            raise ValueError(f"The message of an AnswerError has at most {_MAX_MESSAGE_BYTES:,} bytes in UTF-8. This one has {size:,}.")
        super().__init__(message, code)
