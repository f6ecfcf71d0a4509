"""The resource server: it follows the issuer's news in a thread, and checks tokens by them."""

import asyncio
import os
import threading

import httpx
import jwt

from . import bearer, feed
from .claims import Claims
from .introspection import Introspector
from .keys import Keys
from .knowledge import Knowledge, Verdict
from .proof import UsedProofs
from .refusal import BEARER, InsufficientScope, InvalidToken, Refusal
from .sender import Sender

# The longest that the issuer may take to let us in, and to answer, in seconds.
CONNECT = 2
ANSWER = 4

# The media type in the header of an access token, with and without what RFC 7515 lets go of it.
TYP = ("at+jwt", "application/at+jwt")


class ResourceServer:
    """Checks access tokens. Threads may share it; a process that was forked begins anew by itself."""

    def __init__(self, settings):
        self.settings = settings
        self._starting = threading.Lock()
        self._running = None

    def start(self):
        """Begins to follow the issuer's news; until it knows all of them it asks about each token. The first check does it too."""
        self._run()

    def close(self):
        """Follows no longer."""
        with self._starting:
            if self._running is not None:
                self._running.stopped.set()
                self._running = None

    def check(self, token):
        """The claims of an access token that was presented as a bearer token, and is bound to nothing. Raises the `Refusal`."""
        return self._run().check(BEARER, token, Sender())

    def admit(self, authorization, scopes=(), sender=None):
        """As `check`, from the header `Authorization`; the token must have the scopes too, and be its sender's to use if it is bound."""
        scheme, token = bearer.presented(authorization)
        try:
            claims = self._run().check(scheme, token, sender or Sender())
            for scope in scopes:
                if not claims.has_scope(scope):
                    raise InsufficientScope(scope)
        except Refusal as refusal:
            refusal.told_to(scheme)
            raise
        return claims

    async def admit_async(self, authorization, scopes=(), sender=None):
        """As `admit`, without holding up an event loop: it may have to ask."""
        return await asyncio.to_thread(self.admit, authorization, scopes, sender)

    def standing(self):
        """How far it knows what is dead, for health checks and metrics."""
        return self._run().knowledge.standing()

    def _run(self):
        running = self._running
        if running is None or running.process != os.getpid():
            with self._starting:
                running = self._running
                if running is None or running.process != os.getpid():
                    running = self._running = Running(self.settings)
                    running.start()
        return running


class Running:
    """What the requests and the feed of one process share."""

    def __init__(self, settings):
        self.settings = settings
        self.process = os.getpid()
        self.stopped = threading.Event()
        timeout = httpx.Timeout(ANSWER, connect=CONNECT)
        # Whoever redirects is not the issuer: neither tokens nor the secret go there.
        self.http = httpx.Client(timeout=timeout, follow_redirects=False)
        self.keys = Keys(self.http, f"{settings.issuer}/.well-known/jwks.json")
        self.introspector = Introspector(self.http, settings)
        self.knowledge = Knowledge(settings)
        self.used_proofs = UsedProofs()

    def start(self):
        threading.Thread(target=feed.follow, args=(self,), name="grantlog revocations", daemon=True).start()

    def check(self, scheme, token, sender):
        claims = self._alive(token)
        sender.check(claims, scheme, token, self.settings, self.used_proofs)
        return claims

    def _alive(self, token):
        """What a token says that is good now, whoever comes with it."""
        header = _header(token)
        if header is None:
            return self.introspector.ask(token)
        claims, kid = self._verified(token, header)
        match self.knowledge.verdict(claims, kid):
            case Verdict.DEAD:
                raise InvalidToken("the token was revoked")
            case Verdict.UNKNOWN:
                self.introspector.ask(token)
        return claims

    def _verified(self, token, header):
        """The claims of a JWT that the issuer signed for us and that has not expired, and the key that signed it."""
        if str(header.get("typ")).lower() not in TYP or "crit" in header:
            raise InvalidToken("the token is no access token")
        kid = header.get("kid")
        if not isinstance(kid, str):
            raise InvalidToken("the token does not name its key")
        key = self.keys.find(kid)
        if key is None:
            raise InvalidToken("the token's key is not the issuer's")
        settings = self.settings
        try:
            members = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                issuer=settings.issuer,
                audience=settings.audience,
                leeway=settings.leeway,
                options={"require": ["exp", "iss", "aud", "sub", "iat"]},
            )
            claims = Claims.of(members)
        except (jwt.PyJWTError, ValueError) as error:
            raise InvalidToken("the token is not the issuer's, not for this resource server, or expired") from error
        return claims, kid


def _header(token):
    """The header of a JWT; `None` for an opaque token."""
    if token.count(".") != 2:
        return None
    try:
        return jwt.get_unverified_header(token)
    except (jwt.PyJWTError, RecursionError):
        return None
