"""Authlib: code with PKCE, refresh with rotation, revocation, introspection, and the access token as a JWT."""

import pytest
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import KeySet

VERIFIER = "a-verifier-of-enough-characters-for-rfc-7636-0123456789"


@pytest.fixture
def session(grantlog, client):
    return OAuth2Session(
        client.id,
        client.secret,
        scope="read write",
        redirect_uri=client.redirect_uri,
        code_challenge_method="S256",
        token_endpoint=grantlog.token,
        revocation_endpoint_auth_method="client_secret_basic",
    )


@pytest.fixture
def returned(grantlog, session, user, browser):
    """The address by which a person came back."""
    address, _ = session.create_authorization_url(grantlog.authorize, code_verifier=VERIFIER)
    return browser.decide(browser.open(address), user).url


def fetch(grantlog, session, returned, verifier=VERIFIER):
    return session.fetch_token(grantlog.token, authorization_response=returned, code_verifier=verifier)


def test_tokens_rotate_and_a_replay_ends_the_whole_grant(grantlog, session, returned):
    first = fetch(grantlog, session, returned)
    second = session.refresh_token(grantlog.token, first["refresh_token"])
    third = session.refresh_token(grantlog.token, second["refresh_token"])
    assert len({token["refresh_token"] for token in (first, second, third)}) == 3
    assert session.get(grantlog.resource).status_code == 200
    with pytest.raises(OAuthError, match="invalid_grant"):
        session.refresh_token(grantlog.token, first["refresh_token"])
    with pytest.raises(OAuthError, match="invalid_grant"):
        session.refresh_token(grantlog.token, third["refresh_token"])


def test_a_lost_answer_is_repeated_byte_for_byte(grantlog, session, returned):
    first = fetch(grantlog, session, returned)
    second = session.refresh_token(grantlog.token, first["refresh_token"])
    again = session.refresh_token(grantlog.token, first["refresh_token"])
    assert (again["access_token"], again["refresh_token"]) == (second["access_token"], second["refresh_token"])


def test_a_wrong_verifier_is_refused(grantlog, session, returned):
    with pytest.raises(OAuthError, match="invalid_grant"):
        fetch(grantlog, session, returned, verifier=VERIFIER[::-1])


def test_a_code_without_its_verifier_is_refused(grantlog, session, returned):
    with pytest.raises(OAuthError, match="invalid_grant|invalid_request"):
        fetch(grantlog, session, returned, verifier=None)


def test_another_clients_code_is_refused(grantlog, session, returned):
    other = grantlog.register("Interop other application")
    thief = OAuth2Session(other.id, other.secret, redirect_uri=other.redirect_uri)
    with pytest.raises(OAuthError, match="invalid_grant"):
        fetch(grantlog, thief, returned)


def test_introspection_tells_of_a_token_until_it_is_revoked(grantlog, session, returned, client, user):
    token = fetch(grantlog, session, returned)
    told = session.introspect_token(grantlog.introspect, token["access_token"], "access_token").json()
    assert (told["active"], told["client_id"], told["username"]) == (True, client.id, user.name)
    assert set(told["scope"].split()) == {"read", "write"}
    assert session.revoke_token(grantlog.revoke, token["access_token"], "access_token").status_code == 200
    told = session.introspect_token(grantlog.introspect, token["access_token"], "access_token").json()
    assert told == {"active": False}


def test_a_stranger_learns_nothing_by_introspection(grantlog, session, returned):
    token = fetch(grantlog, session, returned)
    other = grantlog.register("Interop stranger")
    stranger = OAuth2Session(other.id, other.secret)
    assert stranger.introspect_token(grantlog.introspect, token["access_token"]).json() == {"active": False}


def test_an_access_token_is_a_jwt_that_the_published_keys_verify(grantlog, session, returned, client):
    token = fetch(grantlog, session, returned)
    metadata = requests.get(f"{grantlog.url}/.well-known/oauth-authorization-server/o", timeout=30).json()
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=30).json())
    decoded = jwt.decode(token["access_token"], keys, algorithms=["ES256"])
    assert decoded.header["typ"] == "at+jwt"
    assert (decoded.claims["iss"], decoded.claims["client_id"]) == (metadata["issuer"], client.id)


def test_a_public_client_proves_itself_by_pkce_alone(grantlog, user, browser):
    client = grantlog.register("Interop single-page application", token_endpoint_auth_method="none", scope="read")
    session = OAuth2Session(
        client.id, scope="read", redirect_uri=client.redirect_uri, token_endpoint_auth_method="none", code_challenge_method="S256"
    )
    address, _ = session.create_authorization_url(grantlog.authorize, code_verifier=VERIFIER)
    assert create_s256_code_challenge(VERIFIER) in address
    returned = browser.decide(browser.open(address), user).url
    token = fetch(grantlog, session, returned)
    assert session.get(grantlog.resource).status_code == 200
    assert session.refresh_token(grantlog.token, token["refresh_token"])["refresh_token"] != token["refresh_token"]
