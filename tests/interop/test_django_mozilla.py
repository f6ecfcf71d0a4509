"""mozilla-django-oidc: people sign in, are asked silently whether they are still signed in, and sign out."""

import time

import pytest

from people_site import REFUSED, people_site
from tampered import tampered


@pytest.fixture(scope="module")
def site(grantlog, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mozilla")
    # It posts its secret.
    metadata = {"token_endpoint_auth_method": "client_secret_post"}
    with people_site(grantlog, folder, "django_mozilla", "/oidc/authenticate/", "/oidc/callback/", **metadata) as site:
        yield site


@pytest.fixture
def visitor(site):
    return site.new_visitor()


@pytest.fixture
def signed_in(visitor):
    visitor.sign_in()
    assert visitor.told()["email"] == visitor.user.email
    return visitor


def when_the_site_asks_again(visitor):
    """Opens the site when the second is over for which it believes that the person is signed in; gives what it asks grantlog."""
    time.sleep(1.1)
    visitor.browser.foreign = (visitor.site.grantlog.authorize,)
    asked = visitor.browser.open(f"{visitor.site.url}/")
    visitor.browser.foreign = ()
    return asked


def test_a_signed_in_person_is_asked_silently_and_stays(signed_in):
    asked = when_the_site_asks_again(signed_in)
    assert asked.query["prompt"] == "none"
    assert signed_in.browser.open(asked.url).url == f"{signed_in.site.url}/"
    assert signed_in.told()["email"] == signed_in.user.email


def test_who_signed_out_at_grantlog_is_signed_out_at_the_site(signed_in):
    page = signed_in.browser.open(f"{signed_in.site.grantlog.url}/o/logout/")
    assert signed_in.browser.press(page, "logout").has("logged_out")
    signed_in.browser.open(when_the_site_asks_again(signed_in).url)
    assert signed_in.told()["email"] is None


def test_who_signs_out_at_the_site_is_signed_out_at_grantlog_and_comes_back(signed_in):
    assert signed_in.browser.open(f"{signed_in.site.url}/oidc/logout/").url == f"{signed_in.site.url}/"
    assert signed_in.told()["email"] is None
    assert signed_in.is_unknown_to_grantlog()


def test_a_person_who_denies_is_not_let_in(visitor):
    visitor.sign_in("deny")
    assert visitor.told()["email"] is None


def test_a_tampered_state_is_refused(visitor):
    address = visitor.come_back()
    assert visitor.browser.open(address.replace("state=", "state=x")).status == 400
    assert visitor.told()["email"] is None


def test_an_address_that_was_used_is_good_no_more(visitor):
    address = visitor.come_back()
    visitor.browser.open(address)
    assert visitor.browser.open(address).status == 400


@pytest.mark.parametrize("what", REFUSED)
def test_what_grantlog_refuses_lets_nobody_in(visitor, what):
    # The site takes that for its own failure.
    assert visitor.is_refused(what).status == 500
    assert visitor.told()["email"] is None


def test_an_id_token_of_another_sign_in_is_refused_by_its_nonce(site, visitor):
    site.new_visitor().sign_in()
    with site.liar.telling(id_token=site.liar.answers[-1].told["id_token"]):
        assert visitor.sign_in().status == 400
    assert visitor.told()["email"] is None


def test_an_id_token_that_nobody_signed_is_refused(site, visitor):
    site.new_visitor().sign_in()
    with site.liar.telling(id_token=tampered(site.liar.answers[-1].told["id_token"])):
        assert visitor.sign_in().status == 400
    assert visitor.told()["email"] is None
