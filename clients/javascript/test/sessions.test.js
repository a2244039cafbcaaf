import assert from 'node:assert/strict';
import test from 'node:test';
import { World, accepted, backOff, delta, done, hello, resumed, shouldReconnect, snapshot } from './harness.js';

const asking = (text = 'hi') => {
  const world = new World();
  world.socket.give(hello());
  world.client.ask(text, { id: 'q-1' });
  return world;
};

test('Start connects to the session with the v1 subprotocol and without a position', () => {
  const { socket } = new World('a:b');
  assert.equal(socket.url.href, 'ws://host:5080/ws/a%3Ab');
  assert.deepEqual(socket.protocols, ['sessions.v1.json']);
});

test('An answer is joined from its deltas, and done proves it whole', () => {
  const world = asking('grüß dich');
  world.socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'grüß'), delta(4, 'q-1', 1, ' dich', { from_seq: 3, count: 2 }), done(5, 'q-1', 'grüß dich', 3));
  assert.deepEqual(world.socket.sent, [{ type: 'question', id: 'q-1', question: 'grüß dich' }]);
  assert.equal(world.only.text, 'grüß dich');
  assert.equal(world.only.status, 'completed');
  assert.equal(world.only.done, true);
});

test('A question asked before the socket is live is sent once, when it is', () => {
  const world = new World();
  world.client.ask('hi', { id: 'q-1', ifBusy: 'queue' });
  assert.equal(world.socket.sent.length, 0);
  world.socket.give(hello());
  assert.deepEqual(world.socket.sent, [{ type: 'question', id: 'q-1', question: 'hi', if_busy: 'queue' }]);
});

test('Options are sent as they were when the question was asked, whenever it is sent', () => {
  const world = new World();
  const options = { model: 'small', stop: ['a'] };
  world.client.ask('hi', { id: 'q-1', options });
  options.stop.push('b');
  const body = { type: 'question', id: 'q-1', question: 'hi', options: { model: 'small', stop: ['a'] } };
  world.socket.give(hello());
  assert.deepEqual(world.socket.sent, [body]);
  world.socket.drop();
  world.advance(125);
  world.socket.give(hello());
  assert.deepEqual(world.socket.sent, [body]);
  world.open('abc');
  world.socket.give(hello());
  assert.deepEqual(world.socket.sent, [body]);
});

test('A refused option is reported once, and the question is not sent again', () => {
  const world = new World();
  world.client.ask('hi', { id: 'q-1', options: { model: 'huge' } });
  world.socket.give(hello(), { type: 'error', code: 'bad_request', message: 'No.', retryable: false, param: 'options.model', question_id: 'q-1' });
  assert.deepEqual(world.refused, ['bad_request']);
  world.socket.drop();
  world.advance(125);
  world.socket.give(hello());
  assert.deepEqual(world.socket.sent, []);
});

test('A reconnect resumes from the last event and repeats nothing', () => {
  const world = asking();
  world.socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'a'));
  world.socket.drop();
  assert.equal(world.client.state.name, 'reconnecting');
  world.advance(125);
  assert.equal(world.socket.url.search, '?epoch=e1&after=2');
  world.socket.give(hello({ seq: 4, resuming: true }), delta(3, 'q-1', 1, 'b', { replay: true }), done(4, 'q-1', 'ab', 2, { replay: true }), resumed(4));
  assert.equal(world.only.text, 'ab');
  assert.equal(world.client.state.name, 'live');
  assert.deepEqual(world.socket.sent, []);
});

test('A question that was never accepted is asked again under its id after the reconnect', () => {
  const world = asking();
  world.socket.drop();
  world.advance(125);
  world.socket.give(hello({ resuming: true }), resumed(0));
  assert.deepEqual(world.socket.sent, [{ type: 'question', id: 'q-1', question: 'hi' }]);
});

test('A hole in the numbers asks for the rest, and live events wait for it', () => {
  const world = asking();
  world.socket.give(accepted(1, 'q-1'), delta(3, 'q-1', 1, 'b'));
  assert.deepEqual(world.socket.sent.at(-1), { type: 'resume', epoch: 'e1', after_seq: 1 });
  world.socket.give(delta(4, 'q-1', 2, 'c'));
  assert.equal(world.only.text, '');
  world.socket.give(delta(2, 'q-1', 0, 'a', { replay: true }), delta(4, 'q-1', 1, 'bc', { from_seq: 3, count: 2, replay: true }), resumed(4));
  world.socket.give(delta(5, 'q-1', 3, 'd'));
  assert.equal(world.only.text, 'abcd');
});

test('A socket that cannot fill a hole is left for one without a position', () => {
  const world = asking();
  world.socket.give(accepted(7, 'q-1'));
  for (let i = 0; i < 3; i++) {
    world.socket.give(accepted(7, 'q-1', { replay: true }));
  }
  assert.equal(world.socket.closedWith, 1000);
  world.advance(125);
  assert.equal(world.socket.url.search, '');
});

test('Repeated events change nothing', () => {
  const world = asking();
  world.socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'a'), delta(2, 'q-1', 0, 'a'), delta(2, 'q-1', 0, 'a', { replay: true }));
  assert.equal(world.only.text, 'a');
});

test('A duplicate never moves the position', () => {
  const world = asking();
  world.socket.give(accepted(1, 'q-1'), accepted(1, 'q-1', { duplicate: true }), snapshot('q-1', 'ab', 2), delta(2, 'q-1', 0, 'a'), delta(3, 'q-1', 1, 'b'));
  assert.equal(world.only.text, 'ab');
  assert.equal(world.socket.sent.length, 1);
});

test('A new epoch on an open socket: the snapshot replaces the text of a question that is still open', () => {
  const world = asking();
  world.socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'old'));
  world.socket.give(resumed(3, { recovered: false, reason: 'epoch_changed', epoch: 'e2', open: [{ question_id: 'q-1', state: 'answering', age_ms: 1 }] }));
  world.socket.give(snapshot('q-1', 'new', 1, { epoch: 'e2' }), delta(4, 'q-1', 1, ' text'), done(5, 'q-1', 'new text', 2));
  assert.equal(world.only.text, 'new text');
  assert.equal(world.socket.sent.length, 1);
});

test('The end of a question has the advice to wait, or null', () => {
  for (const [more, expected] of [[{ retry_after_ms: 20000 }, 20000], [{}, null]]) {
    const world = asking();
    world.socket.give(accepted(1, 'q-1'), done(2, 'q-1', '', 0, { status: 'failed', reason: 'responder_unavailable', retryable: true, ...more }));
    assert.equal(world.only.retryAfterMs, expected);
  }
});

test('A snapshot in parts is one text', () => {
  const world = new World();
  world.socket.give(hello({ seq: 9 }), snapshot('q-0', 'ab', 4, { parts: 2 }));
  world.socket.give(snapshot('q-0', 'cd', 4, { part: 2, parts: 2, status: 'completed', question: 'x' }));
  assert.equal(world.only.text, 'abcd');
  assert.equal(world.only.question, 'x');
});

test('A text that its counts contradict is fetched', async () => {
  const world = asking();
  world.answers.set('/v1/sessions/abc/questions/q-1', { question_id: 'q-1', question: 'hi', state: 'completed', status: 'completed', text: 'whole', deltas: 5 });
  world.socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'a'), done(3, 'q-1', 'whole', 5));
  assert.equal(world.only.done, false);
  await world.settled();
  assert.equal(world.only.text, 'whole');
  assert.equal(world.only.done, true);
});

test('A cancel is acknowledged and ends', () => {
  const world = asking();
  world.socket.give(accepted(1, 'q-1'));
  assert.equal(world.client.cancel(), true);
  assert.deepEqual(world.socket.sent.at(-1), { type: 'cancel', question_id: 'q-1' });
  world.socket.give({ type: 'cancelling', question_id: 'q-1' });
  assert.equal(world.only.cancelling, true);
  world.socket.give(done(2, 'q-1', '', 0, { status: 'cancelled', reason: 'by_client' }));
  assert.deepEqual([world.only.cancelling, world.only.status, world.only.reason], [false, 'cancelled', 'by_client']);
});

test('A busy session refuses the question, and only that one', () => {
  const world = asking();
  world.socket.give(accepted(1, 'q-1'));
  world.client.ask('second', { id: 'q-2' });
  world.socket.give({ type: 'error', code: 'session_busy', message: 'Please wait for the previous response', retryable: true, question_id: 'q-2', active_question_id: 'q-1' });
  assert.deepEqual(world.refused, ['session_busy']);
  assert.deepEqual(world.client.questions.map(q => q.id), ['q-1']);
});

test('A question asked elsewhere is followed with its text', () => {
  const world = new World();
  world.socket.give(hello(), accepted(1, 'q-x', { question: 'theirs' }), delta(2, 'q-x', 0, 'a'));
  assert.deepEqual([world.only.question, world.only.mine, world.only.text], ['theirs', false, 'a']);
});

test('An unknown type keeps its place in the numbers', () => {
  const world = asking();
  world.socket.give(accepted(1, 'q-1'), { type: 'part', seq: 2, question_id: 'q-1' }, delta(3, 'q-1', 0, 'a'));
  assert.equal(world.only.text, 'a');
  assert.equal(world.socket.sent.length, 1);
});

test('A ping is answered with its own number', () => {
  const world = asking();
  world.socket.give(accepted(1, 'q-1'), { type: 'ping', seq: 1 });
  assert.deepEqual(world.socket.sent.at(-1), { type: 'pong', seq: 1 });
});

test('A ping ahead of the position asks for what is missing, once', () => {
  const world = asking();
  world.socket.give(accepted(1, 'q-1'), { type: 'ping', seq: 3 }, { type: 'ping', seq: 3 });
  assert.deepEqual(world.socket.sent.slice(1), [
    { type: 'pong', seq: 3 }, { type: 'resume', epoch: 'e1', after_seq: 1 }, { type: 'pong', seq: 3 },
  ]);
});

test('A silent socket is given up after three times the heartbeat', () => {
  const world = new World();
  world.socket.give(hello({ heartbeat_ms: 1000 }));
  world.advance(2999);
  assert.equal(world.client.state.name, 'live');
  world.advance(1);
  assert.deepEqual([world.client.state.name, world.socket.closedWith], ['reconnecting', 1000]);
});

test('A socket that opens and never says hello is given up, too', () => {
  const world = new World();
  world.socket.open();
  world.advance(74_999);
  assert.equal(world.client.state.name, 'connecting');
  world.advance(1);
  assert.equal(world.client.state.name, 'reconnecting');
});

test('Close codes: which mean stop and which mean come back', () => {
  for (const code of [1000, 1003, 1007, 1008, 1009, 4100, 4101, 4104, 4109, 4126, 4199, 4999]) {
    assert.equal(shouldReconnect(code), false, String(code));
  }
  for (const code of [1001, 1002, 1005, 1006, 1011, 1012, 1013, 3000, 4001, 4002, 4003, 4004, 4008, 4029, 4050]) {
    assert.equal(shouldReconnect(code), true, String(code));
  }
  const world = new World();
  world.socket.give(hello());
  world.socket.drop(4104, 'session removed');
  assert.deepEqual([world.client.state.name, world.client.state.code], ['stopped', 4104]);
  world.advance(60_000);
  assert.equal(world.sockets.length, 1);
});

test('The back-off doubles up to its bound, jitters, and never undercuts the advice', () => {
  const bounds = { min: 250, max: 15_000 };
  assert.equal(backOff(0, bounds, 0, () => 0.999), 249);
  assert.equal(backOff(3, bounds, 0, () => 0.5), 1000);
  assert.equal(backOff(50, bounds, 0, () => 0.999), 14_985);
  assert.equal(backOff(0, bounds, 4000, () => 0.5), 4000);
});

test('Ten seconds of an open socket start the back-off again, less do not', () => {
  const world = new World();
  for (let i = 0; i < 4; i++) {
    world.socket.drop();
    world.advance(15_000);
  }
  world.socket.give(hello());
  world.advance(9_999);
  world.socket.drop();
  assert.equal(world.client.retryInMs, 2000);
  world.advance(2000);
  world.socket.give(hello());
  world.advance(10_000);
  world.socket.drop();
  assert.equal(world.client.retryInMs, 125);
});

test('What the server advises just before it closes is waited for, whatever the error was', () => {
  for (const [code, close] of [['connection_limit', 4029], ['session_busy', 4008]]) {
    const world = new World();
    world.socket.give({ type: 'error', code, message: 'full', retryable: true, retry_after_ms: 3000 });
    world.socket.drop(close);
    assert.equal(world.client.retryInMs, 3000);
  }
});

test('Advice is forgotten once another frame came', () => {
  const world = new World();
  world.socket.give(hello(), { type: 'error', code: 'session_busy', message: 'wait', retryable: true, retry_after_ms: 3000 }, { type: 'ping', seq: 0 });
  world.socket.drop();
  assert.equal(world.client.retryInMs, 125);
});

test('A reload shows what was answered before, and goes on with what was not', async () => {
  const world = asking();
  world.socket.give(accepted(1, 'q-1'));
  world.answers.set('/v1/sessions/abc/questions?limit=50', {
    questions: [
      { question_id: 'q-0', question: 'before', state: 'completed', status: 'completed', text: 'then', deltas: 1, total_ms: 3 },
      { question_id: 'q-1', question: 'hi', state: 'answering', text: '', deltas: 0 },
    ],
  });
  world.open('abc');
  world.socket.give(hello({ seq: 3, open: [{ question_id: 'q-1', state: 'accepted', age_ms: 1 }] }), snapshot('q-1', '', 0));
  await world.settled();
  assert.deepEqual(world.client.questions.map(q => [q.id, q.question, q.done]), [['q-0', 'before', true], ['q-1', 'hi', false]]);
  assert.deepEqual(world.socket.sent, []);
});

test('A reload after the answer has ended reads it and does not ask again', async () => {
  const world = asking();
  world.socket.give(accepted(1, 'q-1'));
  world.answers.set('/v1/sessions/abc/questions/q-1', { question_id: 'q-1', question: 'hi', state: 'completed', status: 'completed', text: 'yes', deltas: 1 });
  world.open('abc');
  world.socket.give(hello({ seq: 9 }));
  await world.settled();
  assert.deepEqual(world.socket.sent, []);
  assert.deepEqual([world.only.text, world.only.status], ['yes', 'completed']);
  assert.equal(world.stored.size, 0);
});

test('A reload before the question was accepted sends it again under its id', () => {
  const world = asking();
  world.open('abc');
  world.socket.give(hello());
  assert.deepEqual(world.socket.sent, [{ type: 'question', id: 'q-1', question: 'hi' }]);
});

test('Stop closes in order and stays stopped', () => {
  const world = new World();
  world.socket.give(hello());
  world.client.stop();
  world.advance(60_000);
  assert.deepEqual([world.client.state.name, world.socket.closedWith, world.sockets.length], ['stopped', 1000, 1]);
});
