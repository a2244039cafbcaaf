"""The HTTP requests of one session."""

from __future__ import annotations

import logging
from ssl import SSLContext
from typing import Any, Dict, List, Mapping, Optional
from urllib.parse import SplitResult

from ._addresses import Addresses
from ._clock import Clock, TimeIsUp, within
from ._exchange import Exchange, Reply
from ._tokens import Tokens
from .errors import RefusedError, SessionError, UnreachableError

LOG = logging.getLogger("orleans_sessions")

_SECONDS = 30
_OPEN_SECONDS = 10
_NOT_FOUND = 404


class Credentials:
    """What is sent with each request: the headers of the caller, and a token of now."""

    def __init__(self, tokens: Tokens, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            if any(end in name + value for end in "\r\n"):
                raise ValueError(f"The header {name!r} contains a line break.")
        self.tokens = tokens
        self._headers = dict(headers)

    def headers(self, token: str) -> Dict[str, str]:
        return {**self._headers, **({"Authorization": f"Bearer {token}"} if token else {})}


class Http:
    def __init__(self, addresses: Addresses, credentials: Credentials, ssl: Optional[SSLContext], clock: Clock) -> None:
        self.addresses = addresses
        self._credentials = credentials
        self._ssl = ssl
        self._clock = clock

    async def question(self, question_id: str) -> Optional[Mapping[str, Any]]:
        """A question, or None if the server has none with this id."""
        return await self._get(self.addresses.question(question_id))

    async def questions(self, limit: int) -> List[Mapping[str, Any]]:
        """The last questions, oldest first. A session that the server does not know has none."""
        body = await self._get(self.addresses.api("/questions", limit=str(limit)))
        return [] if body is None else list(body["questions"])

    async def session(self) -> Optional[Mapping[str, Any]]:
        return await self._get(self.addresses.api())

    async def open_lines(self, url: SplitResult) -> Exchange:
        """Begins a POST whose body is sent in lines."""
        headers = await self._headers()
        exchange = await self._open(url)
        try:
            exchange.send_head("POST", url, {"Content-Type": "application/x-ndjson", **headers})
            return exchange
        except BaseException:
            await exchange.close()
            raise

    async def _get(self, url: SplitResult) -> Optional[Mapping[str, Any]]:
        try:
            reply = await within(self._clock, _SECONDS, self._request(url))
        except TimeIsUp:
            raise UnreachableError(f"The server did not reply within {_SECONDS} s.") from None
        if reply.status == _NOT_FOUND and reply.body.get("code") in ("question_not_found", "session_not_found"):
            return None
        if not reply.is_ok:
            raise failure(reply)
        return reply.body

    async def _request(self, url: SplitResult) -> Reply:
        headers = await self._headers()
        exchange = await self._open(url)
        try:
            exchange.send_head("GET", url, headers)
            return await exchange.read_reply()
        finally:
            await exchange.close()

    async def _open(self, url: SplitResult) -> Exchange:
        try:
            return await within(self._clock, _OPEN_SECONDS, Exchange.open(url, self._ssl))
        except TimeIsUp:
            raise UnreachableError(f"{url.netloc} did not accept a connection within {_OPEN_SECONDS} s.") from None

    async def _headers(self) -> Dict[str, str]:
        try:
            token = await self._credentials.tokens.get()
        except Exception as fault:
            # The function is the caller's, and what it needs can be away for now.
            LOG.warning("The token function failed.", exc_info=fault)
            raise UnreachableError(f"The token function failed: {fault!r}") from fault
        return self._credentials.headers(token)


def failure(reply: Reply) -> SessionError:
    """What a reply that is not a success means."""
    if reply.body.get("code"):
        return RefusedError(reply.body)
    return UnreachableError(f"The reply has the status {reply.status}, and does not come from a session server.")
