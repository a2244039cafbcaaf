// Compiled by `npm run types`, never run: what a component writes.

import { RefusedError } from 'orleans-sessions';
import { type LiveSession, type Question, useSession } from 'orleans-sessions/react';

export const Chat = (): string => {
  const live: LiveSession = useSession('https://chat.example', 'my-session', { token: async () => 'secret', limit: 20, transport: 'events' });
  useSession(new URL('https://chat.example'), 'my-session');
  const last: Question | undefined = live.questions.at(-1);
  void live.ask('hi', { id: 'q-1', ifBusy: 'replace' }).whole.then(whole => whole.text);
  void live.cancel(last?.id).then(() => live.retryNow());
  live.dismiss('q-1');
  if (last?.error instanceof RefusedError) {
    console.log(last.error.retryAfterMs, last.status === 'refused');
  }
  // @ts-expect-error A value that React has rendered is not changed.
  live.questions.push(last);
  // @ts-expect-error
  if (last) last.text = '';
  // @ts-expect-error The limit is a number.
  useSession('https://chat.example', 'my-session', { limit: '20' });
  return [live.state, live.stopped?.reason, live.busy, live.isLoaded, live.hello?.responder, live.problem?.message, last?.question, last?.text].join();
};
