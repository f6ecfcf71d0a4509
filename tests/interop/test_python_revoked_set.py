"""clients/python: what the revoked set kills, and how a gap is seen."""

import pytest

from grantlog_resource_server.bearer import presented
from grantlog_resource_server.claims import Claims
from grantlog_resource_server.feed.broken import Missing
from grantlog_resource_server.feed.chain import PATIENCE, WAITING, Chain, Mark
from grantlog_resource_server.refusal import InsufficientScope, Malformed, NoToken, Unavailable
from grantlog_resource_server.revoked_set import RevokedSet
from grantlog_resource_server.settings import Settings

TOKEN = {
    "iss": "i", "sub": "mika", "aud": "a", "exp": 150, "iat": 110, "jti": "j", "client_id": "c", "grant_id": "g", "pos": 9, "sid": "s"
}  # fmt: skip


def dead(*whats):
    revoked = RevokedSet()
    for what in whats:
        revoked.insert({"what": what, "at": 100, "forget_after": 200})
    return revoked


def kills(revoked, kid="k", **changed):
    return revoked.kills(Claims.of({name: value for name, value in {**TOKEN, **changed}.items() if value is not None}), kid)


KINDS = [
    ({"kind": "token", "jti": "j", "grant_id": "g"}, {"jti": "other"}),
    ({"kind": "grant", "grant_id": "g"}, {"grant_id": "other"}),
    ({"kind": "client", "client_id": "c", "before": 10}, {"client_id": "other"}),
    ({"kind": "user", "sub": "mika", "before": 10}, {"sub": "other"}),
    ({"kind": "session", "session_id": "s", "before": 10}, {"sid": None}),
    ({"kind": "consent", "consent_id": "x", "sub": "mika", "client_id": "c", "before": 10}, {"client_id": "d"}),
    ({"kind": "key", "kid": "k", "before": 10}, {"kid": "other"}),
    ({"kind": "issuer", "before": 10}, {"pos": 10}),
]


@pytest.mark.parametrize("what, other", KINDS, ids=lambda of: of.get("kind"))
def test_each_kind_kills_what_it_names_and_nothing_else(what, other):
    assert kills(dead(what))
    assert not kills(dead(what), **other)


@pytest.mark.parametrize("kind", ["client", "consent"])
def test_a_token_ends_with_each_client_by_whose_hands_it_came(kind):
    exchanged = {"client_id": "behind", "through": ["c", "gateway"]}
    for client in ("c", "gateway", "behind"):
        assert kills(dead({"kind": kind, "sub": "mika", "client_id": client, "before": 10}), **exchanged)
    assert not kills(dead({"kind": kind, "sub": "mika", "client_id": "other", "before": 10}), **exchanged)


@pytest.mark.parametrize("what", [what for what, _ in KINDS if "before" in what and what["kind"] != "key"], ids=lambda of: of["kind"])
def test_a_wide_one_kills_what_was_issued_below_its_position(what):
    assert not kills(dead(what), pos=10)
    assert kills(dead(what), pos=None), "of a token without a position the worst is assumed"
    assert kills(dead(what, {**what, "before": 5})), "an earlier one takes nothing back"


def test_a_retired_key_kills_whatever_position_a_token_claims():
    assert kills(dead({"kind": "key", "kid": "k", "before": 10}), pos=1_000_000)


def test_a_token_of_a_history_that_is_gone_is_dead_by_its_time():
    restored = dead({"kind": "issuer", "before": 10})
    assert kills(restored, pos=50, iat=99)
    assert not kills(restored, pos=50, iat=100)


def test_what_has_expired_by_itself_is_forgotten():
    revoked = dead(*(what for what, _ in KINDS))
    revoked.forget(199)
    assert len(revoked) == len(KINDS)
    revoked.forget(200)
    assert len(revoked) == 0
    assert not kills(revoked, iat=1)


@pytest.mark.parametrize("what", [{"kind": "planet"}, {"kind": "user", "sub": "mika"}, {}])
def test_what_cannot_be_read_is_not_passed_over(what):
    with pytest.raises((KeyError, ValueError)):
        dead(what)


def test_a_message_that_names_one_that_did_not_come_is_a_gap():
    chain = Chain(10)
    assert chain.message(15, 8)
    assert chain.message(20, 15)
    assert not chain.message(15, 8)
    with pytest.raises(Missing):
        chain.message(30, 25)


def test_a_watermark_waits_for_the_messages_that_it_tells_of():
    chain = Chain(10)
    chain.mark(Mark(received=1.0, position=40, last=35, head=40))
    assert (chain.settle(), chain.position) == (None, 10)
    chain.check(1.0)
    with pytest.raises(Missing):
        chain.check(1.1 + PATIENCE)
    assert chain.message(35, 9)
    assert (chain.settle(), chain.position) == (1.0, 40)


def test_a_relay_that_lags_says_nothing_of_now_until_it_has_come_to_where_the_log_was():
    chain = Chain(10)
    chain.mark(Mark(received=1.0, position=20, last=5, head=30))
    assert (chain.settle(), chain.position) == (None, 20)
    chain.mark(Mark(received=2.0, position=30, last=5, head=44))
    assert chain.settle() == 1.0
    for _ in range(2 * WAITING):
        chain.mark(Mark(received=3.0, position=30, last=5, head=99))
    assert len(chain.waiting) == WAITING


def test_only_what_is_presented_by_a_scheme_is_a_token():
    assert presented("bEARER a.b.c") == ("Bearer", "a.b.c")
    assert presented("dpop a.b.c") == ("DPoP", "a.b.c")
    for none in (None, "", "Basic eDp5", "DPoPx a.b.c", "Bearerx a"):
        with pytest.raises(NoToken):
            presented(none)
    for malformed in ("Bearer", "Bearer ", "Bearer a b", "Bearer a, Bearer b", f"Bearer {'a' * 20_000}", "Bearer ä"):
        with pytest.raises(Malformed):
            presented(malformed)


def test_refusals_are_told_as_rfc_6750_says():
    assert NoToken().headers() == [("WWW-Authenticate", "Bearer")]
    said = 'Bearer error="insufficient_scope", error_description="the token lacks the scope read", scope="read"'
    assert (InsufficientScope("read").status, InsufficientScope("read").headers()) == (403, [("WWW-Authenticate", said)])
    assert (Unavailable().status, Unavailable().headers()) == (503, [("Retry-After", "2")])


def test_secrets_go_nowhere_without_tls_but_to_this_machine():
    for fine in ("https://id.example.com/o", "http://127.0.0.1:8000/o/", "http://localhost/o", "http://[::1]/o"):
        assert "hidden" not in repr(Settings(fine, "a", "id", "hidden"))
    for wrong in ("http://id.example.com/o", "ftp://localhost/o", "id.example.com", "https://"):
        with pytest.raises(ValueError):
            Settings(wrong, "a", "id", "secret")
