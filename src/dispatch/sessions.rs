//! A person's sign-ins, in whatever browser: which there are, and ending them from anywhere.

use domain::{SessionId, UserId, session::SessionEnd};
use projections::{
    Page,
    query::PAGE_MAX,
    session::{self, SessionRow},
};

use crate::log::{Actor, Unavailable};

use super::{Dispatch, Done, Refusal, session::EndSession};

impl Dispatch {
    /// The sign-ins of a user that stand, the latest first.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn live_sessions(&self, user: UserId) -> Result<Vec<SessionRow>, Unavailable> {
        let (user, now) = (user.to_string(), self.clock.now());
        let (mut live, mut after) = (Vec::new(), None);
        loop {
            let page = Page { after: after.as_deref(), limit: PAGE_MAX };
            let rows = session::of_user(self.reads.db(), &user, page).await?;
            let full = rows.len() >= PAGE_MAX as usize;
            after = rows.last().map(|row| row.id.clone());
            live.extend(rows.into_iter().filter(|row| row.is_active(now)));
            if !full {
                live.reverse();
                return Ok(live);
            }
        }
    }

    /// A user ends one of their own sign-ins: what was granted in it without offline access is dead. `false` where there is none such.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn end_own_session(&self, user: UserId, id: SessionId) -> Result<Done<bool>, Unavailable> {
        let row = session::find(self.reads.db(), &[id.to_string()]).await?.pop();
        if row.is_none_or(|row| row.user_id != user.to_string()) {
            return Ok(Done { answer: false, position: self.log.known_head() });
        }
        match self.perform(Actor::User(user), &EndSession { id, reason: SessionEnd::SignedOut }).await {
            Ok(done) => Ok(Done { answer: true, position: done.position }),
            Err(Refusal::Rule(_)) => Ok(Done { answer: false, position: self.log.known_head() }),
            Err(Refusal::Unavailable(unavailable)) => Err(unavailable),
        }
    }

    /// A user ends all their sign-ins.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer: those that were ended by then are.
    pub async fn end_own_sessions(&self, user: UserId) -> Result<Done<()>, Unavailable> {
        let mut position = self.log.known_head();
        for row in self.live_sessions(user).await? {
            let id = row.id.parse().map_err(|_| Unavailable)?;
            position = self.end_own_session(user, id).await?.position;
        }
        Ok(Done { answer: (), position })
    }
}
