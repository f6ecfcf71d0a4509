//! What is known to be dead, up to which position of the log, and as of when that was all there was.

use std::{
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, Instant},
};

use crate::{claims::Claims, clock::now, revocation::Revocation, set::RevokedSet, settings::Settings};

/// How often what may be forgotten is looked for.
const FORGET: Duration = Duration::from_secs(60);

/// Shared by the requests, which read it, and the feed, which writes it.
pub(crate) struct Knowledge {
    known: RwLock<Known>,
    cut_off_after: Duration,
    /// A token may be let in for so long after it has expired by itself.
    leeway: i64,
}

#[derive(Default)]
struct Known {
    set: RevokedSet,
    /// Of the log that the positions are of.
    epoch: String,
    /// All revocations up to here are in the set.
    position: i64,
    /// The last moment at which there was none beyond that.
    whole_at: Option<Instant>,
    forgot_at: Option<Instant>,
}

/// What the set says of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Dead,
    Alive,
    /// The news is cut off.
    Unknown,
}

/// How far a resource server knows what is dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether it lets tokens in by what it knows; otherwise it asks the issuer about each.
    pub is_whole: bool,
    /// All revocations up to this position of the log are known.
    pub position: i64,
    /// Of the log; empty before the first snapshot.
    pub epoch: String,
    /// Revocations that are remembered.
    pub revocations: usize,
}

impl Knowledge {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { known: RwLock::default(), cut_off_after: settings.cut_off_after, leeway: settings.leeway_seconds() }
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins with a snapshot. It may have been made a while ago: that it is all is for the feed to say.
    pub(crate) fn begin(&self, epoch: String, position: i64, revocations: Vec<Revocation>) {
        let mut set = RevokedSet::default();
        for revocation in revocations {
            set.insert(revocation);
        }
        *self.write() = Known { set, epoch, position, whole_at: None, forgot_at: None };
    }

    /// Takes in a revocation, and that with it everything up to its position is known.
    pub(crate) fn learn(&self, revocation: Revocation, position: i64) {
        let mut known = self.write();
        known.set.insert(revocation);
        known.position = known.position.max(position);
    }

    /// There is no other revocation up to a position.
    pub(crate) fn reach(&self, position: i64) {
        let mut known = self.write();
        known.position = known.position.max(position);
    }

    /// At this moment there was no revocation beyond what is known.
    pub(crate) fn confirm(&self, at: Instant) {
        let mut known = self.write();
        known.whole_at = known.whole_at.max(Some(at));
        if known.forgot_at.is_none_or(|forgot| at.duration_since(forgot) >= FORGET) {
            known.forgot_at = Some(at);
            known.set.forget(now() - self.leeway);
        }
    }

    /// Something may be missing. What is known to be dead stays so.
    pub(crate) fn doubt(&self) {
        self.write().whole_at = None;
    }

    /// Where the feed goes on: the epoch and the position.
    pub(crate) fn place(&self) -> (String, i64) {
        let known = self.read();
        (known.epoch.clone(), known.position)
    }

    /// What it says of a token that the key `kid` signed.
    pub(crate) fn verdict(&self, claims: &Claims, kid: &str) -> Verdict {
        let known = self.read();
        if known.set.kills(claims, kid) {
            Verdict::Dead
        } else if known.is_whole(self.cut_off_after) {
            Verdict::Alive
        } else {
            Verdict::Unknown
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        let known = self.read();
        let (position, epoch, revocations) = (known.position, known.epoch.clone(), known.set.len());
        Standing { is_whole: known.is_whole(self.cut_off_after), position, epoch, revocations }
    }
}

impl Known {
    fn is_whole(&self, cut_off_after: Duration) -> bool {
        self.whole_at.is_some_and(|at| at.elapsed() <= cut_off_after)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn knowledge() -> Knowledge {
        Knowledge::new(&Settings::new("https://id/o", "a", "id", "secret".to_owned()))
    }

    fn claims() -> Claims {
        let claims =
            json!({"iss": "i", "sub": "s", "aud": ["a"], "exp": 1, "iat": 1, "client_id": "c", "grant_id": "g", "pos": 1});
        serde_json::from_value(claims).unwrap()
    }

    fn revocation() -> Revocation {
        let far = i64::MAX;
        serde_json::from_value(json!({"what": {"kind": "grant", "grant_id": "g"}, "at": 1, "forget_after": far})).unwrap()
    }

    #[test]
    fn a_snapshot_alone_lets_nobody_in() {
        let knowledge = knowledge();
        assert_eq!(knowledge.verdict(&claims(), "k"), Verdict::Unknown);
        knowledge.begin("e".to_owned(), 5, Vec::new());
        assert_eq!(knowledge.verdict(&claims(), "k"), Verdict::Unknown);
        knowledge.confirm(Instant::now());
        assert_eq!(knowledge.verdict(&claims(), "k"), Verdict::Alive);
    }

    #[test]
    fn what_was_whole_too_long_ago_is_not_whole() {
        let knowledge = knowledge();
        let Some(long_ago) = Instant::now().checked_sub(Duration::from_secs(6)) else { return };
        knowledge.confirm(long_ago);
        assert_eq!(knowledge.verdict(&claims(), "k"), Verdict::Unknown);
        assert!(!knowledge.standing().is_whole);
    }

    #[test]
    fn what_is_dead_stays_dead_in_doubt() {
        let knowledge = knowledge();
        knowledge.begin("e".to_owned(), 5, Vec::new());
        knowledge.learn(revocation(), 7);
        knowledge.confirm(Instant::now());
        knowledge.doubt();
        assert_eq!(knowledge.verdict(&claims(), "k"), Verdict::Dead);
        assert_eq!(knowledge.place(), ("e".to_owned(), 7));
    }
}
