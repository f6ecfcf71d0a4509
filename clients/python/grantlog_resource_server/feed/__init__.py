"""The issuer's news of what is dead: a snapshot, and then all that comes after its position, by one way or the other."""

import logging

from . import events, snapshot
from .broken import Broken, Interrupted

log = logging.getLogger(__name__)

# Before the issuer is asked again, in seconds.
PAUSE = 0.5


def follow(running):
    """Follows the news until it is stopped."""
    while not running.stopped.is_set():
        try:
            snapshot.begin(running)
            _go_on(running)
        except Broken as broken:
            running.knowledge.doubt()
            log.warning("what is dead is not known whole: the snapshot is taken again: %s", broken)
        except Interrupted as interrupted:
            log.warning("the snapshot cannot be taken: %s", interrupted)
        except Exception:  # a thread that ended would leave every request to the issuer, for ever
            running.knowledge.doubt()
            log.exception("a defect: what is dead is not known whole")
        running.stopped.wait(PAUSE)
    running.http.close()


def _go_on(running):
    """Goes on from a snapshot until something may be missing."""
    while not running.stopped.is_set():
        try:
            _listen(running)
        except Interrupted as interrupted:
            log.info("the news is interrupted: %s", interrupted)
        running.keys.keep_fresh()
        running.stopped.wait(PAUSE)


def _listen(running):
    if running.settings.nats is None:
        events.listen(running)
    else:
        from . import nats  # its package need not be there

        nats.listen(running)
