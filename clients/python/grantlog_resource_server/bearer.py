"""The access token of a request (RFC 6750 section 2.1). One in a body or a URL is none."""

import re

from .refusal import Malformed, NoToken

# RFC 6750's b64token, and longer than any that an issuer makes.
TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]{1,16384}=*")


def presented(authorization):
    """Reads it from the header `Authorization`, `None` where there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        raise NoToken("the request carries no access token")
    token = token.strip(" ")
    if not TOKEN.fullmatch(token):
        raise Malformed("the header Authorization holds no token")
    return token
