//! The revoked set: everything dead that has not expired by itself yet.

use std::{collections::HashMap, hash::Hash};

use crate::{
    claims::Claims,
    revocation::{Ended, Revocation},
};

/// What is dead. A revocation that comes twice changes nothing.
#[derive(Debug, Default)]
pub(crate) struct RevokedSet {
    tokens: HashMap<String, i64>,
    grants: HashMap<String, i64>,
    clients: HashMap<String, Cutoff>,
    users: HashMap<String, Cutoff>,
    sessions: HashMap<String, Cutoff>,
    /// By `sub` and `client_id`.
    consents: HashMap<(String, String), Cutoff>,
    /// A retired key signs nothing any more, whatever position a token claims.
    keys: HashMap<String, i64>,
    issuer: Option<Restored>,
}

/// What was issued below a position is dead.
#[derive(Clone, Copy, Debug)]
struct Cutoff {
    before: i64,
    forget_after: i64,
}

/// The log was restored from a backup. Positions of tokens that were issued after the backup lie in a history that is gone: the time tells.
#[derive(Clone, Copy, Debug)]
struct Restored {
    cutoff: Cutoff,
    at: i64,
}

impl Cutoff {
    fn kills(self, claims: &Claims) -> bool {
        claims.pos.is_none_or(|pos| pos < self.before)
    }

    fn wider(self, other: Self) -> Self {
        Self { before: self.before.max(other.before), forget_after: self.forget_after.max(other.forget_after) }
    }
}

impl RevokedSet {
    /// Takes one in.
    pub(crate) fn insert(&mut self, revocation: Revocation) {
        let Revocation { what, at, forget_after } = revocation;
        let cutoff = |before| Cutoff { before, forget_after };
        match what {
            Ended::Token { jti } => later(&mut self.tokens, jti, forget_after),
            Ended::Grant { grant_id } => later(&mut self.grants, grant_id, forget_after),
            Ended::Key { kid } => later(&mut self.keys, kid, forget_after),
            Ended::Client { client_id, before } => wider(&mut self.clients, client_id, cutoff(before)),
            Ended::User { sub, before } => wider(&mut self.users, sub, cutoff(before)),
            Ended::Session { session_id, before } => wider(&mut self.sessions, session_id, cutoff(before)),
            Ended::Consent { sub, client_id, before } => wider(&mut self.consents, (sub, client_id), cutoff(before)),
            Ended::Issuer { before } => {
                let new = Restored { cutoff: cutoff(before), at };
                self.issuer = Some(
                    self.issuer.map_or(new, |had| Restored { cutoff: had.cutoff.wider(new.cutoff), at: had.at.max(new.at) }),
                );
            }
        }
    }

    /// Whether it kills a token that the key `kid` signed.
    pub(crate) fn kills(&self, claims: &Claims, kid: &str) -> bool {
        let Claims { sub, grant_id, jti, sid, .. } = claims;
        let ended = |client: &String| {
            let consent = self.consents.get(&(sub.clone(), client.clone()));
            self.clients.get(client).into_iter().chain(consent).any(|cutoff| cutoff.kills(claims))
        };
        self.keys.contains_key(kid)
            || jti.as_ref().is_some_and(|jti| self.tokens.contains_key(jti))
            || self.grants.contains_key(grant_id)
            || self.issuer.is_some_and(|restored| restored.cutoff.kills(claims) || claims.iat < restored.at)
            || claims.hands().any(ended)
            || self.users.get(sub).is_some_and(|cutoff| cutoff.kills(claims))
            || sid.as_ref().and_then(|sid| self.sessions.get(sid)).is_some_and(|cutoff| cutoff.kills(claims))
    }

    /// Drops what may be forgotten at a time, in seconds since the Unix epoch.
    pub(crate) fn forget(&mut self, now: i64) {
        let kept = |cutoff: &Cutoff| cutoff.forget_after > now;
        self.tokens.retain(|_, forget_after| *forget_after > now);
        self.grants.retain(|_, forget_after| *forget_after > now);
        self.keys.retain(|_, forget_after| *forget_after > now);
        for cutoffs in [&mut self.clients, &mut self.users, &mut self.sessions] {
            cutoffs.retain(|_, cutoff| kept(cutoff));
        }
        self.consents.retain(|_, cutoff| kept(cutoff));
        self.issuer = self.issuer.filter(|restored| kept(&restored.cutoff));
    }

    /// How many revocations it holds.
    pub(crate) fn len(&self) -> usize {
        let cutoffs = self.clients.len() + self.users.len() + self.sessions.len() + self.consents.len();
        self.tokens.len() + self.grants.len() + self.keys.len() + cutoffs + usize::from(self.issuer.is_some())
    }
}

fn later(known: &mut HashMap<String, i64>, id: String, forget_after: i64) {
    let known = known.entry(id).or_insert(forget_after);
    *known = forget_after.max(*known);
}

fn wider<K: Eq + Hash>(known: &mut HashMap<K, Cutoff>, whose: K, cutoff: Cutoff) {
    let known = known.entry(whose).or_insert(cutoff);
    *known = known.wider(cutoff);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn set(whats: &[Value]) -> RevokedSet {
        let mut set = RevokedSet::default();
        for what in whats {
            set.insert(serde_json::from_value(json!({"what": what, "at": 100, "forget_after": 200})).unwrap());
        }
        set
    }

    fn token(changed: &Value) -> Claims {
        let mut claims = json!({
            "iss": "i", "sub": "mika", "aud": "a", "exp": 150, "iat": 110, "jti": "j", "client_id": "c", "grant_id": "g", "pos": 9, "sid": "s",
        });
        claims.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        serde_json::from_value(claims).unwrap()
    }

    #[test]
    fn each_kind_kills_what_it_names_and_nothing_else() {
        let cases = [
            (json!({"kind": "token", "jti": "j", "grant_id": "g"}), json!({"jti": "other"})),
            (json!({"kind": "grant", "grant_id": "g"}), json!({"grant_id": "other"})),
            (json!({"kind": "client", "client_id": "c", "before": 10}), json!({"client_id": "other"})),
            (json!({"kind": "user", "sub": "mika", "before": 10}), json!({"sub": "other"})),
            (json!({"kind": "session", "session_id": "s", "before": 10}), json!({"sid": null})),
            (
                json!({"kind": "consent", "consent_id": "x", "sub": "mika", "client_id": "c", "before": 10}),
                json!({"client_id": "d"}),
            ),
            (json!({"kind": "issuer", "before": 10}), json!({"pos": 10})),
        ];
        for (what, other) in cases {
            let set = set(std::slice::from_ref(&what));
            assert!(set.kills(&token(&json!({})), "k"), "{what}");
            assert!(!set.kills(&token(&other), "k"), "{what} and {other}");
        }
    }

    #[test]
    fn a_token_ends_with_each_client_by_whose_hands_it_came() {
        let exchanged = token(&json!({"client_id": "behind", "through": ["c", "gateway"]}));
        for client in ["c", "gateway", "behind"] {
            for kind in ["client", "consent"] {
                let set = set(&[json!({"kind": kind, "consent_id": "x", "sub": "mika", "client_id": client, "before": 10})]);
                assert!(set.kills(&exchanged, "k"), "{kind} {client}");
            }
        }
        assert!(!set(&[json!({"kind": "client", "client_id": "other", "before": 10})]).kills(&exchanged, "k"));
    }

    #[test]
    fn a_wide_one_kills_what_was_issued_below_its_position() {
        for what in [
            json!({"kind": "client", "client_id": "c", "before": 10}),
            json!({"kind": "user", "sub": "mika", "before": 10}),
            json!({"kind": "session", "session_id": "s", "before": 10}),
            json!({"kind": "consent", "sub": "mika", "client_id": "c", "before": 10}),
        ] {
            let set = set(std::slice::from_ref(&what));
            assert!(!set.kills(&token(&json!({"pos": 10})), "k"), "{what}");
            assert!(set.kills(&token(&json!({"pos": null})), "k"), "of a token without a position the worst is assumed: {what}");
        }
    }

    #[test]
    fn a_retired_key_kills_whatever_position_a_token_claims() {
        let set = set(&[json!({"kind": "key", "kid": "k", "before": 10})]);
        assert!(set.kills(&token(&json!({"pos": 1_000_000})), "k"));
        assert!(!set.kills(&token(&json!({})), "other"));
    }

    #[test]
    fn a_token_of_a_history_that_is_gone_is_dead_by_its_time() {
        let set = set(&[json!({"kind": "issuer", "before": 10})]);
        assert!(set.kills(&token(&json!({"pos": 50, "iat": 99})), "k"));
        assert!(!set.kills(&token(&json!({"pos": 50, "iat": 100})), "k"));
    }

    #[test]
    fn an_earlier_cutoff_that_comes_again_takes_nothing_back() {
        let client = |before| json!({"kind": "client", "client_id": "c", "before": before});
        assert!(set(&[client(10), client(5)]).kills(&token(&json!({})), "k"));
    }

    #[test]
    fn what_has_expired_by_itself_is_forgotten() {
        let mut set = set(&[
            json!({"kind": "token", "jti": "j", "grant_id": "g"}),
            json!({"kind": "user", "sub": "mika", "before": 10}),
            json!({"kind": "issuer", "before": 10}),
        ]);
        set.forget(199);
        assert_eq!(set.len(), 3);
        set.forget(200);
        assert_eq!(set.len(), 0);
        assert!(!set.kills(&token(&json!({})), "k"));
    }

    #[test]
    fn a_kind_that_is_not_known_is_not_passed_over() {
        assert!(serde_json::from_value::<Ended>(json!({"kind": "planet"})).is_err());
    }
}
