"""Checks access tokens of a grantlog provider in a resource server.

A JWT is checked here, by the issuer's published keys and by what the issuer has told of tokens that died before their time; nobody is asked as
long as all of that is known up to now. An opaque token, and every token while the news is cut off, is asked about at the issuer (RFC 7662). Where
nobody answers, nobody is let in. A token that is bound to a key or a certificate opens nothing to who does not show that.

`ResourceServer` is the check; `wsgi`, `asgi` and `rest_framework` put it in front of applications.
"""

from .claims import Claims
from .knowledge import Standing
from .refusal import BoundToKey, InsufficientScope, InvalidProof, InvalidToken, Malformed, NoToken, Refusal, Unavailable
from .resource_metadata import ResourceMetadata
from .sender import Sender
from .server import ResourceServer
from .settings import Nats, Settings

__all__ = [
    "BoundToKey",
    "Claims",
    "InsufficientScope",
    "InvalidProof",
    "InvalidToken",
    "Malformed",
    "Nats",
    "NoToken",
    "Refusal",
    "ResourceMetadata",
    "ResourceServer",
    "Sender",
    "Settings",
    "Standing",
    "Unavailable",
]
