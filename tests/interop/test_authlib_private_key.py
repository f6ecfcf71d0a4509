"""Authlib by `private_key_jwt` (RFC 7523): the client has a key instead of a secret, and can sign its requests with it (RFC 9101)."""

import json
import time

import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from browser import Browser

KEYS = {
    "RS256": lambda: RSAKey.generate_key(2048),
    "PS256": lambda: RSAKey.generate_key(2048),
    "ES256": lambda: ECKey.generate_key("P-256"),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
}
METHOD = "private_key_jwt"
VERIFIER = generate_token(48)


class Application:
    """A client that is registered with the public half of its key."""

    def __init__(self, grantlog, algorithm="ES256", **metadata):
        self.grantlog = grantlog
        self.algorithm = algorithm
        self.key = KEYS[algorithm]()
        keys = json.dumps({"keys": [self.key.as_dict(private=False)]})
        self.client = grantlog.register(f"Authlib by {algorithm}", token_endpoint_auth_method=METHOD, jwks=keys, **metadata)
        self.browser = Browser(self.client.redirect_uri)

    def session(self, *, key=None, **changed):
        """`changed` is what its assertions say otherwise. They are for the token endpoint, wherever they are shown."""
        session = OAuth2Session(
            self.client.id,
            key or self.key,
            scope="read",
            redirect_uri=self.client.redirect_uri,
            token_endpoint_auth_method=METHOD,
            revocation_endpoint_auth_method=METHOD,
            code_challenge_method="S256",
        )
        session.register_client_auth_method(PrivateKeyJWT(self.grantlog.token, claims=changed or None, alg=self.algorithm))
        return session

    def sign(self, key=None, **changed):
        """An authorization request in a JWT: Authlib carries one, and has no words for making it."""
        now = int(time.time())
        claims = {"iss": self.client.id, "aud": f"{self.grantlog.url}/o", "nbf": now, "exp": now + 60, "client_id": self.client.id}
        asked = {"response_type": "code", "redirect_uri": self.client.redirect_uri, "scope": "read", "state": "signed"}
        challenge = {"code_challenge": create_s256_code_challenge(VERIFIER), "code_challenge_method": "S256"}
        header = {"alg": self.algorithm, "typ": "oauth-authz-req+jwt"}
        return jwt.encode(header, {**claims, **asked, **challenge, **changed}, key or self.key, algorithms=[self.algorithm])

    def visit(self, user, **asked):
        """A person who is sent with a request, and where they come back."""
        address, _ = self.session().create_authorization_url(self.grantlog.authorize, code_verifier=VERIFIER, **asked)
        return self.browser.decide(self.browser.open(address), user)

    def tokens(self, session, returned):
        return session.fetch_token(self.grantlog.token, authorization_response=returned.url, code_verifier=VERIFIER)


@pytest.fixture
def application(grantlog):
    return Application(grantlog)


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_key_proves_who_asks_at_every_endpoint(grantlog, user, algorithm):
    application = Application(grantlog, algorithm)
    session = application.session()
    first = application.tokens(session, application.visit(user))
    assert session.get(grantlog.resource).json()["username"] == user.name
    second = session.refresh_token(grantlog.token, first["refresh_token"])
    told = session.introspect_token(grantlog.introspect, second["access_token"]).json()
    assert (told["active"], told["client_id"]) == (True, application.client.id)
    assert session.revoke_token(grantlog.revoke, second["refresh_token"], "refresh_token").status_code == 200
    assert session.introspect_token(grantlog.introspect, second["access_token"]).json() == {"active": False}


def test_an_assertion_may_be_for_the_issuer(grantlog, application, user):
    session = application.session(aud=f"{grantlog.url}/o")
    assert application.tokens(session, application.visit(user))["access_token"]


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "https://id.example/o/token/"},
        {"sub": "another"},
        {"iss": "another"},
        {"exp": int(time.time()) - 3600},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_an_assertion_that_is_not_right_proves_nothing(application, user, changed):
    with pytest.raises(OAuthError, match="invalid_client"):
        application.tokens(application.session(**changed), application.visit(user))


def test_an_assertion_by_another_key_proves_nothing_at_any_endpoint(grantlog, application, user):
    token = application.tokens(application.session(), application.visit(user))["access_token"]
    liar = application.session(key=KEYS["ES256"]())
    with pytest.raises(OAuthError, match="invalid_client"):
        application.tokens(liar, application.visit(user))
    assert liar.introspect_token(grantlog.introspect, token).json()["error"] == "invalid_client"
    assert liar.revoke_token(grantlog.revoke, token).json()["error"] == "invalid_client"
    assert application.session().introspect_token(grantlog.introspect, token).json()["active"], "nothing was revoked"


def test_an_assertion_proves_once(application, user):
    session = application.session(jti=generate_token(20))
    assert application.tokens(session, application.visit(user))["access_token"]
    with pytest.raises(OAuthError, match="invalid_client"):
        application.tokens(session, application.visit(user))


@pytest.mark.parametrize("algorithm", KEYS)
def test_what_the_application_signed_is_the_request(grantlog, user, algorithm):
    application = Application(grantlog, algorithm)
    returned = application.visit(user, request=application.sign(), scope="write", state="beside")
    assert returned.query["state"] == "signed"
    tokens = application.tokens(application.session(), returned)
    assert tokens["scope"] == "read"


def test_a_request_that_is_not_right_is_refused(application, user):
    for wrong in [
        application.sign(key=KEYS["ES256"]()),
        application.sign(aud="https://id.example/o"),
        application.sign(exp=int(time.time()) - 3600),
        application.sign(client_id="another"),
    ]:
        assert application.visit(user, request=wrong).query["error"] == "invalid_request_object"
