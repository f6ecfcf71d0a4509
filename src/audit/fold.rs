//! The fold of a grant: its events one after the other, then what it stands on. Pure.

use domain::{ClientId, ConsentId, GrantId, Scope, SessionId, Timestamp, UserId, cutoff::Cause};
use uuid::Uuid;

use super::{
    ClientThen, CodeState, End, Facts, GrantKind, GrantRecord, Place, What,
    step::{Access, Step, Taken, Terms},
};

/// What a grant stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grounds {
    client: ClientId,
    user: Option<UserId>,
    /// `None` also with offline access.
    session: Option<SessionId>,
    consent: Option<ConsentId>,
}

impl Grounds {
    /// Their streams.
    pub(super) fn streams(&self) -> impl Iterator<Item = Uuid> {
        let (user, session) = (self.user.map(UserId::uuid), self.session.map(SessionId::uuid));
        [Some(self.client.uuid()), user, session, self.consent.map(ConsentId::uuid)].into_iter().flatten()
    }
}

/// A grant as far as its own events tell.
#[derive(Debug)]
pub struct Folding {
    record: GrantRecord,
    grounds: Grounds,
    /// The head that its beginning saw: what ends what it stands on ends it, if it is later.
    pos: i64,
    last_access: Option<Access>,
    access_ends_at: Timestamp,
    refresh_ends_at: Option<Timestamp>,
}

impl Folding {
    /// Takes the event that a grant begins with; `None` for any other.
    pub(super) fn begin(step: Step) -> Option<Self> {
        let place = Place { position: step.position, at: step.at };
        let grant_id = GrantId::new(step.grant);
        match step.what {
            Taken::Approved(terms) => Some(Self::approved(grant_id, place, *terms)),
            Taken::IssuedAtOnce { kind, client, user, scope, resources, authentication, policy, access } => {
                let empty = record(grant_id, kind, place);
                let record = GrantRecord {
                    user_id: user,
                    policy,
                    scope,
                    resources,
                    client_authentication: Some(authentication),
                    access_tokens: 1,
                    ends_at: access.ends_at,
                    ..empty
                };
                let (pos, access_ends_at) = (access.pos, access.ends_at);
                let last_access = Some(access);
                let grounds = Grounds { client, user, session: None, consent: None };
                Some(Self { record, grounds, pos, last_access, access_ends_at, refresh_ends_at: None })
            }
            Taken::Redeemed { .. }
            | Taken::Issued { .. }
            | Taken::Refreshed { .. }
            | Taken::Exchanged
            | Taken::Retried
            | Taken::CodeReplayed
            | Taken::RefreshReplayed
            | Taken::AccessRevoked { .. }
            | Taken::Revoked { .. } => None,
        }
    }

    fn approved(grant_id: GrantId, place: Place, terms: Terms) -> Self {
        let session = terms.of_session.then_some(terms.session);
        let grounds = Grounds { client: terms.client, user: Some(terms.user), session, consent: Some(terms.consent) };
        let kind = if terms.by_device { GrantKind::DeviceCode } else { GrantKind::AuthorizationCode };
        let empty = record(grant_id, kind, place);
        let record = GrantRecord {
            user_id: Some(terms.user),
            session_id: Some(terms.session),
            consent_id: Some(terms.consent),
            scope: terms.scope,
            resources: terms.resources,
            auth_time: Some(terms.auth_time),
            amr: terms.amr,
            acr: terms.acr,
            policy: Some(terms.policy),
            code: Some(CodeState::Issued),
            ends_at: terms.code_ends_at,
            ..empty
        };
        Self { record, grounds, pos: terms.pos, last_access: None, access_ends_at: Timestamp::default(), refresh_ends_at: None }
    }

    /// Takes the next event.
    pub(super) fn take(&mut self, step: Step) {
        let place = Place { position: step.position, at: step.at };
        match step.what {
            // A stream begins once.
            Taken::Approved(_) | Taken::IssuedAtOnce { .. } => {}
            Taken::Redeemed { authentication } => {
                self.record.code = Some(CodeState::Redeemed);
                self.record.client_authentication = Some(authentication);
            }
            Taken::Issued { access, refresh_ends_at } => {
                self.refresh_ends_at = refresh_ends_at;
                self.issued(access, place);
            }
            Taken::Refreshed { access, refresh_ends_at, authentication } => {
                self.record.client_authentication = Some(authentication);
                self.record.refreshes += 1;
                self.refresh_ends_at = refresh_ends_at.or(self.refresh_ends_at);
                self.issued(access, place);
            }
            Taken::Exchanged => {
                self.record.exchanges += 1;
                self.record.last_issued = place;
            }
            Taken::Retried => self.record.retries += 1,
            Taken::CodeReplayed => self.record.code = Some(CodeState::Replayed),
            // What follows from it is in the revocation beside it.
            Taken::RefreshReplayed => {}
            Taken::AccessRevoked { token, by } => {
                self.record.access_tokens_revoked += 1;
                // Without a refresh token, its only access token is all there is of it.
                let is_last = self.last_access.as_ref().is_some_and(|last| last.id == token);
                if is_last && self.refresh_ends_at.is_none() {
                    self.end(End { place, cause: Cause::RevokedByClient, by });
                }
            }
            Taken::Revoked { cause, by } => self.end(End { place, cause, by }),
        }
    }

    fn issued(&mut self, access: Access, place: Place) {
        self.record.access_tokens += 1;
        self.record.last_issued = place;
        self.access_ends_at = self.access_ends_at.max(access.ends_at);
        self.record.ends_at = self.refresh_ends_at.unwrap_or_default().max(self.access_ends_at);
        self.last_access = Some(access);
    }

    /// What was over by then is not ended by it, and what has ended is not ended again.
    fn end(&mut self, end: End) {
        let earlier = self.record.ended.as_ref().is_some_and(|before| before.place.position <= end.place.position);
        if !earlier && end.place.at < self.record.ends_at {
            self.record.ended = Some(end);
        }
    }

    /// What it stands on.
    pub(super) const fn grounds(&self) -> &Grounds {
        &self.grounds
    }

    /// The sign-in in which it was approved.
    pub(super) fn session(&self) -> Option<Uuid> {
        self.record.session_id.map(SessionId::uuid)
    }

    /// The record, from all that is known up to now.
    #[must_use]
    pub fn record(mut self, facts: &Facts) -> GrantRecord {
        self.record.client = self.client_then(facts);
        // With a refresh token it outlives the key that signed its access tokens.
        let kid = self.last_access.take().filter(|_| self.refresh_ends_at.is_none()).and_then(|access| access.kid);
        if let Some(end) = facts.end(self.grounds.streams(), kid.as_deref(), self.pos) {
            self.end(end);
        }
        self.record
    }

    fn client_then(&self, facts: &Facts) -> ClientThen {
        let mut then = ClientThen { id: Some(self.grounds.client), ..ClientThen::default() };
        for fact in facts.of(self.grounds.client.uuid()).iter().filter(|fact| fact.position < self.record.begun.position) {
            match &fact.what {
                What::Described { identifier, name, version } => {
                    then.client_id = identifier.clone().unwrap_or(then.client_id);
                    then.name.clone_from(name);
                    then.metadata_version = *version;
                }
                What::Ended { .. } => {}
            }
        }
        then
    }
}

fn record(grant_id: GrantId, kind: GrantKind, begun: Place) -> GrantRecord {
    GrantRecord {
        grant_id,
        kind,
        client: ClientThen::default(),
        user_id: None,
        session_id: None,
        consent_id: None,
        scope: Scope::default(),
        resources: Vec::new(),
        begun,
        auth_time: None,
        amr: Vec::new(),
        acr: None,
        policy: None,
        client_authentication: None,
        code: None,
        access_tokens: 0,
        access_tokens_revoked: 0,
        refreshes: 0,
        exchanges: 0,
        retries: 0,
        last_issued: begun,
        ends_at: Timestamp::default(),
        ended: None,
    }
}
