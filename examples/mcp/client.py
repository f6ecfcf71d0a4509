"""A client of MCP servers that is told nothing but a URL: it finds the issuer, registers itself, has somebody sign in, and calls a tool.

    client.py URL [TOOL [NAME=VALUE ...]]
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

# For a tool to answer, in seconds.
PATIENCE = 60
DONE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nYou can close this page."


class Memory:
    """Keeps tokens and registration as long as the program runs."""

    def __init__(self):
        self.tokens = self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Callback:
    """The address on loopback at which the browser comes back (RFC 8252 section 7.3)."""

    async def __aenter__(self):
        self.back = asyncio.Queue()
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/callback"
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def _serve(self, reader, writer):
        words = (await reader.readline()).decode().split()
        writer.write(DONE)
        await writer.drain()
        writer.close()
        if len(words) > 1 and urlsplit(words[1]).path == "/callback":
            self.back.put_nowait({name: values[0] for name, values in parse_qs(urlsplit(words[1]).query).items()})

    async def wait(self):
        told = await self.back.get()
        if "error" in told:
            sys.exit(f"{told['error']}: {told.get('error_description', '')}")
        return AuthorizationCodeResult(code=told["code"], state=told.get("state"), iss=told.get("iss"))


async def show(address):
    print(f"Open this, and decide:\n{address}", flush=True)


async def main(url, tool=None, *arguments):
    async with Callback() as callback:
        itself = OAuthClientMetadata(client_name="Notes on the command line", redirect_uris=[callback.address], token_endpoint_auth_method="none")
        provider = OAuthClientProvider(url, itself, Memory(), show, callback.wait)
        async with httpx2.AsyncClient(auth=provider, timeout=PATIENCE) as http, Client(streamable_http_client(url, http_client=http)) as client:
            if tool is None:
                for tool in (await client.list_tools()).tools:
                    print(f"{tool.name}: {tool.description}")
                return
            result = await client.call_tool(tool, dict(argument.split("=", 1) for argument in arguments))
            print(json.dumps(result.structured_content, indent=2) if result.structured_content else result.content)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    asyncio.run(main(*sys.argv[1:]))
