//! A code or token by what somebody holds of it: its text, its `jti`, or its digest.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use cqrs_es::Aggregate;
use domain::{
    Digest, Event, GrantId, Timestamp, TokenId,
    device_authorization::{DeviceAuthorization, DeviceAuthorizationEvent},
};
use serde::Deserialize;
use uuid::Uuid;

use crate::{credential::CredentialKind, dispatch::Dispatch, log::Unavailable};

use super::{AsOf, AuditError, GrantFile, Token, grant, history, replay::read_ahead, resolve};

/// Events read at a time when nothing but the log knows.
const PAGE: u32 = 4_096;
/// How many seconds before and after its `jti` was made an access token may have been recorded: the store's clock is another, and an append
/// may wait.
const BEFORE: i64 = 5;
const AFTER: i64 = 20;

/// Which one is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    Digest(Digest),
    Jti(TokenId),
}

/// What a look at what is at hand came to.
#[derive(Debug)]
pub enum Look {
    Found(Box<FoundToken>),
    /// None such was ever issued.
    Nothing,
    /// No row knows it: only the log itself can tell, read from its beginning.
    OnlyInTheLog(Wanted),
}

/// A token that was found.
#[derive(Debug)]
pub struct FoundToken {
    pub file: GrantFile,
    /// Its place among the grant's tokens.
    pub place: usize,
    /// Whether the whole log had to be read: its row was swept away long ago.
    pub scanned: bool,
}

/// The claim of a JWT that names its grant.
#[derive(Deserialize)]
pub(super) struct Claims {
    pub(super) grant_id: GrantId,
}

impl FoundToken {
    /// What is told of it.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.file.tokens[self.place]
    }
}

/// The code or token; `None` where none was ever issued. `progress` is told how far a reading of the whole log has come.
///
/// # Errors
/// That the store does not answer, or an event cannot be read.
pub async fn token(
    dispatch: &Dispatch,
    text: &str,
    progress: &mut (dyn FnMut(i64) + Send),
) -> Result<Option<FoundToken>, AuditError> {
    match look(dispatch, text).await? {
        Look::Found(found) => Ok(Some(*found)),
        Look::Nothing => Ok(None),
        Look::OnlyInTheLog(wanted) => scan(dispatch, &wanted, progress).await,
    }
}

/// Looks for the code or token without reading the whole log.
///
/// # Errors
/// That the store does not answer, or an event cannot be read.
pub async fn look(dispatch: &Dispatch, text: &str) -> Result<Look, AuditError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Look::Nothing);
    }
    let named = match CredentialKind::Device.read(&dispatch.keys, text) {
        Some(code) => match begun_by_device(dispatch, code.aggregate_id).await? {
            Some(grant_id) => Some(grant_id),
            None => return Ok(Look::Nothing),
        },
        None => named_grant(dispatch, text),
    };
    if let Some(grant_id) = named {
        let wanted = Wanted::Digest(Digest::of(text.as_bytes()));
        let found = of_grant(dispatch, grant_id, &wanted).await?;
        return Ok(found.map_or(Look::Nothing, |found| Look::Found(Box::new(found))));
    }
    let (wanted, found) = match text.parse() {
        Ok(jti) => (Wanted::Jti(jti), issued_around(dispatch, jti).await?),
        Err(_) => {
            let digest = Digest::from_stored(text.to_owned());
            let found = with_row(dispatch, &digest).await?;
            (Wanted::Digest(digest), found)
        }
    };
    Ok(found.map_or(Look::OnlyInTheLog(wanted), |found| Look::Found(Box::new(found))))
}

/// The grant that the token's own text names. Whether it is of that grant is decided by its digest.
fn named_grant(dispatch: &Dispatch, text: &str) -> Option<GrantId> {
    let kinds = [CredentialKind::Access, CredentialKind::Refresh, CredentialKind::Code];
    if let Some(credential) = kinds.into_iter().find_map(|kind| kind.read(&dispatch.keys, text)) {
        return Some(GrantId::new(credential.aggregate_id));
    }
    let mut parts = text.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    Some(claims.grant_id)
}

/// The grant that began where a device came with its device code; `None` where none did.
async fn begun_by_device(dispatch: &Dispatch, id: Uuid) -> Result<Option<GrantId>, AuditError> {
    let events = history(&dispatch.log, &[DeviceAuthorization::TYPE], id).await?;
    Ok(events.iter().find_map(|told| {
        let Event::DeviceAuthorization(DeviceAuthorizationEvent::Redeemed { grant_id, .. }) = &told.event else { return None };
        Some(*grant_id)
    }))
}

/// The code or token whose row is still there.
async fn with_row(dispatch: &Dispatch, digest: &Digest) -> Result<Option<FoundToken>, AuditError> {
    let Some(row) = dispatch.reads.token(digest).await? else { return Ok(None) };
    of_grant(dispatch, row.grant_id.parse().map_err(|_| Unavailable)?, &Wanted::Digest(digest.clone())).await
}

/// The access token, looked for around the moment that its `jti` tells (RFC 9562 section 5.7).
async fn issued_around(dispatch: &Dispatch, jti: TokenId) -> Result<Option<FoundToken>, AuditError> {
    let Some(made) = jti.uuid().get_timestamp() else { return Ok(None) };
    let made = i64::try_from(made.to_unix().0).unwrap_or(i64::MAX);
    let place = async |moment| resolve(&dispatch.log, AsOf::Moment(Timestamp::from_unix(moment))).await;
    let (from, to) = (place(made - BEFORE).await?, place(made.saturating_add(AFTER)).await?);
    search(dispatch, &Wanted::Jti(jti), (from.position, to.position), &mut |_| {}).await
}

/// The code or token of this grant.
pub(super) async fn of_grant(dispatch: &Dispatch, id: GrantId, wanted: &Wanted) -> Result<Option<FoundToken>, AuditError> {
    let Some(file) = grant(&dispatch.log, id).await? else { return Ok(None) };
    let place = file.tokens.iter().position(|token| match wanted {
        Wanted::Digest(digest) => token.digest.is(digest),
        Wanted::Jti(jti) => token.jti == Some(*jti),
    });
    Ok(place.map(|place| FoundToken { file, place, scanned: false }))
}

/// Reads the whole log for the code or token; `None` where none was ever issued.
///
/// # Errors
/// That the store does not answer, or an event cannot be read.
pub async fn scan(
    dispatch: &Dispatch,
    wanted: &Wanted,
    progress: &mut (dyn FnMut(i64) + Send),
) -> Result<Option<FoundToken>, AuditError> {
    let found = search(dispatch, wanted, (0, dispatch.log.known_head()), progress).await?;
    Ok(found.map(|found| FoundToken { scanned: true, ..found }))
}

/// Reads the events after a position and up to another for the code or token.
async fn search(
    dispatch: &Dispatch,
    wanted: &Wanted,
    within: (i64, i64),
    progress: &mut (dyn FnMut(i64) + Send),
) -> Result<Option<FoundToken>, AuditError> {
    let text = match wanted {
        Wanted::Digest(digest) => digest.as_str().to_owned(),
        Wanted::Jti(jti) => jti.to_string(),
    };
    let mut pages = read_ahead(dispatch.log.clone(), within, PAGE);
    while let Some(page) = pages.recv().await {
        for stored in page? {
            progress(stored.position);
            if stored.payload.contains(&text)
                && let Ok(id) = stored.aggregate_id.parse()
                && let Some(found) = of_grant(dispatch, id, wanted).await?
            {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}
