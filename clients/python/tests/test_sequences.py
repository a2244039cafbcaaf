"""Sequences of updates, and what is checked before anything is sent."""

import asyncio
import unittest

from orleans_sessions import Accepted, BehindError, Ended, Restarted, Text, connect
from orleans_sessions._addresses import Addresses
from orleans_sessions._feed import MAX_UNREAD, Feed
from orleans_sessions._position import Position

from .fakes import FakeServer, accepted, delta, done, settle


class SequenceTests(unittest.IsolatedAsyncioTestCase):
    async def test_pieces_that_nobody_reads_are_joined_and_withdrawn_ones_dropped(self):
        feed = Feed()
        for _ in range(10 * MAX_UNREAD):
            feed.put(Text("q-1", None, "a"))
        feed.put(Restarted("q-1", None))
        for _ in range(10 * MAX_UNREAD):
            feed.put(Text("q-1", None, "b"))
        feed.close()
        self.assertEqual([update async for update in feed], [Restarted("q-1", None), Text("q-1", None, "b" * 10 * MAX_UNREAD)])

    async def test_a_sequence_of_too_many_unread_questions_ends_with_an_error(self):
        feed = Feed()
        for number in range(MAX_UNREAD + 1):
            feed.put(Accepted(f"q-{number}", None, 0))
        with self.assertRaises(BehindError):
            await feed.__anext__()

    async def test_an_answer_can_be_iterated_late_twice_and_after_an_iteration_was_left(self):
        server = FakeServer()
        async with server.session as session:
            socket = await server.live()
            answer = session.ask("?", id="q-1")
            await socket.give(accepted(1, "q-1"), delta(2, "q-1", 0, "a"))
            async for update in answer:
                break
            waiting = asyncio.ensure_future(answer.__aiter__().__anext__())
            await settle()
            waiting.cancel()
            late = answer.__aiter__()
            await socket.give(delta(3, "q-1", 1, "b"), done(4, "q-1", "ab", 2))

            for updates in ([update async for update in late], [update async for update in answer]):
                self.assertEqual([type(update) for update in updates], [Accepted, Text, Ended])
                self.assertEqual(updates[1].text, "ab")
            self.assertEqual(socket.of("cancel"), [])

    async def test_ended_questions_are_dropped(self):
        server = FakeServer()
        async with server.session as session:
            socket = await server.live()
            for number in range(3):
                answer = session.ask("?", id=f"q-{number}")
                await socket.give(accepted(2 * number + 1, answer.id), done(2 * number + 2, answer.id, "", 0))
                await answer
            self.assertEqual((list(session._core.questions), session._core.questions.open(), session._audience._answers), ([], [], {}))

    async def test_what_is_malformed_is_refused_before_anything_is_sent(self):
        for url, session in (("localhost:5080", "s"), ("ftp://host", "s"), ("http://", "s"), ("http://user:secret@host", "s"), ("http://host", ".."),
                             ("http://host", "no spaces"), ("http://host", ""), ("http://host", "x" * 129)):
            with self.subTest(url=url, session=session), self.assertRaises(ValueError) as raised:
                connect(url, session)
            self.assertNotIn("secret", str(raised.exception))
        with self.assertRaises(ValueError):
            connect("http://host", "s", headers={"X-Team": "red\r\nX-Admin: yes"})
        server = FakeServer()
        with self.assertRaises(RuntimeError):
            server.session.ask("Not entered yet")
        async with server.session as session:
            socket = await server.live()
            session.ask("?", id="q-1")
            await settle()
            for arguments in ({"id": "no spaces"}, {"id": "x" * 65}, {"id": "."}, {"id": ".."}, {"id": "q-1"}):
                with self.assertRaises(ValueError):
                    session.ask("other", **arguments)
            with self.assertRaises(TypeError):
                session.ask("?", options={"time": object()})
            for broken in ({"text": "\ud83d"}, {"text": "?", "metadata": {"a": "\ud83d"}}):
                with self.assertRaisesRegex(ValueError, r"'\\ud83d'"):
                    session.ask(**broken)
            self.assertEqual(len(socket.sent), 1)

    async def test_a_position_takes_each_event_once(self):
        # (replaying, frame, verdict, last afterwards), from the position 5: the rules of section 12 in their order.
        for replaying, frame, verdict, last in (
            (True, {"seq": 6}, "ignore", 5), (False, {"seq": 3, "duplicate": True}, "apply", 5), (False, {"seq": 5}, "ignore", 5),
            (False, {"seq": 5, "replay": True}, "apply", 5), (False, {"seq": 6}, "apply", 6), (True, {"seq": 8, "from_seq": 6, "replay": True}, "apply", 8),
            (False, {"seq": 9, "replay": True}, "apply", 5), (True, {"seq": 9, "replay": True}, "rewind", 5), (False, {"seq": 7}, "rewind", 5),
            (False, {"seq": 7, "from_seq": 5}, "rewind", 5),
        ):
            with self.subTest(replaying=replaying, frame=frame):
                position = Position()
                position.move("e1", 5)
                self.assertEqual((position.judge(frame, replaying), position.last), (verdict, last))

    async def test_addresses_keep_the_prefix_and_the_query_of_the_server(self):
        addresses = Addresses("wss://host:8443/chat/?scope=s.a%20b", "a:b", "/sockets/{session}", "/api/{session}/x")
        self.assertEqual(addresses.socket(None, 0), "wss://host:8443/chat/sockets/a%3Ab?scope=s.a%20b&v=1")
        self.assertEqual(addresses.socket("e.1", 7), "wss://host:8443/chat/sockets/a%3Ab?scope=s.a%20b&v=1&epoch=e.1&after=7")
        self.assertEqual(addresses.question("q~1", "/answer").geturl(), "https://host:8443/chat/api/a%3Ab/x/questions/q~1/answer?scope=s.a%20b")
