"""examples/mcp, reached by the official Python SDK's client: all that the Model Context Protocol asks of an authorization server and of a resource server."""

import asyncio
import os
import sys
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from mcp.client.auth import OAuthFlowError

from grantlog import Grantlog
from mcp_client import Application, document_of
from resource_server import until
from test_readme import ADDRESS, ROOT, blocks, run_shell

READ, WRITE = "notes:read", "notes:write"


@pytest.fixture(scope="module")
def mcp():
    """The MCP server, and the grantlog that it has for itself."""
    return Grantlog.of_mcp()


@pytest.fixture(scope="module")
def document():
    with document_of(os.environ["GRANTLOG_TEST_CERTIFICATE"], os.environ["GRANTLOG_TEST_CERTIFICATE_KEY"], client_name="By a document") as address:
        yield address


@pytest.fixture(params=["by its document", "registered by itself"])
def application(request, mcp, document):
    return Application(mcp.resource, mcp.new_user(), document if request.param == "by its document" else None)


@pytest.fixture
def by_document(mcp, document):
    return Application(mcp.resource, mcp.new_user(), document)


def parameters(address):
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


async def call(client, tool, **arguments):
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    return result.structured_content


def post(mcp, token=None, tool=None):
    """A call without the SDK."""
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": {"text": "milk"}}}
    headers = {"Accept": "application/json, text/event-stream", **({"Authorization": f"Bearer {token}"} if token else {})}
    return requests.post(mcp.resource, json=message, headers=headers, timeout=30)


def refused(mcp, token, tool="list_notes"):
    answer = post(mcp, token, tool)
    return answer.status_code, answer.headers.get("WWW-Authenticate", "")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_it_finds_everything_from_the_url_alone(mcp, application, document, mode):
    async def run():
        async with application.connected(mode) as client:
            return await client.list_tools(), await call(client, "who_am_i")

    tools, caller = asyncio.run(run())
    assert {tool.name for tool in tools.tools} == {"who_am_i", "list_notes", "write_note"}
    assert caller["application"] == application.client.client_id
    assert (caller["application"] == document) == (application.provider.context.client_metadata_url is not None)
    assert caller["person"] == mcp.run("user", "show", application.user.name)["id"]
    found = application.provider.context
    assert str(found.protected_resource_metadata.resource) == mcp.resource and str(found.oauth_metadata.issuer) == f"{mcp.url}/o"
    (asked,) = map(parameters, application.asked)
    assert (asked["resource"], asked["code_challenge_method"]) == (mcp.resource, "S256") and READ in asked["scope"].split()
    assert application.answers[0]["iss"] == f"{mcp.url}/o"


def test_it_refreshes_when_its_token_has_expired(application):
    async def run():
        async with application.connected() as client:
            await call(client, "list_notes")
            before = application.tokens
            application.provider.context.token_expiry_time = 1
            await call(client, "list_notes")
            return before

    before = asyncio.run(run())
    assert application.tokens.access_token != before.access_token and application.tokens.refresh_token != before.refresh_token
    assert len(application.asked) == 1


def test_a_tool_that_needs_more_has_its_person_asked_for_more(application):
    async def run():
        async with application.connected() as client:
            assert await call(client, "list_notes") == {"result": []}
            assert await call(client, "write_note", text="milk") == {"result": 1}
            return await call(client, "list_notes")

    assert asyncio.run(run()) == {"result": [{"text": "milk", "application": application.client.client_id}]}
    first, second = (parameters(address)["scope"].split() for address in application.asked)
    assert WRITE not in first and {READ, WRITE} <= set(second)


def test_people_have_notes_of_their_own(mcp, document):
    async def write(application, text):
        async with application.connected() as client:
            await call(client, "write_note", text=text)
            return await call(client, "list_notes")

    for text in ("milk", "bread"):
        notes = asyncio.run(write(Application(mcp.resource, mcp.new_user(), document), text))
        assert [note["text"] for note in notes["result"]] == [text]


def test_an_answer_of_another_issuer_is_refused(application):
    application.answers = type("Elsewhere", (list,), {"append": lambda self, answer: list.append(self, {**answer, "iss": "https://elsewhere.example"})})()

    async def run():
        async with application.connected() as client:
            await client.list_tools()

    with pytest.RaisesGroup(pytest.RaisesExc(OAuthFlowError, match="iss mismatch"), flatten_subgroups=True):
        asyncio.run(run())


def withdraw(mcp, application):
    """As the person does, on the page of what they allowed."""
    page = application.browser.open(f"{mcp.url}/o/authorized_tokens/")
    button = page.soup.find("button", id=lambda name: name and name.startswith("withdraw_"))
    page = application.browser.press(page, button["id"])
    if page.has("withdraw"):
        application.browser.press(page, "withdraw")


def end_grants(mcp, application):
    mcp.run("audit", "revoke", "--user", application.user.name, "--since", "2020-01-01", "--yes")


@pytest.mark.parametrize("end", [withdraw, end_grants])
def test_what_was_revoked_is_refused_and_its_person_asked_anew(mcp, by_document, end):
    async def run():
        async with by_document.connected() as client:
            await call(client, "list_notes")
            dead = by_document.tokens.access_token
            end(mcp, by_document)
            took = until(lambda: refused(mcp, dead)[0] == 401, "the refusal")
            print(f"refused {1e3 * took:.1f} ms after the revocation was acknowledged")
            assert 'error="invalid_token"' in refused(mcp, dead)[1]
            await call(client, "list_notes")
            return dead

    dead = asyncio.run(run())
    assert len(by_document.asked) == 2 and by_document.tokens.access_token != dead


def test_refusals_say_where_to_go_and_what_to_ask_for(mcp, by_document):
    metadata = f"{mcp.resource.removesuffix('/mcp')}/.well-known/oauth-protected-resource/mcp"
    assert refused(mcp, None) == (401, f'Bearer resource_metadata="{metadata}", scope="{READ}"')
    assert requests.get(metadata, timeout=30).json() == {
        "resource": mcp.resource, "authorization_servers": [f"{mcp.url}/o"], "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": ["ES256", "EdDSA", "PS256"], "resource_name": "Notes", "scopes_supported": [READ, WRITE],
    }  # fmt: skip

    async def run():
        async with by_document.connected() as client:
            await client.list_tools()

    asyncio.run(run())
    status, challenge = refused(mcp, by_document.tokens.access_token, "write_note")
    assert (status, f'scope="{WRITE}"' in challenge, f'resource_metadata="{metadata}"' in challenge) == (403, True, True)
    assert 'error="insufficient_scope"' in challenge
    assert post(mcp, by_document.tokens.access_token, "list_notes").status_code == 200
    for invented in ("invented", "a.b.c"):
        assert refused(mcp, invented)[0] == 401


def test_a_token_for_another_resource_is_refused(mcp):
    elsewhere = "https://elsewhere.example/mcp"
    service = mcp.register("Elsewhere", grant_types=["client_credentials"], scope=READ, resources=[elsewhere])
    asked = {"grant_type": "client_credentials", "scope": READ, "resource": elsewhere}
    answer = requests.post(mcp.token, data=asked, auth=(service.id, service.secret), timeout=30)
    assert refused(mcp, answer.json()["access_token"])[0] == 401
    answer = requests.post(mcp.token, data={**asked, "resource": mcp.resource}, auth=(service.id, service.secret), timeout=30)
    assert refused(mcp, answer.json()["access_token"])[0] == 200


def test_the_commands_of_the_page_work(mcp):
    """docs/mcp.md, with the example's client, whose browser is a person's."""
    script = "\n".join(blocks("docs/mcp.md", "sh")).replace("http://127.0.0.1:8001/mcp", mcp.resource).replace(ADDRESS, mcp.url)
    script = script.replace("http://127.0.0.1:8001", mcp.resource.removesuffix("/mcp"))
    user = mcp.new_user()
    printed = run_shell(f"cd {ROOT}; python={sys.executable}\n{script}", mcp, user)
    assert "write_note: Writes a note" in printed and '"result": 1' in printed and mcp.run("user", "show", user.name)["id"] in printed
    assert '"resource_name": "Notes"' in printed and f'"issuer":"{mcp.url}/o"' in printed
