"""Spring Security, in spring/: a site that signs people in, by a secret or by a key, refreshes, acts for itself, checks tokens, and signs people out."""

import json
import os
import subprocess
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc.jwk import ECKey

from browser import Browser
from django_site import free_port, wait_for
from resource_server import own_token, revoke

PROGRAM = os.environ.get("GRANTLOG_TEST_SPRING")
pytestmark = pytest.mark.skipif(not PROGRAM, reason="it was not built")

# Spring takes a token for expired a minute before its time: so it refreshes one of a minute each time.
AT_ONCE = 60


class Site:
    def __init__(self, url, reader):
        self.url, self.reader = url, reader

    def sign_in(self, user, by="secret"):
        """The browser of who signed in."""
        browser = Browser()
        page = browser.decide(browser.open(f"{self.url}/oauth2/authorization/{by}"), user)
        assert page.url.startswith(self.url) and page.has("sign_out"), page.text
        return browser

    def asks(self):
        """A browser that is sent to sign in, and the authorization request that it is sent with."""
        browser = Visit()
        return browser, browser.get(f"{self.url}/oauth2/authorization/secret").headers["Location"]

    def open(self, path, token):
        return requests.get(f"{self.url}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=30)


class Visit(requests.Session):
    """A browser that keeps cookies and follows nothing."""

    def get(self, url, **more):
        return super().get(url, allow_redirects=False, timeout=30, **more)


def told(browser, site, path):
    page = browser.open(f"{site.url}{path}")
    assert page.status == 200, page.text
    return json.loads(page.text)


def environment_of(grantlog, url):
    """The clients that the site is, and the one that may come to it."""
    key = ECKey.generate_key("P-256", {"kid": "site", "use": "sig", "alg": "ES256"})
    jwks = json.dumps({"keys": [key.as_dict(private=False)]})
    web = {"scope": "openid profile read", "post_logout_redirect_uris": [f"{url}/signed-out"]}
    at = f"{url}/login/oauth2/code"
    own = {"grant_types": ["client_credentials"]}
    clients = {
        "SECRET": grantlog.register("Site", redirect_uri=f"{at}/secret", access_token_lifetime=AT_ONCE, **web),
        "KEY": grantlog.register("Site with a key", redirect_uri=f"{at}/key", token_endpoint_auth_method="private_key_jwt", jwks=jwks, **web),
        "SERVICE": grantlog.register("Site for itself", scope="read", **own),
        "API": grantlog.register("Site's API", scope="introspection", resources=[url], **own),
        "READER": grantlog.register("Reader", scope="read write", resources=[url, "https://elsewhere.example"], **own),
    }
    environment = {"ISSUER": f"{grantlog.url}/o", "AUDIENCE": url, "RESOURCE": grantlog.resource, "KEY": json.dumps(key.as_dict(private=True))}
    for name, client in clients.items():
        environment |= {f"{name}_CLIENT_ID": client.id, f"{name}_CLIENT_SECRET": client.secret or ""}
    return environment, clients["READER"]


@contextmanager
def running(grantlog, log):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment, reader = environment_of(grantlog, url)
    # Quick to start rather than quick in the end.
    command = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", PROGRAM, f"--server.port={port}"]
    with open(log, "w") as output, subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output) as process:
        try:
            wait_for(port, process, log)
            yield Site(url, reader)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def site(grantlog, tmp_path_factory):
    with running(grantlog, tmp_path_factory.mktemp("spring") / "log") as site:
        yield site


@pytest.mark.parametrize("by", ["secret", "key"])
def test_a_person_signs_in(site, user, by):
    me = told(site.sign_in(user, by), site, "/me")
    assert me["userinfo"]["preferred_username"] == user.name
    assert me["userinfo"]["sub"] == me["id_token"]["sub"]


def test_it_asks_with_pkce_and_a_nonce(grantlog, site):
    asked = parse_qs(urlsplit(site.asks()[1]).query)
    assert asked["code_challenge_method"] == ["S256"] and {"nonce", "state", "code_challenge"} <= set(asked)


def test_an_expired_token_is_refreshed(site, user):
    browser = site.sign_in(user)
    first = told(browser, site, "/tokens")
    assert told(browser, site, "/for-me")["username"] == user.name
    second = told(browser, site, "/tokens")
    assert first["access"] != second["access"] and first["refresh"] != second["refresh"]


def test_it_acts_for_itself(site):
    answer = requests.get(f"{site.url}/service", timeout=30)
    assert answer.status_code == 200 and answer.json()["username"] is None


@pytest.mark.parametrize("path", ["/by-jwt", "/by-introspection"])
def test_it_lets_in_who_has_a_token_for_it(grantlog, site, path):
    token = own_token(grantlog, site.reader, site.url)
    assert site.open(path, token).json() == {"name": site.reader.id}
    narrow = site.open(path, own_token(grantlog, site.reader, site.url, "write"))
    assert (narrow.status_code, 'error="insufficient_scope"' in narrow.headers["WWW-Authenticate"]) == (403, True)
    for foreign in (own_token(grantlog, site.reader, "https://elsewhere.example"), f"{token}x", "invented"):
        refused = site.open(path, foreign)
        assert (refused.status_code, 'error="invalid_token"' in refused.headers["WWW-Authenticate"]) == (401, True)


def test_it_refuses_what_was_revoked_where_it_asks(grantlog, site):
    token = own_token(grantlog, site.reader, site.url)
    assert site.open("/by-introspection", token).status_code == 200
    revoke(grantlog, site.reader, token)
    assert site.open("/by-introspection", token).status_code == 401


def test_a_token_of_another_application_and_audience_opens_nothing(site, user):
    token = told(site.sign_in(user), site, "/tokens")["access"]
    assert [site.open(path, token).status_code for path in ("/by-jwt", "/by-introspection")] == [401, 401]


@pytest.mark.parametrize("changed, decision", [("state", "allow"), ("code", "allow"), (None, "deny")])
def test_an_answer_that_is_not_its_own_signs_nobody_in(site, user, changed, decision):
    browser, asked = site.asks()
    person = Browser(site.url)
    answer = person.decide(person.open(asked), user, decision).query
    if changed:
        answer[changed] = "invented"
    back = browser.get(f"{site.url}/login/oauth2/code/secret", params=answer)
    assert back.headers["Location"] == f"{site.url}/login?error"
    assert browser.get(f"{site.url}/me").status_code == 302


def test_an_answer_to_another_browser_signs_nobody_in(site, user):
    _, asked = site.asks()
    person = Browser(site.url)
    answer = person.decide(person.open(asked), user).query
    other, _ = site.asks()
    assert other.get(f"{site.url}/login/oauth2/code/secret", params=answer).headers["Location"] == f"{site.url}/login?error"


def test_who_signs_out_is_signed_out_at_both(grantlog, site, user):
    browser = site.sign_in(user)
    page = browser.press(browser.open(f"{site.url}/"), "sign_out")
    if page.has("logout"):
        page = browser.press(page, "logout")
    assert page.url == f"{site.url}/signed-out" and page.has("signed_out")
    assert browser.open(f"{site.url}/oauth2/authorization/secret").has("login")
