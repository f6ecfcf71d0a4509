//! Links that work once, and for a while: the first administrator's, to a new password, to check a mail address. Only a digest of each is kept, and it
//! is used up in the append of what it is for; whoever only opens it spends nothing.

use domain::{Digest, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    credential::random_secret,
    ephemeral,
    log::{EphemeralChange, Unavailable},
};

use super::{Inner, work::Work};

/// What a link is for: one never passes for another. The ephemeral kinds of its digest, and of one that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LinkKind {
    made: &'static str,
    used: &'static str,
}

pub(super) const SET_UP: LinkKind = LinkKind { made: "setup_link", used: "setup_link_used" };
pub(super) const PASSWORD: LinkKind = LinkKind { made: "password_link", used: "password_link_used" };
pub(super) const EMAIL: LinkKind = LinkKind { made: "email_link", used: "email_link_used" };

/// A link that works now.
#[derive(Clone, Debug)]
pub(super) struct Link {
    kind: LinkKind,
    digest: Digest,
    /// What was kept with it.
    pub(super) value: String,
}

impl Inner {
    /// Makes a link's token, which works for so many seconds, and keeps a value with it.
    pub(super) async fn make_link(&self, kind: LinkKind, value: &str, lifetime: u32) -> Result<SecretString, Unavailable> {
        let token = random_secret();
        let digest = Digest::of(token.expose_secret().as_bytes());
        ephemeral::put(self.log.db(), kind.made, digest.as_str(), value, self.clock.now().plus(lifetime)).await?;
        Ok(token)
    }

    /// The link of a token; `None` where it does not work, or not any more.
    pub(super) async fn link(&self, kind: LinkKind, token: &str) -> Result<Option<Link>, Unavailable> {
        let (digest, now) = (Digest::of(token.as_bytes()), self.clock.now());
        let Some(value) = ephemeral::get(self.log.db(), kind.made, digest.as_str(), now).await? else { return Ok(None) };
        let used = ephemeral::get(self.log.db(), kind.used, digest.as_str(), now).await?.is_some();
        Ok((!used).then_some(Link { kind, digest, value }))
    }
}

impl Link {
    /// Whether a claim that is taken already is this link's: it was used.
    pub(super) fn claims(&self, name: &str) -> bool {
        self.digest.as_str() == name
    }
}

impl Work<'_> {
    /// Uses a link up, which works for so many seconds at most.
    pub(super) fn use_up(&mut self, link: &Link, lifetime: u32) {
        self.ephemeral.push(used(link, self.now.plus(lifetime)));
    }
}

/// The claim by which a link is used once.
fn used(link: &Link, expires_at: Timestamp) -> EphemeralChange {
    EphemeralChange::Claim { kind: link.kind.used, key: link.digest.as_str().to_owned(), expires_at }
}
