"""The package asks a real server, which repeats each question word by word."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import time
import unittest
import uuid

from orleans_sessions import Accepted, Ended, RefusedError, StoppedError, Text, connect
from support import URL, Proxy, trusted, within

LONG = " ".join(f"wörd{number} 😀" for number in range(40))


def token(expires_in=3600):
    def encode(part):
        return base64.urlsafe_b64encode(part).rstrip(b"=").decode()

    claims = {"iss": os.environ["TOKEN_ISSUER"], "aud": os.environ["TOKEN_AUDIENCE"], "sub": "alice", "exp": int(time.time()) + expires_in}
    text = ".".join(encode(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return text + "." + encode(hmac.digest(os.environ["TOKEN_KEY"].encode(), text.encode(), hashlib.sha256))


class AskingTests(unittest.IsolatedAsyncioTestCase):
    def connect(self, url=URL, token=token, **options):
        return connect(url, "py-" + uuid.uuid4().hex, token=token, **options)

    async def test_an_answer_survives_connections_that_break(self):
        states, text, cuts, seen = [], "", 3, 0
        async with Proxy() as proxy, self.connect(proxy.url, on_state=states.append) as session:
            answer = session.ask(LONG)
            async for update in answer:
                text += update.text if isinstance(update, Text) else ""
                seen += isinstance(update, Text)
                if isinstance(update, Text) and seen % 8 == 0 and cuts:
                    cuts -= 1
                    proxy.cut()
            self.assertEqual((text, (await answer).text, (await answer).status), (LONG, LONG, "completed"))
            self.assertEqual((states.count("reconnecting"), cuts), (3, 0))
            [kept] = await session.history()
            self.assertEqual((kept.id, kept.text, kept.status), (answer.id, LONG, "completed"))

    async def test_two_clients_of_a_session_see_and_cancel_each_others_questions(self):
        async with self.connect() as asker, connect(URL, asker.id, token=token) as other:
            followed = other.follow()
            with self.assertRaises(RefusedError) as nothing:
                await within(other.cancel())
            answer = asker.ask(LONG)
            first = await within(followed.__anext__())
            self.assertEqual((type(first), first.question_id, first.question), (Accepted, answer.id, LONG))
            with self.assertRaises(RefusedError) as busy:
                await within(other.ask("And I?"))
            queued = other.ask("Then I wait.", if_busy="queue")

            await within(other.cancel())

            ended = await within(answer)
            while not isinstance(update := await within(followed.__anext__()), Ended):
                pass
            self.assertEqual((ended.status, ended.reason, update.text), ("cancelled", "by_client", ended.text))
            self.assertEqual((await within(queued)).text, "Then I wait.")
            self.assertEqual((nothing.exception.code, busy.exception.code), ("no_open_question", "session_busy"))
            self.assertEqual((busy.exception.active_question_id, await asker.question("q-unknown")), (answer.id, None))
            self.assertEqual([(kept.question, kept.status) for kept in await asker.history()], [(LONG, "cancelled"), ("Then I wait.", "completed")])

    async def test_a_fresh_token_is_fetched_for_one_that_has_expired_and_a_wrong_one_stops(self):
        tokens = [token(), token(-60)]
        async with self.connect(token=lambda: tokens.pop() if len(tokens) > 1 else tokens[0]) as session:
            self.assertEqual((await within(session.ask("hello"))).text, "hello")

        for wrong, reason, code in (("nonsense", "refused", "unauthorized"), (token(-60), "token_expired", "token_expired")):
            async with self.connect(token=wrong) as session:
                with self.assertRaises(StoppedError) as stopped:
                    await within(session.ask("hello"))
                with self.assertRaises(RefusedError) as refused:
                    await session.history()
                self.assertEqual((stopped.exception.reason, stopped.exception.code, refused.exception.code), (reason, code, code))

    async def test_all_of_it_goes_over_tls(self):
        async with Proxy(secure=True) as proxy, self.connect(proxy.url, ssl=trusted()) as session:
            self.assertEqual((await within(session.ask("hello"))).text, "hello")
            self.assertEqual(len(await session.history()), 1)


if __name__ == "__main__":
    unittest.main()
