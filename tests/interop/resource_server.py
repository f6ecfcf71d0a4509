"""A resource server made with clients/python, as the tests see it: who may come, and what it takes until it refuses them."""

import time
from urllib.parse import urlsplit

import requests
from requests_oauthlib import OAuth2Session

from browser import Browser

# The longest that anything may take here, in seconds.
PATIENCE = 60


def registered(grantlog, audience):
    """The client that the resource server is at grantlog."""
    return grantlog.register("Resource server", grant_types=["client_credentials"], scope="introspection", resources=[audience])


def application_for(grantlog, audience, **metadata):
    grants = ["authorization_code", "refresh_token", "client_credentials"]
    return grantlog.register("Notes application", **{"grant_types": grants, "resources": [audience], **metadata})


def own_token(grantlog, application, audience, scope="read"):
    asked = {"grant_type": "client_credentials", "scope": scope, "resource": audience}
    answer = requests.post(grantlog.token, data=asked, auth=(application.id, application.secret), timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


class Person:
    """A user in front of a browser of their own."""

    def __init__(self, grantlog, application):
        self.grantlog, self.application = grantlog, application
        self.user = grantlog.new_user()
        self.browser = Browser(application.redirect_uri)

    def tokens(self, audience, scope="read"):
        oauth = OAuth2Session(self.application.id, redirect_uri=self.application.redirect_uri, scope=scope.split(), pkce="S256")
        page = self.browser.open(oauth.authorization_url(self.grantlog.authorize, resource=audience)[0])
        address = self.browser.decide(page, self.user).url
        return oauth.fetch_token(self.grantlog.token, authorization_response=address, client_secret=self.application.secret)

    def sign_out(self):
        page = self.browser.open(f"{self.grantlog.url}/o/logout/")
        assert self.browser.press(page, "logout").has("logged_out")


def revoke(grantlog, application, token):
    answer = requests.post(grantlog.revoke, data={"token": token}, auth=(application.id, application.secret), timeout=30)
    assert answer.status_code == 200


def host_of(url):
    """The host and the port."""
    return urlsplit(url).netloc


def until(answered, what):
    """Waits until it is so; how long that took."""
    begun = time.monotonic()
    while not answered():
        assert time.monotonic() - begun < PATIENCE, f"{what} did not happen"
        time.sleep(0.005)
    return time.monotonic() - begun
