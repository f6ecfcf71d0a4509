"""clients/python: tokens that are bound to a key (RFC 9449) or a certificate (RFC 8705) open nothing to who does not show that."""

import base64
import json
import time
from urllib.parse import quote

import pytest

from behind import THROUGH, through_asgi, through_wsgi
from bound import Key, digest
from grantlog_resource_server import BoundToKey, InvalidToken, ResourceServer, Sender, Settings, asgi, wsgi
from grantlog_resource_server.claims import Claims
from grantlog_resource_server.proof import WINDOW, NoProof, Proof, UsedProofs
from grantlog_resource_server.sender import certificate_of
from resource_server import application_for, own_token, registered, revoke, until

AUDIENCE = "https://bound.example"
ADDRESS = f"{AUDIENCE}/notes"
NOW = 10_000


@pytest.fixture(scope="module")
def settings(grantlog):
    itself = registered(grantlog, AUDIENCE)
    return Settings(f"{grantlog.url}/o", AUDIENCE, itself.id, itself.secret)


@pytest.fixture(scope="module")
def server(settings):
    server = ResourceServer(settings)
    server.start()
    until(lambda: server.standing().is_whole, "the news")
    yield server
    server.close()


def application(grantlog, **metadata):
    return application_for(grantlog, AUDIENCE, grant_types=["client_credentials"], scope="read", dpop_bound_access_tokens=True, **metadata)


def read(through, server, token, *proofs, scheme="DPoP", **more):
    status, headers, body = through(server, f"{scheme} {token}", path="/notes", headers=[("DPoP", proof) for proof in proofs], **more)
    return status, headers.get("www-authenticate"), body


def assert_refused(answer, error):
    status, challenge, _ = answer
    assert status == 401 and challenge.startswith(f'DPoP error="{error}"') and 'algs="ES256 EdDSA PS256"' in challenge, challenge


@pytest.mark.parametrize("form", ["jwt", "opaque"])
@pytest.mark.parametrize("through", THROUGH)
def test_it_opens_by_a_proof_alone_and_each_proof_once(grantlog, server, through, form):
    client, key, other = application(grantlog, access_token_format=form), Key(), Key()
    token = key.token(grantlog, client, AUDIENCE)
    proof = key.proof("GET", ADDRESS, token)
    assert read(through, server, token, proof) == (200, None, client.id)
    assert_refused(read(through, server, token, proof), "invalid_dpop_proof")
    assert read(through, server, token, key.proof("GET", f"{ADDRESS}?page=2", token))[0] == 200
    assert_refused(read(through, server, token, key.proof("GET", ADDRESS, token), scheme="Bearer"), "invalid_token")
    assert_refused(read(through, server, token, other.proof("GET", ADDRESS, token)), "invalid_token")
    assert_refused(read(through, server, token, key.proof("POST", ADDRESS, token)), "invalid_dpop_proof")
    assert_refused(read(through, server, token, key.proof("GET", AUDIENCE, token)), "invalid_dpop_proof")
    assert_refused(read(through, server, token), "invalid_dpop_proof")
    assert_refused(read(through, server, token, *(key.proof("GET", ADDRESS, token) for _ in range(2))), "invalid_dpop_proof")
    status, challenge, _ = read(through, server, token, key.proof("GET", ADDRESS, token), scopes=["write"])
    assert status == 403 and challenge.startswith('DPoP error="insufficient_scope"') and 'scope="write"' in challenge
    revoke(grantlog, client, token)
    until(lambda: read(through, server, token, key.proof("GET", ADDRESS, token))[0] == 401, "the refusal")
    assert_refused(read(through, server, token, key.proof("GET", ADDRESS, token)), "invalid_token")


@pytest.mark.parametrize("through", THROUGH)
def test_a_token_that_is_bound_to_no_key_needs_no_proof(grantlog, server, through):
    client = application_for(grantlog, AUDIENCE)
    token = own_token(grantlog, client, AUDIENCE)
    assert read(through, server, token, "whatever", scheme="Bearer")[0] == 200
    assert_refused(read(through, server, token, Key().proof("GET", ADDRESS, token)), "invalid_token")


def test_the_address_is_the_one_that_clients_know(grantlog, settings):
    elsewhere = Settings(settings.issuer, AUDIENCE, settings.client_id, settings.client_secret, address="https://api.example/v1/")
    server, key = ResourceServer(elsewhere), Key()
    token = key.token(grantlog, application(grantlog), AUDIENCE)
    assert read(through_asgi, server, token, key.proof("GET", "https://api.example/v1/notes", token))[0] == 200
    assert_refused(read(through_asgi, server, token, key.proof("GET", ADDRESS, token)), "invalid_dpop_proof")
    assert Settings("https://id.example/o", "urn:notes", "id", "secret").address_of("/notes") is None
    for path in ("", "*", "@evil.example/notes", ".evil.example/notes"):
        assert Settings("https://id.example/o", AUDIENCE, "id", "secret").address_of(path) is None
    for wrong in ("nowhere", "//api.example", "ftp://api.example", "https://api.example?x", "https://api.example/#x", "https://api.example:port"):
        with pytest.raises(ValueError):
            Settings("https://id.example/o", "urn:notes", "id", "secret", address=wrong)
    server.close()


@pytest.mark.parametrize("path", ["/a b", "/ä", "/50%", "/"])
def test_how_a_path_is_encoded_does_not_count(grantlog, server, path):
    key = Key()
    token = key.token(grantlog, application(grantlog), AUDIENCE)
    for through, sent in [(through_wsgi, path.encode().decode("latin-1")), (through_asgi, path)]:
        proof = key.proof("GET", AUDIENCE + quote(path), token)
        status, headers, _ = through(server, f"DPoP {token}", path=sent, headers=[("DPoP", proof)])
        assert status == 200, headers


def test_without_a_request_a_bound_token_opens_nothing(grantlog, server):
    token = Key().token(grantlog, application(grantlog), AUDIENCE)
    with pytest.raises(BoundToKey):
        server.check(token)
    with pytest.raises(BoundToKey):
        server.admit(f"Bearer {token}")


def test_what_nobody_can_read_is_no_token(server):
    with pytest.raises(InvalidToken):
        server.check(f"{encoded('[' * 9000)}.e30.AA")


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "PS256"])
def test_a_proof_is_signed_by_any_of_three(algorithm):
    key = Key(algorithm)
    proof = key.proof("GET", ADDRESS, "token", iat=NOW)
    first = Proof.read(proof, "GET", ADDRESS, "token", NOW)
    assert first == Proof.read(proof, "GET", "HTTPS://BOUND.example:443/notes?page=2#top", "token", NOW + WINDOW)
    head, rest = proof.split(".", 1)
    with pytest.raises(NoProof, match="did not sign"):
        Proof.read(f"{head}.{rest[:-86]}{'A' * 86}", "GET", ADDRESS, "token", NOW)


REFUSED = [
    ({"header": {"typ": "JWT"}}, "no JWT"),
    ({"header": {"typ": None}}, "no JWT"),
    ({"header": {"jwk": None}}, "no JWT"),
    ({"header": {"jwk": {"kty": "EC"}}}, "no JWT"),
    ({"header": {"jwk": {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}}}, "did not sign"),
    ({"header": {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}}, "did not sign"),
    ({"header": {"jwk": {"kty": "oct", "k": "AA"}}}, "private"),
    ({"jti": None}, "must be there"),
    ({"ath": None}, "must be there"),
    ({"iat": "10000"}, "must be there"),
    ({"iat": True}, "must be there"),
    ({"jti": ""}, "jti"),
    ({"jti": "x" * 256}, "jti"),
    ({"htm": "get"}, "htm"),
    ({"htu": "http://bound.example/notes"}, "htu"),
    ({"htu": "https://bound.example:8443/notes"}, "htu"),
    ({"htu": "https://bound.example:port/notes"}, "htu"),
    ({"htu": "/notes"}, "htu"),
    ({"iat": NOW - WINDOW - 1}, "iat"),
    ({"iat": NOW + WINDOW + 1}, "iat"),
    ({"ath": digest(b"other")}, "ath"),
]


@pytest.mark.parametrize("changed, why", REFUSED, ids=str)
def test_what_is_no_proof_of_a_request_is_refused(changed, why):
    proof = Key().proof("GET", ADDRESS, "token", **{"iat": NOW, **changed})
    with pytest.raises(NoProof, match=why):
        Proof.read(proof, "GET", ADDRESS, "token", NOW)


def encoded(part):
    part = part if isinstance(part, str) else json.dumps(part)
    return base64.urlsafe_b64encode(part.encode()).decode().rstrip("=")


@pytest.mark.parametrize("no_jwt", ["", "a.b.c", "a.b", "é.é.é", "W10.W10.AA", "a." * 8192, f"{encoded('[' * 5000)}.e30.AA", "e30.e30.AA, !!"])
def test_what_is_no_jwt_is_no_proof(no_jwt):
    with pytest.raises(NoProof, match="no JWT"):
        Proof.read(no_jwt, "GET", ADDRESS, "token", NOW)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", ["ES256"], {}, None, 1])
def test_other_algorithms_prove_nothing(algorithm):
    head = encoded({"typ": "dpop+jwt", "alg": algorithm, "jwk": {}})
    with pytest.raises(NoProof, match="algorithm"):
        Proof.read(f"{head}.e30.AA", "GET", ADDRESS, "token", NOW)


def test_used_proofs_are_forgotten_when_they_are_too_old():
    used = UsedProofs()
    assert used.use_up(Proof("key", "1", NOW), NOW) and used.use_up(Proof("other", "1", NOW), NOW)
    assert not used.use_up(Proof("key", "1", NOW), NOW + WINDOW)
    assert not used.use_up(Proof("key", "1", NOW - 1), NOW)
    assert used.use_up(Proof("key", "2", NOW + 2 * WINDOW), NOW + 2 * WINDOW)
    assert not used.use_up(Proof("key", "1", NOW), NOW + WINDOW), "a clock was set back"
    assert used.use_up(Proof("key", "3", NOW + 4 * WINDOW), NOW + 4 * WINDOW)
    assert used.use_up(Proof("key", "1", NOW), NOW + 4 * WINDOW)


CERTIFICATE = b"certificate"


def bound_to(cnf):
    now = int(time.time())
    members = {"iss": "i", "sub": "s", "aud": "a", "exp": now, "iat": now, "client_id": "c", "grant_id": "g", "cnf": cnf}
    return Claims.of({name: value for name, value in members.items() if value is not None})


def holds(sender, cnf, scheme="Bearer"):
    sender.check(bound_to(cnf), scheme, "token", Settings("https://id.example/o", AUDIENCE, "id", "secret"), UsedProofs())


def test_a_certificate_is_shown_by_the_header_that_the_settings_name():
    x5t = digest(CERTIFICATE)
    holds(Sender(certificate=CERTIFICATE), {"x5t#S256": x5t})
    holds(Sender(), None)
    for sender, scheme in [(Sender(), "Bearer"), (Sender(certificate=b"other"), "Bearer"), (Sender(certificate=CERTIFICATE), "DPoP")]:
        with pytest.raises(InvalidToken, match="certificate"):
            holds(sender, {"x5t#S256": x5t}, scheme)


@pytest.mark.parametrize("cnf", [{}, {"jkt": 1}, {"x5t#S256": None}, {"jkt": "a", "x5t#S256": "b"}, {"jwe": "a"}, "a", 1])
def test_what_a_token_is_bound_to_that_nobody_knows_is_shown_by_nobody(cnf):
    with pytest.raises(InvalidToken, match="cannot be told"):
        holds(Sender(certificate=CERTIFICATE, proof="x"), cnf)


def test_one_header_of_the_proxy_tells_of_a_certificate():
    settings = Settings("https://id.example/o", AUDIENCE, "id", "secret", client_certificate_header="Client-Cert")
    encoded = base64.b64encode(CERTIFICATE).decode()
    pem = quote(f"-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n")
    one = f":{encoded}:"
    for values, told in [([one], CERTIFICATE), ([pem], CERTIFICATE), ([], None), ([one, one], None), ([pem, pem], None), ([pem + pem], None)]:
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"} | ({"HTTP_CLIENT_CERT": ",".join(values)} if values else {})
        scope = {"method": "GET", "path": "/", "headers": [(b"client-cert", value.encode()) for value in values]}
        assert wsgi.sender_of(environ, "/", settings).certificate == asgi.sender_of(scope, settings).certificate == told


@pytest.mark.parametrize("nothing", ["", ":", "::!:", ":AA", "-----BEGIN%20CERTIFICATE-----", "%ff", "(null)", "x-----BEGIN CERTIFICATE-----AA==-----END CERTIFICATE-----"])
def test_what_holds_no_certificate_tells_of_none(nothing):
    assert not certificate_of(nothing)
