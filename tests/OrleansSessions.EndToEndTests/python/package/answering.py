"""The package answers what is asked on a real server. The asker and the answerer have different keys, so the answerer names the scope."""

import asyncio
import contextlib
import io
import json
import os
import unittest
import urllib.request
import uuid

import orleans_sessions
from orleans_sessions import Outcome, RefusedError, Text, connect
from support import URL, Proxy, trusted, within

ASKER, ANSWERER = os.environ["ASKER_KEY"], os.environ["ANSWERER_KEY"]


class AnsweringTests(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        request = urllib.request.Request(URL + "/v1/sessions", headers={"Authorization": f"Bearer {ASKER}"})
        with urllib.request.urlopen(request) as reply:
            cls.scope = json.load(reply)["scope"]

    @contextlib.asynccontextmanager
    async def answering(self, pieces, url=URL, **options):
        """Yields a session that asks, and the outcomes of its answers so far."""
        outcomes = []

        async def serve():
            async for question in answerer.unanswered():
                outcomes.append(await answerer.answer(question, pieces(question.question)))

        async with connect(URL, "py-" + uuid.uuid4().hex, token=ASKER) as asker:
            async with connect(f"{url}?scope={self.scope}", asker.id, token=ANSWERER, **options) as answerer:
                serving = asyncio.ensure_future(serve())
                yield asker, outcomes
            await within(serving)

    async def test_each_piece_is_with_the_asker_before_the_next_one_and_queued_questions_follow(self):
        seen = asyncio.Event()

        async def pieces(question):
            yield "You asked: "
            if question == "first":
                await within(seen.wait())
            yield question

        async with self.answering(pieces) as (asker, outcomes):
            first, second = asker.ask("first"), asker.ask("second", if_busy="queue")
            async for update in first:
                if isinstance(update, Text):
                    seen.set()
            self.assertEqual([(await within(answer)).text for answer in (first, second)], ["You asked: first", "You asked: second"])
        self.assertEqual(outcomes[0], Outcome(first.id, True))

    async def test_a_cancel_is_noticed_at_once_while_the_answerer_is_silent_also_over_tls(self):
        began, closed = asyncio.Queue(), asyncio.Queue()

        async def pieces(question):
            try:
                if question == "half":
                    yield "half"
                began.put_nowait(question)
                await asyncio.Event().wait()
            finally:
                closed.put_nowait(question)

        async with Proxy(secure=True) as proxy:
            for url, options in ((URL, {}), (proxy.url, {"ssl": trusted()})):
                async with self.answering(pieces, url, **options) as (asker, outcomes):
                    for question in ("nothing", "half"):
                        answer = asker.ask(question)
                        await within(began.get())
                        await within(asker.cancel())
                        self.assertEqual((await within(answer)).status, "cancelled")
                        self.assertEqual(await within(closed.get()), question)
                self.assertEqual([(outcome.code, outcome.status) for outcome in outcomes], [("already_done", "cancelled")] * 2)

    async def test_an_answer_goes_on_over_another_connection(self):
        async with Proxy() as proxy:
            async def pieces(question):
                for number in range(6):
                    yield f"{number} "
                    if number % 2:
                        proxy.cut()

            async with self.answering(pieces, proxy.url) as (asker, outcomes):
                self.assertEqual((await within(asker.ask("Count."))).text, "0 1 2 3 4 5 ")

    async def test_a_fault_ends_the_question_and_a_caller_without_the_permission_is_refused(self):
        async with connect(URL, "py-" + uuid.uuid4().hex, token=ASKER) as session:
            answer = session.ask("?")
            question = await within(session.unanswered().__anext__())
            with self.assertRaises(RefusedError) as refused:
                await within(session.answer(question, "I may not."))
            self.assertEqual((refused.exception.code, question.id), ("permission_denied", answer.id))

        async def pieces(question):
            yield "half"
            raise KeyError("secret")

        async with connect(f"{URL}?scope={self.scope}", session.id, token=ANSWERER) as answerer:
            with self.assertRaises(KeyError):
                await within(answerer.answer(await within(answerer.unanswered().__anext__()), pieces("?")))
            [ended] = await answerer.history()
            self.assertEqual((ended.status, ended.reason, ended.text), ("failed", "responder_error", "half"))
            self.assertNotIn("secret", ended.message)

    async def test_the_programs_of_the_page_work(self):
        session, printed = "py-" + uuid.uuid4().hex, io.StringIO()
        with contextlib.redirect_stdout(printed):
            answering = asyncio.ensure_future(program("## Answer", f"{URL}?scope={self.scope}", session, ANSWERER)())
            await within(program("## Ask", URL, session, ASKER)())
            answering.cancel()
            await asyncio.wait({answering})
        self.assertRegex(printed.getvalue(), r"You asked: What is a silo\? \n(q-\w+ delivered\n)?completed after \d+ ms")


def program(heading, url, session, token):
    """The `main` of the first program below a heading of the package's page, with other parameters of `connect`."""
    with open(os.path.join(os.path.dirname(orleans_sessions.__file__), "..", "README.md"), encoding="utf-8") as page:
        code = page.read().split(f"\n{heading}\n")[1].split("```python\n")[1].split("```")[0]
    names = {}
    exec(code.replace("asyncio.run(main())", ""), names)
    names["connect"] = lambda *_: connect(url, session, token=token)
    return names["main"]


if __name__ == "__main__":
    unittest.main()
