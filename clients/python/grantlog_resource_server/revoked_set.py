"""The revoked set: everything dead that has not expired by itself yet."""


class RevokedSet:
    """What is dead. A revocation that comes twice changes nothing."""

    def __init__(self):
        # By kind and whose: the position below which it kills, or None for all; and from when it may be forgotten.
        self._dead = {}
        self._restored_at = 0

    def insert(self, revocation):
        """Takes one in, as the issuer tells it. Raises where it cannot be read: a later issuer's kind cannot be passed over."""
        what, forget_after = revocation["what"], int(revocation["forget_after"])
        key = _key(what)
        # A retired key signs nothing any more, whatever position a token claims.
        before = None if what["kind"] in ("token", "grant", "key") else int(what["before"])
        if what["kind"] == "issuer":
            # The log was restored. Positions of tokens issued after the backup lie in a history that is gone: the time tells.
            self._restored_at = max(self._restored_at, int(revocation["at"]))
        known = self._dead.get(key)
        if known is not None:
            before = None if before is None else max(before, known[0])
            forget_after = max(forget_after, known[1])
        self._dead[key] = (before, forget_after)

    def kills(self, claims, kid):
        """Whether it kills a token that the key `kid` signed."""
        whose = [("key", kid), ("token", claims.jti), ("grant", claims.grant_id), ("user", claims.sub), ("session", claims.sid), ("issuer",)]
        for client in (*claims.through, claims.client_id):
            whose += [("client", client), ("consent", claims.sub, client)]
        return claims.iat < self._restored_at or any(self._kills(key, claims.pos) for key in whose)

    def _kills(self, key, pos):
        known = self._dead.get(key)
        # Of a token without a position the worst is assumed.
        return known is not None and (known[0] is None or pos is None or pos < known[0])

    def forget(self, now):
        """Drops what may be forgotten at a time, in seconds since the Unix epoch."""
        self._dead = {key: known for key, known in self._dead.items() if known[1] > now}
        if ("issuer",) not in self._dead:
            self._restored_at = 0

    def __len__(self):
        return len(self._dead)


def _key(what):
    kind = what["kind"]
    match kind:
        case "token":
            return kind, str(what["jti"])
        case "grant":
            return kind, str(what["grant_id"])
        case "client":
            return kind, str(what["client_id"])
        case "user":
            return kind, str(what["sub"])
        case "session":
            return kind, str(what["session_id"])
        case "consent":
            return kind, str(what["sub"]), str(what["client_id"])
        case "key":
            return kind, str(what["kid"])
        case "issuer":
            return (kind,)
    raise ValueError(f"there is no kind of revocation {kind!r}")
