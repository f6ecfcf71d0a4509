//! A ceremony on its way through the browser: sealed, for whoever began it and nobody else, good for minutes, and spent once.

use domain::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    credential::random_secret,
    log::EphemeralChange,
    vault::{Carried, ServerKeys},
};

/// For how long a browser may take, in seconds: section 15.1 recommends five to ten minutes.
pub(super) const LIFETIME: u32 = 600;
/// The ephemeral kind of ceremonies that were spent.
const SPENT: &str = "passkey_ceremony";

/// What was asked of a browser, and what the answer is checked against.
#[derive(Serialize, Deserialize)]
pub struct Ceremony<S> {
    /// Unguessable; used up by the answer.
    id: String,
    /// Who began it, and for what.
    begun_by: String,
    pub state: S,
    expires_at: Timestamp,
}

/// A ceremony as a page carries it.
pub struct Asked {
    /// What the script hands to `navigator.credentials`, in JSON.
    pub options: String,
    /// The ceremony, sealed.
    pub sealed: String,
}

impl<S: Serialize + DeserializeOwned> Ceremony<S> {
    /// Begins one.
    #[must_use]
    pub fn begin(state: S, begun_by: &str, now: Timestamp) -> Self {
        let id = random_secret().expose_secret().to_owned();
        Self { id, begun_by: begun_by.to_owned(), state, expires_at: now.plus(LIFETIME) }
    }

    /// As it travels.
    #[must_use]
    pub fn seal(&self, keys: &ServerKeys, what: Carried) -> String {
        keys.carry(what, self)
    }

    /// Opens what `seal` gave; `None` where it is another's, for something else, or too old.
    #[must_use]
    pub fn open(keys: &ServerKeys, (what, sealed): (Carried, &str), begun_by: &str, now: Timestamp) -> Option<Self> {
        let ceremony: Self = keys.carried(what, sealed)?;
        (ceremony.begun_by == begun_by && ceremony.expires_at > now).then_some(ceremony)
    }

    /// The claim that spends it.
    #[must_use]
    pub fn spend(&self) -> Spend {
        Spend { id: self.id.clone(), expires_at: self.expires_at }
    }
}

/// A ceremony to be used up with what it allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spend {
    id: String,
    expires_at: Timestamp,
}

impl Spend {
    /// The claim, for the append of what it allows.
    #[must_use]
    pub fn claim(&self) -> EphemeralChange {
        EphemeralChange::Claim { kind: SPENT, key: self.id.clone(), expires_at: self.expires_at }
    }

    /// Whether a claim of this name is this one.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.id == name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ceremony_is_for_whoever_began_it_for_what_it_was_begun_and_for_ten_minutes() {
        let keys = ServerKeys::derive(&ServerKeys::generate_root()).unwrap();
        let now = Timestamp::from_unix(1_000);
        let sealed = Ceremony::begin(7, "a", now).seal(&keys, Carried::PasskeySignIn);
        let open = |what, by, at: u32| Ceremony::<i32>::open(&keys, (what, &sealed), by, now.plus(at)).map(|open| open.state);
        assert_eq!(open(Carried::PasskeySignIn, "a", 599), Some(7));
        assert_eq!(open(Carried::PasskeySignIn, "b", 599), None);
        assert_eq!(open(Carried::PasskeySecondStep, "a", 599), None);
        assert_eq!(open(Carried::PasskeySignIn, "a", 600), None);
    }
}
