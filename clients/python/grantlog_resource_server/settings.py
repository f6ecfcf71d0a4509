"""Whose tokens are let in, and how the resource server speaks with their issuer."""

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Nats:
    """The stream that the issuer relays its log to, by the issuer's settings `relay.stream` and `relay.prefix`.

    `servers` is one address or a list; `options` goes to `nats.connect` (credentials, TLS). The connection may read the stream and subscribe to
    `{prefix}.watermark`.
    """

    servers: str | list[str]
    stream: str = "GRANTLOG"
    prefix: str = "grantlog"
    options: dict = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Settings:
    """What a resource server has to know.

    The client is one registered at the issuer with the scope `introspection` and, among its `resources`, the audience.
    """

    issuer: str
    """The issuer's identifier, as its tokens name it: `https://id.example.com/o`."""
    audience: str
    """Who this resource server is in the `aud` of a token."""
    client_id: str
    client_secret: str = field(repr=False)
    address: str | None = None
    """Under which clients reach it, where that is not the origin of `audience`: a proof of a key (RFC 9449) names it, with the path of the request
    behind. `https://api.example.com`."""
    client_certificate_header: str | None = None
    """The header by which the proxy in front tells of a client's certificate (RFC 8705): percent-encoded PEM, or as RFC 9440 has it. The proxy must
    take away any that a client sends by itself."""
    nats: Nats | None = None
    """Where the revocations come from; `None`: from the issuer, as server-sent events."""
    feed_url: str | None = None
    """The address of the feed and the snapshot, where it is not `{issuer}/revocations`."""
    cut_off_after: float = 5.0
    """Nobody is let in by what was known longer ago than this, in seconds: the issuer is asked."""
    leeway: int = 60
    """What the clocks may differ by, in seconds."""

    def __post_init__(self):
        object.__setattr__(self, "issuer", self.issuer.rstrip("/"))
        for address in filter(None, (self.issuer, self.feed_url)):
            _check(address)
        if self.address is not None:
            _check_own(self.address)

    @property
    def feed_address(self):
        return (self.feed_url or f"{self.issuer}/revocations").rstrip("/")

    def address_of(self, path):
        """The address of a request with this path; `None` where neither `address` nor `audience` tells it."""
        if not path.startswith("/"):
            return None
        if self.address is not None:
            return self.address.rstrip("/") + path
        audience = urlsplit(self.audience)
        return f"{audience.scheme}://{audience.netloc}{path}" if audience.hostname else None


def _check(address):
    """Tokens and secrets go there."""
    url = urlsplit(address)
    if url.scheme != "https" and not (url.scheme == "http" and _is_here(url.hostname)):
        raise ValueError(f"{address!r} is not https")
    if not url.hostname:
        raise ValueError(f"{address!r} names no host")


def _check_own(address):
    """Paths are put behind it."""
    url = urlsplit(address)
    if url.scheme not in ("https", "http") or not url.hostname or "?" in address or "#" in address or url.port == 0:
        raise ValueError(f"{address!r} is no address that paths can stand behind")


def _is_here(host):
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
