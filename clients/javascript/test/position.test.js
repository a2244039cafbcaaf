import assert from 'node:assert/strict';
import test from 'node:test';
import { Position, World, accepted, delta, done, hello, resumed, snapshot } from './harness.js';

const at = last => Object.assign(new Position(), { epoch: 'e1', last });

// docs/protocol.md, section 12, "Position": one row per line of its list. The first rule that applies decides.
for (const [rule, last, replaying, frame, verdict, after] of [
  ['1: replaying, and not a replay', 4, true, delta(5, 'q', 0, 'a'), 'ignore', 4],
  ['1: replaying, and a duplicate', 4, true, accepted(5, 'q', { duplicate: true }), 'ignore', 4],
  ['2: a duplicate below', 4, false, accepted(2, 'q', { duplicate: true }), 'apply', 4],
  ['2: a duplicate that would be next', 4, false, accepted(5, 'q', { duplicate: true }), 'apply', 4],
  ['2: a duplicate above', 4, false, accepted(9, 'q', { duplicate: true }), 'apply', 4],
  ['3: old, and a replay', 4, false, done(4, 'q', '', 0, { replay: true }), 'apply', 4],
  ['3: old, and a replay while replaying', 4, true, done(4, 'q', '', 0, { replay: true }), 'apply', 4],
  ['3: old, and no replay', 4, false, delta(4, 'q', 0, 'a'), 'ignore', 4],
  ['4: the next one', 4, false, delta(5, 'q', 0, 'a'), 'apply', 5],
  ['4: the next run', 4, false, delta(7, 'q', 0, 'abc', { from_seq: 5, count: 3 }), 'apply', 7],
  ['4: the next one while replaying', 4, true, delta(5, 'q', 0, 'a', { replay: true }), 'apply', 5],
  ['4: the next one of a type that is not known', 4, false, { type: 'part', seq: 5 }, 'apply', 5],
  ['5: a replay ahead, asked for again', 4, false, done(9, 'q', '', 0, { replay: true }), 'apply', 4],
  ['6: a hole', 4, false, delta(6, 'q', 0, 'a'), 'rewind', 4],
  ['6: a run that straddles the position', 4, false, delta(6, 'q', 0, 'abc', { from_seq: 4, count: 3 }), 'rewind', 4],
  ['6: a hole while replaying', 4, true, delta(6, 'q', 0, 'a', { replay: true }), 'rewind', 4],
]) {
  test(`Position, rule ${rule}: ${verdict}`, () => {
    const position = at(last);
    assert.equal(position.judge(frame, replaying), verdict);
    assert.deepEqual([position.epoch, position.last], ['e1', after]);
  });
}

const live = (more = {}) => {
  const world = new World();
  world.socket.give(hello(more));
  return world;
};

test('hello that does not resume sets the position', () => {
  const world = live({ epoch: 'e7', seq: 41 });
  world.socket.give(accepted(42, 'q-x'));
  world.socket.drop();
  world.advance(125);
  assert.equal(world.socket.url.search, '?epoch=e7&after=42');
});

test('hello that resumes leaves the position, and live events wait for resumed', () => {
  const world = live({ seq: 5 });
  world.socket.drop();
  world.advance(125);
  world.socket.give(hello({ seq: 7, resuming: true }), delta(6, 'q-x', 0, 'early'));
  assert.equal(world.client.questions.length, 0);
  world.socket.give(accepted(6, 'q-x', { replay: true }), delta(7, 'q-x', 0, 'a', { replay: true }), resumed(7), delta(8, 'q-x', 1, 'b'));
  assert.equal(world.only.text, 'ab');
});

test('resumed without recovery sets the position', () => {
  const world = live({ seq: 5 });
  world.socket.give(resumed(3, { recovered: false, reason: 'trimmed', epoch: 'e1' }), accepted(4, 'q-x'), delta(5, 'q-x', 0, 'a'));
  assert.equal(world.only.text, 'a');
  assert.deepEqual(world.socket.sent, []);
});

test('A delta that is known already changes nothing, one with a hole or a straddling one is fetched', async () => {
  const world = live();
  world.answers.set('/v1/sessions/abc/questions/q-x', { question_id: 'q-x', state: 'answering', text: 'abcde', deltas: 5 });
  world.socket.give(accepted(1, 'q-x'), snapshot('q-x', 'abc', 3), delta(2, 'q-x', 1, 'bc', { count: 2, from_seq: 2 }));
  await world.settled();
  assert.deepEqual([world.only.text, world.requests.includes('/v1/sessions/abc/questions/q-x')], ['abc', false]);
  world.socket.give(delta(4, 'q-x', 2, 'cd', { count: 2, from_seq: 3 }));
  await world.settled();
  assert.deepEqual([world.only.text, world.only.next], ['abcde', 5]);
  world.answers.set('/v1/sessions/abc/questions/q-x', { question_id: 'q-x', state: 'answering', text: 'abcdefgh', deltas: 8 });
  world.socket.give(delta(5, 'q-x', 7, 'h'));
  await world.settled();
  assert.equal(world.only.text, 'abcdefgh');
});

test('done that the text does not match is fetched, then finishes', async () => {
  for (const [deltas, text] of [[2, 'a'], [1, 'other']]) {
    const world = live();
    world.answers.set('/v1/sessions/abc/questions/q-x', { question_id: 'q-x', status: 'completed', state: 'completed', text: 'whole', deltas });
    world.socket.give(accepted(1, 'q-x'), delta(2, 'q-x', 0, 'a'), done(3, 'q-x', text, deltas));
    await world.settled();
    assert.deepEqual([world.only.text, world.only.status], ['whole', 'completed']);
  }
});

test('A question is finished once', () => {
  const world = live();
  const ends = [];
  world.client.addEventListener('question', e => e.detail.done && ends.push(e.detail.status));
  world.socket.give(accepted(1, 'q-x'), done(2, 'q-x', '', 0), done(2, 'q-x', '', 0, { replay: true }), snapshot('q-x', '', 0, { status: 'completed' }));
  assert.deepEqual(ends, ['completed']);
});
