// Compiled by `npm run types`, never run: what a chat of the AI SDK writes.

import { type ChatTransport, type UIMessage } from 'ai';
import { connect } from 'orleans-sessions';
import {
  type AnswerMetadata, type SessionMessage, FailedError, SessionChatTransport, WithdrawnError, messagesOf,
} from 'orleans-sessions/ai';

const transport = new SessionChatTransport('https://chat.example', {
  token: () => 'secret', ifBusy: 'queue', maxConnections: 2, onProblem: error => console.warn(error.code),
});
export const typed: ChatTransport<SessionMessage> = transport;
export const untyped: ChatTransport<UIMessage> = new SessionChatTransport<UIMessage>('https://chat.example');
// @ts-expect-error
new SessionChatTransport('https://chat.example', { maxConnections: 'many' });

export const load = async (): Promise<SessionMessage[]> => {
  const session = connect('https://chat.example', 'my-session');
  const messages: SessionMessage[] = messagesOf(await session.history());
  const metadata: AnswerMetadata | undefined = messages[0]?.metadata;
  console.log(metadata?.questionId, metadata?.status === 'completed', metadata?.retryAfterMs?.toFixed());
  transport.close();
  return transport.messages('my-chat', 20);
};

export const explain = (error: unknown): string =>
  error instanceof FailedError ? `${error.status} ${error.code} ${error.retryAfterMs}` : error instanceof WithdrawnError ? error.code : String(error);
