"""ASGI middleware: who comes without a good token does not reach the application behind it."""

from .refusal import Malformed, Refusal


class BearerMiddleware:
    """The application finds the token's claims in `scope["grantlog.claims"]`. Web sockets are refused before they are accepted."""

    def __init__(self, application, server, scopes=()):
        self.application, self.server, self.scopes = application, server, tuple(scopes)

    async def __call__(self, scope, receive, send):
        if scope["type"] not in ("http", "websocket"):
            return await self.application(scope, receive, send)
        try:
            claims = await self.server.admit_async(_authorization(scope["headers"]), self.scopes)
        except Refusal as refusal:
            return await _refuse(scope["type"], refusal, send)
        return await self.application({**scope, "grantlog.claims": claims}, receive, send)


def _authorization(headers):
    values = [value for name, value in headers if name.lower() == b"authorization"]
    if len(values) > 1:
        raise Malformed("the header Authorization comes twice")
    return values[0].decode("latin-1") if values else None


async def _refuse(kind, refusal, send):
    if kind == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in refusal.headers()]
    await send({"type": "http.response.start", "status": int(refusal.status), "headers": [*headers, (b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
