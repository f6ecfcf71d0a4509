"""An application behind the middleware of clients/python, as who sends a request sees it. It answers with the token's client."""

import asyncio
from wsgiref.util import setup_testing_defaults

from grantlog_resource_server import asgi, wsgi


def wsgi_reader(environ, start_response):
    start_response("200 OK", [])
    return [environ["grantlog.claims"].client_id.encode()]


def through_wsgi(server, authorization, scopes=(), path="/", headers=(), application=wsgi_reader):
    told = [*headers, *([("Authorization", authorization)] if authorization else [])]
    environ = {"PATH_INFO": path}
    for name, value in told:
        name = f"HTTP_{name.upper().replace('-', '_')}"
        # As servers do it, whatever stands in a header that comes twice.
        environ[name] = f"{environ[name]},{value}" if name in environ else value
    setup_testing_defaults(environ)
    answer = []
    body = wsgi.BearerMiddleware(application, server, scopes)(environ, lambda status, headers: answer.extend([status, dict(headers)]))
    return int(answer[0].split()[0]), {name.lower(): value for name, value in answer[1].items()}, b"".join(body).decode()


async def reader(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["grantlog.claims"].client_id.encode()})


def through_asgi(server, authorization, scopes=(), path="/", headers=(), application=reader, metadata=None):
    sent = []

    async def send(message):
        sent.append(message)

    told = [*headers, *([("Authorization", authorization)] if authorization else [])]
    encoded = [(name.lower().encode(), value.encode()) for name, value in told]
    request = {"type": "http", "method": "GET", "path": path, "headers": encoded}
    asyncio.run(asgi.BearerMiddleware(application, server, scopes, metadata)(request, None, send))
    start, body = sent
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body["body"].decode()


THROUGH = [through_wsgi, through_asgi]
