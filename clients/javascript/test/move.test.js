import assert from 'node:assert/strict';
import test from 'node:test';
import { World, accepted, delta, done, hello, resumed, snapshot } from './harness.js';

const reconnect = (more = {}) => ({ type: 'reconnect', reason: 'draining', delay_ms: 100, ...more });

/** A client in the middle of an answer: one delta has arrived. */
const answering = () => {
  const world = new World();
  world.socket.give(hello());
  world.client.ask('hi', { id: 'q-1' });
  world.socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'a'));
  return world;
};

/** The same client, whose second socket is being opened. */
const moving = (more = {}) => {
  const world = answering();
  world.socket.give(reconnect(more));
  world.advance(100);
  return [world, ...world.sockets];
};

for (const reason of ['draining', 'max_age', 'a reason of a later version']) {
  test(`A client that is asked to reconnect (${reason}) has its first socket until the second one is greeted`, () => {
    const [world, old, next] = moving({ reason });
    assert.equal(next.url.search, '?epoch=e1&after=2');
    old.give(delta(3, 'q-1', 1, 'b'));
    assert.deepEqual([world.only.text, old.closedWith], ['ab', null]);
    next.give(hello({ seq: 3, resuming: true }));
    assert.equal(old.closedWith, 1000);
    next.give(delta(3, 'q-1', 1, 'b', { replay: true }), resumed(3), delta(4, 'q-1', 2, 'c'), done(5, 'q-1', 'abc', 3));
    assert.deepEqual([world.only.text, world.only.status], ['abc', 'completed']);
  });
}

test('The second socket is opened after the delay, not earlier', () => {
  const world = answering();
  world.socket.give(reconnect());
  world.advance(99);
  assert.equal(world.sockets.length, 1);
  world.advance(1);
  assert.equal(world.sockets.length, 2);
});

test('Nobody sees that a client moves', () => {
  const [world, , next] = moving();
  world.states.length = 0;
  next.give(hello({ seq: 2, resuming: true }), resumed(2));
  assert.deepEqual([new Set(world.states), world.problems], [new Set(['live']), []]);
});

test('A run that repeats some deltas and brings others is asked for again', () => {
  const [world, old, next] = moving();
  old.give(delta(3, 'q-1', 1, 'b'));
  next.give(hello({ seq: 4, resuming: true }), delta(4, 'q-1', 1, 'bc', { from_seq: 3, count: 2, replay: true }), resumed(4));
  assert.deepEqual(next.sent, [{ type: 'resume', epoch: 'e1', after_seq: 3 }]);
  next.give(delta(4, 'q-1', 2, 'c', { replay: true }), resumed(4), done(5, 'q-1', 'abc', 3));
  assert.deepEqual([world.only.text, world.only.done], ['abc', true]);
});

test('A second reconnect is ignored while one is under way', () => {
  const world = answering();
  world.socket.give(reconnect(), reconnect({ reason: 'max_age', delay_ms: 10 }));
  world.advance(99);
  assert.equal(world.sockets.length, 1);
  world.advance(1);
  world.sockets[0].give(reconnect());
  world.advance(60_000);
  assert.equal(world.sockets.length, 2);
});

test('A client that has moved can be asked to move again', () => {
  const [world, , next] = moving();
  next.give(hello({ seq: 2, resuming: true }), resumed(2), reconnect());
  world.advance(100);
  assert.equal(world.sockets.length, 3);
  world.socket.give(hello({ seq: 2, resuming: true }), resumed(2));
  assert.deepEqual([next.closedWith, world.client.state.name], [1000, 'live']);
});

test('A second socket that is refused is opened again, and the first one serves meanwhile', () => {
  const [world, old, next] = moving();
  world.states.length = 0;
  next.give({ type: 'error', code: 'draining', message: 'This node is shutting down.', retryable: true, retry_after_ms: 1000 });
  old.give(delta(3, 'q-1', 1, 'b'));
  next.drop(4001);
  world.advance(999);
  assert.equal(world.sockets.length, 2);
  world.advance(1);
  assert.equal(world.socket.url.search, '?epoch=e1&after=3');
  world.socket.give(hello({ seq: 3, resuming: true }), resumed(3));
  assert.deepEqual([old.closedWith, world.only.text, world.problems], [1000, 'ab', []]);
  assert.deepEqual(new Set(world.states), new Set(['live']));
});

test('A first socket that closes during the delay is replaced at once', () => {
  for (const code of [4001, 4004, 1006]) {
    const world = answering();
    world.socket.give(reconnect({ delay_ms: 5000 }));
    world.socket.drop(code);
    assert.equal(world.client.state.name, 'reconnecting');
    world.advance(125);
    assert.equal(world.sockets.length, 2);
    world.socket.give(hello({ seq: 2, resuming: true }), resumed(2));
    world.advance(5000);
    assert.deepEqual([world.client.state.name, world.sockets.length], ['live', 2]);
  }
});

test('A first socket that closes before the second one is greeted: the second one takes over', () => {
  const [world, old, next] = moving();
  old.drop(4001);
  assert.equal(world.client.state.name, 'reconnecting');
  next.give(hello({ seq: 2, resuming: true }), resumed(2), delta(3, 'q-1', 1, 'b'));
  assert.deepEqual([world.client.state.name, world.only.text, world.sockets.length], ['live', 'ab', 2]);
});

test('A first socket that closes while a second one is awaited leaves one timer', () => {
  const [world, old, next] = moving();
  next.drop();
  old.drop(4001);
  world.advance(15_000);
  assert.equal(world.sockets.length, 3);
});

test('A close that means stop ends the move, too', () => {
  const [world, old, next] = moving();
  old.drop(4104);
  world.advance(60_000);
  assert.deepEqual([world.client.state.name, next.closedWith, world.sockets.length], ['stopped', 1000, 2]);
});

test('Stop ends the move, too', () => {
  for (const wait of [0, 100]) {
    const world = answering();
    world.socket.give(reconnect());
    world.advance(wait);
    world.client.stop();
    const opened = world.sockets.length;
    world.advance(60_000);
    assert.deepEqual([world.sockets.map(socket => socket.closedWith), world.sockets.length], [Array(opened).fill(1000), opened]);
    world.client.start();
    world.socket.give(hello({ seq: 2, resuming: true }), resumed(2), reconnect());
    world.advance(100);
    assert.equal(world.sockets.length, opened + 2);
  }
});

test('A second socket from an epoch that has ended meanwhile gives way to one from the new epoch', () => {
  const [world, old, next] = moving();
  const open = [{ question_id: 'q-1', state: 'answering', age_ms: 1 }];
  old.give(resumed(1, { recovered: false, reason: 'epoch_changed', epoch: 'e2', open }), snapshot('q-1', 'A', 1, { epoch: 'e2' }));
  next.give(hello({ seq: 3, resuming: true }), delta(3, 'q-1', 1, 'b', { replay: true }));
  assert.deepEqual([old.closedWith, next.closedWith, world.socket.url.search], [null, 1000, '?epoch=e2&after=1']);
  world.socket.give(hello({ epoch: 'e2', seq: 1, resuming: true }), resumed(1, { epoch: 'e2', open }), delta(2, 'q-1', 1, 'B'));
  assert.deepEqual([old.closedWith, world.only.text], [1000, 'AB']);
});

test('A first socket that closes after its epoch has ended takes the second one with it', () => {
  const [world, old, next] = moving();
  old.give(resumed(1, { recovered: false, reason: 'epoch_changed', epoch: 'e2' }));
  old.drop(4001);
  assert.equal(next.closedWith, 1000);
  world.advance(125);
  assert.equal(world.socket.url.search, '?epoch=e2&after=1');
});

test('What is asked while the client moves is sent once the second socket is live, and a cancel at once', () => {
  const [world, , next] = moving();
  next.give(hello({ seq: 2, resuming: true }));
  assert.equal(world.client.cancel(), true);
  world.client.ask('next', { id: 'q-2', ifBusy: 'queue' });
  assert.deepEqual(next.sent, [{ type: 'cancel', question_id: 'q-1' }]);
  next.give(resumed(2, { open: [{ question_id: 'q-1', state: 'answering', age_ms: 1 }] }));
  assert.deepEqual(next.sent.slice(1), [{ type: 'question', id: 'q-2', question: 'next', if_busy: 'queue' }]);
});
