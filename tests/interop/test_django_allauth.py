"""django-allauth's OpenID Connect provider: people sign in and out, and the site has their tokens to refresh and to revoke."""

import pytest
import requests

from people_site import REFUSED, people_site


@pytest.fixture(scope="module")
def site(grantlog, tmp_path_factory):
    folder = tmp_path_factory.mktemp("allauth")
    where = "/accounts/oidc/grantlog/login/"
    with people_site(grantlog, folder, "django_allauth", where, f"{where}callback/") as site:
        yield site


@pytest.fixture
def visitor(site):
    return site.new_visitor()


def post(site, where, **fields):
    return requests.post(where, data=fields, auth=(site.client.id, site.client.secret), timeout=30)


def userinfo(grantlog, token):
    return requests.get(f"{grantlog.url}/o/userinfo/", headers={"Authorization": f"Bearer {token}"}, timeout=30)


def test_a_person_signs_in_and_the_site_knows_them_again(visitor):
    assert visitor.sign_in().url == f"{visitor.site.url}/"
    told = visitor.told()
    assert (told["username"], told["email"]) == (visitor.user.name, visitor.user.email)
    visitor.browser.session.cookies.clear()
    visitor.sign_in()
    assert visitor.told()["username"] == visitor.user.name


def test_the_sites_tokens_are_refreshed_and_revoked(grantlog, site, visitor):
    visitor.sign_in()
    told = visitor.told()
    assert userinfo(grantlog, told["access"]).json()["preferred_username"] == visitor.user.name
    refreshed = post(site, grantlog.token, grant_type="refresh_token", refresh_token=told["refresh"]).json()
    assert userinfo(grantlog, refreshed["access_token"]).status_code == 200
    assert post(site, grantlog.revoke, token=refreshed["refresh_token"]).status_code == 200
    assert userinfo(grantlog, refreshed["access_token"]).status_code == 401
    again = post(site, grantlog.token, grant_type="refresh_token", refresh_token=refreshed["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_who_signs_out_at_the_site_is_signed_out_at_grantlog_and_comes_back(site, visitor):
    visitor.sign_in()
    page = visitor.browser.press(visitor.browser.open(f"{site.url}/accounts/logout/"), "logout")
    assert page.url == f"{site.url}/"
    assert visitor.told()["username"] is None
    assert visitor.is_unknown_to_grantlog()


def test_a_person_who_denies_is_not_let_in(site, visitor):
    page = visitor.sign_in("deny")
    assert page.url == f"{site.url}/accounts/3rdparty/login/cancelled/"
    assert visitor.told()["username"] is None


def test_a_tampered_state_is_refused(visitor):
    address = visitor.come_back()
    assert visitor.browser.open(address.replace("state=", "state=x")).status == 401
    assert visitor.told()["username"] is None


def test_an_address_that_another_browser_brings_is_refused(site, visitor):
    address = visitor.come_back()
    stranger = site.new_visitor()
    assert stranger.browser.open(address).status == 401
    assert stranger.told()["username"] is None


@pytest.mark.parametrize("what", REFUSED)
def test_what_grantlog_refuses_lets_nobody_in(visitor, what):
    assert visitor.is_refused(what).status == 401
    assert visitor.told()["username"] is None


def test_an_id_token_for_another_application_is_refused(grantlog, site, visitor, tmp_path):
    where = "/accounts/oidc/grantlog/login/"
    with people_site(grantlog, tmp_path, "django_allauth", where, f"{where}callback/") as other:
        other.new_visitor().sign_in()
        theirs = other.liar.answers[-1].told["id_token"]
    with site.liar.telling(id_token=theirs):
        assert visitor.sign_in().status == 401
    assert visitor.told()["username"] is None
