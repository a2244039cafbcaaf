// An event stream as the wire of a link, for networks and runtimes without WebSockets: the frames of a socket arrive as server-sent events, and
// the client's own requests are sent over HTTP: docs/protocol.md, section 11.

/** streams.js loads this. It imports nothing: a bundler would cut what it shares with the core out of both. */
export const openEvents = ({ COMES_BACK, CONNECTION_LOST, INVALID_PAYLOAD, SESSION_REMOVED, errorOf }, api, position) => (token, { opened, heard: handle, closed }) => {
  const aborter = new AbortController();
  const { signal } = aborter;
  let last;
  let sent = Promise.resolve();

  const end = () => closed(last?.code === 'session_removed' ? SESSION_REMOVED : CONNECTION_LOST, '');

  /** A fault in what handles a frame is the program's. It is reported, as with a socket, and says nothing of the connection. */
  const heard = frame => {
    try {
      handle(frame);
    } catch (error) {
      queueMicrotask(() => { throw error; });
    }
  };

  const give = frame => {
    last = frame;
    heard(frame);
  };

  const take = data => {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      closed(INVALID_PAYLOAD, 'The server sent something that is not JSON.');
      return;
    }
    give(frame);
  };

  const read = async () => {
    const answer = await api.send('/events', position.query, { headers: { Accept: 'text/event-stream' }, signal }, token);
    if (answer.status === 204) {
      // Nothing will follow the position that was sent.
      position.moveTo(null, 0);
    } else if (answer.ok) {
      opened();
      await readEvents(answer.body, take, heard);
    } else {
      give(await errorOf(answer));
    }
  };

  /** Sends a request, and gives its result to the client as the frame with which a socket would answer. */
  const post = async (path, body, id, frameOf) => {
    const answer = await api.post(path, body, signal);
    if (answer.ok) {
      heard(frameOf(await answer.json()));
      return;
    }
    const error = await errorOf(answer);
    if (answer.status >= 500 && error.code.startsWith('http_')) {
      // Something between client and server has answered, so the server can have taken the request. It is sent again on the next stream.
      closed(CONNECTION_LOST, '');
      return;
    }
    heard({ ...error, question_id: id });
    if (COMES_BACK.has(error.code)) {
      closed(CONNECTION_LOST, '');
    }
  };

  const requests = {
    question: ({ type, ...body }) => post('/questions', body, body.id, stored => ({ ...stored, type: 'stored' })),
    cancel: ({ question_id: id }) => id
      ? post(`/questions/${encodeURIComponent(id)}/cancel`, {}, id, () => ({ type: 'cancelling', question_id: id }))
      : heard({ type: 'error', code: 'no_open_question', message: 'No question is running.', retryable: false }),
    // A stream cannot go back. Another one begins at the position.
    resume: end,
  };

  // Whatever interrupts the reading, the stream is over.
  read().then(end, end);
  return {
    send: message => {
      const request = requests[message.type];
      if (request) {
        // One after another, because the order of questions matters.
        sent = sent.then(() => request(message)).catch(end);
      }
      return request !== undefined;
    },
    close: () => aborter.abort(),
  };
};

/** Any bytes are a sign of life, also the comments of a silent stream. */
const readEvents = async (body, give, alive) => {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let data = '';
  for (let chunk; !(chunk = await reader.read()).done;) {
    alive();
    const lines = (rest + chunk.value).split(/\r?\n/);
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith('data:')) {
        data += line.slice(5);
      } else if (line === '' && data !== '') {
        give(data);
        data = '';
      }
    }
  }
};
