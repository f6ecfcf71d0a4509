"""The compact set of all that is dead and has not expired by itself."""

import httpx

from .broken import Broken, Interrupted


def begin(running):
    """Takes it."""
    try:
        answer = running.http.get(f"{running.settings.feed_address}/snapshot", auth=credentials(running.settings))
    except httpx.HTTPError as error:
        raise Interrupted(error) from error
    if answer.status_code != httpx.codes.OK:
        raise Interrupted(f"the issuer says {answer.status_code}")
    try:
        told = answer.json()
        running.knowledge.begin(str(told["epoch"]), int(told["position"]), told["revocations"])
    except (ValueError, KeyError, TypeError) as error:
        raise Broken(f"the snapshot cannot be read: {error!r}") from error


def credentials(settings):
    return httpx.BasicAuth(settings.client_id, settings.client_secret)
