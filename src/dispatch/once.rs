//! What a request proved itself by is good once: it is used up with what the request brings about, or by itself where that is nothing.

use crate::{
    ephemeral,
    log::{EphemeralChange, Unavailable},
    protocol::{Once, OnceKind},
};

use super::Dispatch;

/// What a use case's request proves itself by that is good once, and what to say when it was used before.
pub(super) struct ProvedOnce<'a, R> {
    proofs: &'a [Once],
    used_before: fn(OnceKind) -> R,
}

impl<'a, R> ProvedOnce<'a, R> {
    pub(super) const fn by(proofs: &'a [Once], used_before: fn(OnceKind) -> R) -> Self {
        Self { proofs, used_before }
    }

    /// Uses all of it up in an append, which fails where one was used already.
    pub(super) fn claims(&self) -> impl Iterator<Item = EphemeralChange> + use<'a, R> {
        self.proofs.iter().map(claim)
    }

    /// The refusal, where what was taken already is one of these.
    pub(super) fn refusal(&self, taken: &str) -> Option<R> {
        OnceKind::named(taken).map(self.used_before)
    }
}

/// Uses it up in an append, which fails where it was used already.
fn claim(once: &Once) -> EphemeralChange {
    EphemeralChange::Claim { kind: once.kind.name(), key: once.key.clone(), expires_at: once.until }
}

impl Dispatch {
    /// Uses up what a request proved itself by together with the row that it leaves, which nobody else can have made. What of it was used
    /// already: then there is no row.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn use_up_with(&self, all: &[Once], left: ephemeral::New<'_>) -> Result<Option<OnceKind>, Unavailable> {
        let claims =
            all.iter().map(|once| ephemeral::New { kind: once.kind.name(), key: &once.key, value: "", expires_at: once.until });
        let rows: Vec<_> = claims.chain([left]).collect();
        let taken = ephemeral::add(self.reads.db(), &rows).await?;
        Ok(taken.and_then(|taken| OnceKind::named(taken.kind)))
    }

    /// Uses up what a request proved itself by that changes nothing: that it reads, or that it is refused. What of it was used already.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn use_up(&self, all: &[Once]) -> Result<Option<OnceKind>, Unavailable> {
        for once in all {
            if !ephemeral::claim(self.reads.db(), once.kind.name(), &once.key, once.until).await? {
                return Ok(Some(once.kind));
            }
        }
        Ok(None)
    }
}
