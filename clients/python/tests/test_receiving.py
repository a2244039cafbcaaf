"""Answers without gaps or repeats: docs/protocol.md, section 12."""

import asyncio
import unittest

from orleans_sessions import Accepted, Ended, Gone, LostError, RefusedError, Restarted, Text, UnreadableError

from .fakes import FakeServer, accepted, collect, delta, done, hello, record, resumed, settle, snapshot


def shown(updates):
    """The text that somebody sees who does what the updates say."""
    text = ""
    for update in updates:
        text = "" if isinstance(update, Restarted) else text + update.text if isinstance(update, Text) else text
    return text


class ReceivingTests(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.server = FakeServer()
        self.session = await self.server.session.__aenter__()
        self.addAsyncCleanup(self.session.close)

    async def test_pieces_joined_are_the_whole_text(self):
        socket = await self.server.live()
        answer = self.session.ask("?", id="q-1")
        await socket.give(accepted(1, "q-1"), delta(2, "q-1", 0, "Gr"), delta(4, "q-1", 1, "üße", from_seq=3, count=2), done(5, "q-1", "Grüße", 3))

        updates = [update async for update in answer]

        self.assertEqual([type(update) for update in updates], [Accepted, Text, Ended])
        self.assertEqual((shown(updates), updates[-1].text, updates[-1].status, (await answer).total_ms), ("Grüße", "Grüße", "completed", 2))

    async def test_a_question_that_was_never_accepted_is_sent_again_with_its_id(self):
        answer = self.session.ask("?", id="q-1", if_busy="queue", options={"model": "small"}, metadata={"a": 1})
        first = await self.server.live()
        self.assertEqual(first.sent, [
            {"type": "question", "id": "q-1", "question": "?", "if_busy": "queue", "options": {"model": "small"}, "metadata": {"a": 1}}])

        await first.end(1006)
        await self.server.clock.advance(1)
        second = await self.server.live(resuming=True)
        self.assertEqual(second.sent, [])
        await second.give(resumed(0))
        self.assertEqual(second.sent, first.sent)

        await second.give(accepted(1, "q-1"))
        await second.end(1006)
        await self.server.clock.advance(1)
        third = await self.server.live(resuming=True)
        await third.give(delta(2, "q-1", 0, "a", replay=True), resumed(2, open=["q-1"]), done(3, "q-1", "a", 1))
        self.assertEqual((third.sent, (await answer).text), ([], "a"))

    async def test_a_question_that_is_asked_twice_is_sent_once_and_both_answers_get_it(self):
        socket = await self.server.live()
        first = self.session.ask("?", id="q-1")
        await socket.give(accepted(1, "q-1"), delta(2, "q-1", 0, "Say"))
        second = self.session.ask("?", id="q-1", if_busy="queue")
        await settle()
        # Had it been sent, this is what a server that is asked too often would say.
        with self.assertLogs("orleans_sessions"):
            await socket.give({"type": "error", "code": "rate_limited", "message": "Slowly.", "retryable": True, "question_id": "q-1"})
        await socket.give(delta(3, "q-1", 1, " hello"), done(4, "q-1", "Say hello", 2))
        self.assertEqual(([shown([update async for update in answer]) for answer in (first, second)], len(socket.sent)), (["Say hello"] * 2, 1))

    async def test_an_ask_with_the_id_of_another_clients_question_leaves_that_as_it_was(self):
        def refusal(code):
            return {"type": "error", "code": code, "message": "No.", "retryable": False, "question_id": "q-1"}

        for frames in ([refusal("question_conflict"), delta(2, "q-1", 1, " hello")], [delta(2, "q-1", 1, " hello"), refusal("rate_limited")]):
            with self.subTest(frames=[frame["type"] for frame in frames]):
                server, updates = FakeServer(), []
                async with server.session as session:
                    socket = await server.live(open=["q-1"])
                    following = asyncio.ensure_future(collect(session.follow(), updates))
                    await socket.give(delta(1, "q-1", 0, "Say"))
                    answer = session.ask("Another text", id="q-1")
                    # Also after a lost connection, the server has not said whether it is the same question.
                    await socket.end(1006)
                    await server.clock.advance(1)
                    socket = await server.live(resuming=True)
                    await socket.give(resumed(1, open=["q-1"]), *frames, done(3, "q-1", "Say hello", 2))
                    with self.assertRaises(RefusedError):
                        await asyncio.wait_for(answer, 5)
                await following
                self.assertEqual([(type(update).__name__, getattr(update, "text", "")) for update in updates],
                                 [("Text", "Say"), ("Text", " hello"), ("Ended", "Say hello")])
                self.assertEqual((updates[-1].question, len(socket.of("question"))), (None, 1))

    async def test_another_text_for_a_question_that_is_followed_is_refused_here_and_the_same_text_joins_it(self):
        socket = await self.server.live()
        await socket.give(accepted(1, "q-1", question="First?"), delta(2, "q-1", 0, "a"))
        with self.assertRaises(RefusedError) as raised:
            await asyncio.wait_for(self.session.ask("Second?", id="q-1"), 5)
        self.assertEqual((raised.exception.code, socket.sent), ("question_conflict", []))
        answer = self.session.ask("First?", id="q-1")
        await settle()
        await socket.give(accepted(1, "q-1", duplicate=True), snapshot("q-1", "a", 1), delta(3, "q-1", 1, "b"), done(4, "q-1", "ab", 2))
        self.assertEqual((shown([update async for update in answer]), len(socket.sent)), ("ab", 1))

    async def test_a_returning_socket_names_its_position_and_repeats_are_dropped(self):
        first = await self.server.live(seq=7)
        answer = self.session.ask("?", id="q-1")
        await first.give(accepted(8, "q-1"), delta(9, "q-1", 0, "a"))
        await first.end(1006)
        await self.server.clock.advance(1)

        second = await self.server.live(resuming=True)
        await second.give(
            delta(11, "q-1", 2, "too early"), delta(9, "q-1", 0, "a", replay=True), delta(10, "q-1", 1, "b", replay=True), resumed(10, open=["q-1"]),
            delta(10, "q-1", 1, "b"), delta(11, "q-1", 2, "c"), done(12, "q-1", "abc", 3))

        self.assertIn("?v=1&epoch=e1&after=9", second.url)
        self.assertEqual((await answer).text, "abc")

    async def test_a_gap_rewinds_and_three_rewinds_without_progress_begin_without_a_position(self):
        for between in (resumed(1, open=["q-1"]), delta(3, "q-1", 1, "b", replay=True)):
            with self.subTest(between=between["type"]):
                server = FakeServer()
                async with server.session as session:
                    socket = await server.live()
                    session.ask("?", id="q-1")
                    await socket.give(accepted(1, "q-1"))
                    for _ in range(4):
                        await socket.give(delta(3, "q-1", 1, "b"), between)
                    self.assertEqual(socket.of("resume"), [{"type": "resume", "epoch": "e1", "after_seq": 1}] * 3)
                    await server.clock.advance(1)
                    self.assertEqual((socket.closed_with, server.socket.url), (1000, "ws://server/ws/s1?v=1"))

    async def test_a_ping_ahead_of_the_position_rewinds(self):
        socket = await self.server.live(seq=4)
        await socket.give({"type": "ping", "seq": 4}, {"type": "ping", "seq": 5})
        self.assertEqual([frame["type"] for frame in socket.sent], ["pong", "pong", "resume"])

    async def test_text_that_is_missing_at_the_end_is_read_over_http(self):
        socket = await self.server.live()
        answer = self.session.ask("?", id="q-1")
        # The end can be read only a moment after `done`.
        self.server.http.stored = [ConnectionError("away"), record("q-1", "ab", 2), record("q-1", "abc", 3, "completed")]
        await socket.give(accepted(1, "q-1"), delta(2, "q-1", 0, "a"), done(3, "q-1", "abc", 3))

        await self.server.clock.advance(10)

        updates = [update async for update in answer]
        self.assertEqual((shown(updates), updates[-1].text, len(self.server.http.reads)), ("abc", "abc", 3))

    async def test_a_text_whose_bytes_do_not_add_up_is_read_over_http(self):
        socket = await self.server.live()
        answer = self.session.ask("?", id="q-1")
        self.server.http.stored = [record("q-1", "right", 1, "completed")]
        await socket.give(accepted(1, "q-1"), delta(2, "q-1", 0, "wrong!"), done(3, "q-1", "right", 1))
        updates = [update async for update in answer]
        self.assertEqual((shown(updates), updates[-1].text), ("right", "right"))

    async def test_a_question_that_ended_meanwhile_and_cannot_be_read_is_an_error(self):
        socket = await self.server.live()
        answer = self.session.ask("?", id="q-1")
        await socket.give(accepted(1, "q-1"))
        self.server.http.stored = [ConnectionError("away")]
        await socket.give(resumed(9, epoch="e2", recovered=False))
        await self.server.clock.advance(20)
        with self.assertRaises(UnreadableError):
            await answer

    async def test_a_reply_that_is_older_than_the_list_of_open_questions_is_read_again(self):
        socket = await self.server.live()
        answer = self.session.ask("?", id="q-1")
        reply, self.server.http.question = asyncio.get_running_loop().create_future(), lambda question_id: reply
        await socket.give(accepted(1, "q-1"), delta(3, "q-1", 1, "b", from_seq=2))
        await socket.end(1006)
        await self.server.clock.advance(1)
        socket = await self.server.live(resuming=True)
        await socket.give(resumed(9, recovered=False))
        reply.set_result(record("q-1", "ab", 2))
        await settle()
        reply = asyncio.get_running_loop().create_future()
        reply.set_result(record("q-1", "abc", 3, "completed"))
        await self.server.clock.advance(10)
        self.assertEqual((await asyncio.wait_for(answer, 5)).text, "abc")

    async def test_an_end_that_cannot_be_read_is_an_error_after_several_tries(self):
        socket = await self.server.live()
        followed = []
        following = asyncio.ensure_future(collect(self.session.follow(), followed))
        answer = self.session.ask("?", id="q-1")
        self.server.http.stored = [ConnectionError("The store is away.")]
        await socket.give(accepted(1, "q-1"), done(2, "q-1", "abc", 3))
        await self.server.clock.advance(60)

        with self.assertRaisesRegex(UnreadableError, "The store is away."):
            await answer
        self.assertEqual((len(self.server.http.reads), type(followed[-1])), (4, Gone))
        following.cancel()

    async def test_a_question_that_the_server_has_forgotten_is_lost_and_not_asked_again(self):
        socket = await self.server.live()
        answer = self.session.ask("?", id="q-1")
        await socket.give(accepted(1, "q-1"))
        await socket.end(1006)
        await self.server.clock.advance(1)
        socket = await self.server.live(epoch="e2")

        with self.assertRaises(LostError):
            await answer
        with self.assertRaises(LostError):
            async for _ in answer:
                pass
        self.assertEqual(socket.of("question"), [])

        again = self.session.ask("?", id="q-1")
        await socket.give(accepted(1, "q-1"), done(2, "q-1", "", 0))
        self.assertEqual((await again).status, "completed")

    async def test_a_forgotten_question_that_somebody_asks_again_is_followed(self):
        socket = await self.server.live(open=["q-1"])
        await socket.give(resumed(0, epoch="e2", recovered=False))
        updates = []
        following = asyncio.ensure_future(collect(self.session.follow(), updates))
        await settle()
        await socket.give(accepted(1, "q-1", question="Again?"), done(2, "q-1", "", 0))
        self.assertEqual([type(update) for update in updates], [Accepted, Ended])
        following.cancel()

    async def test_what_is_asked_again_while_this_client_is_away_is_followed_whether_it_was_lost_or_had_ended(self):
        socket, updates = await self.server.live(), []
        following = asyncio.ensure_future(collect(self.session.follow(), updates))
        await socket.give(accepted(1, "q-1"), accepted(2, "q-2", position=1), done(3, "q-1", "", 0), resumed(0, epoch="e2", recovered=False))
        self.assertEqual([(type(update).__name__, update.question_id) for update in updates[2:]], [("Ended", "q-1"), ("Gone", "q-2")])

        for epoch, id in (("e2", "q-2"), ("e3", "q-1")):
            await self.server.socket.end(1006)
            await self.server.clock.advance(1)
            socket = await self.server.live(epoch=epoch, seq=1, open=[id])
            updates.clear()
            await socket.give(delta(2, id, 0, "a"), done(3, id, "a", 1))
            self.assertEqual([(type(update).__name__, update.question_id) for update in updates], [("Text", id), ("Ended", id)])
        following.cancel()

    async def test_a_list_that_is_older_than_an_end_that_was_read_does_not_open_the_question_again(self):
        socket, updates = await self.server.live(), []
        following = asyncio.ensure_future(collect(self.session.follow(), updates))
        self.server.http.stored = [record("q-1", "ab", 2, "completed")]
        await socket.give(accepted(1, "q-1"), delta(2, "q-1", 1, "b"))
        await socket.give({"type": "ping", "seq": 9}, resumed(2, open=["q-1"]), done(3, "q-1", "ab", 2))
        self.assertEqual([type(update).__name__ for update in updates], ["Accepted", "Text", "Ended"])
        following.cancel()

    async def test_a_new_epoch_that_withdraws_text_restarts_the_answer(self):
        socket = await self.server.live()
        answer, updates = self.session.ask("?", id="q-1"), []
        reading = asyncio.ensure_future(collect(answer, updates))
        await socket.give(accepted(1, "q-1"), delta(2, "q-1", 0, "abc"))
        await socket.give(resumed(1, epoch="e2", open=["q-1"], recovered=False))
        await socket.give(snapshot("q-1", "a", 2, part=1, parts=2), snapshot("q-1", "x", 2, part=2, parts=2))
        await socket.give(delta(2, "q-1", 2, "y"), done(3, "q-1", "axy", 3))
        await reading

        self.assertEqual([type(update).__name__ for update in updates], ["Accepted", "Text", "Restarted", "Text", "Text", "Ended"])
        self.assertEqual((shown(updates), updates[-1].text), ("axy", "axy"))

    async def test_the_end_of_a_question_that_was_asked_before_is_told_by_its_snapshot(self):
        socket = await self.server.live(seq=9)
        answer = self.session.ask("?", id="q-1")
        end = {"status": "completed", "deltas": 1}
        await socket.give(accepted(4, "q-1", duplicate=True), snapshot("q-1", "old", **end), done(6, "q-1", "old", 1, replay=True))
        self.assertEqual(((await answer).text, socket.of("resume")), ("old", []))

    async def test_a_reconnect_moves_while_the_old_socket_serves(self):
        old = await self.server.live()
        answer = self.session.ask("?", id="q-1")
        await old.give(accepted(1, "q-1"), {"type": "reconnect", "reason": "draining", "delay_ms": 3000}, {"type": "reconnect", "delay_ms": 1})
        await self.server.clock.advance(2)
        self.assertEqual(len(self.server.sockets), 1)

        # The first one that it comes to refuses it, and the present one goes on.
        self.server.refusals.append(ConnectionError("refused"))
        await self.server.clock.advance(2)
        self.assertEqual((len(self.server.sockets), self.session.state), (2, "live"))
        new = self.server.socket
        await old.give(delta(2, "q-1", 0, "a"))
        await new.give(hello(seq=2, resuming=True))
        await new.give(delta(2, "q-1", 0, "a", replay=True), resumed(2, open=["q-1"]), delta(3, "q-1", 1, "b"), done(4, "q-1", "ab", 2))

        self.assertIn("after=1", new.url)
        self.assertEqual(((await answer).text, old.closed_with, self.server.states), ("ab", 1000, ["connecting", "live"]))

    async def test_a_move_into_another_epoch_is_made_again(self):
        old = await self.server.live()
        await old.give({"type": "reconnect", "delay_ms": 0})
        await self.server.clock.advance(0)
        late = self.server.socket
        await old.give(resumed(1, epoch="e2", recovered=False))
        await late.give(hello(resuming=True))
        self.assertEqual((late.closed_with, old.closed_with), (1000, None))
        await self.server.clock.advance(1)
        await self.server.socket.give(hello(epoch="e2", seq=1, resuming=True), resumed(1, epoch="e2"))
        self.assertIn("epoch=e2&after=1", self.server.socket.url)
        self.assertEqual((len(self.server.sockets), old.closed_with, self.session.state), (3, 1000, "live"))

    async def test_following_shows_open_questions_and_those_of_others(self):
        socket = await self.server.live(open=["q-1"])
        await socket.give(snapshot("q-1", "so far", 2, question="First?"))
        updates = []
        following = asyncio.ensure_future(collect(self.session.follow(), updates))
        await settle()
        # The last question of a session whose log was trimmed: it has ended before anybody followed.
        await socket.give(snapshot("q-0", "old", 1, status="completed"))
        mine = self.session.ask("Mine?", id="q-3", if_busy="queue")
        await socket.give(
            done(1, "q-1", "so far", 2), accepted(2, "q-2", question="Second?"), delta(3, "q-2", 0, "b"), done(4, "q-2", "b", 1, status="cancelled"),
            accepted(5, "q-3"), done(6, "q-3", "", 0))
        await self.session.close()
        await following

        self.assertEqual(
            [(type(update).__name__, update.question_id, update.question) for update in updates],
            [("Text", "q-1", "First?"), ("Ended", "q-1", "First?"), ("Accepted", "q-2", "Second?"), ("Text", "q-2", "Second?"), ("Ended", "q-2", "Second?"),
             ("Accepted", "q-3", "Mine?"), ("Ended", "q-3", "Mine?")])
        self.assertEqual((await mine).status, "completed")
