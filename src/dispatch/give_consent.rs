//! Somebody lets a client do something: what both a code and a device are approved on.

use std::sync::Arc;

use domain::{
    ConsentId, Decide,
    consent::{Consent, ConsentCommand, ConsentError, ConsentTerms},
    session::{Session, SignIn},
    user::User,
};
use projections::consent;
use uuid::Uuid;

use crate::log::{ClaimChange, Unavailable};

use super::{
    Consenting, CurrentSession, Refusal,
    work::{Loaded, Work},
};

impl Work<'_> {
    /// The sign-in in which somebody decides, as it is now, with them and their session as guards; `None` where it has ended.
    pub(super) async fn deciding_in(&mut self, session: &CurrentSession) -> Result<Option<SignIn>, Unavailable> {
        let user: Arc<User> = self.guard(session.user_id.uuid()).await?;
        let session: Arc<Session> = self.guard(session.id.uuid()).await?;
        match (user.as_ref(), session.as_ref()) {
            (User::Present { locked: false, .. }, Session::Started(sign_in)) => Ok(Some(sign_in.clone())),
            (User::Absent | User::Present { .. } | User::Erased, Session::Absent | Session::Started(_) | Session::Ended) => {
                Ok(None)
            }
        }
    }

    /// Gives the consent, or stands on the one that covers all of it already.
    pub(super) async fn give_consent(
        &mut self,
        terms: ConsentTerms,
        consenting: Consenting,
    ) -> Result<ConsentId, Refusal<ConsentError>> {
        let (user, client) = (terms.user_id.to_string(), terms.client_id.to_string());
        let known = consent::of_user_and_client(self.inner.reads.db(), &user, &client).await.map_err(Unavailable::from)?;
        let loaded = match known {
            Some(row) => self.load::<Consent>(row.id.parse().map_err(|_| Unavailable)?).await?,
            None => {
                let new = Loaded::new_stream(Uuid::now_v7());
                let name = format!("consent/{user}/{client}");
                self.claims.push(ClaimChange::Take { name, stream: Consent::stream(new.id) });
                new
            }
        };
        if consenting == Consenting::Before {
            self.guard_loaded(&loaded);
            return match loaded.state.as_ref() {
                Consent::Given(given) if given.cover(&terms) => Ok(ConsentId::new(loaded.id)),
                Consent::Given(_) | Consent::Absent | Consent::Withdrawn { .. } => Err(Refusal::Rule(ConsentError::Unknown)),
            };
        }
        let (events, _) = self.decide(&loaded, ConsentCommand::Give { terms, at: self.now }).map_err(Refusal::Rule)?;
        if events.is_empty() {
            self.guard_loaded(&loaded);
        }
        Ok(ConsentId::new(loaded.id))
    }
}
