import assert from 'node:assert/strict';
import test from 'node:test';
import { World, accepted, delta, done, hello, resumed } from './harness.js';

const LIST = '/v1/sessions/abc/questions?limit=50';
const open = id => ({ question_id: id, state: 'answering', age_ms: 1 });
const ended = (id, text) => ({ question_id: id, question: 'hi', state: 'completed', status: 'completed', text, deltas: 1 });

/** One answered question, and another whose answer is in progress. */
const talking = () => {
  const world = new World();
  world.socket.give(hello());
  world.client.ask('first', { id: 'q-1' });
  world.socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'one'), done(3, 'q-1', 'one', 1));
  world.client.ask('second', { id: 'q-2' });
  world.socket.give(accepted(4, 'q-2'), delta(5, 'q-2', 0, 'tw'));
  return world;
};

const restart = async (world, more = {}) => {
  world.socket.drop();
  world.advance(125);
  world.socket.give(hello({ resuming: true, epoch: 'e2', ...more }), resumed(0, { recovered: false, reason: 'expired', epoch: 'e2', ...more }));
  await world.settled();
};

const states = world => world.client.questions.map(q => [q.id, q.status, q.lost, q.forgotten]);

test('A new question is being sent until it is accepted', () => {
  const world = new World();
  assert.equal(world.client.ask('hi', { id: 'q-1' }).status, 'sending');
  world.socket.give(hello());
  assert.equal(world.only.status, 'sending');
  world.socket.give(accepted(1, 'q-1'));
  assert.equal(world.only.status, 'accepted');
});

test('A question that waits in the queue says so', () => {
  const world = new World();
  world.socket.give(hello());
  world.client.ask('hi', { id: 'q-1', ifBusy: 'queue' });
  world.socket.give(accepted(1, 'q-1', { position: 2 }));
  assert.deepEqual([world.only.status, world.only.position], ['queued', 2]);
});

test('After hello and after resumed, what was never accepted and is not open is sent again', () => {
  const world = new World();
  world.client.ask('hi', { id: 'q-1', ifBusy: 'queue' });
  world.socket.give(hello({ open: [open('q-9')] }));
  world.socket.drop();
  world.advance(125);
  world.socket.give(hello({ resuming: true }), resumed(0));
  assert.deepEqual(world.sockets.map(s => s.sent.map(f => f.id)), [['q-1'], ['q-1']]);
});

test('What is open is not sent again', () => {
  const world = new World();
  world.client.ask('hi', { id: 'q-1' });
  world.socket.give(hello({ open: [open('q-1')] }));
  assert.deepEqual(world.socket.sent, []);
});

test('What ended unseen is read, not asked again', async () => {
  const world = talking();
  world.answers.set('/v1/sessions/abc/questions/q-2', ended('q-2', 'two'));
  world.socket.give(resumed(40, { recovered: false, reason: 'trimmed' }));
  await world.settled();
  assert.deepEqual([world.client.questions[1].text, world.client.questions[1].status], ['two', 'completed']);
  assert.equal(world.socket.sent.length, 2);
  assert.deepEqual(world.forgotten, []);
});

test('A server that has forgotten everything: the questions are marked, and nothing is asked again unasked', async () => {
  const world = talking();
  await restart(world);
  assert.deepEqual(states(world), [['q-1', 'completed', false, true], ['q-2', 'lost', true, true]]);
  assert.deepEqual(world.forgotten, [['q-1', 'q-2']]);
  assert.deepEqual(world.socket.sent, []);
  assert.equal(world.client.questions[1].text, 'tw');
});

test('A lost question is asked again when its asker wants it, as the newest one', async () => {
  const world = talking();
  await restart(world);
  world.client.ask('third', { id: 'q-3' });
  world.socket.give(accepted(1, 'q-3'), done(2, 'q-3', '', 0));
  world.client.askAgain(world.client.questions[1]);
  assert.deepEqual(world.socket.sent.at(-1), { type: 'question', id: 'q-2', question: 'second' });
  assert.deepEqual(world.client.questions.map(q => q.id), ['q-1', 'q-3', 'q-2']);
  world.socket.give(accepted(3, 'q-2'), delta(4, 'q-2', 0, 'two'), done(5, 'q-2', 'two', 1));
  assert.deepEqual(states(world).at(-1), ['q-2', 'completed', false, false]);
  assert.equal(world.client.questions.at(-1).text, 'two');
});

test('A lost question is asked again with its options', async () => {
  const world = new World();
  world.socket.give(hello());
  world.client.ask('hi', { id: 'q-1', options: { model: 'small' } });
  world.socket.give(accepted(1, 'q-1'));
  await restart(world);
  world.client.askAgain(world.only);
  assert.deepEqual(world.socket.sent, [{ type: 'question', id: 'q-1', question: 'hi', options: { model: 'small' } }]);
});

test('A lost question can be dropped, and is asked again only once', async () => {
  const world = talking();
  await restart(world);
  const lost = world.client.questions[1];
  world.client.drop(lost);
  assert.deepEqual(world.client.questions.map(q => q.id), ['q-1']);
  assert.equal(world.stored.size, 0);
  world.client.askAgain(world.client.questions[0]);
  assert.deepEqual(world.socket.sent, []);
});

test('A lost question survives a reload as lost', async () => {
  const world = talking();
  await restart(world);
  world.open('abc');
  world.socket.give(hello({ epoch: 'e2' }));
  await world.settled();
  assert.deepEqual(states(world), [['q-2', 'lost', true, false]]);
  assert.deepEqual(world.socket.sent, []);
});

test('A question that the old life never accepted is sent to the new one', async () => {
  const world = talking();
  world.socket.give(done(6, 'q-2', 'tw', 1));
  world.client.ask('third', { id: 'q-3' });
  await restart(world);
  assert.deepEqual(world.socket.sent.map(f => f.id), ['q-3']);
  assert.deepEqual(world.forgotten, [['q-1', 'q-2']]);
});

test('A new life that kept its questions has forgotten nothing', async () => {
  const world = talking();
  world.answers.set(LIST, { questions: [ended('q-1', 'one'), { ...ended('q-2', 'tw'), status: 'failed', state: 'failed', reason: 'responder_lost' }] });
  await restart(world, { reason: 'epoch_changed' });
  assert.deepEqual(states(world), [['q-1', 'completed', false, false], ['q-2', 'failed', false, false]]);
  assert.deepEqual(world.forgotten, []);
});

test('What somebody else has asked in the new life does not hide that the old one is forgotten', async () => {
  const world = talking();
  world.answers.set(LIST, { questions: [ended('q-new', 'new')] });
  await restart(world, { reason: 'epoch_changed' });
  assert.deepEqual(world.forgotten, [['q-1', 'q-2']]);
  assert.deepEqual(states(world).find(([id]) => id === 'q-new'), ['q-new', 'completed', false, false]);
});

test('A server that cannot say what it knows has forgotten nothing yet', async () => {
  const world = talking();
  world.answers.set(LIST, { status: 500 });
  world.answers.set('/v1/sessions/abc/questions/q-2', ended('q-2', 'two'));
  await restart(world);
  assert.deepEqual(world.forgotten, []);
  assert.deepEqual(world.problems, ['history']);
  assert.equal(world.client.questions[1].status, 'completed');
});

test('An answer that cannot be read is tried again, then said to be unreadable, not lost', async () => {
  const world = talking();
  world.answers.set('/v1/sessions/abc/questions/q-2', new Error('no network'));
  world.socket.give(resumed(40, { recovered: false, reason: 'trimmed' }));
  for (let i = 0; i < 4; i++) {
    await world.settled();
    world.advance(5_000);
  }
  await world.settled();
  assert.deepEqual(states(world)[1], ['q-2', 'failed', false, false]);
  assert.equal(world.client.questions[1].reason, 'unreadable');
  assert.equal(world.requests.filter(path => path.endsWith('/q-2')).length, 4);
});

test('A lost question that another window asks again is followed', async () => {
  const world = talking();
  await restart(world);
  world.socket.give(accepted(1, 'q-2', { question: 'second' }), delta(2, 'q-2', 0, 'two'), done(3, 'q-2', 'two', 1));
  assert.deepEqual(states(world).at(-1), ['q-2', 'completed', false, false]);
  assert.equal(world.client.questions.at(-1).text, 'two');
});
