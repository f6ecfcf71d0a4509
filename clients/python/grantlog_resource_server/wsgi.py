"""WSGI middleware: who comes without a good token does not reach the application behind it."""

from urllib.parse import quote

from .refusal import Refusal
from .sender import Sender, certificate_of


class BearerMiddleware:
    """The application finds the token's claims in `environ["grantlog.claims"]`.

    What the application finds to refuse itself, it raises as a `Refusal` before it answers, when it is called.
    """

    def __init__(self, application, server, scopes=()):
        self.application, self.server, self.scopes = application, server, tuple(scopes)

    def __call__(self, environ, start_response):
        claims, begun = None, False

        def answer(*arguments):
            nonlocal begun
            begun = True
            return start_response(*arguments)

        try:
            sender = sender_of(environ, path_of(environ), self.server.settings)
            claims = environ["grantlog.claims"] = self.server.admit(environ.get("HTTP_AUTHORIZATION"), self.scopes, sender)
            return self.application(environ, answer)
        except Refusal as refusal:
            if begun:
                raise
            told = refusal.told_to(claims.scheme) if claims else refusal
            start_response(f"{told.status.value} {told.status.phrase}", [*told.headers(), ("Content-Length", "0")])
            return []


def path_of(environ):
    """The path of the request, percent-encoded."""
    return quote(f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}".encode("latin-1"))


def sender_of(environ, path, settings):
    """Who sends the request."""
    header = settings.client_certificate_header
    told = environ.get(f"HTTP_{header.upper().replace('-', '_')}") if header else None
    return Sender(environ["REQUEST_METHOD"], path, environ.get("HTTP_DPOP"), certificate_of(told) if told else None)
