"""Proofs of possession (RFC 9449): a JWT by which whoever sends a request shows that they hold the key that its token is bound to. Each is for one
request."""

import hashlib
import json
import re
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urlsplit

import jwt

# The longest proof that is looked at, and the longest `jti`.
LONGEST = 8 * 1024
LONGEST_JTI = 255
# How old or how early a proof may be, in seconds.
WINDOW = 60
# RFC 9449 section 4.2.
TYP = "dpop+jwt"
# None of these members is public (RFC 7518 section 6).
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k"}
# What a proof may be signed by: which keys are for it, and what they are known by (RFC 7638 section 3.2).
ALGORITHMS = {
    "ES256": ({"kty": "EC", "crv": "P-256"}, ("crv", "kty", "x", "y")),
    "EdDSA": ({"kty": "OKP", "crv": "Ed25519"}, ("crv", "kty", "x")),
    "PS256": ({"kty": "RSA"}, ("e", "kty", "n")),
}
# A JWT (RFC 7515 section 7.1).
COMPACT = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}")
# Of RSA keys, in bits: weak below, slow above. So is a large exponent.
SHORTEST_RSA, LONGEST_RSA = 2048, 8192
LARGEST_EXPONENT = 2**33
DEFAULT_PORTS = {"https": 443, "http": 80}


class NoProof(Exception):
    """It proves nothing; `str` is the reason."""


@dataclass(frozen=True)
class Proof:
    """A proof that holds."""

    thumbprint: str
    """Of the key."""
    jti: str
    iat: int

    @classmethod
    def read(cls, proof, method, address, token, now):
        """Reads the value of the header `DPoP`, for a request to an address beside a token. Raises `NoProof`."""
        kind = "it is no JWT of the type dpop+jwt that holds a public key"
        header, claims, message, signature = _parts(proof, kind)
        jwk = header.get("jwk")
        if str(header.get("typ")).lower() != TYP or "crit" in header or not isinstance(jwk, dict):
            raise NoProof(kind)
        if PRIVATE & jwk.keys():
            raise NoProof("its jwk holds a private or symmetric key: never send those to anybody")
        # RFC 9864 calls it so.
        algorithm = "EdDSA" if header.get("alg") == "Ed25519" else header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise NoProof(f"its algorithm must be one of {', '.join(ALGORITHMS)}")
        wanted, members = ALGORITHMS[algorithm]
        if not all(isinstance(jwk.get(name), str) for name in members):
            raise NoProof(kind)
        if any(jwk[name] != value for name, value in wanted.items()) or not _is_signed(jwk, algorithm, message, signature):
            raise NoProof("the key that it holds did not sign it")
        _check(claims, method, address, token, now)
        known_by = json.dumps({name: jwk[name] for name in members}, separators=(",", ":"))
        return cls(sha256(known_by.encode()), claims["jti"], claims["iat"])


class UsedProofs:
    """Those that were used, each until it has long been too old to be used again."""

    def __init__(self):
        self._lock = threading.Lock()
        # When each was made, by its key and its `jti`.
        self._made_at, self._swept_at = {}, 0

    def use_up(self, proof, now):
        """Uses a proof up; whether it was not used before."""
        with self._lock:
            # Twice as long as it is good: another thread may have read the time a while ago, and a clock may be set back.
            if now - self._swept_at > WINDOW:
                self._made_at = {key: made_at for key, made_at in self._made_at.items() if now - made_at <= 2 * WINDOW}
                self._swept_at = now
            key = proof.thumbprint, proof.jti
            used = key in self._made_at
            self._made_at[key] = max(proof.iat, self._made_at.get(key, proof.iat))
            return not used


def sha256(octets):
    """The SHA-256 digest of something in base64url, as `ath`, `jkt` and `x5t#S256` have it."""
    return urlsafe_b64encode(hashlib.sha256(octets).digest()).decode().rstrip("=")


def _parts(proof, kind):
    """Its header and claims, and what was signed by which signature."""
    if len(proof) > LONGEST or not COMPACT.fullmatch(proof):
        raise NoProof(kind)
    message, _, signature = proof.rpartition(".")
    try:
        header, claims, signature = map(_decoded, [*message.split("."), signature])
        header, claims = json.loads(header), json.loads(claims)
    except (ValueError, RecursionError) as error:
        raise NoProof(kind) from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise NoProof(kind)
    return header, claims, message.encode(), signature


def _decoded(part):
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _is_signed(jwk, algorithm, message, signature):
    try:
        key = jwt.PyJWK(jwk, algorithm=algorithm)
        if jwk["kty"] == "RSA" and not _is_of_a_size(key.key):
            return False
        return key.Algorithm.verify(message, key.key, signature)
    except (jwt.PyJWTError, ValueError):
        return False


def _is_of_a_size(key):
    return SHORTEST_RSA <= key.key_size <= LONGEST_RSA and key.public_numbers().e < LARGEST_EXPONENT


def _check(claims, method, address, token, now):
    texts = [claims.get(name) for name in ("jti", "htm", "htu", "ath")]
    if not all(isinstance(text, str) for text in texts) or type(claims.get("iat")) is not int:
        raise NoProof("jti, htm, htu, iat and ath must be there, each of its type")
    jti, htm, htu, ath = texts
    if not 1 <= len(jti) <= LONGEST_JTI:
        raise NoProof("jti is empty or too long")
    if htm != method:
        raise NoProof("htm is not the method of the request")
    if _place(htu) is None or _place(htu) != _place(address):
        raise NoProof("htu is not the address of the request")
    if abs(now - claims["iat"]) > WINDOW:
        raise NoProof("iat is too long ago or not yet")
    if ath != sha256(token.encode()):
        raise NoProof("ath is not the digest of the access token")


def _place(address):
    """What counts of an address (RFC 9449 section 4.3, RFC 3986 section 6.2): neither query nor fragment, nor how the path is encoded, which
    WSGI does not tell."""
    try:
        url = urlsplit(address)
        port = DEFAULT_PORTS.get(url.scheme) if url.port is None else url.port
        path = unquote_to_bytes(url.path) or b"/"
    except ValueError:
        return None
    return (url.scheme, url.hostname, port, path) if url.hostname else None
