"""Keeps a session connected: opens sockets, feeds their frames to the core, and does what the core wants done."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Callable, Coroutine, Dict, List, Mapping, Optional, Set, Union

from ._audience import Audience
from ._backoff import Backoff, wait_ms
from ._clock import Clock, cancelled
from ._closes import CONNECTION_LOST, Closed
from ._core import Core
from ._effects import Abandon, Again, Effect, Fail, Live, Look, Move, Renew, Report, Send, Settle, Settled, Tell
from ._http import LOG, Credentials, Http
from ._link import Link
from ._socket import OpenSocket
from .errors import SessionError, StoppedError

_LOOK_MIN_MS, _LOOK_MAX_MS = 250, 5_000
_INVALID = 1007

Frame = Mapping[str, Any]


@dataclass(frozen=True)
class Surroundings:
    """What a session needs of the world."""

    open_socket: OpenSocket
    http: Http
    credentials: Credentials
    clock: Clock
    random: Callable[[], float]


class Connection:
    """Read `run` first: it is the whole life, in order."""

    def __init__(self, surroundings: Surroundings, core: Core, audience: Audience, on_state: Callable[[str], None]) -> None:
        self._world = surroundings
        self._core = core
        self._audience = audience
        self._on_state = on_state
        self.backoff = Backoff(surroundings.random)
        self._link: Optional[Link] = None
        self._mover: Optional[asyncio.Future[None]] = None
        self._is_abandoned = False
        self._unheard: Optional[Link] = None
        """The link on which all that has no answer is about to be sent again, once for all messages that the server did not read."""
        self._was_live = False
        self._tasks: Set[asyncio.Future[None]] = set()
        self._closing: Set[asyncio.Future[None]] = set()
        self._cancels: Dict[int, asyncio.Future[Optional[SessionError]]] = {}

    async def run(self) -> StoppedError:
        """Connects, serves, and comes back until there is a reason to stop. Returns the reason."""
        try:
            while True:
                closed = await self._serve()
                stop = await self._stop_after(closed)
                if stop is not None:
                    return stop
                if self._was_live:
                    self._on_state("reconnecting")
                await self._world.clock.sleep(self.backoff.next_ms(closed.open_for, closed.advice_ms) / 1000)
        finally:
            for task in [*self._tasks]:
                await cancelled(task)
            if self._closing:
                await asyncio.wait({*self._closing})

    def ask(self, question_id: str, question: str, body: str) -> None:
        self.perform(self._core.ask(question_id, question, body))

    async def cancel(self, question_id: Optional[str]) -> None:
        ticket, effects = self._core.cancel(question_id)
        settled = self._cancels[ticket] = asyncio.get_running_loop().create_future()
        self.perform(effects)
        try:
            error = await settled
        finally:
            del self._cancels[ticket]
        if error is not None:
            raise error

    def perform(self, effects: List[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                if self._link is not None:
                    self._link.send(effect.text)
            elif isinstance(effect, Tell):
                self._audience.tell(effect.update)
            elif isinstance(effect, Fail):
                self._audience.fail(effect.question_id, effect.error)
            elif isinstance(effect, Settle):
                settled = self._cancels.get(effect.ticket)
                if settled is not None and not settled.done():
                    settled.set_result(effect.error)
            elif isinstance(effect, Live):
                self._was_live = True
                self._on_state("live")
            elif isinstance(effect, Settled):
                self._audience.settled()
            elif isinstance(effect, Abandon):
                self._is_abandoned = True
            elif isinstance(effect, Look):
                self._start(self._look(effect))
            elif isinstance(effect, Again):
                if self._link is not None and self._link is not self._unheard:
                    self._unheard = self._link
                    self._start(self._send_again(self._link, effect.delay_ms))
            elif isinstance(effect, Move):
                self._start_moving(effect.delay_ms)
            elif isinstance(effect, Renew):
                self._start(self._renew(self._link, effect.delay_ms))
            elif isinstance(effect, Report):
                LOG.warning("The server reports %s: %s", effect.code, effect.message)

    # One socket after the other.

    async def _serve(self) -> Closed:
        """Serves one socket, and those that it is left for, until the last one is closed."""
        opened = await self._open()
        if isinstance(opened, Closed):
            return opened
        self._link, self._is_abandoned = opened, False
        self._core.attach()
        try:
            while True:
                link = self._link
                received = await link.receive()
                if link is not self._link:
                    continue  # The mover has replaced it, and the new socket repeats this.
                if isinstance(received, Closed):
                    return received
                self._take(received, link)
                if self._is_abandoned:
                    return Closed(CONNECTION_LOST, "Events were missing again and again.")
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            LOG.error("A frame of the server cannot be understood.", exc_info=fault)
            return Closed(_INVALID, f"The server sent a frame that this client does not understand ({fault!r}).")
        finally:
            await cancelled(self._mover)
            link, self._link, self._mover = self._link, None, None
            self._core.detach()
            self._close(link)

    def _take(self, frame: Frame, link: Link) -> None:
        if frame["type"] == "hello":
            reconnect = frame.get("reconnect", {})
            self.backoff.min_ms, self.backoff.max_ms = reconnect.get("min_ms", 250), reconnect.get("max_ms", 15_000)
        self.perform(self._core.on_frame(frame))

    async def _open(self) -> Union[Link, Closed]:
        world, position = self._world, self._core.position
        try:
            token = await world.credentials.tokens.get()
        except Exception as fault:
            # The function is the caller's, and what it needs can be away for now.
            LOG.warning("The token function failed.", exc_info=fault)
            return Closed(CONNECTION_LOST, f"The token function failed: {fault!r}")
        url = world.http.addresses.socket(position.epoch, position.last)
        return await Link.open(world.open_socket, url, world.credentials.headers(token), world.clock, token)

    async def _stop_after(self, closed: Closed) -> Optional[StoppedError]:
        if not closed.needs_token:
            return closed.stop()
        return None if await self._has_fresh_token(closed.token) else closed.stop("token_expired")

    async def _has_fresh_token(self, used: str) -> bool:
        try:
            return await self._world.credentials.tokens.get() not in ("", used)
        except Exception as fault:
            LOG.warning("The token function failed, and is asked again later.", exc_info=fault)
            return True

    # While a socket is live.

    def _start_moving(self, delay_ms: int) -> None:
        if self._mover is None:
            self._mover = asyncio.ensure_future(self._move(delay_ms))

    async def _move(self, delay_ms: float) -> None:
        """Opens the next socket while the present one serves. Once it is greeted it replaces that one, and repeats what that one has delivered meanwhile."""
        attempt = 0
        while True:
            await self._world.clock.sleep(delay_ms / 1000)
            epoch = self._core.position.epoch
            opened = await self._open()
            first = await self._first_frame(opened)
            if not isinstance(first, Closed) and isinstance(opened, Link) and first["type"] == "hello" and epoch == self._core.position.epoch:
                old, self._link, self._mover = self._link, opened, None
                opened.put_back(first)
                self._core.attach()
                if old is not None:
                    self.backoff.served(old.open_for)
                    self._close(old)
                return
            if isinstance(opened, Link):
                self._close(opened)
            advice = first.advice_ms if isinstance(first, Closed) else first.get("retry_after_ms", 0)
            delay_ms = self.backoff.after(attempt, advice)
            attempt += 1

    @staticmethod
    async def _first_frame(opened: Union[Link, Closed]) -> Union[Frame, Closed]:
        if isinstance(opened, Closed):
            return opened
        try:
            return await opened.receive()
        except asyncio.CancelledError:
            await opened.close()
            raise

    async def _renew(self, link: Optional[Link], delay_ms: int) -> None:
        if delay_ms > 0:
            await self._world.clock.sleep(delay_ms / 1000)
        if link is None or link is not self._link:
            return
        try:
            token = await self._world.credentials.tokens.get()
        except Exception as fault:
            # The server closes the socket when the token ends, and the next one asks again.
            LOG.warning("The token function failed.", exc_info=fault)
            return
        if link is self._link and token not in ("", link.token):
            link.offered = token
            link.send(json.dumps({"type": "auth", "token": token}))

    async def _look(self, look: Look) -> None:
        if look.attempt > 0:
            await self._world.clock.sleep(wait_ms(look.attempt - 1, _LOOK_MIN_MS, _LOOK_MAX_MS, _LOOK_MIN_MS, self._world.random) / 1000)
        try:
            record = await self._world.http.question(look.question_id)
            effects = self._core.on_record(look.question_id, record)
        except Exception as fault:
            # Whatever it was: the core tries again, and then tells the asker.
            effects = self._core.on_failed_look(look.question_id, str(fault) or repr(fault))
        self.perform(effects)

    async def _send_again(self, link: Link, delay_ms: int) -> None:
        await self._world.clock.sleep(delay_ms / 1000)
        if self._unheard is link:
            self._unheard = None
        if self._link is link:
            if link.offered != link.token:
                self._start(self._renew(link, 0))
            self.perform(self._core.send_again())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _close(self, link: Link) -> None:
        """Closes a link. Only the end of the session waits for the other side."""
        task = asyncio.ensure_future(link.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
