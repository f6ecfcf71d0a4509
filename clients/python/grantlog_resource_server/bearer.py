"""The access token of a request (RFC 6750 section 2.1, RFC 9449 section 7.1). One in a body or a URL is none."""

import re

from .refusal import BEARER, DPOP, Malformed, NoToken

# RFC 6750's b64token, and longer than any that an issuer makes.
TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]{1,16384}=*")
SCHEMES = {name.lower(): name for name in (BEARER, DPOP)}


def presented(authorization):
    """The scheme and the token of the header `Authorization`, `None` where there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    scheme = SCHEMES.get(scheme.lower())
    if scheme is None:
        raise NoToken("the request carries no access token")
    token = token.strip(" ")
    if not TOKEN.fullmatch(token):
        raise Malformed("the header Authorization holds no token")
    return scheme, token
