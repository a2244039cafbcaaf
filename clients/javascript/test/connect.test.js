import assert from 'node:assert/strict';
import test from 'node:test';
import { LostError, RefusedError, SessionError, StoppedError, UnreadableError } from '../src/index.js';
import { ConnectedWorld, accepted, delta, done, hello, read, resumed, snapshot } from './harness.js';

const ONE = '/v1/sessions/abc/questions/q-1';
const busy = { type: 'error', code: 'session_busy', message: 'Please wait', retryable: true, retry_after_ms: 1000, question_id: 'q-2', active_question_id: 'q-1', active_for_ms: 52 };

/** A live session that has asked one question. */
const asking = (options = {}) => {
  const world = new ConnectedWorld('abc');
  world.socket.give(hello());
  world.answer = world.session.ask('hi', { id: 'q-1', ...options });
  return world;
};

const types = updates => updates.map(update => update.type);

test('An answer is a sequence of updates, and a whole', async () => {
  const { socket, answer } = asking();
  socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'grü'), delta(3, 'q-1', 1, 'ß'));
  const updates = read(answer);
  socket.give(delta(4, 'q-1', 2, ' dich'), done(5, 'q-1', 'grüß dich', 3));
  const whole = {
    status: 'completed', reason: null, message: null, retryable: false, retryAfterMs: null, text: 'grüß dich', firstMs: 1, totalMs: 2,
  };
  assert.deepEqual(await updates, [
    { type: 'accepted', position: 0 }, { type: 'text', text: 'grüß dich' }, { type: 'ended', ...whole },
  ]);
  assert.deepEqual(await answer.whole, whole);
  assert.equal(answer.id, 'q-1');
});

test('A question that did not complete is a value, not an error', async () => {
  for (const [status, reason] of [['failed', 'responder_unavailable'], ['cancelled', 'by_client'], ['timeout', 'timeout_idle'], ['incomplete', 'length']]) {
    const { socket, answer } = asking();
    socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'a'), done(3, 'q-1', 'a', 1, { status, reason, message: 'm', retryable: true, retry_after_ms: 20 }));
    const whole = await answer.whole;
    assert.deepEqual([whole.status, whole.reason, whole.message, whole.retryable, whole.retryAfterMs, whole.text], [status, reason, 'm', true, 20, 'a']);
  }
});

test('A reader gets each piece as it arrives, and each reader gets them all', async () => {
  const { socket, answer } = asking();
  const [first, second] = [answer[Symbol.asyncIterator](), answer[Symbol.asyncIterator]()];
  const next = async reader => (await reader.next()).value;
  socket.give(accepted(1, 'q-1'));
  assert.deepEqual(await next(first), { type: 'accepted', position: 0 });
  const waiting = next(first);
  socket.give(delta(2, 'q-1', 0, 'a'));
  assert.deepEqual(await waiting, { type: 'text', text: 'a' });
  socket.give(delta(3, 'q-1', 1, 'b'), done(4, 'q-1', 'ab', 2));
  assert.deepEqual([await next(first), types(await read(first))], [{ type: 'text', text: 'b' }, ['ended']]);
  assert.deepEqual(types(await read(second)), ['accepted', 'text', 'ended']);
});

test('A reader that comes late gets the same text', async () => {
  const { socket, answer } = asking();
  socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'a'), done(3, 'q-1', 'a', 1));
  for (let i = 0; i < 2; i++) {
    const updates = await read(answer);
    assert.deepEqual([types(updates), updates[1].text], [['accepted', 'text', 'ended'], 'a']);
  }
});

test('What is not read is joined, however much arrives', async () => {
  const { socket, answer } = asking();
  const reader = answer[Symbol.asyncIterator]();
  socket.give(accepted(1, 'q-1'), ...Array.from({ length: 5_000 }, (_, i) => delta(i + 2, 'q-1', i, 'x')));
  await reader.next();
  assert.equal((await reader.next()).value.text.length, 5_000);
});

test('Leaving early cancels nothing, and the whole still comes', async () => {
  const { socket, answer } = asking();
  const first = read(answer, 1);
  socket.give(accepted(1, 'q-1'));
  assert.deepEqual(types(await first), ['accepted']);
  socket.give(delta(2, 'q-1', 0, 'a'), done(3, 'q-1', 'a', 1));
  assert.equal((await answer.whole).text, 'a');
  assert.deepEqual(types(socket.sent), ['question']);
});

test('A reader that waits is released when it leaves', async () => {
  const { answer } = asking();
  const reader = answer[Symbol.asyncIterator]();
  const waiting = reader.next();
  await reader.return();
  assert.deepEqual(await waiting, { done: true, value: undefined });
});

test('Text that was withdrawn restarts; the pieces since then are the whole text', async () => {
  const { socket, answer } = asking();
  const reading = read(answer);
  socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'old'));
  await null;
  socket.give(resumed(1, { recovered: false, reason: 'epoch_changed', epoch: 'e2', open: [{ question_id: 'q-1', state: 'recovering' }] }));
  socket.give(snapshot('q-1', 'o', 1, { epoch: 'e2' }), delta(2, 'q-1', 1, 'ther'), done(3, 'q-1', 'other', 2));
  const updates = await reading;
  const pieces = updates.slice(types(updates).lastIndexOf('restarted') + 1, -1);
  assert.deepEqual([pieces.map(piece => piece.text).join(''), updates.at(-1).text], ['other', 'other']);
  assert.ok(types(updates).includes('restarted'));
});

test('A snapshot that continues the text is only the rest of it', async () => {
  const { socket, answer } = asking();
  const reader = answer[Symbol.asyncIterator]();
  socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'one'));
  await reader.next();
  await reader.next();
  socket.give(snapshot('q-1', 'one two', 2));
  assert.deepEqual((await reader.next()).value, { type: 'text', text: ' two' });
});

test('A refused question says why, who is answered, and when to come back', async () => {
  const { socket, session } = asking();
  const answer = session.ask('second', { id: 'q-2' });
  socket.give(accepted(1, 'q-1'), busy);
  const error = await answer.whole.catch(e => e);
  assert.ok(error instanceof RefusedError && error instanceof SessionError);
  assert.deepEqual(
    [error.name, error.code, error.message, error.retryable, error.retryAfterMs, error.activeQuestionId, error.activeForMs],
    ['RefusedError', 'session_busy', 'Please wait', true, 1000, 'q-1', 52]);
  await assert.rejects(read(answer), error);
});

test('A question whose message the server would not take is refused here, and the session goes on', async () => {
  const { session, socket } = new ConnectedWorld('abc');
  const early = session.ask('ü'.repeat(100), { id: 'q-1' });
  const size = Buffer.byteLength(JSON.stringify({ type: 'question', id: 'q-1', question: 'ü'.repeat(100) }));
  socket.give(hello({ limits: { message_bytes: size - 1 } }));
  const error = await early.whole.catch(e => e);
  assert.deepEqual([error.name, error.code, error.retryable], ['RefusedError', 'message_too_large', false]);
  assert.match(error.message, new RegExp(`${size} bytes.*${size - 1}`));
  await assert.rejects(session.ask('ü'.repeat(100), { id: 'q-1' }).whole, { code: 'message_too_large' });
  session.ask('short', { id: 'q-2' });
  assert.deepEqual([session.state, socket.sent.map(frame => frame.id)], ['live', ['q-2']]);
});

test('A refusal that nobody awaits is not an unhandled rejection', async () => {
  const { socket, session } = asking();
  session.ask('second', { id: 'q-2' });
  socket.give(accepted(1, 'q-1'), busy);
  session.close();
  await new Promise(resolve => setImmediate(resolve));
});

test('An error that means come back refuses nothing: the question is asked again', async () => {
  for (const code of ['draining', 'internal', 'connection_limit']) {
    const world = asking();
    world.socket.give({ type: 'error', code, message: 'm', retryable: true, question_id: 'q-1' });
    world.socket.drop(4001);
    world.advance(125);
    world.socket.give(hello({ resuming: true }), resumed(0), accepted(1, 'q-1'), done(2, 'q-1', '', 0));
    assert.equal((await world.answer.whole).status, 'completed');
  }
});

test('A question that the server has forgotten is lost, and not asked again', async () => {
  const world = asking();
  const reading = read(world.answer);
  world.socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'a'), resumed(0, { recovered: false, reason: 'epoch_changed', epoch: 'e2' }));
  await assert.rejects(world.answer.whole, LostError);
  await assert.rejects(reading, { code: 'lost' });
  assert.deepEqual(types(world.socket.sent), ['question']);
  const again = world.session.ask('hi', { id: 'q-1' });
  world.socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'b'), done(3, 'q-1', 'b', 1));
  assert.equal((await again.whole).text, 'b');
});

test('An answer that cannot be read after several tries is unreadable', async () => {
  for (const frames of [[done(2, 'q-1', 'whole', 3)], [resumed(40, { recovered: false, reason: 'trimmed' })]]) {
    const world = asking();
    world.answers.set(ONE, new Error('no network'));
    world.socket.give(accepted(1, 'q-1'), ...frames);
    for (let i = 0; i < 4; i++) {
      await world.settled();
      world.advance(5_000);
    }
    await assert.rejects(world.answer.whole, UnreadableError);
    assert.equal(world.requests.filter(path => path === ONE).length, 4);
  }
});

test('A look-up waits as long as the server advises, and a 404 of something else is not a lost question', async () => {
  const world = asking();
  world.answers.set(ONE, { status: 429, body: { code: 'rate_limited', detail: 'm', retryable: true, retry_after_ms: 30_000 } });
  world.socket.give(accepted(1, 'q-1'), resumed(40, { recovered: false, reason: 'trimmed' }));
  const reads = () => world.requests.filter(path => path === ONE).length;
  await world.settled();
  world.advance(29_999);
  await world.settled();
  assert.equal(reads(), 1);
  world.answers.set(ONE, { status: 404 });
  world.advance(1);
  await world.settled();
  world.answers.set(ONE, { question_id: 'q-1', state: 'completed', status: 'completed', text: 'a', deltas: 1 });
  world.advance(5_000);
  assert.equal((await world.answer.whole).text, 'a');
  world.answers.set(ONE, { status: 404 });
  await assert.rejects(world.session.question('q-1'), { name: 'RefusedError', code: 'http_404' });
});

test('An answer whose counts do not fit is read over HTTP', async () => {
  const world = asking();
  world.answers.set(ONE, { question_id: 'q-1', state: 'completed', status: 'completed', text: 'whole', deltas: 2 });
  world.socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'x'), done(3, 'q-1', 'whole', 2));
  assert.equal((await world.answer.whole).text, 'whole');
});

for (const [close, error, reason, code] of [
  [4101, { code: 'unauthorized', message: 'm', retryable: false }, 'refused', 'unauthorized'],
  [4103, { code: 'forbidden', message: 'm', retryable: false }, 'refused', 'forbidden'],
  [4126, { code: 'unsupported_protocol', message: 'm', retryable: false }, 'refused', 'unsupported_protocol'],
  [1006, { code: 'forbidden', message: 'm', retryable: false }, 'refused', 'forbidden'],
  [4104, null, 'session_removed'], [1003, null, 'protocol'], [1007, null, 'protocol'], [1008, null, 'protocol'],
  [1009, { code: 'message_too_large', message: 'm', retryable: false }, 'protocol', 'message_too_large'], [4100, null, 'protocol'],
  [1000, null, 'ended'], [4109, null, 'ended'], [4999, null, 'ended'],
]) {
  test(`A close with ${close}${code ? ` after ${code}` : ''} stops: ${reason}`, async () => {
    const world = new ConnectedWorld('abc');
    const answer = world.session.ask('hi');
    if (reason !== 'refused') {
      world.socket.give(hello());
    }
    if (error) {
      world.socket.give({ type: 'error', ...error });
    }
    world.socket.drop(close);
    const { message, ...why } = world.session.stopped;
    assert.deepEqual([world.session.state, why], ['stopped', { reason, ...(code && { code }), close }]);
    assert.equal(message === 'm', error !== null);
    const failure = await answer.whole.catch(e => e);
    assert.ok(failure instanceof StoppedError);
    assert.deepEqual([failure.reason, failure.close, failure.code], [reason, close, code ?? 'stopped']);
    world.advance(60_000);
    assert.equal(world.sockets.length, 1);
  });
}

test('A server that sends what is not JSON is not understood', () => {
  const { socket, session } = asking();
  socket.onmessage({ data: new ArrayBuffer(1) });
  assert.equal(session.stopped.reason, 'protocol');
});

test('Closing stops everything that waits, and what follows fails at once', async () => {
  const world = asking();
  const followed = world.session.follow();
  const cancel = assert.rejects(world.session.cancel('q-1'), StoppedError);
  world.session.close();
  world.session.close();
  assert.deepEqual([world.session.state, world.session.stopped.reason, world.socket.closedWith], ['stopped', 'closed', 1000]);
  await cancel;
  await assert.rejects(world.answer.whole, { reason: 'closed' });
  await assert.rejects(read(world.session.ask('late')), StoppedError);
  await assert.rejects(world.session.cancel(), StoppedError);
  assert.deepEqual([await read(followed), await read(world.session.follow())], [[], []]);
});

test('A sequence that is followed throws when the session stops without its caller', async () => {
  const { socket, session } = asking();
  const followed = session.follow();
  socket.drop(4104);
  await assert.rejects(read(followed), { reason: 'session_removed' });
  await assert.rejects(read(session.follow()), { reason: 'session_removed' });
});

test('Following gives all questions from now on, first the text so far of those that are open', async () => {
  const { socket, session } = asking();
  socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'a'));
  const followed = session.follow();
  socket.give(delta(3, 'q-1', 1, 'b'), done(4, 'q-1', 'ab', 2));
  socket.give(accepted(5, 'q-x', { question: 'theirs' }), delta(6, 'q-x', 0, 'c'), done(7, 'q-x', 'c', 1));
  const updates = await read(followed, 6);
  assert.deepEqual(updates.map(u => [u.type, u.id, u.question, u.text]), [
    ['accepted', 'q-1', 'hi', undefined], ['text', 'q-1', 'hi', 'ab'], ['ended', 'q-1', 'hi', 'ab'],
    ['accepted', 'q-x', 'theirs', undefined], ['text', 'q-x', 'theirs', 'c'], ['ended', 'q-x', 'theirs', 'c'],
  ]);
});

test('Following begins with what hello says is open', async () => {
  const { session, socket } = new ConnectedWorld('abc');
  const followed = session.follow();
  socket.give(hello({ seq: 9, open: [{ question_id: 'q-7', state: 'answering' }, { question_id: 'q-8', state: 'queued' }] }));
  socket.give(snapshot('q-7', 'so far', 3, { question: 'theirs' }));
  assert.deepEqual((await read(followed, 3)).map(u => [u.type, u.id, u.position ?? u.text]), [['accepted', 'q-7', 0], ['accepted', 'q-8', 1], ['text', 'q-7', 'so far']]);
});

test('A followed question that is lost says so, and can be asked again by whoever asked it', async () => {
  const world = asking();
  const followed = world.session.follow();
  world.socket.give(accepted(1, 'q-x', { question: 'theirs' }), resumed(0, { recovered: false, reason: 'epoch_changed', epoch: 'e2' }));
  await world.settled();
  world.socket.give(accepted(1, 'q-x', { question: 'theirs' }), done(2, 'q-x', '', 0));
  assert.deepEqual((await read(followed, 4)).map(u => [u.type, u.id]), [['accepted', 'q-x'], ['lost', 'q-x'], ['accepted', 'q-x'], ['ended', 'q-x']]);
});

test('An end that is sent again is not reported again', async () => {
  const { socket, session } = asking();
  const followed = session.follow();
  const end = done(2, 'q-1', '', 0);
  socket.give(accepted(1, 'q-1'), end, { ...end, replay: true }, snapshot('q-1', '', 0, { status: 'completed' }), accepted(3, 'q-2'));
  assert.deepEqual((await read(followed, 3)).map(u => [u.type, u.id]), [['accepted', 'q-1'], ['ended', 'q-1'], ['accepted', 'q-2']]);
});

test('Who follows and does not read is told so, and holds no more memory', async () => {
  const { socket, session } = asking();
  const followed = session.follow();
  for (let i = 0; i < 501; i++) {
    socket.give(accepted(2 * i + 1, `q-${i}`), done(2 * i + 2, `q-${i}`, '', 0));
  }
  await assert.rejects(read(followed), { code: 'reader_too_slow' });
});

test('A cancel is fulfilled when the server takes it, or when the question has ended', async () => {
  for (const frame of [{ type: 'cancelling', question_id: 'q-1' }, done(2, 'q-1', '', 0)]) {
    const { socket, session } = asking();
    socket.give(accepted(1, 'q-1'));
    const cancels = [session.cancel('q-1'), session.cancel()];
    assert.deepEqual(socket.sent.slice(1), Array(2).fill({ type: 'cancel', question_id: 'q-1' }));
    socket.give(frame);
    await Promise.all(cancels);
  }
});

test('A cancel waits for the connection, and is sent again if the connection was lost before its answer', async () => {
  const world = new ConnectedWorld('abc');
  const cancel = world.session.cancel();
  const open = [{ question_id: 'q-7', state: 'answering' }];
  world.socket.give(hello({ open }));
  assert.deepEqual(world.socket.sent, [{ type: 'cancel', question_id: 'q-7' }]);
  world.socket.drop();
  world.advance(125);
  world.socket.give(hello({ resuming: true }));
  assert.deepEqual(world.socket.sent, [{ type: 'cancel', question_id: 'q-7' }]);
  world.socket.give(resumed(0, { open }), { type: 'cancelling', question_id: 'q-7' });
  await cancel;
  assert.equal(world.socket.sent.length, 1);
});

test('A cancel that follows an ask at once is about that question, also before it is sent', async () => {
  const { session, socket } = new ConnectedWorld('abc');
  session.ask('hi', { id: 'q-1' });
  const cancel = session.cancel();
  socket.give(hello());
  assert.deepEqual(socket.sent, [{ type: 'question', id: 'q-1', question: 'hi' }, { type: 'cancel', question_id: 'q-1' }]);
  socket.give(accepted(1, 'q-1'), { type: 'cancelling', question_id: 'q-1' });
  await cancel;
});

test('A cancel without an id is about the question that runs, not about one that was asked earlier and waits', async () => {
  const { session, socket } = new ConnectedWorld('abc');
  session.ask('hi', { id: 'q-1', ifBusy: 'queue' });
  socket.give(hello({ open: [{ question_id: 'q-0', state: 'answering' }] }), accepted(1, 'q-1', { position: 1 }));
  session.cancel().catch(() => {});
  assert.deepEqual([socket.sent.at(-1), session.answer().id], [{ type: 'cancel', question_id: 'q-0' }, 'q-0']);
});

test('A cancel whose question only the server knew never meets another one', async () => {
  const world = asking();
  world.socket.give(accepted(1, 'q-1'), done(2, 'q-1', '', 0));
  const cancel = assert.rejects(world.session.cancel(), { name: 'RefusedError', code: 'no_open_question' });
  world.socket.drop();
  world.advance(125);
  world.socket.give(hello({ resuming: true }), accepted(3, 'q-2', { replay: true }), resumed(3, { open: [{ question_id: 'q-2', state: 'answering' }] }));
  await cancel;
  assert.deepEqual(world.socket.sent, []);
});

test('A cancel of a question that was not accepted before the connection was lost follows that question', () => {
  const world = asking();
  world.socket.drop();
  world.session.cancel('q-1');
  world.advance(125);
  world.socket.give(hello({ resuming: true }));
  assert.deepEqual(world.socket.sent, []);
  world.socket.give(resumed(0));
  assert.deepEqual(types(world.socket.sent), ['question', 'cancel']);
});

test('A refused cancel is reported to its caller alone', async () => {
  const world = asking();
  world.socket.give(accepted(1, 'q-1'), done(2, 'q-1', '', 0));
  const cancels = [world.session.cancel('q-9'), world.session.cancel()];
  assert.deepEqual(world.socket.sent.slice(1), [{ type: 'cancel', question_id: 'q-9' }, { type: 'cancel' }]);
  world.socket.give({ type: 'error', code: 'question_not_found', message: 'm', retryable: false, question_id: 'q-9' });
  world.socket.give({ type: 'error', code: 'no_open_question', message: 'm', retryable: false });
  assert.deepEqual((await Promise.allSettled(cancels)).map(({ reason }) => [reason.name, reason.code]), [
    ['RefusedError', 'question_not_found'], ['RefusedError', 'no_open_question'],
  ]);
  assert.deepEqual(world.problems, []);
});

test('An error that belongs to nothing is a problem', () => {
  const world = asking();
  const limited = { type: 'error', code: 'rate_limited', message: 'm', retryable: true };
  world.socket.give(accepted(1, 'q-1'), limited, { ...limited, code: 'bad_request' });
  assert.deepEqual([world.problems, world.session.state], [['rate_limited', 'bad_request'], 'live']);
});

test('A message that the server did not read, because there were too many, is sent again on another connection, after the advised time', async () => {
  const limited = { type: 'error', code: 'rate_limited', message: 'm', retryable: true, retry_after_ms: 3_000 };
  for (const [before, what, again] of [
    [[], () => {}, ['question']],
    [[accepted(1, 'q-1')], session => session.cancel(), ['cancel']],
    [[accepted(1, 'q-1'), accepted(4, 'q-2')], () => {}, []],
  ]) {
    const world = asking();
    world.socket.give(...before);
    what(world.session)?.catch(() => {});
    world.socket.give(limited);
    assert.deepEqual([world.session.state, world.socket.closedWith, world.problems], ['reconnecting', 1000, []]);
    world.advance(2_999);
    assert.equal(world.sockets.length, 1);
    world.advance(1);
    world.socket.give(hello({ resuming: true }), resumed(1, { open: before.length > 0 ? [{ question_id: 'q-1', state: 'answering' }] : [] }));
    assert.deepEqual([world.session.state, types(world.socket.sent)], ['live', again]);
  }
});

test('The history has records, and an unknown question is null', async () => {
  const world = asking();
  const stored = {
    question_id: 'q-1', question: 'hi', state: 'failed', status: 'failed', reason: 'responder_error', text: 'a', retryable: true,
    asked_at: '2026-01-02T03:04:05+00:00', total_ms: 9,
  };
  const record = {
    id: 'q-1', question: 'hi', text: 'a', askedAt: '2026-01-02T03:04:05+00:00', status: 'failed', reason: 'responder_error', message: null,
    retryable: true, retryAfterMs: null, firstMs: null, totalMs: 9,
  };
  world.answers.set('/v1/sessions/abc/questions?limit=50', { questions: [stored] });
  world.answers.set('/v1/sessions/abc/questions?limit=2', { questions: [] });
  world.answers.set(ONE, stored);
  assert.deepEqual([await world.session.history(), await world.session.history(2)], [[record], []]);
  assert.deepEqual([await world.session.question('q-1'), await world.session.question('q-2')], [record, null]);
  world.answers.set(ONE, { status: 403, body: { code: 'permission_denied', detail: 'No.', retryable: false } });
  await assert.rejects(world.session.question('q-1'), { name: 'RefusedError', code: 'permission_denied', message: 'No.', retryable: false });
});

test('Options and metadata are sent as they were, and half a surrogate pair is replaced', () => {
  const options = { stop: ['a'] };
  const { socket } = asking({ options, metadata: { lang: 'en\ud800' }, ifBusy: 'queue' });
  options.stop.push('b');
  assert.deepEqual(socket.sent, [
    { type: 'question', id: 'q-1', question: 'hi', if_busy: 'queue', options: { stop: ['a'] }, metadata: { lang: 'en\ufffd' } },
  ]);
});

test('Asking with the id of an open question is the same question, and with another text it is a mistake', () => {
  const { session, answer } = asking();
  assert.equal(session.ask('hi', { id: 'q-1' }), answer);
  assert.throws(() => session.ask('other', { id: 'q-1' }), /q-1/);
});

test('Asking with the id of an open question of someone else gives its answer, and sends nothing', async () => {
  const { session, socket } = new ConnectedWorld('abc');
  socket.give(hello(), accepted(1, 'q-7', { question: 'theirs' }), delta(2, 'q-7', 0, 'a'));
  assert.throws(() => session.ask('mine', { id: 'q-7' }), /q-7/);
  const answer = session.ask('theirs', { id: 'q-7' });
  socket.give(delta(3, 'q-7', 1, 'b'), done(4, 'q-7', 'ab', 2));
  assert.deepEqual([(await answer.whole).text, socket.sent], ['ab', []]);
});

test('Asking with the id of an open question whose text is not known compares the texts', async () => {
  const stored = text => ({ question_id: 'q-1', question: text, state: 'queued' });
  for (const [answer, code] of [[stored('hi'), undefined], [stored('theirs'), 'question_conflict'], [{ status: 503 }, 'unreadable']]) {
    const { session, socket, answers, settled } = new ConnectedWorld('abc');
    answers.set(ONE, answer);
    socket.give(hello({ open: [{ question_id: 'q-1', state: 'queued' }] }));
    const { whole } = session.ask('hi', { id: 'q-1' });
    await settled();
    socket.give(delta(1, 'q-1', 0, 'a'), done(2, 'q-1', 'a', 1));
    assert.deepEqual([(await whole.catch(e => e)).code, socket.sent], [code, []]);
  }
});

test('Asking again with the id of a question that has ended gives its answer', async () => {
  const { socket, session } = asking();
  const end = done(3, 'q-1', 'a', 1);
  socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'a'), end);
  const again = session.ask('hi', { id: 'q-1' });
  socket.give(accepted(1, 'q-1', { duplicate: true }), snapshot('q-1', 'a', 1, { ...end, type: 'snapshot' }), { ...end, replay: true });
  assert.deepEqual((await read(again)).map(u => u.text), [undefined, 'a', 'a']);
});

test('Mistakes are reported before anything is sent', () => {
  const { session, socket } = asking();
  for (const id of ['', '.', '..', 'a/b', 'a'.repeat(129), 'ü', null]) {
    assert.throws(() => new ConnectedWorld(id), TypeError);
  }
  const circular = {};
  circular.self = circular;
  for (const mistake of [['', {}], [null, {}], [['a'], {}], ['hi', { id: 'a b' }], ['hi', { id: 'a'.repeat(65) }], ['hi', { options: { f: () => {} } }],
    ['hi', { options: { n: 1n } }], ['hi', { metadata: circular }]]) {
    assert.throws(() => session.ask(...mistake));
  }
  const early = new ConnectedWorld('abc').session;
  for (const options of [{ n: 1n }, circular]) {
    assert.throws(() => early.ask('hi', { id: 'q-9', options }), TypeError);
  }
  assert.equal(socket.sent.length, 1);
  for (const transport of ['carrier pigeon', 'websocket']) {
    assert.throws(() => new ConnectedWorld('abc', { transport, ...(transport === 'websocket' && { WebSocket: null }) }), /transport/);
  }
});

for (const [name, url, options, socket, list] of [
  ['at the root', 'http://host', {}, 'ws://host/ws/a:b', '/v1/sessions/a%3Ab'],
  ['behind a prefix', 'https://host/chat', {}, 'wss://host/chat/ws/a:b', '/chat/v1/sessions/a%3Ab'],
  ['behind a prefix with a slash', 'https://host/chat/', {}, 'wss://host/chat/ws/a:b', '/chat/v1/sessions/a%3Ab'],
  ['given as a socket', 'wss://host', {}, 'wss://host/ws/a:b', '/v1/sessions/a%3Ab'],
  ['with other paths', 'http://host/x', { socketPath: '/rooms/{session}/socket', apiPath: 'api/{session}' }, 'ws://host/x/rooms/a:b/socket', '/x/api/a%3Ab'],
  ['with a query', 'http://host?scope=s.1', {}, 'ws://host/ws/a:b?scope=s.1', '/v1/sessions/a%3Ab', '&scope=s.1'],
]) {
  test(`A server ${name}`, async () => {
    const world = new ConnectedWorld('a:b', { url, ...options });
    assert.equal(world.socket.url.href.replace('%3A', ':'), socket);
    await world.session.history(7);
    const asked = new URL(world.requests.at(-1), 'http://host');
    assert.deepEqual([asked.pathname, asked.searchParams.get('limit'), asked.searchParams.get('scope')], [`${list}/questions`, '7', url.includes('?') ? 's.1' : null]);
  });
}

test('The states of a session: connecting until it is live once, then reconnecting', async () => {
  const world = new ConnectedWorld('abc');
  assert.equal(world.session.state, 'connecting');
  world.socket.drop();
  await world.settled();
  assert.deepEqual([world.states, world.session.hello], [[], null]);
  world.session.retryNow();
  world.socket.give(hello());
  assert.equal(world.session.hello.responder, 'echo');
  world.socket.drop();
  world.advance(250);
  world.socket.give(hello({ resuming: true }), resumed(0));
  world.session.close();
  assert.deepEqual(world.states, ['live', 'reconnecting', 'live', 'stopped']);
});

test('Who hears that a session is live knows what is open, and what is asked there is sent once, after what has waited', () => {
  const { session, socket } = new ConnectedWorld('abc');
  session.ask('first', { id: 'q-1', ifBusy: 'queue' });
  const running = [];
  session.addEventListener('state', () => {
    running.push(session.answer()?.id);
    session.ask('second', { id: 'q-2', ifBusy: 'queue' });
  });
  socket.give(hello({ open: [{ question_id: 'q-0', state: 'answering' }] }));
  assert.deepEqual([running, socket.sent.map(frame => frame.id)], [['q-0'], ['q-1', 'q-2']]);
});

test('A token can be a text, and one that expires without another one stops', async () => {
  const world = new ConnectedWorld('abc', { token: 'secret' });
  await world.settled();
  assert.equal(Buffer.from(world.socket.protocols[1].slice('bearer.'.length), 'base64url').toString(), 'secret');
  world.socket.give(hello(), { type: 'error', code: 'token_expired', message: 'Expired.', retryable: false });
  world.socket.drop(4005);
  await world.settled();
  assert.deepEqual(world.session.stopped, { reason: 'token_expired', code: 'token_expired', close: 4005, message: 'Expired.' });
});

test('A token that has expired before a socket can say so is replaced if there is another one', async () => {
  for (const [tokens, state] of [[['old', 'old', 'fresh'], 'connecting'], [['old', 'old', 'old'], 'stopped']]) {
    const world = new ConnectedWorld('abc', { token: () => tokens.length > 1 ? tokens.shift() : tokens[0] });
    world.answers.set('POST /v1/sessions/abc/questions', { status: 401, body: { code: 'token_expired', detail: 'Expired.', retryable: false } });
    await world.settled();
    world.socket.drop();
    await world.settled();
    assert.deepEqual([world.session.state, world.session.stopped?.reason], [state, state === 'stopped' ? 'token_expired' : undefined]);
    world.session.close();
  }
});

test('A session that is closed while its token is being replaced stays closed', async () => {
  const tokens = ['old', 'old'];
  let give;
  const world = new ConnectedWorld('abc', { token: () => tokens.shift() ?? new Promise(resolve => { give = resolve; }) });
  world.answers.set('POST /v1/sessions/abc/questions', { status: 401, body: { code: 'token_expired', detail: 'Expired.', retryable: false } });
  await world.settled();
  world.socket.drop();
  await world.settled();
  world.session.close();
  give('old');
  await world.settled();
  assert.deepEqual([world.session.stopped.reason, world.states], ['closed', ['stopped']]);
});

test('An error about a question does not explain a close that follows it, unless the client went on with what was refused', () => {
  for (const [code, close, why] of [['session_busy', 4104, undefined], ['session_busy', 4109, undefined], ['bad_request', 4100, 'bad_request']]) {
    const { socket, session } = asking();
    socket.give({ ...busy, code });
    socket.drop(close);
    assert.deepEqual([session.stopped.close, session.stopped.code], [close, why]);
  }
});

test('A socket that cannot even be created is a lost connection, with a token and without one', async () => {
  for (const token of [undefined, 'secret']) {
    let attempts = 0;
    const world = new ConnectedWorld('abc', { token, WebSocket: class { constructor() { attempts++; throw new Error('Insecure.'); } } });
    await world.settled();
    world.advance(125);
    await world.settled();
    assert.deepEqual([attempts, world.session.state], [2, 'connecting']);
    world.session.close();
  }
});

test('An open question has an answer, whoever asked it, and nothing is asked for it', async () => {
  const world = new ConnectedWorld('abc');
  assert.equal(world.session.answer(), null);
  world.socket.give(hello({ seq: 3, open: [{ question_id: 'q-7', state: 'answering' }, { question_id: 'q-8', state: 'queued' }] }), snapshot('q-7', 'ab', 2));
  const answer = world.session.answer();
  assert.deepEqual([answer.id, world.session.answer('q-7') === answer, world.session.answer('q-8').id], ['q-7', true, 'q-8']);
  const reading = read(answer);
  world.socket.give(delta(4, 'q-7', 2, 'c'), done(5, 'q-7', 'abc', 3));
  assert.deepEqual([types(await reading), (await answer.whole).text], [['accepted', 'text', 'ended'], 'abc']);
  assert.deepEqual([world.session.answer('q-7'), world.session.answer('q-9'), world.session.answer().id], [null, null, 'q-8']);
  world.session.close();
  await assert.rejects(world.session.answer().whole, { reason: 'closed' });
  assert.deepEqual(world.socket.sent, []);
});
