// A client's position in the log of its session: docs/protocol.md, section 12, "Position".

export class Position {
  /** The epoch of the log; null before the first `hello`. */
  epoch = null;

  /** The number of the last event that was applied. */
  last = 0;

  /** As part of an address: the position to resume from, if there is one. */
  get query() {
    return this.epoch === null ? {} : { epoch: this.epoch, after: this.last };
  }

  moveTo(epoch, seq) {
    this.epoch = epoch;
    this.last = seq;
  }

  /** Decides what to do with a numbered frame: 'apply', 'ignore' or 'rewind'. Moves the position if the frame is the next one. */
  judge(frame, isReplaying) {
    if (isReplaying && !frame.replay) {
      return 'ignore';
    }
    if (frame.type === 'accepted' && frame.duplicate) {
      return 'apply';
    }
    if (frame.seq <= this.last) {
      return frame.replay ? 'apply' : 'ignore';
    }
    if ((frame.from_seq ?? frame.seq) === this.last + 1) {
      this.last = frame.seq;
      return 'apply';
    }
    // A replayed frame outside a replay belongs to a question that was asked again.
    return frame.replay && !isReplaying ? 'apply' : 'rewind';
  }
}
