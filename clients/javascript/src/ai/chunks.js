// An answer as the chunks of a message stream.

import { FailedError, WithdrawnError } from './errors.js';
import { answerIdOf } from './ids.js';

export const metadataOf = (questionId, { status, reason = null, message = null, retryable = false, retryAfterMs = null, firstMs = null, totalMs = null }) =>
  ({ questionId, status, reason, message, retryable, retryAfterMs, firstMs, totalMs });

const FINISH_REASONS = { length: 'length', answer_too_large: 'length' };

const finishReasonOf = ({ status, reason }) => status === 'completed' ? 'stop' : FINISH_REASONS[reason] ?? 'other';

/**
 * The text that a stream has shown. A chunk can only append, so text that was withdrawn stays there. Usually the text that comes instead repeats it and
 * goes on: then nothing is sent until there is more.
 */
class Shown {
  #shown = '';
  #again = null;     // the text since it was withdrawn, while it is not known to go on from what was shown

  restart() {
    this.#again = '';
  }

  /** Returns what is to be appended, and throws if the text has become another one. */
  append(piece) {
    if (this.#again === null) {
      this.#shown += piece;
      return piece;
    }
    this.#again += piece;
    const shown = this.#shown;
    const goesOn = this.#again.length >= shown.length;
    if (!(goesOn ? this.#again.startsWith(shown) : shown.startsWith(this.#again))) {
      throw new WithdrawnError();
    }
    if (!goesOn) {
      return '';
    }
    this.#shown = this.#again;
    this.#again = null;
    return this.#shown.slice(shown.length);
  }

  /** Throws if less came than what was shown. */
  end() {
    if (this.#again !== null && this.#again !== this.#shown) {
      throw new WithdrawnError();
    }
  }
}

/** @param updates a `Reading`; the id of its question is known with the first update */
export async function* chunksOf(updates) {
  const shown = new Shown();
  let part = null;
  const endPart = function* () {
    if (part !== null) {
      yield { type: 'text-end', id: part };
      part = null;
    }
  };
  try {
    for await (const update of updates) {
      const { id } = updates;
      switch (update.type) {
        case 'accepted':
          yield { type: 'start', messageId: answerIdOf(id), messageMetadata: metadataOf(id, { status: update.position > 0 ? 'queued' : 'accepted' }) };
          break;
        case 'restarted':
          shown.restart();
          break;
        case 'text': {
          const delta = shown.append(update.text);
          if (delta !== '') {
            if (part === null) {
              part = id;
              yield { type: 'text-start', id };
            }
            yield { type: 'text-delta', id, delta };
          }
          break;
        }
        case 'ended':
          shown.end();
          yield* endPart();
          yield* endOf(id, update);
      }
    }
  } catch (error) {
    if (error instanceof WithdrawnError) {
      updates.withdraw();
    }
    yield* endPart();
    throw error;
  }
}

function* endOf(id, end) {
  const messageMetadata = metadataOf(id, end);
  switch (end.status) {
    case 'completed': case 'incomplete':
      yield { type: 'finish', finishReason: finishReasonOf(end), messageMetadata };
      return;
    case 'cancelled':
      yield { type: 'message-metadata', messageMetadata };
      yield { type: 'abort', reason: end.reason };
      return;
    default:
      yield { type: 'message-metadata', messageMetadata };
      throw new FailedError(end);
  }
}

/** Each chunk is made when it is read, so that an error comes after all chunks before it. */
export const streamOf = updates => {
  const chunks = chunksOf(updates);
  return new ReadableStream({
    pull: async controller => {
      const { done, value } = await chunks.next();
      if (done) {
        controller.close();
      } else {
        controller.enqueue(value);
      }
    },
    // Whoever leaves stops nothing.
    cancel: () => updates.return(),
  });
};
