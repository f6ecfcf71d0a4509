"""Who sends a request, as far as it shows: what a token is bound to (RFC 7800) is compared with that."""

import time
from base64 import b64decode
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from .proof import NoProof, Proof, sha256
from .refusal import BEARER, DPOP, BoundToKey, InvalidProof, InvalidToken


@dataclass(frozen=True)
class Sender:
    """The sender of a request: by default one who shows nothing."""

    method: str = ""
    path: str = ""
    """Of the request, percent-encoded, without its query."""
    proof: str | None = None
    """The value of the header `DPoP` (RFC 9449)."""
    certificate: bytes | None = None
    """The client's certificate in DER (RFC 8705)."""

    def check(self, claims, scheme, token, settings, used_proofs):
        """Raises the `Refusal` where a token that was presented by a scheme is not this sender's to use."""
        match claims.all.get("cnf"):
            case {"jkt": _, "x5t#S256": _}:
                raise InvalidToken("the token is bound to what cannot be told here")
            case {"jkt": str(thumbprint)}:
                if scheme != DPOP:
                    raise BoundToKey("the token is bound to a key: present it as DPoP")
                self._prove(thumbprint, token, settings, used_proofs)
            case {"x5t#S256": str(thumbprint)}:
                if scheme != BEARER:
                    raise InvalidToken("the token is bound to a certificate: present it as Bearer")
                if not self.certificate or sha256(self.certificate) != thumbprint:
                    raise InvalidToken("the token is bound to a certificate that this connection does not show")
            case _ if claims.is_bound:
                raise InvalidToken("the token is bound to what cannot be told here")
            case _ if scheme != BEARER:
                raise InvalidToken("the token is bound to no key: present it as Bearer")

    def _prove(self, thumbprint, token, settings, used_proofs):
        """Whether the request proves to hold the key of this thumbprint, by a proof that was not used before."""
        address, now = settings.address_of(self.path), int(time.time())
        if not self.proof:
            raise InvalidProof("the request must carry one proof in the header DPoP")
        if address is None:
            raise InvalidProof("this resource server does not know its address")
        try:
            proof = Proof.read(self.proof, self.method, address, token, now)
        except NoProof as no_proof:
            raise InvalidProof(str(no_proof)) from no_proof
        if proof.thumbprint != thumbprint:
            raise InvalidToken("the token is bound to another key than the proof's")
        if not used_proofs.use_up(proof, now):
            raise InvalidProof("it was used before")


def certificate_of(value):
    """The certificate that a proxy tells of in a header, percent-encoded PEM or as RFC 9440 section 2.2 has it; `None` where it tells of none."""
    try:
        if value.startswith(":"):
            return b64decode(value.removeprefix(":").removesuffix(":"), validate=True) if value.endswith(":") else None
        before, _, rest = unquote_to_bytes(value).partition(b"-----BEGIN CERTIFICATE-----")
        base64, end, after = rest.partition(b"-----END CERTIFICATE-----")
        # Of two, one may be somebody else's.
        alone = end and not before.strip() and not after.strip()
        return b64decode(b"".join(base64.split()), validate=True) if alone else None
    except ValueError:
        return None
