"""WSGI middleware: who comes without a good token does not reach the application behind it."""

from .refusal import Refusal


class BearerMiddleware:
    """The application finds the token's claims in `environ["grantlog.claims"]`."""

    def __init__(self, application, server, scopes=()):
        self.application, self.server, self.scopes = application, server, tuple(scopes)

    def __call__(self, environ, start_response):
        try:
            environ["grantlog.claims"] = self.server.admit(environ.get("HTTP_AUTHORIZATION"), self.scopes)
        except Refusal as refusal:
            start_response(f"{refusal.status.value} {refusal.status.phrase}", [*refusal.headers(), ("Content-Length", "0")])
            return []
        return self.application(environ, start_response)
