"""A back end in Python that answers the questions of one session. Standard library only.

    dotnet run --project src/OrleansSessions.Server -- --Responder:Name=external
    python3 samples/python-backend/backend.py http://localhost:5080 demo

Then open http://localhost:5080/?s=demo and ask.
"""
import json, sys, time, urllib.error, urllib.parse, urllib.request


def answer(question):
    """Yours: yields the answer in pieces. It is closed at its next piece when the user has pressed Stop, or a timer has ended the question."""
    for word in f"You asked: {question}".split(" "):
        time.sleep(0.2)
        yield word + " "


def upload(answer_url, attempt, pieces):
    """Sends the pieces into the answer, one request each, and ends it."""
    offset = 0
    for text in pieces:
        offset = call(answer_url, {"attempt": attempt, "offset": offset, "text": text})["offset"]
    call(answer_url, {"attempt": attempt, "offset": offset, "final": True})


def take(session_url, question):
    """Answers one open question, whatever happens to it meanwhile."""
    answer_url = f"{session_url}/questions/{question['question_id']}/answer"
    failed = {"attempt": question["attempt"], "offset": question["bytes"], "final": True}
    try:
        if question["bytes"] > 0:
            # An earlier run of this program had begun: what it would have said next is not known any more.
            call(answer_url, failed | {"error": {"code": "restarted", "message": "The back end was started again."}})
        else:
            upload(answer_url, question["attempt"], answer(question["question"]))
        print(f"{question['question_id']} is answered", flush=True)
    except Refused as refusal:
        # already_done: the user pressed Stop, or a timer ended the question.
        print(f"{question['question_id']} is over: {refusal}", flush=True)


def serve(server, session):
    session_url = f"{server}/v1/sessions/{urllib.parse.quote(session, safe='')}"
    print(f"answering {session_url}", flush=True)
    while True:
        try:
            running = call(session_url)["open"][:1]
        except (Refused, OSError):
            running = []  # nobody has asked in this session yet, or the server is being started
        for question in running:
            take(session_url, question)
        time.sleep(0.2)


class Refused(Exception):
    """The server refused a request; the message is its code."""


def call(url, body=None):
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise Refused(json.load(error).get("code", error.code)) from None


if __name__ == "__main__":
    try:
        serve(sys.argv[1].rstrip("/"), sys.argv[2])
    except KeyboardInterrupt:
        pass
