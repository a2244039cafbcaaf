"""When a session connects, comes back and stops."""

import asyncio
import unittest

from orleans_sessions import RefusedError, StoppedError

from .fakes import FakeServer, accepted, delta, done, refused_upgrade, resumed, settle


def error(code, retryable=False, **fields):
    return {"type": "error", "code": code, "message": f"It is {code}.", "retryable": retryable, **fields}


class LifeTests(unittest.IsolatedAsyncioTestCase):
    async def enter(self, **fields):
        server = FakeServer(**fields)
        await server.session.__aenter__()
        self.addAsyncCleanup(server.session.close)
        await settle()
        return server

    async def test_each_end_of_a_socket_stops_the_session_for_its_reason(self):
        cases = [
            (1000, None, "ended", None), (4177, None, "ended", None), (1008, None, "protocol", None), (4100, error("bad_request"), "protocol", "bad_request"),
            (4101, error("unauthorized"), "refused", "unauthorized"), (4126, None, "refused", None), (4104, None, "session_removed", None),
            (1011, error("forbidden"), "refused", "forbidden"), (4005, error("token_expired"), "token_expired", "token_expired"),
        ]
        for code, frame, reason, server_code in cases:
            with self.subTest(code=code, frame=frame):
                server = await self.enter(token="same")
                answer = server.session.ask("?")
                if frame is not None:
                    await server.socket.give(frame)
                await server.socket.end(code)

                stopped = server.session.stopped
                self.assertEqual((stopped.reason, stopped.server_code, stopped.close, server.states[-1]), (reason, server_code, code, "stopped"))
                with self.assertRaises(StoppedError) as raised:
                    await answer
                self.assertEqual(raised.exception.message, f"It is {server_code}." if frame else f"The server closed the socket with {code}.")

    async def test_other_ends_come_back_after_a_wait_that_doubles(self):
        server = await self.enter()
        await server.live()
        waits = []
        for code in (1006, 4001, 4002, 1012):
            ended = server.clock.time
            await server.socket.end(code)
            await server.clock.advance(0.5)
            waits.append(round(1000 * (server.opened[-1] - ended)))
        self.assertEqual((waits, server.session.state), ([100, 200, 400, 400], "reconnecting"))

        # A socket that was open for 10 s begins anew, and the server can advise a longer wait.
        for frames, wait in (([], 100), ([error("draining", retryable=True, retry_after_ms=2000)], 2000)):
            await server.live(resuming=True)
            await server.clock.advance(10)
            ended = server.clock.time
            await server.socket.give(*frames)
            await server.socket.end(4001)
            await server.clock.advance(3)
            self.assertEqual(round(1000 * (server.opened[-1] - ended)), wait)

    async def test_a_socket_that_is_left_after_10_s_for_another_one_begins_anew_too(self):
        server = await self.enter()
        for _ in range(3):
            await server.live(resuming=True)
            await server.socket.end(1006)
            await server.clock.advance(0.5)
        await server.live(resuming=True)
        await server.socket.give(resumed(0))
        await server.clock.advance(10)
        await server.socket.give({"type": "reconnect", "delay_ms": 0})
        await server.clock.advance(0)
        await server.live(resuming=True)
        ended = server.clock.time
        await server.socket.end(1006)
        await server.clock.advance(1)
        self.assertEqual(round(1000 * (server.opened[-1] - ended)), 100)

    async def test_a_refused_upgrade_stops_with_the_servers_words_and_a_busy_one_comes_back(self):
        server = FakeServer()
        server.refusals = [
            refused_upgrade(503), refused_upgrade(429, code="connection_limit", retry_after_ms=700), refused_upgrade(403, code="forbidden", detail="Not you.")]
        await server.session.__aenter__()
        await server.clock.advance(0.3)
        self.assertEqual((len(server.refusals), server.session.state), (1, "connecting"))
        await server.clock.advance(5)
        stopped = server.session.stopped
        self.assertEqual((stopped.reason, stopped.code, stopped.close, str(stopped)), ("refused", "forbidden", None, "Not you."))

    async def test_a_server_that_is_silent_for_three_heartbeats_is_gone(self):
        server = await self.enter()
        await server.live(heartbeat_ms=1000)
        await server.clock.advance(2.5)
        await server.socket.give({"type": "ping", "seq": 0})
        await server.clock.advance(2.9)
        self.assertEqual(server.session.state, "live")
        await server.clock.advance(0.2)
        self.assertEqual((server.session.state, server.sockets[0].closed_with), ("reconnecting", 1000))

    async def test_tokens_are_renewed_on_the_socket_and_on_the_next_one(self):
        token = ["t1"]

        async def get():
            return token[0]

        server = await self.enter(token=get)
        socket = await server.live()
        self.assertEqual(socket.headers, {"Authorization": "Bearer t1"})
        await socket.give({"type": "expiring", "in_ms": 60000})
        self.assertEqual(socket.sent, [], "the server has this token")
        token[0] = "t2"
        await socket.give({"type": "expiring", "in_ms": 60000})
        self.assertEqual(socket.sent, [{"type": "auth", "token": "t2"}])

        token[0] = "t3"
        await socket.give(error("token_expired"))
        await socket.end(4005)
        await server.clock.advance(1)
        self.assertEqual(server.socket.headers, {"Authorization": "Bearer t3"})

    async def test_a_token_that_the_server_could_not_check_is_sent_again_and_used_on_the_next_socket(self):
        token = ["t1"]
        server = await self.enter(token=lambda: token[0])
        socket = await server.live()
        token[0] = "t2"
        await socket.give({"type": "expiring", "in_ms": 60000})
        with self.assertLogs("orleans_sessions"):
            await socket.give(error("internal", retryable=True, param="token", retry_after_ms=2000))
        await server.clock.advance(1.9)
        self.assertEqual(len(socket.of("auth")), 1)
        await server.clock.advance(0.2)
        self.assertEqual(socket.of("auth"), [{"type": "auth", "token": "t2"}] * 2)
        with self.assertLogs("orleans_sessions"):
            await socket.give(error("internal", retryable=True, param="token", retry_after_ms=600_000), error("token_expired"))
        await socket.end(4005)
        await server.clock.advance(1)
        self.assertEqual((server.socket.headers, server.session.state), ({"Authorization": "Bearer t2"}, "reconnecting"))

    async def test_a_token_that_the_server_took_or_refused_is_not_tried_again(self):
        for reply in ({"type": "authenticated"}, error("forbidden", param="token")):
            with self.subTest(reply=reply):
                token = ["t1"]
                server = await self.enter(token=lambda: token[0])
                socket = await server.live()
                token[0] = "t2"
                with self.assertLogs("orleans_sessions") if reply["type"] == "error" else self.subTest():
                    await socket.give({"type": "expiring", "in_ms": 60000})
                    await socket.give(reply)
                await server.clock.advance(60)
                await socket.give({"type": "expiring", "in_ms": 60000}, error("token_expired"))
                self.assertEqual(len(socket.of("auth")), 1)
                await socket.end(4005)
                self.assertEqual((server.session.stopped.reason, len(server.sockets)), ("token_expired", 1))

    async def test_a_cancel_waits_until_the_session_is_live_and_comes_after_the_ask(self):
        server = await self.enter()
        answer = server.session.ask("?", id="q-1")
        cancelling = asyncio.ensure_future(server.session.cancel("q-1"))
        socket = await server.live()
        self.assertEqual([frame["type"] for frame in socket.sent], ["question", "cancel"])
        await socket.give(accepted(1, "q-1"), {"type": "cancelling", "question_id": "q-1"}, done(2, "q-1", "", 0, status="cancelled"))
        await cancelling
        self.assertEqual((await answer).status, "cancelled")

    async def test_a_refused_cancel_is_reported_to_its_caller(self):
        server = await self.enter()
        socket = await server.live()
        running, unknown = asyncio.ensure_future(server.session.cancel()), asyncio.ensure_future(server.session.cancel("q-9"))
        await settle()
        await socket.give(error("no_open_question"), error("question_not_found", question_id="q-9"))
        for cancelling, code in ((running, "no_open_question"), (unknown, "question_not_found")):
            with self.assertRaises(RefusedError) as raised:
                await cancelling
            self.assertEqual(raised.exception.code, code)

    async def test_a_cancel_of_the_running_question_never_reaches_the_next_one(self):
        server = await self.enter()
        socket = await server.live()
        server.session.ask("?", id="q-1")
        server.session.ask("??", id="q-2", if_busy="queue")
        await socket.give(accepted(1, "q-1"), accepted(2, "q-2", position=1))
        cancelling = asyncio.ensure_future(server.session.cancel())
        await settle()
        self.assertEqual(socket.sent[-1], {"type": "cancel", "question_id": "q-1"})
        # A rewind on the same socket does not send it again.
        await socket.give({"type": "ping", "seq": 9}, resumed(2, open=["q-1", "q-2"]))
        self.assertEqual(len(socket.of("cancel")), 1)
        await socket.end(1006)
        await server.clock.advance(1)

        # The cancel had arrived, and its answer was lost. By now the second question runs.
        socket = await server.live(resuming=True)
        await socket.give(done(3, "q-1", "", 0, status="cancelled", replay=True), resumed(3, open=["q-2"]))
        await asyncio.wait_for(cancelling, 5)
        self.assertEqual(socket.of("cancel"), [])

    async def test_a_cancel_while_reconnecting_is_for_the_question_that_ran_then(self):
        server = await self.enter()
        socket = await server.live()
        server.session.ask("?", id="q-1")
        server.session.ask("??", id="q-2", if_busy="queue")
        await socket.give(accepted(1, "q-1"), accepted(2, "q-2", position=1))
        await socket.end(1006)
        cancelling = asyncio.ensure_future(server.session.cancel())
        await server.clock.advance(1)
        socket = await server.live(resuming=True)
        await socket.give(done(3, "q-1", "", 0, replay=True), resumed(3, open=["q-2"]))
        await asyncio.wait_for(cancelling, 5)
        self.assertEqual(socket.of("cancel"), [])

    async def test_a_question_whose_text_is_still_being_read_is_not_the_running_one(self):
        server = await self.enter()
        socket = await server.live()
        server.session.ask("?", id="q-1")
        server.session.ask("??", id="q-2", if_busy="queue")
        server.http.stored = [ConnectionError("away")]
        await socket.give(accepted(1, "q-1"), accepted(2, "q-2", position=1), done(3, "q-1", "missing", 1))
        cancelling = asyncio.ensure_future(server.session.cancel())
        await settle()
        self.assertEqual(socket.of("cancel"), [{"type": "cancel", "question_id": "q-2"}])
        cancelling.cancel()

    async def test_a_cancel_of_an_unknown_running_question_is_not_sent_again_on_the_next_socket(self):
        server = await self.enter()
        socket = await server.live()
        cancelling = asyncio.ensure_future(server.session.cancel())
        await settle()
        self.assertEqual(socket.of("cancel"), [{"type": "cancel"}])
        await socket.end(1006)
        await server.clock.advance(1)
        socket = await server.live(open=["q-7"])
        with self.assertRaisesRegex(RefusedError, "no question was known to run") as raised:
            await asyncio.wait_for(cancelling, 5)
        self.assertEqual((raised.exception.code, socket.of("cancel")), ("no_open_question", []))

    async def test_a_refused_question_says_who_is_asking_and_temporary_errors_refuse_none(self):
        server = await self.enter()
        socket = await server.live()
        answer = server.session.ask("?", id="q-1")
        await socket.give(error("internal", retryable=True, question_id="q-1"))
        await socket.end(1011)
        await server.clock.advance(1)
        socket = await server.live()
        busy = {"active_question_id": "q-0", "active_for_ms": 5, "retry_after_ms": 1000}
        await socket.give(error("session_busy", retryable=True, question_id="q-1", **busy))
        with self.assertRaises(RefusedError) as raised:
            await answer
        refused = raised.exception
        self.assertEqual(
            (refused.code, refused.active_question_id, refused.active_for_ms, refused.retryable, refused.retry_after_ms),
            ("session_busy", "q-0", 5, True, 1000))

    async def test_a_question_counts_as_its_utf_8_and_one_that_is_too_large_is_refused_here(self):
        server = await self.enter()
        early = server.session.ask("x" * 1000, id="q-0")
        fitting = "Что такое силос? 😀" * 20
        socket = await server.live(limits={"message_bytes": 60 + len(fitting.encode())})
        late = server.session.ask(fitting + "x" * 60, id="q-1")
        server.session.ask(fitting, id="q-2")
        await settle()

        for answer, size in ((early, 1000), (late, len(fitting.encode()) + 60)):
            with self.assertRaisesRegex(RefusedError, f"has {size + 49:,} bytes. The server takes {60 + len(fitting.encode()):,}.") as raised:
                await asyncio.wait_for(answer, 5)
            self.assertEqual((raised.exception.code, raised.exception.question_id, raised.exception.retryable), ("message_too_large", answer.id, False))
        self.assertEqual([frame["question"] for frame in socket.sent], [fitting])

    async def test_a_message_over_the_rate_is_sent_again(self):
        server = await self.enter()
        socket = await server.live()
        answer = server.session.ask("?", id="q-1")
        await settle()
        await socket.give(error("rate_limited", retryable=True, retry_after_ms=500))
        await server.clock.advance(0.5)
        self.assertEqual(len(socket.of("question")), 2)
        await socket.give(accepted(1, "q-1"), done(2, "q-1", "", 0))
        self.assertEqual((await answer).status, "completed")

    async def test_all_messages_over_the_rate_are_sent_again_at_once_and_only_on_their_socket(self):
        server = await self.enter()
        socket = await server.live()
        for number in range(3):
            server.session.ask("?", id=f"q-{number}")
        await settle()
        await socket.give(*[error("rate_limited", retryable=True, retry_after_ms=500)] * 3)
        await server.clock.advance(1)
        self.assertEqual(len(socket.of("question")), 6)

        await socket.give(error("rate_limited", retryable=True, retry_after_ms=500), {"type": "ping", "seq": 0})
        await socket.end(1006)
        await server.clock.advance(0.2)
        socket = await server.live()
        await server.clock.advance(1)
        self.assertEqual(len(socket.of("question")), 3, "settling sent them")

    async def test_a_rewind_over_the_rate_is_made_again(self):
        server = await self.enter()
        socket = await server.live()
        answer = server.session.ask("?", id="q-1")
        await socket.give(accepted(1, "q-1"), done(3, "q-1", "a", 1), error("rate_limited", retryable=True, retry_after_ms=500))
        await server.clock.advance(0.5)
        self.assertEqual(socket.of("resume"), [{"type": "resume", "epoch": "e1", "after_seq": 1}] * 2)
        await socket.give(delta(2, "q-1", 0, "a", replay=True), done(3, "q-1", "a", 1, replay=True), resumed(3))
        self.assertEqual((await asyncio.wait_for(answer, 5)).text, "a")

    async def test_a_token_over_the_rate_is_sent_again(self):
        token = ["t1"]
        server = await self.enter(token=lambda: token[0])
        socket = await server.live()
        token[0] = "t2"
        await socket.give({"type": "expiring", "in_ms": 60000})
        await socket.give(error("rate_limited", retryable=True, retry_after_ms=500))
        await server.clock.advance(0.5)
        self.assertEqual(socket.of("auth"), [{"type": "auth", "token": "t2"}] * 2)

    async def test_a_frame_that_cannot_be_understood_stops_the_session(self):
        for message in ('{"type":"hello"}', "nonsense", b"binary", "[]"):
            with self.subTest(message=message), self.assertLogs("orleans_sessions") if "hello" in str(message) else self.subTest():
                server = await self.enter()
                await server.socket.give_raw(message)
                self.assertEqual(server.session.stopped.reason, "protocol")

    async def test_a_closed_session_fails_what_is_open_and_makes_no_noise(self):
        noise = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: noise.append(context))
        server = await self.enter()
        await server.live()
        answer = server.session.ask("?")
        server.session.ask("Nobody reads the answer to this.")
        cancelling = asyncio.ensure_future(server.session.cancel("q-1"))
        await settle()
        await server.session.close()

        for waiting in (answer, cancelling, server.session.ask("Too late?")):
            with self.assertRaises(StoppedError) as raised:
                await waiting
            self.assertEqual(raised.exception.reason, "closed")
        del answer, cancelling, waiting, raised
        await settle()
        self.assertEqual((noise, server.socket.closed_with, server.states), ([], 1000, ["connecting", "live", "stopped"]))
        self.assertEqual(asyncio.all_tasks(), {asyncio.current_task()})

    async def test_a_fault_of_the_token_function_or_the_state_function_is_logged_and_does_no_harm(self):
        faults = [OSError("The vault is away.")]

        def token():
            if faults:
                raise faults.pop()
            return "t"

        server = FakeServer(token=token)
        server.session._on_state = lambda state: 1 / 0
        self.addAsyncCleanup(server.session.close)
        with self.assertLogs("orleans_sessions") as logs:
            await server.session.__aenter__()
            await server.clock.advance(1)
            await server.live()
            self.assertEqual(server.session.state, "live")
            await server.session.close()
        self.assertTrue(any("The vault is away." in line for line in logs.output) and any("on_state" in line for line in logs.output))
