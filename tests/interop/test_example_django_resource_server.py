"""examples/django/resource_server: whom it lets in, how soon it refuses what died, and what it does when the news is cut off."""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from bound import Key
from django_site import free_port, running
from resource_server import Person, application_for, host_of, own_token, registered, revoke, until
from tampered import tampered
from wire import wire_to

ROOT = Path(__file__).resolve().parents[2]
PATHS = [ROOT / "examples/django/resource_server", ROOT / "clients/python"]
CUT_OFF_AFTER = "3"


class Notes:
    def __init__(self, url, wire):
        self.url, self.wire = url, wire

    def read(self, token=None, **more):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.get(f"{self.url}/notes", headers=headers, timeout=30, **more)

    def come(self, method, authorization, proof):
        headers = {"Authorization": authorization, "DPoP": proof}
        return requests.request(method, f"{self.url}/notes", json="milk", headers=headers, timeout=30)

    def write(self, token, text):
        return requests.post(f"{self.url}/notes", json=text, headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def is_whole(self):
        return requests.get(f"{self.url}/health", timeout=30).json()["is_whole"]

    def until_refused(self, token):
        return until(lambda: self.read(token).status_code == 401, "the refusal")

    def until_whole(self, whole):
        until(lambda: self.is_whole() is whole, f"whole: {whole}")


@contextmanager
def started(grantlog, folder, way):
    """The site, whose news comes over a wire."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    itself = registered(grantlog, url)
    environment = {
        "PYTHONPATH": os.pathsep.join(map(str, PATHS)), "SECRET_KEY": "only-for-tests", "AUDIENCE": url,
        "ISSUER": f"{grantlog.url}/o", "CLIENT_ID": itself.id, "CLIENT_SECRET": itself.secret, "CUT_OFF_AFTER": CUT_OFF_AFTER,
    }  # fmt: skip
    source = host_of(grantlog.url) if way == "HTTP" else host_of(grantlog.nats)
    with wire_to(source) as wire:
        environment["FEED_URL"] = f"http://{wire.address}/o/revocations" if way == "HTTP" else ""
        environment["NATS_URL"] = f"nats://{wire.address}" if way == "NATS" else ""
        with running("notes", port, environment, folder / "log"):
            notes = Notes(url, wire)
            notes.until_whole(True)
            yield notes


@pytest.fixture(scope="module", params=["HTTP", "NATS"])
def notes(grantlog, tmp_path_factory, request):
    with started(grantlog, tmp_path_factory.mktemp("site"), request.param) as notes:
        yield notes


@pytest.fixture
def application(grantlog, notes):
    return application_for(grantlog, notes.url)


@pytest.fixture
def person(grantlog, application):
    return Person(grantlog, application)


def test_it_knows_who_comes_and_what_they_may(grantlog, notes, application, person):
    writer = own_token(grantlog, application, notes.url, "read write")
    assert notes.write(writer, "milk").status_code == 201
    reader = person.tokens(notes.url)["access_token"]
    told = notes.read(reader).json()
    assert told["application"] == application.id and told["reader"] != application.id
    assert {"by": application.id, "text": "milk"} in told["notes"]
    refused = notes.write(reader, "more")
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"] and 'scope="write"' in refused.headers["WWW-Authenticate"]


def test_what_must_be_refused_is_refused(grantlog, notes, application):
    none = notes.read()
    assert (none.status_code, none.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert notes.read(params={"access_token": own_token(grantlog, application, notes.url)}).status_code == 401
    token = own_token(grantlog, application, notes.url)
    unsigned = token.rpartition(".")[0]
    for forged in ("invented", "a.b.c", f"{token}x", tampered(token), f"{unsigned}."):
        refused = notes.read(forged)
        assert (refused.status_code, 'error="invalid_token"' in refused.headers["WWW-Authenticate"]) == (401, True), forged
    malformed = notes.read("a b")
    assert (malformed.status_code, 'error="invalid_request"' in malformed.headers["WWW-Authenticate"]) == (400, True)
    elsewhere = "https://elsewhere.example"
    assert notes.read(own_token(grantlog, application_for(grantlog, elsewhere), elsewhere)).status_code == 401


def test_a_token_that_is_bound_to_a_key_opens_by_a_proof_alone(grantlog, notes):
    client, key = application_for(grantlog, notes.url, dpop_bound_access_tokens=True), Key()
    writer, reader = (key.token(grantlog, client, notes.url, scope) for scope in ("read write", "read"))
    proof = key.proof("POST", f"{notes.url}/notes", writer)
    assert notes.come("POST", f"DPoP {writer}", proof).status_code == 201
    of_post = key.proof("POST", f"{notes.url}/notes", writer)
    of_get = key.proof("GET", f"{notes.url}/notes", writer)
    of_reader = key.proof("POST", f"{notes.url}/notes", reader)
    for method, authorization, proof, status, error in [
        ("POST", f"DPoP {writer}", proof, 401, "invalid_dpop_proof"),
        ("GET", f"DPoP {writer}", of_post, 401, "invalid_dpop_proof"),
        ("GET", f"DPoP {writer}", "nonsense", 401, "invalid_dpop_proof"),
        ("GET", f"Bearer {writer}", of_get, 401, "invalid_token"),
        ("POST", f"DPoP {reader}", of_reader, 403, "insufficient_scope"),
    ]:
        refused = notes.come(method, authorization, proof)
        assert refused.status_code == status and refused.headers["WWW-Authenticate"].startswith(f'DPoP error="{error}"'), error


def test_a_revoked_token_is_refused(grantlog, notes, application):
    token = own_token(grantlog, application, notes.url)
    assert notes.read(token).status_code == 200
    revoke(grantlog, application, token)
    took = notes.until_refused(token)
    print(f"refused {1e3 * took:.1f} ms after the revocation was acknowledged")


def test_a_revoked_grants_token_is_refused(grantlog, notes, application, person):
    tokens = person.tokens(notes.url)
    assert notes.read(tokens["access_token"]).status_code == 200
    revoke(grantlog, application, tokens["refresh_token"])
    notes.until_refused(tokens["access_token"])


def test_a_disabled_clients_token_is_refused(grantlog, notes, application):
    token = own_token(grantlog, application, notes.url)
    assert notes.read(token).status_code == 200
    grantlog.run("client", "disable", application.id)
    notes.until_refused(token)


def test_a_locked_users_token_is_refused(grantlog, notes, person):
    token = person.tokens(notes.url)["access_token"]
    assert notes.read(token).status_code == 200
    grantlog.run("user", "lock", person.user.name)
    notes.until_refused(token)


def test_a_token_is_refused_when_its_person_has_signed_out(notes, person):
    token = person.tokens(notes.url)["access_token"]
    assert notes.read(token).status_code == 200
    person.sign_out()
    notes.until_refused(token)


def test_a_retired_keys_token_is_refused_and_the_next_keys_is_let_in(grantlog, notes, application):
    token = own_token(grantlog, application, notes.url)
    assert notes.read(token).status_code == 200
    active = [key["kid"] for key in grantlog.run("keys", "list") if key["state"] == "active" and key["alg"] == "ES256"]
    grantlog.run("keys", "rotate", "--alg", "ES256")
    grantlog.run("keys", "retire", *active)
    notes.until_refused(token)
    assert notes.read(own_token(grantlog, application, notes.url)).status_code == 200


def test_an_opaque_token_is_asked_about_each_time(grantlog, notes):
    application = application_for(grantlog, notes.url, grant_types=["client_credentials"], access_token_format="opaque")
    token = own_token(grantlog, application, notes.url)
    assert notes.read(token).json()["application"] == application.id
    revoke(grantlog, application, token)
    assert notes.read(token).status_code == 401


def test_cut_off_from_the_news_it_asks_the_issuer_until_it_knows_all_again(grantlog, notes, application):
    one, other = (own_token(grantlog, application, notes.url) for _ in range(2))
    assert notes.read(one).status_code == 200
    notes.wire.cut()
    notes.until_whole(False)
    assert notes.read(one).status_code == 200
    revoke(grantlog, application, one)
    assert notes.read(one).status_code == 401
    notes.wire.mend()
    notes.until_whole(True)
    assert [notes.read(token).status_code for token in (one, other)] == [401, 200]
    revoke(grantlog, application, other)
    notes.until_refused(other)
