"""A Django site as client: a person clicks through it, and it gets that person's resource."""

import json

import pytest

from browser import Browser
from django_site import free_port, running


@pytest.fixture(scope="module")
def site(grantlog, tmp_path_factory):
    port = free_port()
    redirect_uri = f"http://127.0.0.1:{port}/callback/"
    client = grantlog.register("Django site", redirect_uri=redirect_uri, scope="read")
    environment = {"CLIENT_ID": client.id, "CLIENT_SECRET": client.secret, "REDIRECT_URI": redirect_uri}
    with running("django_client", port, environment, tmp_path_factory.mktemp("site") / "log") as url:
        yield url


def test_a_person_signs_in_through_the_site(site, user):
    browser = Browser()
    page = browser.decide(browser.open(f"{site}/login/"), user)
    assert page.url == f"{site}/profile/"
    assert json.loads(page.text)["username"] == user.name


def test_a_second_visit_is_not_asked_again(site, user):
    browser = Browser()
    browser.decide(browser.open(f"{site}/login/"), user)
    assert browser.open(f"{site}/login/").url == f"{site}/profile/"


def test_a_person_who_denies_is_told_so_by_the_site(site, user):
    browser = Browser()
    page = browser.decide(browser.open(f"{site}/login/"), user, "deny")
    assert (page.status, page.text) == (400, "access_denied")


def test_a_code_that_another_browser_brings_is_refused_by_the_site(site, user):
    stolen = Browser(f"{site}/callback/")
    address = stolen.decide(stolen.open(f"{site}/login/"), user).url
    assert Browser().open(address).status == 400
