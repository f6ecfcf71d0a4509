"""Why a request is not let in, and how that is told (RFC 6750 section 3, RFC 9449 section 7.1)."""

from http import HTTPStatus

from .proof import ALGORITHMS

# The schemes by which tokens are presented. Whoever comes by the second proves to hold the key that the token is bound to.
BEARER, DPOP = "Bearer", "DPoP"


class Refusal(Exception):
    """A request is not let in. `str` is the reason; nothing of the request stands in it."""

    status = HTTPStatus.UNAUTHORIZED
    error = None
    scheme = BEARER
    """The one that the challenge is of."""

    def told_to(self, scheme):
        """The same, told to who presented a token by a scheme."""
        if scheme == DPOP:
            self.scheme = DPOP
        return self

    def parameters(self):
        """What the challenge says of it."""
        return {"error": self.error, "error_description": str(self)} if self.error else {}

    def challenge(self, **hints):
        """The header `WWW-Authenticate`; `None` where the token is not at fault. `hints` are parameters that help a client to a good token."""
        told = {**hints, **self.parameters(), **({"algs": " ".join(ALGORITHMS)} if self.scheme == DPOP else {})}
        return " ".join([self.scheme, ", ".join(f'{name}="{value}"' for name, value in told.items())]).rstrip()

    def headers(self, **hints):
        """The headers that tell it."""
        return [("WWW-Authenticate", self.challenge(**hints))]


class NoToken(Refusal):
    """No token was presented."""


class Malformed(Refusal):
    """It was presented in no way that there is."""

    status = HTTPStatus.BAD_REQUEST
    error = "invalid_request"


class InvalidToken(Refusal):
    """It is not good, or not any more."""

    error = "invalid_token"


class BoundToKey(InvalidToken):
    """It is bound to a key, and was presented as a bearer token."""

    scheme = DPOP


class InvalidProof(Refusal):
    """It is bound to a key, and the request does not prove that its sender holds that."""

    error = "invalid_dpop_proof"
    scheme = DPOP

    def __init__(self, why):
        super().__init__(f"the DPoP proof is refused: {why}")


class InsufficientScope(Refusal):
    """It lacks a scope."""

    status = HTTPStatus.FORBIDDEN
    error = "insufficient_scope"

    def __init__(self, scope):
        super().__init__(f"the token lacks the scope {scope}")
        self.scope = scope

    def parameters(self):
        return {**super().parameters(), "scope": self.scope}


class Unavailable(Refusal):
    """Whether it is good cannot be found out now."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    come_again = 2
    """In seconds."""

    def challenge(self, **hints):
        return None

    def headers(self, **hints):
        return [("Retry-After", str(self.come_again))]
