"""django-oauth-toolkit as resource server: it introspects at grantlog, by a bearer token and by credentials."""

import time
from contextlib import contextmanager

import pytest
import requests
from requests_oauthlib import OAuth2Session

from browser import Browser
from django_site import free_port, migrate, running

# RESOURCE_SERVER_TOKEN_CACHING_SECONDS: the shortest that works, and the toolkit's own default.
ONE_SECOND = 1
TEN_HOURS = 36000


class Site:
    def __init__(self, url):
        self.url = url

    def answer(self, token, path="/notes/"):
        return requests.get(f"{self.url}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def soon_refuses(self, token):
        """Whether it says no once the second is over for which it believes an answer."""
        deadline = time.monotonic() + 30 * ONE_SECOND
        while self.answer(token).status_code != 403:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True


def service_token(grantlog, client, scope, resource=None):
    asked = {"grant_type": "client_credentials", "scope": scope, **({"resource": resource} if resource else {})}
    answer = requests.post(grantlog.token, data=asked, auth=(client.id, client.secret), timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def user_token(grantlog, client, user, resource):
    oauth = OAuth2Session(client.id, redirect_uri=client.redirect_uri, scope=["read"], pkce="S256")
    browser = Browser(client.redirect_uri)
    page = browser.open(oauth.authorization_url(grantlog.authorize, resource=resource)[0])
    address = browser.decide(page, user).url
    token = oauth.fetch_token(grantlog.token, authorization_response=address, client_secret=client.secret)
    return token["access_token"]


def revoke(grantlog, client, token):
    answer = requests.post(grantlog.revoke, data={"token": token}, auth=(client.id, client.secret), timeout=30)
    assert answer.status_code == 200


@contextmanager
def started(grantlog, folder, how, caching_seconds):
    """The site, which asks by `how`, and believes answers for so many seconds."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    itself = grantlog.register(
        "Django resource server", grant_types=["client_credentials"], scope="introspection", resources=[url]
    )
    environment = {"DATABASE_FILE": str(folder / "django.db"), "CACHING_SECONDS": str(caching_seconds)}
    if how == "bearer token":
        environment["AUTH_TOKEN"] = service_token(grantlog, itself, "introspection")
    else:
        environment |= {"CLIENT_ID": itself.id, "CLIENT_SECRET": itself.secret}
    migrate("django_resource_server", environment)
    with running("django_resource_server", port, environment, folder / "log"):
        yield Site(url)


@pytest.fixture(scope="module", params=["bearer token", "credentials"])
def site(grantlog, tmp_path_factory, request):
    with started(grantlog, tmp_path_factory.mktemp("site"), request.param, ONE_SECOND) as site:
        yield site


def application_of(grantlog, site):
    """One whose users keep their notes at the site."""
    grants = ["authorization_code", "client_credentials"]
    return grantlog.register("Notes application", grant_types=grants, scope="read", resources=[site.url])


@pytest.fixture
def application(grantlog, site):
    return application_of(grantlog, site)


def test_a_persons_token_opens_the_page_and_names_the_person(grantlog, site, application, user):
    answer = site.answer(user_token(grantlog, application, user, site.url))
    assert (answer.status_code, answer.json()) == (200, {"owner": user.name})


def test_a_services_token_opens_the_page(grantlog, site, application):
    assert site.answer(service_token(grantlog, application, "read", site.url)).status_code == 200


def test_a_revoked_token_is_refused_at_once(grantlog, site, application, user):
    token = user_token(grantlog, application, user, site.url)
    revoke(grantlog, application, token)
    assert site.answer(token).status_code == 403


def test_a_token_revoked_after_its_first_use_is_refused_when_the_sites_second_is_over(grantlog, site, application, user):
    token = user_token(grantlog, application, user, site.url)
    assert site.answer(token).status_code == 200
    revoke(grantlog, application, token)
    assert site.soon_refuses(token)


def test_a_disabled_clients_token_is_refused_when_the_sites_second_is_over(grantlog, site, application):
    token = service_token(grantlog, application, "read", site.url)
    assert site.answer(token).status_code == 200
    grantlog.run("client", "disable", application.id)
    assert site.soon_refuses(token)


def test_what_must_be_refused_is_refused(grantlog, site, application):
    assert site.answer("invented").status_code == 403
    assert requests.get(f"{site.url}/notes/", timeout=30).status_code == 403
    token = service_token(grantlog, application, "read", site.url)
    assert site.answer(token, "/notes/new/").status_code == 403, "the token has not the scope write"
    elsewhere = service_token(grantlog, grantlog.register("Elsewhere", grant_types=["client_credentials"], scope="read"), "read")
    assert site.answer(elsewhere).status_code == 403, "the token is for another resource"


def test_with_the_toolkits_default_cache_a_revoked_token_lives_on_there(grantlog, tmp_path):
    """Not ours to mend, but to know: it asks once and believes the answer for ten hours, unless it is told otherwise."""
    with started(grantlog, tmp_path, "credentials", TEN_HOURS) as site:
        application = application_of(grantlog, site)
        token = service_token(grantlog, application, "read", site.url)
        assert site.answer(token).status_code == 200
        revoke(grantlog, application, token)
        assert site.answer(token).status_code == 200
