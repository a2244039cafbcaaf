export { connect } from './session.js';
export { LostError, RefusedError, SessionError, StoppedError, UnreadableError } from './errors.js';
