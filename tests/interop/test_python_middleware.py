"""clients/python in front of WSGI and ASGI applications."""

import asyncio
import json
import os

import pytest

from behind import THROUGH, reader, through_asgi, through_wsgi, wsgi_reader
from grantlog_resource_server import InsufficientScope, ResourceMetadata, ResourceServer, Settings, Unavailable, asgi
from resource_server import Person, application_for, own_token, registered, revoke, until

AUDIENCE = "https://notes.example"


@pytest.fixture(scope="module")
def server(grantlog):
    itself = registered(grantlog, AUDIENCE)
    server = ResourceServer(Settings(f"{grantlog.url}/o", AUDIENCE, itself.id, itself.secret))
    server.start()
    until(lambda: server.standing().is_whole, "the news")
    yield server
    server.close()


@pytest.fixture
def application(grantlog):
    return application_for(grantlog, AUDIENCE)


@pytest.mark.parametrize("through", THROUGH)
def test_who_has_a_good_token_reaches_the_application(grantlog, server, application, through):
    token = own_token(grantlog, application, AUDIENCE)
    assert through(server, f"Bearer {token}", ["read"]) == (200, {}, application.id)


@pytest.mark.parametrize("through", THROUGH)
def test_who_has_none_does_not(grantlog, server, application, through):
    status, headers, body = through(server, None, ())
    assert (status, headers["www-authenticate"], body) == (401, "Bearer", "")
    token = own_token(grantlog, application, AUDIENCE)
    status, headers, _ = through(server, f"Bearer {token}", ["read", "write"])
    assert status == 403 and 'scope="write"' in headers["www-authenticate"]
    revoke(grantlog, application, token)
    until(lambda: through(server, f"Bearer {token}", ())[0] == 401, "the refusal")


@pytest.mark.parametrize("through", THROUGH)
def test_an_id_token_is_no_access_token(grantlog, server, through):
    application = application_for(grantlog, AUDIENCE, scope="openid read")
    tokens = Person(grantlog, application).tokens(AUDIENCE, "openid read")
    assert through(server, f"Bearer {tokens['access_token']}", ())[0] == 200
    status, headers, _ = through(server, f"Bearer {tokens['id_token']}", ())
    assert status == 401 and 'error="invalid_token"' in headers["www-authenticate"]


def test_a_web_socket_is_refused_before_it_is_accepted(server):
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(asgi.BearerMiddleware(None, server)({"type": "websocket", "headers": []}, None, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


async def picky(scope, receive, send):
    raise InsufficientScope("write")


async def late(scope, receive, send):
    await reader(scope, receive, send)
    raise InsufficientScope("write")


def wsgi_picky(environ, start_response):
    raise InsufficientScope("write")


def wsgi_late(environ, start_response):
    wsgi_reader(environ, start_response)
    raise InsufficientScope("write")


@pytest.mark.parametrize("through, picky, late", [(through_wsgi, wsgi_picky, wsgi_late), (through_asgi, picky, late)])
def test_what_the_application_refuses_before_it_answers_is_told(grantlog, server, application, through, picky, late):
    token = own_token(grantlog, application, AUDIENCE)
    status, headers, _ = through(server, f"Bearer {token}", ["read"], application=picky)
    assert status == 403 and 'scope="write"' in headers["www-authenticate"]
    with pytest.raises(InsufficientScope):
        through(server, f"Bearer {token}", ["read"], application=late)


def test_clients_find_the_issuer_by_the_metadata(server):
    metadata = ResourceMetadata(server.settings, resource_name="Notes")
    at = "/.well-known/oauth-protected-resource"
    status, headers, body = through_asgi(server, None, ["read"], path=at, metadata=metadata)
    assert (status, headers["access-control-allow-origin"]) == (200, "*")
    assert json.loads(body) == {
        "resource": AUDIENCE, "authorization_servers": [server.settings.issuer], "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": ["ES256", "EdDSA", "PS256"], "resource_name": "Notes",
    }  # fmt: skip
    status, headers, _ = through_asgi(server, None, ["read"], metadata=metadata)
    assert (status, headers["www-authenticate"]) == (401, f'Bearer resource_metadata="{AUDIENCE}{at}", scope="read"')
    assert through_asgi(server, None, ["read"], path=at)[0] == 401


@pytest.mark.parametrize("audience, at", [("https://a.example/", ""), ("https://a.example/mcp", "/mcp"), ("https://a.example:8443/b/", "/b")])
def test_metadata_is_found_between_host_and_path(audience, at):
    metadata = ResourceMetadata(Settings("https://id.example/o", audience, "id", "secret"))
    assert metadata.path == f"/.well-known/oauth-protected-resource{at}" and metadata.url.endswith(metadata.path)


@pytest.mark.parametrize("audience", ["urn:example:notes", "https://a.example/?x", "https://a.example/#x"])
def test_what_is_no_url_has_no_metadata(audience):
    with pytest.raises(ValueError, match="no URL"):
        ResourceMetadata(Settings("https://id.example/o", audience, "id", "secret"))


def test_two_headers_are_none(server):
    headers = [(b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")]
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(asgi.BearerMiddleware(None, server)({"type": "http", "headers": headers}, None, send))
    assert sent[0]["status"] == 400


def test_a_forked_process_begins_anew(grantlog, server, application):
    token = own_token(grantlog, application, AUDIENCE)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            server.check(token)
            until(lambda: server.standing().is_whole, "the news")
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def test_where_nobody_answers_nobody_is_let_in(grantlog, application):
    token = own_token(grantlog, application, AUDIENCE)
    nobody = ResourceServer(Settings("http://127.0.0.1:9/o", AUDIENCE, "nobody", "secret"))
    for either in (token, "opaque"):
        with pytest.raises(Unavailable):
            nobody.check(either)
    nobody.close()
