"""A client's position in the log of its session: docs/protocol.md, section 12, "Position"."""

from __future__ import annotations

from typing import Any, Mapping, Optional


class Position:
    def __init__(self) -> None:
        self.epoch: Optional[str] = None
        self.last = 0

    def move(self, epoch: Optional[str], last: int) -> None:
        self.epoch, self.last = epoch, last

    def judge(self, frame: Mapping[str, Any], is_replaying: bool) -> str:
        """Says what to do with a numbered frame: `apply`, `ignore` or `rewind`. Moves the position if the frame is the next one."""
        is_replay, seq = frame.get("replay", False), frame["seq"]
        if is_replaying and not is_replay:
            return "ignore"
        if frame.get("duplicate"):
            return "apply"
        if seq <= self.last:
            return "apply" if is_replay else "ignore"
        if frame.get("from_seq", seq) == self.last + 1:
            self.last = seq
            return "apply"
        # A replayed frame outside a replay belongs to a question that was asked again.
        return "apply" if is_replay and not is_replaying else "rewind"
