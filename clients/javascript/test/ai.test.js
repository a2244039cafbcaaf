import assert from 'node:assert/strict';
import test from 'node:test';
import { FailedError, LostError, RefusedError, StoppedError, WithdrawnError, messagesOf } from '../src/ai.js';
import { ChatWorld, collect, user } from './chats.js';
import { accepted, delta, done, hello, resumed, snapshot } from './harness.js';

const ANSWER = 'm-1.answer';

const types = chunks => chunks.map(chunk => chunk.type);
const textOf = chunks => chunks.filter(chunk => chunk.type === 'text-delta').map(chunk => chunk.delta).join('');

const asking = async (...args) => {
  const world = new ChatWorld('abc');
  const reading = world.ask(...args);
  await world.settled();
  world.socket.give(hello());
  await world.settled();
  return Object.assign(world, { reading });
};

test('An answer is a message: its start, its text, its end, and how it ended', async () => {
  const { socket, reading } = await asking('hi', { body: { model: 'small' }, metadata: { lang: 'en' } });
  assert.deepEqual(socket.sent, [{ type: 'question', id: 'm-1', question: 'hi', options: { model: 'small' }, metadata: { lang: 'en' } }]);
  socket.give(accepted(1, 'm-1'), delta(2, 'm-1', 0, 'on'), delta(3, 'm-1', 1, 'e'), done(4, 'm-1', 'one', 2));
  const { chunks, error } = await reading;
  assert.equal(error, null);
  const [start, end] = [chunks[0], chunks.at(-1)];
  const { questionId, status } = start.messageMetadata;
  assert.deepEqual([start.type, start.messageId, questionId, status], ['start', ANSWER, 'm-1', 'accepted']);
  assert.deepEqual(chunks.slice(1, -1).map(chunk => [chunk.type, chunk.id]), [['text-start', 'm-1'], ['text-delta', 'm-1'], ['text-end', 'm-1']]);
  assert.deepEqual([textOf(chunks), end.type, end.finishReason], ['one', 'finish', 'stop']);
  assert.deepEqual([end.messageMetadata.status, end.messageMetadata.totalMs], ['completed', 2]);
});

for (const [reason, finishReason] of [['length', 'length'], ['answer_too_large', 'length'], ['custom', 'other']]) {
  test(`An answer that is incomplete because of ${reason} finishes with ${finishReason}`, async () => {
    const { socket, reading } = await asking();
    socket.give(accepted(1, 'm-1'), done(2, 'm-1', '', 0, { status: 'incomplete', reason }));
    const { chunks } = await reading;
    assert.deepEqual([types(chunks), chunks[1].finishReason], [['start', 'finish'], finishReason]);
  });
}

for (const status of ['failed', 'timeout']) {
  test(`An answer that ends as ${status} is an error with its reason, after the text that there is`, async () => {
    const { socket, reading } = await asking();
    const why = { status, reason: 'responder_unavailable', message: 'The model is overloaded.', retryable: true, retry_after_ms: 20000 };
    socket.give(accepted(1, 'm-1'), delta(2, 'm-1', 0, 'a'), done(3, 'm-1', 'a', 1, why));
    const { chunks, error } = await reading;
    assert.deepEqual([types(chunks), textOf(chunks)], [['start', 'text-start', 'text-delta', 'text-end', 'message-metadata'], 'a']);
    assert.ok(error instanceof FailedError);
    assert.deepEqual(
      [error.code, error.message, error.status, error.retryable, error.retryAfterMs],
      ['responder_unavailable', 'The model is overloaded.', status, true, 20000]);
  });
}

test('A refused question is an error with the code of the refusal, and no message', async () => {
  const { socket, reading } = await asking();
  socket.give({ type: 'error', code: 'session_busy', message: 'Please wait', retryable: true, question_id: 'm-1', active_question_id: 'q-9' });
  const { chunks, error } = await reading;
  assert.ok(error instanceof RefusedError);
  assert.deepEqual([chunks, error.code, error.message, error.activeQuestionId], [[], 'session_busy', 'Please wait', 'q-9']);
});

test('A question that is lost, and a session that stops, are errors', async () => {
  const first = await asking();
  first.socket.give(accepted(1, 'm-1'), resumed(0, { recovered: false, reason: 'epoch_changed', epoch: 'e2' }));
  assert.ok((await first.reading).error instanceof LostError);
  const second = await asking();
  second.socket.drop(4104);
  const { error } = await second.reading;
  assert.ok(error instanceof StoppedError);
  assert.equal(error.reason, 'session_removed');
});

test('A message that is sent again is not asked twice', async () => {
  const world = await asking();
  world.socket.give(accepted(1, 'm-1'), delta(2, 'm-1', 0, 'a'));
  const second = await world.send('hi');
  world.socket.give(done(3, 'm-1', 'a', 1));
  assert.deepEqual([textOf((await world.reading).chunks), textOf((await collect(second)).chunks)], ['a', 'a']);
  const third = world.send('hi');
  await world.settled();
  assert.deepEqual(world.socket.sent.map(frame => frame.id), ['m-1', 'm-1']);
  world.socket.give(accepted(1, 'm-1', { duplicate: true }), snapshot('m-1', 'a', 1, { status: 'completed' }));
  assert.deepEqual(textOf((await collect(await third)).chunks), 'a');
});

test('A message that was edited is another question, always the same one', async () => {
  const world = await asking();
  world.socket.give(accepted(1, 'm-1'), done(2, 'm-1', '', 0));
  await world.reading;
  const ids = [];
  for (let i = 0; i < 2; i++) {
    const edited = world.ask('hello');
    await world.settled();
    world.socket.give({ type: 'error', code: 'question_conflict', message: 'm', retryable: false, question_id: 'm-1' });
    await world.settled();
    const { id, question } = world.socket.sent.at(-1);
    world.socket.give(accepted(3 + i * 2, id), done(4 + i * 2, id, '', 0));
    const { chunks } = await edited;
    assert.deepEqual([question, chunks[0].messageId, chunks[0].messageMetadata.questionId], ['hello', `${id}.answer`, id]);
    ids.push(id);
  }
  assert.match(ids[0], /^m-1\.[0-9a-f]{16}$/);
  assert.equal(ids[0], ids[1]);
});

test('A message that is edited while it is open is another question at once', async () => {
  const world = await asking();
  world.socket.give(accepted(1, 'm-1'));
  await world.send('hello');
  assert.deepEqual(world.socket.sent.map(frame => frame.question), ['hi', 'hello']);
  assert.notEqual(world.socket.sent[1].id, 'm-1');
});

test('Another answer to a message is another question each time', async () => {
  const world = await asking();
  world.socket.give(accepted(1, 'm-1'), done(2, 'm-1', '', 0));
  await world.send('hi', { trigger: 'regenerate-message' });
  await world.send('hi', { trigger: 'regenerate-message' });
  assert.deepEqual([new Set(world.socket.sent.map(frame => frame.id)).size, world.socket.sent[2].question], [3, 'hi']);
});

test('A message whose id is not one of a question is asked under one that follows from it', async () => {
  const { socket } = await asking('hi', { id: 'no spaces' });
  const again = await asking('hi', { id: 'no spaces' });
  assert.match(socket.sent[0].id, /^m-[0-9a-f]{16}$/);
  assert.equal(socket.sent[0].id, again.socket.sent[0].id);
});

test('What cannot be asked is a TypeError that says why', async () => {
  const { transport } = new ChatWorld('abc');
  const send = (message, more) => transport.sendMessages({ trigger: 'submit-message', chatId: 'abc', messages: [message], ...more });
  await assert.rejects(send({ id: 'a', role: 'assistant', parts: [] }), /not one of the user/);
  await assert.rejects(send({ id: 'a', role: 'user', parts: [{ type: 'file', url: 'data:,' }] }), /part of the type 'file'/);
  await assert.rejects(send(user('')), /not empty/);
  await assert.rejects(send(user('hi'), { headers: { Authorization: 'x' } }), /option 'token'/);
  await assert.rejects(send(user('hi'), { chatId: 'no spaces' }), /session id/);
});

test('A stop cancels on the server, and the stream ends when it has ended', async () => {
  const stop = new AbortController();
  const { socket, reading, reported } = await asking('hi', { abortSignal: stop.signal });
  socket.give(accepted(1, 'm-1'), delta(2, 'm-1', 0, 'a'));
  stop.abort();
  assert.deepEqual(socket.sent.at(-1), { type: 'cancel', question_id: 'm-1' });
  socket.give({ type: 'cancelling', question_id: 'm-1' }, done(3, 'm-1', 'a', 1, { status: 'cancelled', reason: 'by_client' }));
  const { chunks, error } = await reading;
  assert.deepEqual([types(chunks).slice(-3), chunks.at(-1).reason, error], [['text-end', 'message-metadata', 'abort'], 'by_client', null]);
  assert.deepEqual([chunks.at(-2).messageMetadata.status, reported], ['cancelled', []]);
});

test('A stop after the end cancels nothing', async () => {
  const stop = new AbortController();
  const world = await asking('hi', { abortSignal: stop.signal });
  world.socket.give(accepted(1, 'm-1'), done(2, 'm-1', '', 0));
  await world.reading;
  stop.abort();
  await world.settled();
  assert.deepEqual(world.socket.sent.map(frame => frame.type), ['question']);
});

test('The next message waits until the stopped question has ended', async () => {
  const stop = new AbortController();
  const world = await asking('hi', { abortSignal: stop.signal });
  world.socket.give(accepted(1, 'm-1'));
  stop.abort();
  const next = world.send('next', { id: 'm-2' });
  world.socket.give({ type: 'cancelling', question_id: 'm-1' });
  await world.settled();
  assert.deepEqual(world.socket.sent.map(frame => frame.type), ['question', 'cancel']);
  const given = new AbortController();
  const abandoned = world.send('never', { id: 'm-3', abortSignal: given.signal });
  given.abort();
  await assert.rejects(abandoned, { name: 'AbortError' });
  world.socket.give(done(2, 'm-1', '', 0, { status: 'cancelled' }));
  await next;
  assert.deepEqual(world.socket.sent.map(frame => frame.id), ['m-1', undefined, 'm-2']);
});

test('A stop that is refused is reported', async () => {
  const stop = new AbortController();
  const world = await asking('hi', { abortSignal: stop.signal });
  world.socket.give(accepted(1, 'm-1'));
  stop.abort();
  world.socket.give({ type: 'error', code: 'rate_limited', message: 'm', retryable: true, question_id: 'm-1' });
  await world.settled();
  assert.deepEqual(world.reported, ['rate_limited']);
});

test('Whoever stops reading a stream stops nothing', async () => {
  const world = new ChatWorld('abc');
  const stream = await world.send();
  await world.settled();
  world.socket.give(hello(), accepted(1, 'm-1'));
  const reader = stream.getReader();
  await reader.read();
  await reader.cancel();
  assert.deepEqual(world.socket.sent.map(frame => frame.type), ['question']);
});

test('A page that is loaded again reads on in the running answer, from its beginning', async () => {
  const world = new ChatWorld('abc');
  const resuming = world.resume();
  await world.settled();
  world.socket.give(hello({ seq: 3, open: [{ question_id: 'm-1', state: 'answering' }] }), snapshot('m-1', 'one', 1));
  const reading = collect(await resuming);
  world.socket.give(delta(4, 'm-1', 1, ' two'), done(5, 'm-1', 'one two', 2));
  const { chunks } = await reading;
  assert.deepEqual([chunks[0].messageId, textOf(chunks), chunks.at(-1).type], [ANSWER, 'one two', 'finish']);
  assert.deepEqual([world.socket.sent, world.requests], [[], []]);
  assert.equal(await world.resume(), null);
});

test('A page that is loaded again when nothing runs has nothing to read on', async () => {
  const world = new ChatWorld('abc');
  const resuming = world.resume();
  await world.settled();
  world.socket.give(hello());
  assert.equal(await resuming, null);
});

test('Reading on fails if the session stops first, and ends if it is aborted first', async () => {
  const world = new ChatWorld('abc');
  const stop = new AbortController();
  const aborted = assert.rejects(world.resume({ abortSignal: stop.signal }), { name: 'AbortError' });
  stop.abort();
  await aborted;
  const stopped = assert.rejects(world.resume(), { reason: 'session_removed' });
  await world.settled();
  world.socket.drop(4104);
  await stopped;
  const again = world.resume();
  await world.settled();
  world.socket.give(hello());
  assert.deepEqual([await again, world.sockets.length], [null, 2]);
});

test('A stream that is resumed stops its question, but not if the chat resumes again', async () => {
  const world = new ChatWorld('abc');
  const [first, second] = [new AbortController(), new AbortController()];
  const resuming = world.resume({ abortSignal: first.signal });
  await world.settled();
  world.socket.give(hello({ seq: 3, open: [{ question_id: 'm-1', state: 'answering' }] }));
  const stream = await resuming;
  first.abort();
  const again = world.resume({ abortSignal: second.signal });
  await stream.cancel();
  await again;
  await world.settled();
  assert.deepEqual(world.socket.sent, []);
  second.abort();
  await (await again).cancel();
  await world.settled();
  assert.deepEqual(world.socket.sent, [{ type: 'cancel', question_id: 'm-1' }]);
});

test('Text that was withdrawn and comes again is not shown twice', async () => {
  const world = await asking();
  const { socket, reading } = world;
  socket.give(accepted(1, 'm-1'), delta(2, 'm-1', 0, 'one two'));
  await world.settled();
  socket.give(snapshot('m-1', 'one', 1), delta(3, 'm-1', 1, ' t'), delta(4, 'm-1', 2, 'wo three'), done(5, 'm-1', 'one two three', 3));
  const { chunks, error } = await reading;
  assert.deepEqual([textOf(chunks), error, types(chunks).filter(type => type === 'text-start').length], ['one two three', null, 1]);
});

for (const [name, text, deltas] of [['another text', 'one TWO', 2], ['less text', 'one', 1]]) {
  test(`Withdrawn text that is replaced by ${name} is an error, and resuming shows what counts`, async () => {
    const world = await asking();
    const { socket, reading } = world;
    socket.give(accepted(1, 'm-1'), delta(2, 'm-1', 0, 'one two'));
    await world.settled();
    socket.give(snapshot('m-1', 'one', 1));
    if (deltas === 2) {
      socket.give(delta(3, 'm-1', 1, ' TWO'));
    }
    const end = done(4, 'm-1', text, deltas);
    if (deltas === 1) {
      socket.give({ ...end, seq: 3 });
    }
    const { chunks, error } = await reading;
    assert.ok(error instanceof WithdrawnError);
    assert.deepEqual([error.code, types(chunks).at(-1)], ['withdrawn', 'text-end']);
    world.answers.set('/v1/sessions/abc/questions/m-1', { question_id: 'm-1', question: 'hi', state: 'completed', status: 'completed', text, deltas });
    const resumedStream = collect(await world.resume());
    if (deltas === 2) {
      socket.give(end);
    }
    const again = await resumedStream;
    assert.deepEqual([again.chunks[0].messageId, textOf(again.chunks), again.error], [ANSWER, text, null]);
  });
}

test('Stopping a stream that was read from the history breaks nothing', async () => {
  const world = await asking();
  const { socket, reading } = world;
  socket.give(accepted(1, 'm-1'), delta(2, 'm-1', 0, 'one two'));
  await world.settled();
  socket.give(snapshot('m-1', 'other', 1), done(3, 'm-1', 'other', 1));
  assert.equal((await reading).error.code, 'withdrawn');
  world.answers.set('/v1/sessions/abc/questions/m-1', { question_id: 'm-1', question: 'hi', state: 'completed', status: 'completed', text: 'other' });
  const aborter = new AbortController();
  await world.resume({ abortSignal: aborter.signal });
  aborter.abort();
  await world.settled();
  assert.deepEqual(socket.sent.at(-1), { type: 'cancel', question_id: 'm-1' });
  socket.give({ type: 'cancelling', question_id: 'm-1' });
  await world.settled();
  const next = world.ask('next', { id: 'm-2' });
  await world.settled();
  socket.give(accepted(4, 'm-2'), done(5, 'm-2', '', 0));
  assert.deepEqual([(await next).error, world.reported], [null, []]);
});

test('An edited message whose id is open, asked by someone else, is another question', async () => {
  const world = new ChatWorld('abc');
  const history = world.transport.messages('abc');
  await world.settled();
  world.socket.give(hello(), accepted(1, 'm-1', { question: 'hi' }));
  await history.catch(() => {});
  await world.send('hello');
  assert.notEqual(world.socket.sent.at(-1).id, 'm-1');
});

test('The history is messages, and the last one can be running', () => {
  const record = (id, status, text) => ({ id, question: `${id}?`, status, text, askedAt: '2026-01-02T03:04:05+00:00' });
  const roles = records => messagesOf(records)
    .map(({ id, role, parts, metadata }) => [id, role, parts.map(part => [part.text, part.state]), metadata?.status]);
  assert.deepEqual(roles([record('a', 'completed', 'x'), record('b', 'failed', ''), record('c', 'answering', 'y')]), [
    ['a', 'user', [['a?', undefined]], undefined], ['a.answer', 'assistant', [['x', 'done']], 'completed'],
    ['b', 'user', [['b?', undefined]], undefined], ['b.answer', 'assistant', [], 'failed'],
    ['c', 'user', [['c?', undefined]], undefined], ['c.answer', 'assistant', [['y', 'streaming']], 'answering'],
  ]);
  assert.deepEqual(roles([record('d', 'accepted', '')]), [['d', 'user', [['d?', undefined]], undefined]]);
});

test('The messages of a chat are those of its session', async () => {
  const stored = { question_id: 'a', question: 'q', state: 'completed', status: 'completed', text: 'x' };
  const world = new ChatWorld('abc', { answers: [['/v1/sessions/abc/questions?limit=2', { questions: [stored] }]] });
  assert.deepEqual((await world.transport.messages('abc', 2)).map(message => message.id), ['a', 'a.answer']);
});

test('Connections are kept, but not more than allowed, and none that is in use is closed', async () => {
  const world = new ChatWorld('abc');
  world.reopen({ maxConnections: 2 });
  const streams = [];
  for (const chatId of ['a', 'b', 'c']) {
    streams.push(await world.send('hi', { chatId }));
    await world.settled();
    world.socket.give(hello());
  }
  assert.deepEqual(world.sockets.map(socket => socket.closedWith), [null, null, null]);
  await world.settled();
  world.sockets[1].give(accepted(1, 'm-1'), done(2, 'm-1', '', 0));
  await collect(streams[1]);
  await world.settled();
  assert.deepEqual(world.sockets.map(socket => socket.closedWith), [null, 1000, null]);
  await streams[0].cancel();
  await world.send('hi', { chatId: 'd' });
  await world.settled();
  assert.deepEqual(world.sockets.map(socket => socket.closedWith), [1000, 1000, null, null]);
  world.transport.close();
  assert.deepEqual(world.sockets.map(socket => socket.closedWith), [1000, 1000, 1000, 1000]);
});
