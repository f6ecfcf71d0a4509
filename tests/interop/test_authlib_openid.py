"""Authlib by OpenID Connect: it knows the issuer alone, and finds, verifies and asks for all the rest."""

import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client import BaseApp, OAuth2Mixin, OpenIDMixin
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6749.errors import MismatchingStateException
from joserfc.errors import BadSignatureError, InvalidClaimError, MissingClaimError
from requests import HTTPError

from browser import Browser
from tampered import tampered

REDIRECT_URI = "http://127.0.0.1:9/callback"
BYE = "http://127.0.0.1:9/bye"


class Application(OAuth2Mixin, OpenIDMixin, BaseApp):
    """What Authlib's integrations of Django, Flask and others are made of."""

    client_cls = OAuth2Session


class Visit:
    """A person who was sent to grantlog by the application, and came back."""

    def __init__(self, application, user, browser, **asked):
        self.asked = application.create_authorization_url(REDIRECT_URI, **asked)
        self.page = browser.decide(browser.open(self.asked["url"]), user)
        self.application = application

    def tokens(self, **changed):
        given = {"code_verifier": self.asked["code_verifier"], "state": self.asked["state"], **changed}
        return self.application.fetch_access_token(REDIRECT_URI, authorization_response=self.page.url, **given)

    def person(self, tokens, nonce=None):
        return self.application.parse_id_token(tokens, nonce or self.asked["nonce"])


def application_of(grantlog, name="Authlib application", secret=None, **metadata):
    client = grantlog.register(name, redirect_uri=REDIRECT_URI, scope="openid profile read", post_logout_redirect_uris=[BYE], **metadata)
    kwargs = {"scope": "openid profile read", "code_challenge_method": "S256"}
    discovery = f"{grantlog.url}/o/.well-known/openid-configuration"
    return Application(None, client_id=client.id, client_secret=secret or client.secret, server_metadata_url=discovery, client_kwargs=kwargs)


@pytest.fixture
def application(grantlog):
    return application_of(grantlog)


@pytest.fixture
def browser():
    return Browser("http://127.0.0.1:9/")


@pytest.fixture
def visit(application, user, browser):
    return Visit(application, user, browser)


def session_of(application, tokens):
    credentials = (application.client_id, application.client_secret)
    return OAuth2Session(*credentials, token=tokens, revocation_endpoint_auth_method="client_secret_basic")


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_person_signs_in_and_the_application_knows_who_it_is(grantlog, user, browser, algorithm):
    visit = Visit(application_of(grantlog, id_token_signed_response_alg=algorithm), user, browser)
    tokens = visit.tokens()
    person = visit.person(tokens)
    told = visit.application.userinfo(token=tokens)
    assert (told["sub"], told["preferred_username"]) == (person["sub"], user.name)


def test_tokens_are_refreshed_and_the_new_id_token_is_the_same_persons(grantlog, visit):
    first = visit.tokens()
    with session_of(visit.application, first) as session:
        second = session.refresh_token(visit.application.server_metadata["token_endpoint"])
    assert second["refresh_token"] != first["refresh_token"]
    # A refreshed ID token has no nonce, and Authlib asks for none where it sent none.
    assert visit.application.parse_id_token(second, nonce=None)["sub"] == visit.person(first)["sub"]


def test_a_revoked_token_tells_nothing_any_more(visit):
    tokens = visit.tokens()
    metadata = visit.application.server_metadata
    with session_of(visit.application, tokens) as session:
        assert session.revoke_token(metadata["revocation_endpoint"], tokens["refresh_token"], "refresh_token").status_code == 200
        with pytest.raises(OAuthError, match="invalid_grant"):
            session.refresh_token(metadata["token_endpoint"], tokens["refresh_token"])
    with pytest.raises(HTTPError, match="401"):
        visit.application.userinfo(token=tokens)


def test_a_person_is_signed_out_and_comes_back(visit, user, browser):
    tokens = visit.tokens()
    out = visit.application.create_logout_url(BYE, tokens["id_token"])
    assert browser.open(out["url"]).url == f"{BYE}?state={out['state']}"
    with session_of(visit.application, tokens) as session, pytest.raises(OAuthError, match="invalid_grant"):
        session.refresh_token(visit.application.server_metadata["token_endpoint"])
    again = visit.application.create_authorization_url(REDIRECT_URI)
    assert browser.open(again["url"]).has("login"), "the person is not signed in any more"


def test_a_place_that_is_not_registered_is_no_way_out(visit, browser):
    out = visit.application.create_logout_url(f"{BYE}2", visit.tokens()["id_token"])
    page = browser.open(out["url"])
    assert (page.status, page.has("error")) == (400, True)


def test_a_wrong_secret_is_refused(grantlog, user, browser):
    liar = application_of(grantlog, secret="wrong")
    with pytest.raises(OAuthError, match="invalid_client"):
        Visit(liar, user, browser).tokens()


def test_a_replayed_code_is_refused_and_ends_what_it_gave(visit):
    tokens = visit.tokens()
    with pytest.raises(OAuthError, match="invalid_grant"):
        visit.tokens()
    with pytest.raises(HTTPError, match="401"):
        visit.application.userinfo(token=tokens)


def test_a_wrong_verifier_is_refused(visit):
    with pytest.raises(OAuthError, match="invalid_grant"):
        visit.tokens(code_verifier=generate_token(48))


def test_a_foreign_redirect_uri_is_a_page_and_no_redirect(application, browser):
    page = browser.open(application.create_authorization_url(f"{REDIRECT_URI}/other")["url"])
    assert page.status == 400 and "redirect_uri" in page.words_of("error")


def test_a_state_that_is_not_ours_is_refused_before_the_code_is_used(visit):
    with pytest.raises(MismatchingStateException):
        visit.tokens(state="another")
    assert visit.tokens()["id_token"]


def test_an_id_token_of_another_sign_in_is_refused(application, user, browser, visit):
    other = Visit(application, user, browser).tokens()
    with pytest.raises(InvalidClaimError, match="nonce"):
        visit.person({**visit.tokens(), "id_token": other["id_token"]})


def test_an_id_token_for_another_application_is_refused(grantlog, user, browser, visit):
    other = application_of(grantlog, "Another application")
    theirs = Visit(other, user, browser, nonce=visit.asked["nonce"]).tokens()
    # It takes another audience for one that would have to say who may use it.
    with pytest.raises(MissingClaimError, match="azp"):
        visit.person(theirs)


def test_an_id_token_that_was_tampered_with_is_refused(visit):
    tokens = visit.tokens()
    with pytest.raises(BadSignatureError):
        visit.person({**tokens, "id_token": tampered(tokens["id_token"])})
