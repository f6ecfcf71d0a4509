"""The issuer's published keys (RFC 7517), fetched when a key is not known, and anew from time to time."""

import logging
import threading
import time

import httpx
import jwt

from .refusal import Unavailable

log = logging.getLogger(__name__)

# Between two fetches at least, whatever keys strangers make up; and after how long they are fetched anew. In seconds.
REST = 1
FRESH = 300


class Keys:
    def __init__(self, http, address):
        self._http, self._address = http, address
        self._known = {}
        # Held by who fetches: when the last fetch began, and whether it was answered.
        self._fetching = threading.Lock()
        self._last = None

    def find(self, kid):
        """The key with this id; `None` where the issuer has none. Raises `Unavailable` where it does not say."""
        if kid not in self._known and not self._fetch():
            raise Unavailable("the issuer does not answer")
        return self._known.get(kid)

    def keep_fresh(self):
        """Fetches them anew where that was long ago; the feed calls it every now and then."""
        if self._last is not None and time.monotonic() - self._last[0] >= FRESH:
            self._fetch()

    def _fetch(self):
        """Fetches them, unless somebody else has begun to since this was asked; whether they were told."""
        asked = time.monotonic()
        with self._fetching:
            if self._last is not None:
                begun, answered = self._last
                if begun >= asked:
                    return answered
                time.sleep(max(0.0, begun + REST - asked))
            begun = time.monotonic()
            try:
                published = self._http.get(self._address).raise_for_status().json()["keys"]
                self._known = dict(filter(None, map(_read, published)))
                answered = True
            except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                # A key that was good is so until the issuer says otherwise, which the news would tell.
                log.warning("the issuer's keys cannot be fetched: %s", error)
                answered = False
            self._last = begun, answered
            return answered


def _read(published):
    """A key that signatures can be verified with, by its id; others in the set are not for us."""
    try:
        if published.get("use", "sig") != "sig" or published["kty"] == "oct":
            return None
        # The key says the algorithm, not the token.
        return published["kid"], jwt.PyJWK.from_dict(published, algorithm=published["alg"])
    except (jwt.PyJWTError, KeyError, AttributeError):
        return None
