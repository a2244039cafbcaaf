"""Where tokens come from."""

from __future__ import annotations

import inspect
from typing import Awaitable, Callable, Optional, Union

Token = Union[str, Callable[[], Union[str, Awaitable[str]]]]
"""A token, or a function (async allowed) that returns one. It is called for each connection and each request."""


class Tokens:
    def __init__(self, token: Optional[Token]) -> None:
        self._token = token

    async def get(self) -> str:
        """The token of now; empty if there is none."""
        found = self._token() if callable(self._token) else self._token
        token = await found if inspect.isawaitable(found) else found
        if token is not None and not (isinstance(token, str) and token.isprintable() and token.isascii()):
            raise ValueError("A token is text of visible ASCII characters. This one is not.")
        return token or ""
