"""What a tool asks of a token, told by HTTP before the tool is called: 403 with the scope, for which a client then asks its person."""

import json

from grantlog_resource_server import InsufficientScope

# As much as the SDK takes.
MAX_BODY = 4 * 1024 * 1024


class ToolScopes:
    """Stands between `BearerMiddleware` and the MCP server. `scopes`: of each tool, the one it asks for."""

    def __init__(self, application, scopes):
        self.application, self.scopes = application, scopes

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["method"] == "POST":
            body = await _read(receive)
            for tool in _called(body):
                wanted = self.scopes.get(tool)
                if wanted and not scope["grantlog.claims"].has_scope(wanted):
                    raise InsufficientScope(wanted)
            receive = _again(body, receive)
        await self.application(scope, receive, send)


async def _read(receive):
    """The body; of one that is too long, what the SDK refuses it by."""
    body = b""
    while len(body) <= MAX_BODY:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body


def _called(body):
    """The names of the tools that are called."""
    try:
        message = json.loads(body)
    except ValueError:
        return []
    if not isinstance(message, dict) or message.get("method") != "tools/call":
        return []
    parameters = message.get("params")
    name = parameters.get("name") if isinstance(parameters, dict) else None
    return [name] if isinstance(name, str) else []


def _again(body, receive):
    """`receive`, with the body once more before what comes."""
    first = [{"type": "http.request", "body": body, "more_body": False}]

    async def again():
        return first.pop() if first else await receive()

    return again
