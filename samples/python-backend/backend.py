"""A back end in Python that answers the questions of one session. Standard library only.

    dotnet run --project src/OrleansSessions.Server -- --Responder:Name=external
    python3 samples/python-backend/backend.py http://localhost:5080 demo

Then open http://localhost:5080/?s=demo and ask.
"""
import http.client, json, select, sys, time, urllib.parse


def answer(question):
    """Yours: yields the answer in pieces. It is closed at its next piece when the user has pressed Stop, or a timer has ended the question."""
    for word in f"You asked: {question}".split(" "):
        time.sleep(0.2)
        yield word + " "


def take(server, question_path, question):
    """Answers one open question with one request, whatever happens to the question meanwhile."""
    if question["bytes"] > 0:
        # An earlier run of this program had begun: what it would have said next is not known any more.
        error = {"code": "restarted", "message": "The back end was started again."}
        lines = [{"attempt": question["attempt"], "offset": question["bytes"], "error": error}]
    else:
        lines = ({"attempt": question["attempt"], "text": text} for text in answer(question["question"]))
    try:
        call(server, question_path + "/answer", lines, {"attempt": question["attempt"], "final": True})
        print(f"{question['question_id']} is answered", flush=True)
    except Refused as refusal:
        # already_done: the user pressed Stop, or a timer ended the question.
        print(f"{question['question_id']} is over: {refusal}", flush=True)


def serve(server, session):
    session_path = f"/v1/sessions/{urllib.parse.quote(session, safe='')}"
    print(f"answering {server}{session_path}", flush=True)
    while True:
        try:
            for question in call(server, session_path)["open"][:1]:
                take(server, f"{session_path}/questions/{question['question_id']}", question)
        except (Refused, OSError, http.client.HTTPException):
            pass  # nobody has asked in this session yet, or the server is being started
        time.sleep(0.2)


class Refused(Exception):
    """The server refused a request; the message is its code."""


def call(server, path, lines=None, last=None):
    """GETs a path, or POSTs lines to it while they are produced."""
    url = urllib.parse.urlsplit(server + path)
    connection = (http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection)(url.netloc, timeout=30)

    def body():
        for line in lines:
            # A reply before the last line says that the question is over. (Over TLS, a socket is readable for other reasons too.)
            if url.scheme == "http" and select.select([connection.sock], [], [], 0)[0]:
                return
            yield json.dumps(line).encode() + b"\n"
        yield json.dumps(last).encode() + b"\n"

    try:
        if lines is None:
            connection.request("GET", url.path)
        else:
            try:
                connection.request("POST", url.path, body(), {"Content-Type": "application/x-ndjson"})
            except ConnectionError:
                pass  # the server has closed the connection, after a reply that says why
        response = connection.getresponse()
        reply = json.load(response)
        if response.status >= 400:
            raise Refused(reply.get("code", response.status))
        return reply
    finally:
        connection.close()


if __name__ == "__main__":
    try:
        serve(sys.argv[1].rstrip("/"), sys.argv[2])
    except KeyboardInterrupt:
        pass
