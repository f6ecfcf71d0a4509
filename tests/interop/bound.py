"""A key that tokens are bound to, and its proofs (RFC 9449)."""

import time
import uuid
from base64 import urlsafe_b64encode
from hashlib import sha256

import requests
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

NEW = {
    "ES256": lambda: ECKey.generate_key("P-256"),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
    "PS256": lambda: RSAKey.generate_key(2048),
}


class Key:
    def __init__(self, algorithm="ES256"):
        self.algorithm, self._key = algorithm, NEW[algorithm]()

    @property
    def public(self):
        return self._key.as_dict(private=False)

    def proof(self, method, url, token=None, *, header=None, **changed):
        """A proof for a request, beside an access token or not. Members of its header and claims are replaced, or left out where they are `None`."""
        of_token = {"ath": digest(token.encode())} if token else {}
        claims = {"jti": str(uuid.uuid4()), "htm": method, "htu": url, "iat": int(time.time()), **of_token, **changed}
        header = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.public, **(header or {})}
        return jwt.encode(_present(header), _present(claims), self._key, algorithms=[self.algorithm])

    def token(self, grantlog, client, audience, scope="read"):
        """One of the client's own that is bound to this key."""
        asked = {"grant_type": "client_credentials", "scope": scope, "resource": audience}

        def ask(**changed):
            headers = {"DPoP": self.proof("POST", grantlog.token, **changed)}
            return requests.post(grantlog.token, data=asked, auth=(client.id, client.secret), headers=headers, timeout=30)

        answer = ask()
        if answer.status_code == 400 and answer.json()["error"] == "use_dpop_nonce":
            answer = ask(nonce=answer.headers["DPoP-Nonce"])
        assert (answer.status_code, answer.json().get("token_type")) == (200, "DPoP"), answer.text
        return answer.json()["access_token"]


def digest(octets):
    """As `ath` (section 4.2) and `x5t#S256` (RFC 8705 section 3.1) have it."""
    return urlsafe_b64encode(sha256(octets).digest()).decode().rstrip("=")


def _present(members):
    return {name: value for name, value in members.items() if value is not None}
