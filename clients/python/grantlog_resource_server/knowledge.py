"""What is known to be dead, up to which position of the log, and as of when that was all there was."""

import threading
import time
from dataclasses import dataclass
from enum import Enum

from .revoked_set import RevokedSet

# How often what may be forgotten is looked for, in seconds.
FORGET = 60


class Verdict(Enum):
    DEAD = "dead"
    ALIVE = "alive"
    UNKNOWN = "unknown"
    """The news is cut off."""


@dataclass(frozen=True)
class Standing:
    """How far a resource server knows what is dead."""

    is_whole: bool
    """Whether it lets tokens in by what it knows; otherwise it asks the issuer about each."""
    position: int
    """All revocations up to this position of the log are known."""
    epoch: str
    """Of the log; empty before the first snapshot."""
    revocations: int
    """How many are remembered."""


class Knowledge:
    """Shared by the requests, which read it, and the feed, which writes it."""

    def __init__(self, settings):
        self._settings = settings
        self._lock = threading.Lock()
        self._set, self._epoch, self._position = RevokedSet(), "", 0
        self._whole_at = self._forgot_at = None

    def begin(self, epoch, position, revocations):
        """Begins with a snapshot. It may have been made a while ago: that it is all is for the feed to say."""
        begun = RevokedSet()
        for revocation in revocations:
            begun.insert(revocation)
        with self._lock:
            self._set, self._epoch, self._position = begun, epoch, position
            self._whole_at = self._forgot_at = None

    def learn(self, revocation, position):
        """Takes in a revocation, and that with it everything up to its position is known."""
        with self._lock:
            self._set.insert(revocation)
            self._position = max(self._position, position)

    def reach(self, position):
        """There is no other revocation up to a position."""
        with self._lock:
            self._position = max(self._position, position)

    def confirm(self, at):
        """At this moment (of `time.monotonic`) there was no revocation beyond what is known."""
        with self._lock:
            self._whole_at = max(at, self._whole_at or at)
            if self._forgot_at is None or at - self._forgot_at >= FORGET:
                self._forgot_at = at
                # A token may be let in for a while after it has expired by itself.
                self._set.forget(time.time() - self._settings.leeway)

    def doubt(self):
        """Something may be missing. What is known to be dead stays so."""
        with self._lock:
            self._whole_at = None

    def place(self):
        """Where the feed goes on: the epoch and the position."""
        with self._lock:
            return self._epoch, self._position

    def verdict(self, claims, kid):
        """What it says of a token that the key `kid` signed."""
        with self._lock:
            if self._set.kills(claims, kid):
                return Verdict.DEAD
            return Verdict.ALIVE if self._is_whole() else Verdict.UNKNOWN

    def standing(self):
        with self._lock:
            return Standing(self._is_whole(), self._position, self._epoch, len(self._set))

    def _is_whole(self):
        return self._whole_at is not None and time.monotonic() - self._whole_at <= self._settings.cut_off_after
