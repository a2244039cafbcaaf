// Asks the real server over both transports. Each first connection breaks in the middle of the answer. Arguments: the package, the server, the question.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [folder, server, question] = process.argv.slice(2);
const load = createRequire(`${folder}/package.json`);
const { connect } = await import(pathToFileURL(`${folder}/src/index.js`));
const { WebSocket } = load('ws');

const FRAMES = 12;

/** The first connection of each transport breaks after some frames. */
const breaking = {
  websocket: () => {
    const count = { connections: 0 };
    return {
      count,
      options: {
        WebSocket: class extends WebSocket {
          constructor(...where) {
            super(...where);
            let left = ++count.connections === 1 ? FRAMES : Infinity;
            this.on('message', () => --left === 0 && this.terminate());
          }
        },
      },
    };
  },
  // Node 20 has no WebSocket. Nothing else has to be said to use event streams there.
  events: () => {
    const count = { connections: 0 };
    const cut = () => {
      let left = ++count.connections === 1 ? FRAMES : Infinity;
      return new TransformStream({
        transform: (chunk, stream) => { --left < 0 ? stream.error(new Error('The connection broke.')) : stream.enqueue(chunk); },
      });
    };
    return {
      count,
      options: {
        ...(globalThis.WebSocket && { WebSocket: null }),
        fetch: async (url, request) => {
          const answer = await fetch(url, request);
          return request.headers.Accept === 'text/event-stream' ? { ok: answer.ok, status: answer.status, body: answer.body.pipeThrough(cut()) } : answer;
        },
      },
    };
  },
};

const run = async transport => {
  const { count, options } = breaking[transport]();
  const session = connect(server, `javascript-${transport}`, options);
  const states = [];
  session.addEventListener('state', event => states.push(event.detail));

  const answer = session.ask(question);
  const refused = session.ask('Not now').whole.catch(error => error.code);
  const pieces = [];
  for await (const update of answer) {
    if (update.type === 'text') {
      pieces.push(update.text);
    }
  }
  const { text, status } = await answer.whole;

  const second = session.ask(question);
  await session.cancel();
  const cancelled = (await second.whole).status;
  const history = (await session.history()).map(record => record.status);
  session.close();
  return {
    text, status, pieces: pieces.join(''), texts: pieces.length, refused: await refused, cancelled, history, states, connections: count.connections,
  };
};

const [events, websocket] = await Promise.all(['events', 'websocket'].map(run));
console.log(JSON.stringify({ events, websocket }));
