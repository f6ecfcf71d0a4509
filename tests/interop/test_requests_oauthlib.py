"""requests-oauthlib: a service, and a web application."""

import pytest
import requests
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError, InvalidGrantError, InvalidScopeError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session


def signed_in(grantlog, client, user, browser, **session):
    """The state of a web application that a person has just come back to, and the address they came back by."""
    oauth = OAuth2Session(client.id, redirect_uri=client.redirect_uri, scope=["read"], pkce="S256", **session)
    address, state = oauth.authorization_url(grantlog.authorize)
    page = browser.decide(browser.open(address), user)
    assert page.query["state"] == state
    assert page.query["iss"] == f"{grantlog.url}/o"
    return oauth, page.url


def test_a_service_fetches_a_token_and_gets_the_resource(grantlog, service):
    client = BackendApplicationClient(client_id=service.id)
    oauth = OAuth2Session(client=client)
    token = oauth.fetch_token(token_url=grantlog.token, client_id=service.id, client_secret=service.secret)
    assert token["token_type"] == "Bearer"
    assert token["scope"] == ["read"]
    answer = oauth.get(grantlog.resource)
    assert answer.status_code == 200
    assert answer.json()["client_id"] == service.id


def test_a_wrong_secret_gets_nothing(grantlog, service):
    oauth = OAuth2Session(client=BackendApplicationClient(client_id=service.id))
    with pytest.raises(InvalidClientError):
        oauth.fetch_token(token_url=grantlog.token, client_id=service.id, client_secret="wrong")


def test_a_scope_that_was_not_registered_is_refused(grantlog, service):
    oauth = OAuth2Session(client=BackendApplicationClient(client_id=service.id, scope=["write"]))
    with pytest.raises(InvalidScopeError):
        oauth.fetch_token(token_url=grantlog.token, client_id=service.id, client_secret=service.secret)


def test_a_web_application_signs_a_person_in_refreshes_and_revokes(grantlog, client, user, browser):
    oauth, address = signed_in(grantlog, client, user, browser)
    first = oauth.fetch_token(grantlog.token, authorization_response=address, client_secret=client.secret)
    assert oauth.get(grantlog.resource).json()["username"] == user.name

    second = oauth.refresh_token(grantlog.token, auth=HTTPBasicAuth(client.id, client.secret))
    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == ["read"]
    assert oauth.get(grantlog.resource).status_code == 200

    revoked = requests.post(
        grantlog.revoke, data={"token": second["refresh_token"]}, auth=HTTPBasicAuth(client.id, client.secret), timeout=30
    )
    assert revoked.status_code == 200
    assert oauth.get(grantlog.resource).status_code == 401
    with pytest.raises(InvalidGrantError):
        oauth.refresh_token(grantlog.token, auth=HTTPBasicAuth(client.id, client.secret))


def test_a_code_is_good_once_and_its_replay_ends_what_it_gave(grantlog, client, user, browser):
    oauth, address = signed_in(grantlog, client, user, browser)
    oauth.fetch_token(grantlog.token, authorization_response=address, client_secret=client.secret)
    assert oauth.get(grantlog.resource).status_code == 200
    with pytest.raises(InvalidGrantError):
        oauth.fetch_token(grantlog.token, authorization_response=address, client_secret=client.secret)
    assert oauth.get(grantlog.resource).status_code == 401


def test_a_person_who_denies_sends_the_application_away_with_access_denied(grantlog, client, user, browser):
    oauth = OAuth2Session(client.id, redirect_uri=client.redirect_uri, scope=["read"], pkce="S256")
    address, state = oauth.authorization_url(grantlog.authorize)
    page = browser.decide(browser.open(address), user, "deny")
    assert page.url.startswith(client.redirect_uri)
    assert (page.query["error"], page.query["state"]) == ("access_denied", state)
    assert "code" not in page.query


def test_a_redirect_uri_that_was_not_registered_is_a_page(grantlog, client, browser):
    oauth = OAuth2Session(client.id, redirect_uri=f"{client.redirect_uri}/other", scope=["read"], pkce="S256")
    browser.foreign = ()
    page = browser.open(oauth.authorization_url(grantlog.authorize)[0])
    assert page.status == 400
    assert "redirect_uri" in page.words_of("error")


def test_a_compatible_client_needs_no_pkce_and_posts_its_secret(grantlog, user, browser):
    client = grantlog.register("Interop old application", policy="compatible", scope="read")
    oauth = OAuth2Session(client.id, redirect_uri=client.redirect_uri, scope=["read"])
    page = browser.decide(browser.open(oauth.authorization_url(grantlog.authorize)[0]), user)
    oauth.fetch_token(
        grantlog.token, authorization_response=page.url, client_secret=client.secret, include_client_id=True
    )
    assert oauth.get(grantlog.resource).json()["username"] == user.name
