"""A client for OrleansSessions.

    async with connect("http://localhost:5080", "my-session") as session:
        async for update in session.ask("What is a silo?"): ...
"""

from ._tokens import Token
from .answer import Answer
from .answering import OpenQuestion, Outcome, Pieces
from .errors import (
    AnswerError, BehindError, LostError, RefusedError, SessionError, StoppedError, UnreachableError, UnreadableError)
from .records import QuestionRecord
from .session import Session, connect
from .updates import Accepted, Ended, FollowedUpdate, Gone, Restarted, Text, Update

__all__ = [
    "Accepted", "Answer", "AnswerError", "BehindError", "Ended", "FollowedUpdate", "Gone", "LostError", "OpenQuestion", "Outcome", "Pieces", "QuestionRecord",
    "RefusedError",
    "Restarted", "Session", "SessionError", "StoppedError", "Text", "Token", "UnreachableError", "UnreadableError", "Update", "connect",
]
