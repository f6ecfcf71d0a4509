"""oauthlib's client for devices (RFC 8628), polling as django-oauth-toolkit's tutorial does."""

import time

import requests
from oauthlib.oauth2 import DeviceClient

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"


def test_a_device_polls_until_somebody_lets_it_in(grantlog, user, browser):
    client = grantlog.register(
        "oauthlib on a device", grant_types=[GRANT_TYPE], scope="read", token_endpoint_auth_method="none"
    )
    device = requests.post(f"{grantlog.url}/o/device-authorization/", data={"client_id": client.id}, timeout=30).json()
    body = DeviceClient(client.id).prepare_request_body(device["device_code"], include_client_id=True)
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    def poll():
        return requests.post(grantlog.token, data=body, headers=form, timeout=30)

    first = poll()
    assert (first.status_code, first.json()["error"]) == (400, "authorization_pending")
    assert poll().json()["error"] == "slow_down"

    browser.foreign = ()
    page = browser.open(device["verification_uri"])
    page = browser.press(page, "login", username=user.name, password=user.password)
    page = browser.press(page, "next", user_code=device["user_code"].lower().replace("-", ""))
    assert f"/o/device-confirm/{client.id}/{device['user_code']}" in page.url
    page = browser.press(page, "allow")
    assert f"/o/device-grant-status/{client.id}/{device['user_code']}" in page.url

    time.sleep(device["interval"])
    answer = poll()
    assert answer.status_code == 200
    assert answer.json()["scope"] == "read"
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert requests.get(grantlog.resource, headers=headers, timeout=30).json()["username"] == user.name
    assert poll().json()["error"] == "invalid_grant"
