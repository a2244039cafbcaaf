"""Asks a question, and prints the answer while it arrives.

    python3 samples/python-script/ask.py http://localhost:5080 demo "What is a silo?"

It needs the package of clients/python, and a token in SESSIONS_TOKEN if the server requires one.
"""

import asyncio
import os
import sys

from orleans_sessions import Ended, RefusedError, Restarted, SessionError, StoppedError, Text, connect


async def main(server, session_id, question):
    token = os.environ.get("SESSIONS_TOKEN")
    async with connect(server, session_id, token=token, on_state=lambda state: print(f"({state})", file=sys.stderr)) as session:
        try:
            async for update in session.ask(question, if_busy="queue"):
                if isinstance(update, Text):
                    print(update.text, end="", flush=True)
                elif isinstance(update, Restarted):
                    print("\n(The answer starts again.)", flush=True)
                elif isinstance(update, Ended):
                    # How it ended is a value: a cancelled or failed question has its text so far, too.
                    print("" if update.status == "completed" else f"\n[{update.status}: {update.message}]")
                    return 0 if update.status == "completed" else 1
        except RefusedError as refused:
            print(f"The question was refused: {refused}", file=sys.stderr)
        except StoppedError as stopped:
            print(f"The session has stopped ({stopped.reason}): {stopped}", file=sys.stderr)
        except SessionError as error:
            print(error, file=sys.stderr)
    return 1


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        sys.exit(asyncio.run(main(*sys.argv[1:])))
    except KeyboardInterrupt:
        # The server goes on with the answer. To stop it there, too: await session.cancel().
        sys.exit(130)
