"""Why a request is not let in, and how that is told (RFC 6750 section 3)."""

from http import HTTPStatus


class Refusal(Exception):
    """A request is not let in. `str` is the reason; nothing of the request stands in it."""

    status = HTTPStatus.UNAUTHORIZED
    error = None

    def challenge(self):
        """The header `WWW-Authenticate`; `None` where the token is not at fault."""
        if self.error is None:
            return "Bearer"
        return f'Bearer error="{self.error}", error_description="{self}"'

    def headers(self):
        """The headers that tell it."""
        return [("WWW-Authenticate", self.challenge())]


class NoToken(Refusal):
    """No token was presented."""


class Malformed(Refusal):
    """It was presented in no way that there is."""

    status = HTTPStatus.BAD_REQUEST
    error = "invalid_request"


class InvalidToken(Refusal):
    """It is not good, or not any more."""

    error = "invalid_token"


class InsufficientScope(Refusal):
    """It lacks a scope."""

    status = HTTPStatus.FORBIDDEN
    error = "insufficient_scope"

    def __init__(self, scope):
        super().__init__(f"the token lacks the scope {scope}")
        self.scope = scope

    def challenge(self):
        return f'{super().challenge()}, scope="{self.scope}"'


class Unavailable(Refusal):
    """Whether it is good cannot be found out now."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    come_again = 2
    """In seconds."""

    def challenge(self):
        return None

    def headers(self):
        return [("Retry-After", str(self.come_again))]
