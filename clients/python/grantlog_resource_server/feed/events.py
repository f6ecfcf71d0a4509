"""The news as server-sent events: revocations, and once a second the position that all is known to."""

import json
import time

import httpx
import httpx_sse

from .broken import Broken, Interrupted
from .snapshot import credentials

# The longest that the issuer may take to let us in, in seconds.
CONNECT = 2


def listen(running):
    """Listens where it had got to, until the connection ends."""
    settings = running.settings
    epoch, position = running.knowledge.place()
    # Its silence is noticed in time to listen again.
    timeout = httpx.Timeout(settings.cut_off_after, connect=CONNECT)
    parameters = {"after": position, "epoch": epoch}
    try:
        with httpx_sse.connect_sse(
            running.http, "GET", settings.feed_address, params=parameters, auth=credentials(settings), timeout=timeout
        ) as source:
            _check(source.response.status_code)
            for event in source.iter_sse():
                _take_in(running.knowledge, epoch, event)
                running.keys.keep_fresh()
                if running.stopped.is_set():
                    return
    except (httpx.HTTPError, httpx_sse.SSEError) as error:
        raise Interrupted(repr(error)) from error


def _check(status):
    if status == httpx.codes.CONFLICT:
        raise Broken("the log was restored, or is another")
    if status != httpx.codes.OK:
        raise Interrupted(f"the issuer says {status}")


def _take_in(knowledge, epoch, event):
    if event.id and event.id.partition("/")[0] != epoch:
        raise Broken("the log was restored, or is another")
    try:
        if event.event == "revocation":
            told = json.loads(event.data)
            knowledge.learn(told, int(told["position"]))
        elif event.event == "position":
            knowledge.reach(int(json.loads(event.data)["position"]))
            knowledge.confirm(time.monotonic())
    except (ValueError, KeyError, TypeError) as error:
        raise Broken(f"an event cannot be read: {error!r}") from error
