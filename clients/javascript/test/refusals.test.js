import assert from 'node:assert/strict';
import test from 'node:test';
import { ConnectedWorld, World, hello } from './harness.js';

const PROBE = 'POST /v1/sessions/abc/questions';
const forbidden = { status: 403, body: { code: 'forbidden', detail: 'Pages of https://a.example may not connect to host.' } };

test('An error before hello that will not change stops, whatever the close code, and says why', () => {
  for (const code of [4103, 4126, 1011, 1006]) {
    const world = new World();
    world.socket.give({ type: 'error', code: 'forbidden', message: 'Pages of https://a.example may not connect.', retryable: false });
    world.socket.drop(code, 'forbidden');
    assert.deepEqual(world.client.state, { name: 'stopped', code, reason: 'forbidden', message: 'Pages of https://a.example may not connect.' });
    world.advance(60_000);
    assert.equal(world.sockets.length, 1);
  }
});

test('An error before hello that can change does not stop', () => {
  const world = new World();
  world.socket.give({ type: 'error', code: 'connection_limit', message: 'full', retryable: true });
  world.socket.drop(4029);
  assert.equal(world.client.state.name, 'reconnecting');
});

test('An error after hello does not stop what its close code would not', () => {
  const world = new World();
  world.socket.give(hello(), { type: 'error', code: 'bad_request', message: 'no', retryable: false });
  world.socket.drop(1006);
  assert.equal(world.client.state.name, 'reconnecting');
});

test('An error on an earlier socket does not stop the next one, which fails before it opens', () => {
  const world = new World();
  world.socket.give(hello(), { type: 'error', code: 'no_open_question', message: 'No question is running.', retryable: false });
  world.socket.drop(1006);
  world.advance(60_000);
  assert.equal(world.sockets.length, 2);
  world.socket.drop(1006);
  assert.equal(world.client.state.name, 'reconnecting');
});

test('A socket that never opens is looked into over HTTP, and a refusal there stops', async () => {
  for (const answer of [forbidden, { status: 401, body: { detail: 'Sign in.' } }, { status: 404, body: { code: 'not_found', detail: 'No.' } }]) {
    const world = new World();
    world.answers.set(PROBE, answer);
    world.socket.drop(1006);
    await world.settled();
    const more = answer.status === 401 ? { needsToken: true } : {};
    assert.deepEqual(world.client.state, { name: 'stopped', code: 1006, reason: '', message: answer.body.detail, ...more });
    world.advance(60_000);
    assert.equal(world.sockets.length, 1);
  }
});

test('A refusal without a problem document is told by its status and the address, which can be a wrong one', async () => {
  for (const status of [401, 404, 405]) {
    const world = new ConnectedWorld('abc');
    world.answers.set(PROBE, { status });
    world.socket.drop(1006);
    await world.settled();
    const { reason, code, message } = world.session.stopped;
    assert.deepEqual([reason, code], ['refused', `http_${status}`]);
    assert.match(message, new RegExp(`http://host:5080/v1/sessions/abc/questions .*${status}`));
  }
});

test('A refusal that comes late, while the next socket is being opened, stops all the same', async () => {
  const world = new World();
  world.answers.set(PROBE, forbidden);
  world.socket.drop(1006);
  world.advance(125);
  assert.equal(world.sockets.length, 2);
  await world.settled();
  assert.deepEqual([world.client.state.name, world.socket.closedWith], ['stopped', 1000]);
});

test('A server that is away, busy, or answers otherwise is tried again', async () => {
  for (const answer of [new Error('no network'), { status: 400, body: { code: 'bad_request' } }, { status: 429 }, { status: 503 }, { status: 302 }]) {
    const world = new World();
    world.answers.set(PROBE, answer);
    world.socket.drop(1006);
    await world.settled();
    assert.equal(world.client.state.name, 'reconnecting');
    world.advance(125);
    assert.equal(world.sockets.length, 2);
  }
});

test('A connection that was lost after it had opened is not looked into', async () => {
  const world = new World();
  world.answers.set(PROBE, forbidden);
  world.socket.give(hello());
  world.socket.drop(1006);
  await world.settled();
  assert.deepEqual([world.client.state.name, world.requests.includes(PROBE)], ['reconnecting', false]);
});

test('A person may try again after a stop', () => {
  const world = new World();
  world.socket.drop(4103);
  world.client.retryNow();
  world.socket.give(hello());
  assert.equal(world.client.state.name, 'live');
});
