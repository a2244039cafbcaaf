// The client as a program for the conformance tool: one JSON object a line in and out, see docs/conformance.md.
//
//   node conformance.js             over WebSockets: those of Node, or else of the package ws
//   node conformance.js --events    over event streams

import { createInterface } from 'node:readline';
import { connect } from './src/index.js';

const write = line => process.stdout.write(`${JSON.stringify(line)}\n`);
const failed = error => write({ event: 'error', message: `${error?.stack ?? error}` });

const transport = process.argv.includes('--events') ? 'events' : 'websocket';
const WebSocket = transport === 'events' ? null : globalThis.WebSocket ?? (await import('ws')).WebSocket;

let session;
let token;

const refusedOf = (error, id) => ({
  event: 'refused', id, code: error.code, message: error.message, param: error.param, retryable: error.retryable, retry_after_ms: error.retryAfterMs,
  active_question_id: error.activeQuestionId, active_for_ms: error.activeForMs,
});

/** What an ask or a cancel rejects with. `lost` and `unreadable` are among the updates of `follow`. */
const rejected = id => error => {
  switch (error.name) {
    case 'RefusedError': return write(refusedOf(error, id));
    case 'StoppedError': return write({ event: 'failed', id, reason: 'stopped' });
    case 'LostError': case 'UnreadableError': return undefined;
    default: return failed(error);
  }
};

const follow = async () => {
  for await (const { type, id, position, text, ...end } of session.follow()) {
    switch (type) {
      case 'accepted': write({ event: type, id, position }); break;
      case 'text': write({ event: type, id, text }); break;
      case 'ended': {
        const { status, reason, message, retryable, retryAfterMs } = end;
        write({ event: type, id, status, reason, message, retryable, retry_after_ms: retryAfterMs, text });
        break;
      }
      default: write({ event: type, id });
    }
  }
};

/** Everything that stopping rejects is written before. */
const stop = () => setImmediate(() => {
  process.stdout.write(`${JSON.stringify({ event: 'stopped', ...session.stopped })}\n`, () => process.exit(0));
});

const deeds = {
  connect: line => {
    token = line.token;
    session = connect(line.url, line.session, { token: () => token, transport, WebSocket });
    write({ event: 'state', state: session.state });
    session.addEventListener('state', ({ detail }) => detail === 'stopped' ? stop() : write({ event: 'state', state: detail }));
    session.addEventListener('problem', ({ detail }) => console.error('problem', detail));
    follow().catch(error => error.name === 'StoppedError' || failed(error));
  },
  ask: ({ id, question, if_busy: ifBusy, options }) => session.ask(question, { id, ifBusy, options }).whole.catch(rejected(id)),
  cancel: ({ id }) => session.cancel(id).catch(rejected(id)),
  token: line => { token = line.token; },
  history: async () => write({
    event: 'history', questions: (await session.history()).map(({ id, question, status, text }) => ({ id, question, status, text })),
  }),
  close: () => session.close(),
};

const lines = createInterface({ input: process.stdin });
lines.on('line', async text => {
  try {
    const line = JSON.parse(text);
    if (!Object.hasOwn(deeds, line.do)) {
      throw new Error(`'${line.do}' is not something that this program can do.`);
    }
    await deeds[line.do](line);
  } catch (error) {
    failed(error);
  }
});
lines.on('close', () => session ? session.close() : process.exit(0));
