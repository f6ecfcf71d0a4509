"""What every test is given: the server, a user of its own, a browser, a client."""

import os

import pytest

from browser import Browser
from grantlog import Grantlog

# The server stands on loopback, over plain http; oauthlib would refuse that.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"


@pytest.fixture(scope="session")
def grantlog():
    return Grantlog.from_environment()


@pytest.fixture
def user(grantlog):
    return grantlog.new_user()


@pytest.fixture
def client(grantlog):
    """A web application that signs people in."""
    return grantlog.register("Interop web application")


@pytest.fixture
def service(grantlog):
    """A program that acts for itself."""
    return grantlog.register("Interop service", grant_types=["client_credentials"], scope="read")


@pytest.fixture
def browser(client):
    return Browser(client.redirect_uri)
