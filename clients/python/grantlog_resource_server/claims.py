"""What is known of who comes with a token."""

from dataclasses import dataclass, field

from .refusal import BEARER, DPOP


@dataclass(frozen=True)
class Claims:
    """What an access token says, or its introspection: RFC 9068's names, and grantlog's own. `all` has the rest."""

    iss: str
    sub: str
    """The user, or the client where it acts for itself."""
    aud: tuple[str, ...]
    exp: int
    iat: int
    client_id: str
    """The client that it was issued to."""
    grant_id: str
    scope: str = ""
    jti: str | None = None
    pos: int | None = None
    """The head of the log that the issuance saw. Introspection does not tell it."""
    sid: str | None = None
    """The sign-in that the token ends with."""
    through: tuple[str, ...] = ()
    """The `client_id`s by whose hands the grant came to that client (RFC 8693). Introspection does not tell them."""
    all: dict = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, members):
        """Reads them. Raises `ValueError` where one is missing or of another type."""
        aud = members.get("aud")
        aud = (aud,) if isinstance(aud, str) else tuple(aud or ())
        texts = [members.get(name) for name in ("iss", "sub", "client_id", "grant_id")]
        through = tuple(members.get("through", ()))
        texts += [members.get("scope", ""), members.get("jti", ""), members.get("sid", ""), *aud, *through]
        numbers = [members.get("exp"), members.get("iat"), members.get("pos", 0)]
        if not all(isinstance(text, str) for text in texts) or not all(type(number) is int for number in numbers):
            raise ValueError("a claim is missing, or of another type")
        known = {name: members.get(name) for name in ("iss", "sub", "exp", "iat", "client_id", "grant_id", "jti", "pos", "sid")}
        return cls(**known, aud=aud, scope=members.get("scope", ""), through=through, all=members)

    @property
    def is_bound(self):
        """Whether it is bound to a key or a certificate (RFC 7800): then presenting it alone proves nothing."""
        return "cnf" in self.all

    @property
    def scheme(self):
        """The one that it is presented by."""
        cnf = self.all.get("cnf")
        return DPOP if isinstance(cnf, dict) and "jkt" in cnf else BEARER

    def has_scope(self, name):
        """Whether the token has a scope."""
        return name in self.scope.split(" ")
