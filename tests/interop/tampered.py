"""A JWT that nobody signed."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def tampered(token):
    """The same JWT under another signature, which is as long and as well encoded as the one it had."""
    signed, _, signature = token.rpartition(".")
    octets = urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    return f"{signed}.{urlsafe_b64encode(octets[::-1]).decode().rstrip('=')}"
