import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { ConnectedWorld, accepted, delta, done, hello, read, resumed } from './harness.js';

const EVENTS = '/v1/sessions/abc/events';
const ASK = 'POST /v1/sessions/abc/questions';
const asked = (id, more = {}) => ({ status: 202, body: { question_id: id, state: 'accepted', position: 0, epoch: 'e1', seq: 1, ...more } });

/** A session without WebSockets, whose first stream is live. */
const streaming = async (options = {}) => {
  const world = new ConnectedWorld('abc', { WebSocket: null, ...options });
  await world.turns();
  world.stream.give(hello());
  await world.turns();
  return world;
};

test('Without WebSockets an answer comes over an event stream, and what is asked goes over HTTP', async () => {
  const world = await streaming();
  world.answers.set(ASK, asked('q-1'));
  const answer = world.session.ask('hi', { id: 'q-1', ifBusy: 'queue', options: { n: 1 }, metadata: { m: 2 } });
  const updates = read(answer);
  await world.turns();
  world.stream.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'a'), done(3, 'q-1', 'a', 1));
  assert.deepEqual((await updates).map(u => u.type), ['accepted', 'text', 'ended']);
  assert.deepEqual([world.session.state, world.requests, world.sockets.length], ['live', [EVENTS, ASK], 0]);
  assert.deepEqual(world.bodies[1], { id: 'q-1', question: 'hi', if_busy: 'queue', options: { n: 1 }, metadata: { m: 2 } });
});

test('Events may be cut anywhere, end lines with CRLF, and have comments between them', async () => {
  const world = await streaming();
  const followed = world.session.follow();
  const text = [accepted(1, 'q-1'), delta(2, 'q-1', 0, 'grüß 😀'), done(3, 'q-1', 'grüß 😀', 1)].map(frame => `: waiting\r\nid: e1.1\r\ndata: ${JSON.stringify(frame)}\r\n\r\n`).join('');
  for (const byte of new TextEncoder().encode(text)) {
    world.stream.giveBytes(Uint8Array.of(byte));
  }
  assert.equal((await read(followed, 9, 'ended')).at(-1).text, 'grüß 😀');
});

test('What differs between the wires is nothing a program sees: text is made well-formed, and what is not JSON is not understood', async () => {
  const world = await streaming();
  world.session.ask('hi', { id: 'q-1', metadata: { lang: 'en\ud800' } });
  await world.turns();
  assert.equal(world.bodies[1].metadata.lang, 'en\ufffd');
  const other = await streaming();
  other.stream.giveText('data: {"type":\n\n');
  await other.turns();
  assert.deepEqual([other.session.stopped?.reason, other.session.stopped?.close], ['protocol', 1007]);
});

test('A fault in handling a frame is reported, and the stream goes on', async () => {
  const world = await streaming();
  // The test runner takes what is uncaught for a failure.
  const listeners = process.rawListeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const reported = new Promise(resolve => process.once('uncaughtException', resolve));
  world.stream.give({ type: 'resumed', recovered: true, epoch: 'e1', to_seq: 0, open: 7 });
  assert.ok(await reported instanceof TypeError);
  listeners.forEach(listener => process.on('uncaughtException', listener));
  const followed = world.session.follow();
  world.stream.give(accepted(1, 'q-1'), done(2, 'q-1', '', 0));
  await read(followed, 2);
  assert.deepEqual([world.session.state, world.streams.length], ['live', 1]);
});

test('What the reply to an ask tells is enough: it was accepted, or it had ended', async () => {
  const world = await streaming();
  world.answers.set(ASK, asked('q-1', { position: 2 }));
  const queued = world.session.ask('hi', { id: 'q-1' });
  assert.deepEqual((await read(queued, 1)), [{ type: 'accepted', position: 2 }]);
  world.answers.set(ASK, { status: 200, body: { question_id: 'q-2', state: 'completed', status: 'completed', text: 'then', deltas: 1 } });
  assert.equal((await world.session.ask('before', { id: 'q-2' }).whole).text, 'then');
});

test('A refusal of an ask is that of the problem document', async () => {
  const world = await streaming();
  world.answers.set(ASK, { status: 409, body: { type: 'about:blank', code: 'session_busy', detail: 'Wait.', retryable: true, active_question_id: 'q-0' } });
  await assert.rejects(world.session.ask('hi').whole, { name: 'RefusedError', code: 'session_busy', message: 'Wait.', activeQuestionId: 'q-0' });
  assert.equal(world.session.state, 'live');
});

test('An ask that did not get through, was answered by a proxy, or came to a server that stops, is sent again with its id', async () => {
  for (const answer of [
    new TypeError('no network'), { status: 503, body: { code: 'draining', detail: 'm', retryable: true } }, { status: 502 }, { status: 504 },
  ]) {
    const world = await streaming();
    world.answers.set(ASK, answer);
    const whole = world.session.ask('hi', { id: 'q-1' }).whole;
    await world.turns();
    assert.equal(world.session.state, 'reconnecting');
    world.answers.set(ASK, asked('q-1'));
    world.advance(250);
    await world.turns();
    assert.equal(world.stream.path, `${EVENTS}?epoch=e1&after=0`);
    world.stream.give(hello({ resuming: true }), resumed(0));
    await world.turns();
    world.stream.give(accepted(1, 'q-1'), done(2, 'q-1', '', 0));
    assert.equal((await whole).status, 'completed');
    assert.deepEqual(world.bodies.filter(body => body?.id).map(body => body.id), ['q-1', 'q-1']);
  }
});

test('Questions are sent in the order in which they were asked', async () => {
  const world = await streaming();
  let reply;
  world.answers.set(ASK, new Promise(resolve => { reply = resolve; }));
  world.session.ask('first', { id: 'q-1' });
  world.session.ask('second', { id: 'q-2', ifBusy: 'queue' });
  await world.turns();
  assert.deepEqual(world.bodies.filter(body => body?.id).map(body => body.id), ['q-1']);
  reply(asked('q-1'));
  await world.turns();
  assert.deepEqual(world.bodies.filter(body => body?.id).map(body => body.id), ['q-1', 'q-2']);
});

test('A cancel goes over HTTP, and its refusal comes back', async () => {
  const world = await streaming();
  world.stream.give(accepted(1, 'q-1'));
  await world.turns();
  world.answers.set('POST /v1/sessions/abc/questions/q-1/cancel', { status: 202, body: { question_id: 'q-1', state: 'cancelling' } });
  await world.session.cancel();
  world.answers.set('POST /v1/sessions/abc/questions/q-2/cancel', { status: 404, body: { code: 'question_not_found', detail: 'm', retryable: false } });
  await assert.rejects(world.session.cancel('q-2'), { name: 'RefusedError', code: 'question_not_found' });
  world.stream.give(done(2, 'q-1', '', 0, { status: 'cancelled', reason: 'by_client' }));
  await world.turns();
  await assert.rejects(world.session.cancel(), { name: 'RefusedError', code: 'no_open_question' });
});

test('A cancel without an id, while a stream catches up, waits for what runs', async () => {
  const world = await streaming();
  world.stream.end();
  await world.turns();
  world.advance(250);
  await world.turns();
  world.stream.give(hello({ resuming: true }));
  await world.turns();
  world.answers.set('POST /v1/sessions/abc/questions/q-1/cancel', { status: 202, body: { question_id: 'q-1', state: 'cancelling' } });
  const cancel = world.session.cancel();
  world.stream.give(accepted(1, 'q-1', { replay: true }), resumed(1, { open: [{ question_id: 'q-1', state: 'answering' }] }));
  await cancel;
});

test('A stream that breaks, ends, or is asked to move goes on from the position', async () => {
  for (const cut of [stream => stream.break(), stream => stream.end(), stream => { stream.give({ type: 'reconnect', reason: 'max_age', delay_ms: 0 }); stream.end(); }]) {
    const world = await streaming();
    const followed = world.session.follow();
    world.stream.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'a'));
    await world.turns();
    cut(world.stream);
    await world.turns();
    world.advance(250);
    await world.turns();
    assert.equal(world.stream.path, `${EVENTS}?epoch=e1&after=2`);
    world.stream.give(hello({ seq: 3, resuming: true }), delta(3, 'q-1', 1, 'b', { replay: true }), resumed(3, { open: [{ question_id: 'q-1' }] }), done(4, 'q-1', 'ab', 2));
    assert.equal((await read(followed, 9, 'ended')).at(-1).text, 'ab');
    assert.equal(world.streams.length, 2);
  }
});

test('A hole is filled by another stream from the position, and after three of them by one without a position', async () => {
  const world = await streaming();
  world.stream.give(accepted(1, 'q-1'));
  const paths = [];
  for (let i = 0; i < 4; i++) {
    world.stream.give(delta(3, 'q-1', 1, 'b'));
    await world.turns();
    world.advance(15_000);
    await world.turns();
    paths.push(world.stream.path.slice(EVENTS.length));
    world.stream.give(hello({ resuming: true }), resumed(1, { open: [{ question_id: 'q-1' }] }));
    await world.turns();
  }
  assert.deepEqual(paths, ['?epoch=e1&after=1', '?epoch=e1&after=1', '?epoch=e1&after=1', '']);
});

test('A stream is gone after 45 silent seconds, and any bytes are a sign of life', async () => {
  const world = await streaming();
  world.advance(44_999);
  world.stream.giveText(':\n\n');
  await world.turns();
  world.advance(44_999);
  assert.equal(world.session.state, 'live');
  world.advance(1);
  assert.deepEqual([world.session.state, world.stream.isClosed], ['reconnecting', true]);
});

test('An error before the end of a stream says what to do', async () => {
  for (const [code, retryable, state, reason] of [
    ['session_removed', false, 'stopped', 'session_removed'], ['token_expired', false, 'stopped', 'token_expired'],
    ['draining', true, 'reconnecting'], ['internal', true, 'reconnecting'], ['store_unavailable', true, 'reconnecting'],
  ]) {
    const world = await streaming({ token: 'same' });
    world.stream.give({ type: 'error', code, message: 'm', retryable });
    world.stream.end();
    await world.turns();
    assert.deepEqual([world.session.state, world.session.stopped?.reason], [state, reason], code);
  }
});

test('A stream whose token expires goes on with a fresh one', async () => {
  const tokens = ['old', 'fresh'];
  const world = await streaming({ token: () => tokens.length > 1 ? tokens.shift() : tokens[0] });
  world.stream.give({ type: 'expiring', in_ms: 60_000 }, { type: 'error', code: 'token_expired', message: 'm', retryable: false });
  world.stream.end();
  await world.turns();
  world.advance(250);
  await world.turns();
  assert.deepEqual(world.authorizations, ['Bearer old', 'Bearer fresh']);
  assert.equal(world.stream.path, `${EVENTS}?epoch=e1&after=0`);
});

test('A stream that is refused stops, with or without a problem document', async () => {
  for (const [status, body, code] of [
    [401, { code: 'unauthorized', detail: 'm', retryable: false }, 'unauthorized'], [403, { code: 'forbidden', detail: 'm', retryable: false }, 'forbidden'],
    [404, undefined, 'http_404'],
  ]) {
    const world = new ConnectedWorld('abc', { WebSocket: null, answers: [[EVENTS, { status, body }]] });
    await world.turns();
    assert.deepEqual([world.session.stopped?.reason, world.session.stopped?.code], ['refused', code]);
  }
});

test('A stream that cannot be had now is tried again after the advised time', async () => {
  for (const answer of [{ status: 429, body: { code: 'connection_limit', retryable: true, retry_after_ms: 3000 } }, { status: 502 }, new TypeError('no network')]) {
    const world = new ConnectedWorld('abc', { transport: 'events', answers: [[EVENTS, answer]] });
    await world.turns();
    world.answers.delete(EVENTS);
    world.advance(2_999);
    await world.turns();
    assert.equal(world.streams.length, answer.status === 429 ? 0 : 1);
    world.advance(1);
    await world.turns();
    assert.equal(world.streams.length, 1);
  }
});

test('204 means that nothing follows the position, so the next stream has none', async () => {
  const world = await streaming();
  world.answers.set(`${EVENTS}?epoch=e1&after=0`, { status: 204 });
  world.stream.end();
  for (let i = 0; i < 2; i++) {
    await world.turns();
    world.advance(15_000);
  }
  await world.turns();
  assert.equal(world.stream.path, EVENTS);
});

test('Closing ends the stream and the requests', async () => {
  const world = await streaming();
  const whole = world.session.ask('hi').whole;
  world.session.close();
  await assert.rejects(whole, { reason: 'closed' });
  assert.equal(world.stream.isClosed, true);
});

// Which wire.

/** Sockets fail before any frame, and HTTP answers the probe with `status`. */
const blocked = async (options, times, status = 400) => {
  const world = new ConnectedWorld('abc', options);
  world.answers.set(ASK, { status, body: { code: status === 400 ? 'bad_request' : 'internal', retryable: status !== 400 } });
  for (let i = 0; i < times && world.streams.length === 0; i++) {
    world.socket.drop();
    await world.turns();
    world.advance(15_000);
    await world.turns();
  }
  return world;
};

test('After two sockets without a frame, while HTTP works, the session uses an event stream, and stays with it', async () => {
  const world = await blocked({}, 2);
  assert.deepEqual([world.sockets.length, world.stream?.path], [2, EVENTS]);
  world.stream.give(hello());
  await world.turns();
  assert.equal(world.session.state, 'live');
  world.stream.end();
  await world.turns();
  world.advance(15_000);
  await world.turns();
  assert.deepEqual([world.sockets.length, world.streams.length], [2, 2]);
});

test('Answers of slow HTTP about sockets do not change the wire back', async () => {
  const world = new ConnectedWorld('abc');
  let answer;
  world.answers.set(ASK, new Promise(resolve => { answer = resolve; }));
  for (let i = 0; i < 4; i++) {
    world.socket.drop();
    await world.turns();
    world.advance(15_000);
  }
  answer({ status: 400, body: { code: 'bad_request' } });
  await world.turns();
  world.socket.drop();
  await world.turns();
  world.advance(15_000);
  await world.turns();
  assert.deepEqual([world.sockets.length, world.streams.length], [5, 1]);
});

test('Sockets on which nothing is heard for 75 seconds count as blocked, too', async () => {
  const world = new ConnectedWorld('abc');
  world.answers.set(ASK, { status: 400, body: { code: 'bad_request' } });
  for (let i = 0; i < 2; i++) {
    world.socket.open();
    world.advance(75_000);
    await world.turns();
    world.advance(15_000);
    await world.turns();
  }
  assert.equal(world.streams.length, 1);
});

test('A server that is away does not change the wire, nor does one socket that was heard', async () => {
  const away = await blocked({}, 5, 503);
  assert.deepEqual([away.sockets.length, away.streams.length], [6, 0]);
  const heard = await blocked({}, 1);
  heard.socket.give(hello());
  heard.socket.drop();
  await heard.turns();
  heard.advance(15_000);
  heard.socket.drop();
  await heard.turns();
  heard.advance(15_000);
  await heard.turns();
  assert.deepEqual([heard.sockets.length, heard.streams.length], [4, 0]);
});

test('The wire does not change if its caller has chosen it', async () => {
  const world = await blocked({ transport: 'websocket' }, 5);
  assert.deepEqual([world.sockets.length, world.streams.length], [6, 0]);
});

test('After two streams without a frame, while HTTP works, the session uses sockets again', async () => {
  const world = await blocked({}, 2);
  for (let i = 0; i < 2; i++) {
    world.advance(75_000);
    await world.turns();
    world.advance(15_000);
    await world.turns();
  }
  assert.deepEqual([world.sockets.length, world.streams.length], [3, 2]);
});

test('Without the code for streams, which is loaded when it is needed, the session goes on trying', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sessions-'));
  try {
    const source = new URL('../src/', import.meta.url);
    for (const name of (await readdir(source)).filter(file => file.endsWith('.js') && file !== 'events.js')) {
      await copyFile(new URL(name, source), join(folder, name));
    }
    await writeFile(join(folder, 'package.json'), '{"type": "module"}');
    const { connect } = await import(pathToFileURL(join(folder, 'index.js')));
    const world = new ConnectedWorld('abc');
    const probed = new Promise(resolve => {
      const session = connect('http://host:5080', 'abc', {
        ...world.environment, WebSocket: null, fetch: async url => { resolve({ session, url }); return { status: 503, json: async () => null }; },
      });
    });
    const { session, url } = await probed;
    assert.deepEqual([session.state, new URL(url).pathname, world.requests], ['connecting', '/v1/sessions/abc/questions', []]);
    session.close();
    world.session.close();
  } finally {
    await rm(folder, { recursive: true });
  }
});
