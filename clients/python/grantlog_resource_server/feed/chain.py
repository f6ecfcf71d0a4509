"""Knowing that none is missing, of the messages of one effect and the watermarks beside them: each message says which one came before it, and
each watermark how far the stream holds the log."""

from collections import deque
from dataclasses import dataclass

from .broken import Missing

# A watermark may be here before the messages that it tells of, by so many seconds.
PATIENCE = 2
# Watermarks that wait: one comes every second, and what is older than a minute tells nothing any more.
WAITING = 64


@dataclass(frozen=True)
class Mark:
    """A watermark."""

    received: float
    position: int
    """The stream holds the log up to here."""
    last: int
    """The last message of the effect up to there."""
    head: int
    """Where the log itself ended."""


class Chain:
    """Where a subscriber stands: all messages up to `position` are known."""

    def __init__(self, position):
        self.position = position
        self.waiting = deque(maxlen=WAITING)

    def message(self, position, prev):
        """Takes note of a message; whether it is new. Raises where there was one before it that did not come."""
        if position <= self.position:
            return False
        if prev > self.position:
            raise Missing(self.position)
        self.position = position
        return True

    def mark(self, mark):
        """Takes note of a watermark."""
        self.waiting.append(mark)

    def settle(self):
        """The last moment at which all was known that there was, of those that can be told since the last call; or `None`."""
        for mark in self.waiting:
            if mark.last <= self.position:
                self.position = max(self.position, mark.position)
        whole = max((mark.received for mark in self.waiting if mark.head <= self.position), default=None)
        self.waiting = deque((mark for mark in self.waiting if mark.head > self.position), maxlen=WAITING)
        return whole

    def check(self, now):
        """Raises where a message that a watermark tells of should have come by now."""
        if any(mark.last > self.position and now - mark.received > PATIENCE for mark in self.waiting):
            raise Missing(self.position)
