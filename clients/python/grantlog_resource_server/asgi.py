"""ASGI middleware: who comes without a good token does not reach the application behind it."""

from urllib.parse import quote

from .refusal import Malformed, Refusal
from .sender import Sender, certificate_of

# What the metadata is answered with: scripts of every site may read it.
OF_METADATA = [(b"content-type", b"application/json"), (b"access-control-allow-origin", b"*")]


class BearerMiddleware:
    """The application finds the token's claims in `scope["grantlog.claims"]`. Web sockets are refused before they are accepted.

    What the application finds to refuse itself, it raises as a `Refusal` before it answers. With `metadata`, a `ResourceMetadata`, that is served where
    clients look for it, and challenges say where that is, and which scopes to ask for.
    """

    def __init__(self, application, server, scopes=(), metadata=None):
        self.application, self.server, self.scopes, self.metadata = application, server, tuple(scopes), metadata
        self._hints = metadata.hints(self.scopes) if metadata else {}

    async def __call__(self, scope, receive, send):
        if scope["type"] not in ("http", "websocket"):
            return await self.application(scope, receive, send)
        if self._is_asked_for_metadata(scope):
            return await _answer(send, 200, OF_METADATA, self.metadata.document)
        answer, claims = _Answer(send), None
        try:
            authorization, sender = _authorization(scope["headers"]), sender_of(scope, self.server.settings)
            claims = await self.server.admit_async(authorization, self.scopes, sender)
            return await self.application({**scope, "grantlog.claims": claims}, receive, answer)
        except Refusal as refusal:
            if answer.is_begun:
                raise
            told = refusal.told_to(claims.scheme) if claims else refusal
            return await self._refuse(scope["type"], told, send)

    def _is_asked_for_metadata(self, scope):
        return self.metadata and scope["type"] == "http" and scope["method"] == "GET" and scope["path"] == self.metadata.path

    async def _refuse(self, kind, refusal, send):
        if kind == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in refusal.headers(**self._hints)]
        await _answer(send, int(refusal.status), headers, b"")


class _Answer:
    """Sends what the application answers, and knows whether it has begun to."""

    def __init__(self, send):
        self.send, self.is_begun = send, False

    async def __call__(self, message):
        self.is_begun = True
        await self.send(message)


def _authorization(headers):
    values = _values(headers, "authorization")
    if len(values) > 1:
        raise Malformed("the header Authorization comes twice")
    return values[0] if values else None


def sender_of(scope, settings):
    """Who sends the request."""
    path = scope["raw_path"].decode("latin-1") if scope.get("raw_path") else quote(scope.get("path", ""))
    proofs = _values(scope["headers"], "dpop")
    header = settings.client_certificate_header
    certificates = _values(scope["headers"], header) if header else []
    # A web socket begins with a GET. Of two headers one may be somebody else's.
    return Sender(
        scope.get("method", "GET"),
        path,
        proofs[0] if len(proofs) == 1 else None,
        certificate_of(certificates[0]) if len(certificates) == 1 else None,
    )


def _values(headers, name):
    """Of all headers with this name."""
    return [value.decode("latin-1") for own, value in headers if own.lower() == name.lower().encode()]


async def _answer(send, status, headers, body):
    await send({"type": "http.response.start", "status": status, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})
