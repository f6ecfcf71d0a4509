"""What a resource server tells of itself, so that a client finds its way from there to the issuer (RFC 9728)."""

import json
from urllib.parse import urlsplit

from .proof import ALGORITHMS

# Goes before the path of the resource (RFC 9728 section 3.1).
WELL_KNOWN = "/.well-known/oauth-protected-resource"


class ResourceMetadata:
    """The metadata of the resource that `settings.audience` names, a URL; `members` are further ones: `scopes_supported`, `resource_name`, ..."""

    def __init__(self, settings, **members):
        resource = urlsplit(settings.audience)
        if not resource.netloc or resource.query or resource.fragment:
            raise ValueError(f"{settings.audience!r} is no URL at which metadata can be found")
        self.path = WELL_KNOWN + resource.path.rstrip("/")
        self.url = f"{resource.scheme}://{resource.netloc}{self.path}"
        itself = {"resource": settings.audience, "authorization_servers": [settings.issuer], "bearer_methods_supported": ["header"]}
        itself |= {"dpop_signing_alg_values_supported": list(ALGORITHMS)}
        self.document = json.dumps({**itself, **members}).encode()

    def hints(self, scopes):
        """What a challenge says of it (section 5.1), and the scopes to begin with."""
        return {"resource_metadata": self.url, **({"scope": " ".join(scopes)} if scopes else {})}
