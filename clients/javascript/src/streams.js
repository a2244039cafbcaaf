// Event streams, loaded when they are needed: most clients never are without sockets.

import { errorOf } from './api.js';
import { COMES_BACK, CONNECTION_LOST, INVALID_PAYLOAD, SESSION_REMOVED } from './codes.js';

/** As `openSocket`. Code that cannot be loaded now is a lost connection, and is asked for again by the next link. */
export const openEvents = (_, ...where) => (token, owner) => {
  let wire = null;
  let isClosed = false;
  import('./events.js').then(events => {
    if (!isClosed) {
      wire = events.openEvents({ COMES_BACK, CONNECTION_LOST, INVALID_PAYLOAD, SESSION_REMOVED, errorOf }, ...where)(token, owner);
    }
  }, error => owner.closed(CONNECTION_LOST, error.message));
  return {
    send: message => wire?.send(message) ?? false,
    close: () => {
      isClosed = true;
      wire?.close();
    },
  };
};
