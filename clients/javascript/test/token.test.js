import assert from 'node:assert/strict';
import test from 'node:test';
import { World, hello } from './harness.js';

const unauthorized = { type: 'error', code: 'unauthorized', message: 'This server serves only callers with a token.', retryable: false };
const expired = { type: 'error', code: 'token_expired', message: 'The token has expired.', retryable: false };

/** A world whose token can be changed, and that counts how often it is asked for. */
const withToken = async (...tokens) => {
  const asked = { times: 0 };
  const world = new World('abc', {
    token: () => {
      const token = tokens[Math.min(asked.times++, tokens.length - 1)];
      if (token instanceof Error) {
        throw token;
      }
      return token;
    },
  });
  await world.settled();
  return { world, asked };
};

const decode = protocol => Buffer.from(protocol.replace(/^bearer\./, ''), 'base64url').toString('utf8');

test('A client without a token offers only the protocol, and sends no header', async () => {
  const world = new World();
  world.socket.give(hello());
  await world.settled();
  assert.deepEqual(world.socket.protocols, ['sessions.v1.json']);
  assert.deepEqual(new Set(world.authorizations), new Set([null]));
});

test('A token goes with the socket as a subprotocol, and with requests as a header', async () => {
  for (const token of ['abc', 'ab', 'a', 'eyJ.x-_.~+/=', '???>>>', 'gr\u00fc\u00df \ud83d\ude00']) {
    const { world } = await withToken(token);
    world.socket.give(hello());
    await world.settled();
    const [protocol, bearer] = world.socket.protocols;
    assert.equal(protocol, 'sessions.v1.json');
    assert.match(bearer, /^bearer\.[A-Za-z0-9_-]+$/);
    assert.equal(decode(bearer), token);
    assert.deepEqual(new Set(world.authorizations), new Set([`Bearer ${token}`]));
  }
});

test('An empty token is none', async () => {
  const { world } = await withToken('');
  world.socket.give(hello());
  await world.settled();
  assert.deepEqual([world.socket.protocols, new Set(world.authorizations)], [['sessions.v1.json'], new Set([null])]);
});

test('A promise of a token is waited for, and a client that stops meanwhile opens nothing', async () => {
  let give;
  const world = new World('abc', { token: () => new Promise(resolve => { give = resolve; }) });
  await world.settled();
  assert.equal(world.sockets.length, 0);
  const stopped = new World('abc', { token: () => new Promise(resolve => setImmediate(() => resolve('late'))) });
  stopped.client.stop();
  give('abc');
  await world.settled();
  assert.equal(decode(world.socket.protocols[1]), 'abc');
  await new Promise(resolve => setImmediate(resolve));
  await stopped.settled();
  assert.equal(stopped.sockets.length, 0);
});

test('A token that cannot be had is asked for again, after a wait', async () => {
  const { world } = await withToken(new Error('offline'), new Error('offline'), 'abc');
  assert.deepEqual([world.sockets.length, world.client.state.name], [0, 'reconnecting']);
  world.advance(125);
  await world.settled();
  assert.equal(decode(world.socket.protocols[1]), 'abc');
});

test('Unauthorized stops, and a new attempt takes the new token', async () => {
  const { world } = await withToken('wrong', 'right');
  world.socket.give(unauthorized);
  world.socket.drop(4101, 'Not authenticated');
  assert.deepEqual(world.client.state, { name: 'stopped', code: 4101, reason: 'Not authenticated', message: unauthorized.message, needsToken: true });
  world.advance(60_000);
  await world.settled();
  assert.equal(world.sockets.length, 1);
  world.client.retryNow();
  await world.settled();
  assert.equal(decode(world.socket.protocols[1]), 'right');
  world.socket.give(hello());
  assert.equal(world.client.state.name, 'live');
});

test('A refusal of another kind asks for no token', async () => {
  const { world } = await withToken('abc');
  world.socket.give({ ...unauthorized, code: 'permission_denied' });
  world.socket.drop(4103);
  assert.deepEqual([world.client.state.name, world.client.state.needsToken], ['stopped', undefined]);
});

test('A token that expires is renewed on the open socket', async () => {
  const { world } = await withToken('first', 'first', 'second');
  world.socket.give(hello());
  await world.settled();
  world.socket.give({ type: 'expiring', in_ms: 60_000 });
  await world.settled();
  assert.deepEqual(world.socket.sent.filter(frame => frame.type === 'auth'), [{ type: 'auth', token: 'second' }]);
  world.socket.give({ type: 'authenticated', expires_in_ms: 3_600_000 }, { type: 'expiring', in_ms: 60_000 });
  await world.settled();
  assert.equal(world.socket.sent.filter(frame => frame.type === 'auth').length, 1);
});

test('Without another token nothing is sent when one expires', async () => {
  for (const tokens of [['same'], ['first', 'first', ''], ['first', 'first', new Error('offline')]]) {
    const { world } = await withToken(...tokens);
    world.socket.give(hello());
    await world.settled();
    world.socket.give({ type: 'expiring', in_ms: 60_000 });
    await world.settled();
    assert.equal(world.socket.sent.some(frame => frame.type === 'auth'), false);
  }
});

test('After 4005 the client comes back with a fresh token', async () => {
  for (const frames of [[hello(), expired], [expired]]) {
    const { world } = await withToken('old', ...(frames.length > 1 ? ['old'] : []), 'fresh');
    world.socket.give(frames[0]);
    await world.settled();
    world.socket.give(...frames.slice(1));
    world.socket.drop(4005);
    await world.settled();
    assert.equal(world.client.state.name, 'reconnecting');
    world.advance(250);
    await world.settled();
    assert.equal(decode(world.socket.protocols[1]), 'fresh');
  }
});

test('After 4005 the client comes back with a token that the server could not check while the socket was open', async () => {
  const { world } = await withToken('old', 'old', 'fresh');
  world.socket.give(hello());
  await world.settled();
  world.socket.give({ type: 'expiring', in_ms: 60_000 });
  await world.settled();
  assert.deepEqual(world.socket.sent.at(-1), { type: 'auth', token: 'fresh' });
  world.socket.give({ type: 'error', code: 'internal', param: 'token', message: 'm', retryable: true }, { type: 'ping', seq: 0 }, expired);
  world.socket.drop(4005);
  await world.settled();
  assert.equal(world.client.state.name, 'reconnecting');
  world.advance(250);
  await world.settled();
  assert.equal(decode(world.socket.protocols[1]), 'fresh');
});

test('After 4005 with the same token, or with none, the client stops and asks for one', async () => {
  for (const token of ['old', '']) {
    const { world } = await withToken('old', 'old', token);
    world.socket.give(hello());
    await world.settled();
    world.socket.give(expired);
    world.socket.drop(4005);
    await world.settled();
    assert.deepEqual([world.client.state.name, world.client.state.code, world.client.state.needsToken], ['stopped', 4005, true]);
  }
});

test('After 4005 without a way to get a token, for example with a cookie, the client stops', async () => {
  const world = new World();
  world.socket.give(hello(), expired);
  world.socket.drop(4005);
  await world.settled();
  assert.deepEqual([world.client.state.name, world.client.state.needsToken], ['stopped', true]);
});

test('After 4005 a token that cannot be had at the moment is asked for again', async () => {
  const { world } = await withToken('old', 'old', new Error('offline'), 'fresh');
  world.socket.give(hello());
  await world.settled();
  world.socket.drop(4005);
  await world.settled();
  assert.equal(world.client.state.name, 'reconnecting');
  world.advance(250);
  await world.settled();
  assert.equal(decode(world.socket.protocols[1]), 'fresh');
});
