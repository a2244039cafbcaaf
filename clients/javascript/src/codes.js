// The codes that decide what a client does next: docs/protocol.md, sections 7 and 8.

export const CONNECTION_LOST = 1006;
export const INVALID_PAYLOAD = 1007;
export const MISSED_HEARTBEAT = 4003;
export const TOKEN_EXPIRED = 4005;
/** The client goes on with what was refused before. */
export const REFUSED_AGAIN = 4100;
export const UNAUTHORIZED = 4101;
export const SESSION_REMOVED = 4104;

const PROTOCOL_CODES = new Set([1003, INVALID_PAYLOAD, 1008, 1009, REFUSED_AGAIN]);
const REFUSING_CODES = new Set([UNAUTHORIZED, 4103, 4126]);

/** True if a socket that was closed with this code should be opened again. */
export const shouldReconnect = code => code !== 1000 && code < 4100 && !PROTOCOL_CODES.has(code);

/** Why a session stops at a close code that means stop. */
export const reasonOf = code =>
  REFUSING_CODES.has(code) ? 'refused' : code === SESSION_REMOVED ? 'session_removed' : PROTOCOL_CODES.has(code) ? 'protocol' : 'ended';

/** Errors after which the server closes the socket temporarily: the question is asked again on the next socket. */
export const COMES_BACK = new Set(['draining', 'internal', 'connection_limit', 'token_expired']);
