"""The MCP SDK's client as an application uses it, whose person sits in front of a browser of their own; and the document that it may come by."""

import json
import ssl
import threading
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

from browser import Browser

REDIRECT_URI = "http://127.0.0.1:9/callback"
TIMEOUT = 60


@contextmanager
def document_of(certificate, key, **members):
    """Serves a client's document (OAuth Client ID Metadata Document) at the address that this gives."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            itself = {"client_id": address, "redirect_uris": [REDIRECT_URI], "grant_types": ["authorization_code", "refresh_token"]}
            body = json.dumps({**itself, **members}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        address = f"https://127.0.0.1:{server.server_port}/client.json"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield address
        server.shutdown()


class Application:
    """What the SDK keeps and asks of an application. `asked` are the authorization requests that its person was sent with, `answers` what came back."""

    def __init__(self, url, user, document=None):
        self.url, self.user = url, user
        self.tokens = self.client = None
        self.asked, self.answers = [], []
        self.browser = Browser(REDIRECT_URI)
        itself = OAuthClientMetadata(client_name="MCP client", redirect_uris=[REDIRECT_URI], token_endpoint_auth_method="none")
        self.provider = OAuthClientProvider(url, itself, self, self._send, self._back, client_metadata_url=document)

    @asynccontextmanager
    async def connected(self, mode="auto"):
        async with httpx2.AsyncClient(auth=self.provider, timeout=TIMEOUT) as http:
            async with Client(streamable_http_client(self.url, http_client=http), mode=mode) as client:
                yield client

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client

    async def _send(self, address):
        page = self.browser.decide(self.browser.open(address), self.user)
        assert page.url.startswith(REDIRECT_URI), page.soup.get_text(" ", strip=True)
        self.asked.append(address)
        self.answers.append(page.query)

    async def _back(self):
        answer = self.answers[-1]
        return AuthorizationCodeResult(code=answer.get("code", ""), state=answer["state"], iss=answer.get("iss"))
