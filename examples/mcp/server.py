"""Serves Notes over streamable HTTP, guarded by grantlog. Settings are in the environment; `AUDIENCE` is the URL that clients are given."""

import os
from urllib.parse import urlsplit

import uvicorn

from grantlog_resource_server import ResourceMetadata, ResourceServer, Settings
from grantlog_resource_server.asgi import BearerMiddleware
from guard import ToolScopes
from notes import READ, SCOPES, WRITE, mcp

settings = Settings(os.environ["ISSUER"], os.environ["AUDIENCE"], os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
url = urlsplit(settings.audience)

# Stateless: nothing of one call is kept for the next, so no session of one person can be another's.
tools = mcp.streamable_http_app(streamable_http_path=url.path, stateless_http=True, json_response=True)
# What is asked for at first is enough to read. Who calls more is told what to ask for then.
metadata = ResourceMetadata(settings, resource_name="Notes", scopes_supported=[READ, WRITE])
application = BearerMiddleware(ToolScopes(tools, SCOPES), ResourceServer(settings), [READ], metadata)

if __name__ == "__main__":
    uvicorn.run(application, host=url.hostname, port=url.port, log_level="warning")
