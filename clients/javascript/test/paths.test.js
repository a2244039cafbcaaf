import assert from 'node:assert/strict';
import test from 'node:test';
import { World, accepted, done, hello } from './harness.js';

for (const [name, options, socket, api] of [
  ['By default the server is at the root of the page', {}, 'ws://host:5080/ws/abc', '/v1/sessions/abc'],
  ['Relative paths follow the page behind a prefix',
    { base: 'https://host/chat/', socketPath: 'ws/{session}', apiPath: 'v1/sessions/{session}' }, 'wss://host/chat/ws/abc', '/chat/v1/sessions/abc'],
  ['A page with a name and a query is a base, too',
    { base: 'https://host/chat/index.html?s=abc', socketPath: 'ws/{session}', apiPath: 'v1/sessions/{session}' },
    'wss://host/chat/ws/abc', '/chat/v1/sessions/abc'],
  ['Paths of a host that maps others', { socketPath: '/rooms/{session}/socket', apiPath: '/api/rooms/{session}' },
    'ws://host:5080/rooms/abc/socket', '/api/rooms/abc'],
  ['A server elsewhere', { base: 'https://sessions.example/' }, 'wss://sessions.example/ws/abc', '/v1/sessions/abc'],
]) {
  test(name, async () => {
    const world = new World('abc', options);
    assert.equal(world.socket.url.href, socket);
    world.socket.give(hello(), accepted(1, 'q-1'), done(2, 'q-1', 'x', 1));
    await world.settled();
    assert.deepEqual(world.requests, [`${api}/questions?limit=50`, `${api}/questions/q-1`]);
  });
}

test('A query of a path is kept, and the position is added to it', () => {
  const world = new World('abc', { socketPath: '/ws/{session}?team=a' });
  world.socket.give(hello({ seq: 3 }));
  world.socket.drop();
  world.advance(125);
  assert.equal(world.socket.url.search, '?team=a&epoch=e1&after=3');
});
