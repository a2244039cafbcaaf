// A client's place in the numbered log of its session: docs/protocol.md, section 12, "Position".

export class Position {
  /** The life of the log; null before the first `hello`. */
  epoch = null;

  /** The last number that was taken. */
  last = 0;

  moveTo(epoch, seq) {
    this.epoch = epoch;
    this.last = seq;
  }

  /** What to do with a numbered frame: 'apply', 'ignore' or 'rewind'. Moves on where the frame is the next one. */
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
    // Sent on its own, and not as part of a replay, it is about a question that was asked again.
    return frame.replay && !isReplaying ? 'apply' : 'rewind';
  }
}
