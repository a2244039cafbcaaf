"""Answering from outside: docs/protocol.md, section 11, "Streamed answers"."""

import asyncio
import unittest

from orleans_sessions import AnswerError, OpenQuestion, Outcome, RefusedError, StoppedError, UnreachableError
from orleans_sessions._addresses import Addresses
from orleans_sessions._backoff import Backoff
from orleans_sessions._http import Credentials, Http
from orleans_sessions._tokens import Tokens
from orleans_sessions._upload import Upload

from .fakes import FakeClock, FakeServer, accepted, done, hello, resumed, settle
from .loopback import Loopback, until

QUESTION = OpenQuestion("q-1", "?", 2, "")


class UploadTests(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.server = await Loopback().__aenter__()
        self.addAsyncCleanup(self.server.__aexit__, None, None, None)
        self.clock = FakeClock()
        addresses = Addresses(self.server.url + "?scope=s.x", "s1", "/ws/{session}", "/v1/sessions/{session}")
        self.http = Http(addresses, Credentials(Tokens(lambda: "t"), {"X-Team": "red"}), None, self.clock)
        self.closed = asyncio.Event()

    def answer(self, pieces, question=QUESTION):
        return asyncio.wait_for(Upload(self.http, self.clock, Backoff(lambda: 1.0).after, question).run(pieces), 10)

    async def words(self, *words, wait=None):
        try:
            for word in words:
                yield word
            if wait is not None:
                await wait.wait()
        finally:
            self.closed.set()

    async def test_each_piece_is_sent_before_the_next_one_is_made(self):
        arrived = asyncio.Event()
        requests = []

        async def pieces():
            yield "Grü"
            await arrived.wait()
            yield "ße"
            yield ""

        async def post(request):
            requests.append(request)
            self.assertEqual(await request.line(), {"attempt": 2, "offset": 0, "text": "Grü"})
            arrived.set()
            self.assertEqual(await request.lines(), [{"text": "ße"}, {"final": True}])
            await request.reply_chunked(offset=7)

        self.server.posts = [post]
        self.assertEqual(await self.answer(pieces()), Outcome("q-1", True))
        request = requests[0]
        self.assertEqual(request.target, "/v1/sessions/s1/questions/q-1/answer?scope=s.x")
        self.assertEqual(
            [request.headers[name] for name in ("Content-Type", "Authorization", "X-Team")], ["application/x-ndjson", "Bearer t", "red"])

    async def test_a_cancel_stops_what_makes_the_text_at_once_even_before_its_first_piece(self):
        async def post(request):
            await request.reply(409, code="already_done", question_status="cancelled")

        for words in ((), ("a", "b")):
            with self.subTest(words=words):
                self.closed.clear()
                self.server.posts = [post]
                outcome = await self.answer(self.words(*words, wait=asyncio.Event()))
                self.assertEqual((outcome, self.closed.is_set()), (Outcome("q-1", False, "already_done", "cancelled"), True))

    async def test_text_that_the_server_has_lost_is_sent_again(self):
        async def first(request):
            await request.line()
            await request.reply(409, code="offset_mismatch", expected_offset=3)

        async def second(request):
            self.assertEqual(await request.line(), {"attempt": 2, "offset": 3, "text": "def"})
            await request.lines()
            await request.reply(200, offset=6)

        self.server.posts = [first, second]
        self.assertTrue((await self.answer("abcdef")).is_delivered)

    async def test_a_broken_connection_is_continued_from_what_the_server_has(self):
        more = asyncio.Event()

        async def pieces():
            yield "abc"
            await more.wait()
            yield "def"

        async def first(request):
            await request.line()
            request.cut()

        async def second(request):
            more.set()
            self.assertEqual(await request.line(), {"attempt": 2, "offset": 1, "text": "bc"})
            self.assertEqual(await request.lines(), [{"text": "def"}, {"final": True}])
            await request.reply(200, offset=6)

        self.server.posts, self.server.stored = [first, second], {"state": "answering", "bytes": 1, "text": "a"}
        self.assertTrue((await self.answer(pieces())).is_delivered)

    async def test_the_reply_to_the_last_line_can_be_lost(self):
        async def post(request):
            await request.lines()
            request.cut()

        for status, outcome in (("completed", Outcome("q-1", True, None, "completed")), ("timeout", Outcome("q-1", False, "already_done", "timeout"))):
            self.server.posts, self.server.stored = [post], {"state": status, "status": status, "bytes": 3}
            self.assertEqual(await self.answer("abc"), outcome)

    async def test_a_process_that_drains_is_left_after_the_wait_that_it_advises(self):
        second_came = []

        async def first(request):
            await request.line()
            await request.reply(503, code="draining", retryable=True, retry_after_ms=2000, expected_offset=1)

        async def second(request):
            second_came.append(self.clock.time)
            self.assertEqual((await request.lines())[0], {"attempt": 2, "offset": 1, "text": "bc"})
            await request.reply(200, offset=3)

        self.server.posts = [first, second]
        answering = asyncio.ensure_future(self.answer("abc"))
        await until(lambda: any(due > 0 and due < 15 for due, _, _ in self.clock._sleepers))
        await self.clock.advance(1.9)
        self.assertEqual(second_came, [])
        await self.clock.advance(0.2)
        self.assertTrue((await answering).is_delivered)

    async def test_a_fault_ends_the_question_and_only_words_that_are_meant_for_the_asker_reach_it(self):
        ends = []

        async def post(request):
            ends.append((await request.lines())[-1])
            await request.reply(200, offset=0)

        async def pieces(fault):
            raise fault
            yield

        self.server.posts = [post, post]
        with self.assertRaisesRegex(KeyError, "secret"):
            await self.answer(pieces(KeyError("secret")))
        self.assertTrue((await self.answer(pieces(AnswerError("no_words", "No words.")))).is_delivered)
        self.assertEqual([end["error"] for end in ends], [
            {"code": "answerer_failed", "message": "The answerer has failed."}, {"code": "no_words", "message": "No words."}])

    async def test_words_that_the_server_would_not_take_are_refused_where_they_are_raised(self):
        for code, message in (("no words", ""), ("..", ""), ("", ""), ("x" * 65, ""), ("x", "ü" * 513), ("x", "\ud83d")):
            with self.subTest(code=code, message=message), self.assertRaises(ValueError):
                AnswerError(code, message)
        self.assertEqual(AnswerError("x" * 64, "ü" * 512).code, "x" * 64)

    async def test_a_token_function_that_fails_for_now_only_delays_an_answer_and_is_named_by_a_read(self):
        faults = [OSError("The vault is away.")] * 2

        def token():
            if faults:
                raise faults.pop()
            return "t"

        async def post(request):
            await request.lines()
            await request.reply(200, offset=3)

        self.http._credentials.tokens = Tokens(token)
        self.server.posts, self.server.stored = [post], {"state": "accepted", "bytes": 0, "text": ""}
        with self.assertLogs("orleans_sessions"):
            with self.assertRaisesRegex(UnreachableError, "The vault is away."):
                await self.http.questions(1)
            self.assertTrue((await self.answer("abc")).is_delivered)

    async def test_a_quiet_connection_is_kept_open_with_blank_lines(self):
        more = asyncio.Event()

        async def post(request):
            self.assertEqual(await request.chunk(), b"\n")
            more.set()
            await request.lines()
            await request.reply(200, offset=0)

        self.server.posts = [post]
        answering = asyncio.ensure_future(self.answer(self.words(wait=more)))
        await until(lambda: bool(self.clock._sleepers))
        await self.clock.advance(15)
        self.assertTrue((await answering).is_delivered)

    async def test_a_long_piece_is_several_lines_and_no_character_is_cut(self):
        text, sent = "a" + "😀" * 5000 + "\ud800", []

        async def post(request):
            sent.extend(await request.lines())
            await request.reply(200, offset=20004)

        self.server.posts = [post]
        await self.answer(text)
        self.assertEqual("".join(line.get("text", "") for line in sent), "a" + "😀" * 5000 + "\ufffd")
        self.assertEqual(len(sent), 4)

    async def test_an_answer_goes_on_after_the_text_of_an_earlier_answerer(self):
        async def post(request):
            self.assertEqual(await request.line(), {"attempt": 3, "offset": 3, "text": "!"})
            await request.lines()
            await request.reply(200, offset=4)

        self.server.posts = [post]
        self.assertTrue((await self.answer("!", OpenQuestion("q-1", "?", 3, "Grü"[:2] + "x"))).is_delivered)

    async def test_whoever_may_not_answer_is_told_and_whoever_comes_too_late_too(self):
        async def refused(request):
            await request.reply(403, code="permission_denied", detail="It takes sessions:answer.")

        async def stale(request):
            await request.reply(409, code="stale_attempt")

        async def foreign(request):
            await request.reply(409, code="offset_mismatch", expected_offset=99)

        self.server.posts = [refused, stale, foreign]
        with self.assertRaisesRegex(RefusedError, "It takes sessions:answer."):
            await self.answer("abc")
        self.assertEqual((await self.answer("abc")).code, "stale_attempt")
        self.assertEqual((await self.answer("abc")).code, "offset_mismatch")

    async def test_cancelling_the_call_closes_what_makes_the_text(self):
        began = asyncio.Event()

        async def post(request):
            await request.line()
            began.set()
            await request.chunk()

        self.server.posts = [post]
        answering = asyncio.ensure_future(self.answer(self.words("a", wait=asyncio.Event())))
        await began.wait()
        answering.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await answering
        self.assertTrue(self.closed.is_set())
        await until(lambda: bool(self.server.faults))
        # The connection ended in mid-request, which leaves the question open.
        self.assertIsInstance(self.server.faults.pop(), asyncio.IncompleteReadError)

    async def test_reads_are_none_for_what_is_unknown_and_an_error_for_anything_else(self):
        self.server.status, self.server.stored = 404, {"code": "question_not_found"}
        self.assertIsNone(await self.http.question("q-1"))
        self.server.status, self.server.stored = 404, {}
        with self.assertRaises(UnreachableError):
            await self.http.question("q-1")
        self.server.status, self.server.stored = 200, {"questions": [{"question_id": "q-1"}]}
        self.assertEqual(await self.http.questions(7), [{"question_id": "q-1"}])
        self.assertEqual(self.server.reads[-1].target, "/v1/sessions/s1/questions?scope=s.x&limit=7")


class UnansweredTests(unittest.IsolatedAsyncioTestCase):
    async def test_each_running_question_comes_once_with_its_text_so_far(self):
        server, found, replies = FakeServer(), [], []

        async def session_now():
            reply = replies[0] if len(replies) == 1 else replies.pop(0)
            if isinstance(reply, Exception):
                raise reply
            return reply

        def running(id, size=0, attempt=1):
            return {"open": [{"question_id": id, "question": id + "?", "attempt": attempt, "bytes": size}, {"question_id": "queued"}]}

        async def serve():
            async for question in server.session.unanswered():
                found.append((question.id, question.attempt, question.so_far))

        server.http.session = session_now
        replies[:] = [UnreachableError("away"), None]
        async with server.session:
            serving = asyncio.ensure_future(serve())
            await server.clock.advance(1)
            socket = await server.live()
            self.assertEqual(found, [])

            replies[:] = [running("q-1")]
            await socket.give(accepted(1, "q-1"))
            # The end of one question is the start of the next.
            replies[:] = [running("q-2", 3)]
            server.http.stored = [{"text": "abc"}]
            await socket.give(done(2, "q-1", "", 0))
            # After a lost connection, another attempt runs.
            replies[:] = [running("q-2", 0, attempt=2)]
            await socket.end(1006)
            await server.clock.advance(1)
            await server.live(epoch="e2", seq=1, open=["q-2"])
            self.assertEqual(found, [("q-1", 1, ""), ("q-2", 1, "abc"), ("q-2", 2, "")])
            # A process died after it had saved a question, and before it told anybody: the open socket is told what is open, and nothing else.
            replies[:] = [running("q-3")]
            await server.socket.give(resumed(1, epoch="e3", open=["q-3"], recovered=False))
            # So is a socket that replaces another one.
            await server.socket.give({"type": "reconnect", "delay_ms": 0})
            await server.clock.advance(0)
            replies[:] = [running("q-4")]
            await server.socket.give(hello(epoch="e3", seq=1, resuming=True), resumed(1, epoch="e3", open=["q-4"]))
            self.assertEqual([id for id, _, _ in found[3:]], ["q-3", "q-4"])
        await asyncio.wait_for(serving, 5)

    async def test_a_session_that_stops_ends_it_with_the_reason(self):
        server = FakeServer()
        server.http.session = self.nothing
        async with server.session:
            waiting = asyncio.ensure_future(server.session.unanswered().__anext__())
            await settle()
            await server.socket.end(4104)
            with self.assertRaises(StoppedError) as raised:
                await waiting
            self.assertEqual(raised.exception.reason, "session_removed")

    async def nothing(self):
        return None
