//! A signed-in person as pages name them.

use domain::UserId;
use projections::account;
use serde_json::Value;

use crate::{dispatch::CurrentSession, log::Unavailable, state::App};

use super::shown::shown;

/// The longest name that is shown, in characters.
const MAX_NAME: usize = 80;

/// Who is signed in.
#[derive(Clone, Debug)]
pub(in crate::http) struct Person {
    pub(super) username: String,
    /// The OpenID claim `name`.
    pub(super) name: Option<String>,
    pub(super) administrator: bool,
}

impl Person {
    /// The person of a session.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub(super) async fn of(app: &App, session: &CurrentSession) -> Result<Self, Unavailable> {
        let (username, name) = names(app, session.user_id).await?;
        Ok(Self { username, name, administrator: session.administrator })
    }

    /// What they are called by on a page.
    pub(super) fn label(&self) -> String {
        match &self.name {
            Some(name) if *name != self.username => format!("{name} ({})", self.username),
            Some(_) | None => self.username.clone(),
        }
    }
}

/// A user's sign-in name and the name they go by, as they may be shown.
pub(super) async fn names(app: &App, user_id: UserId) -> Result<(String, Option<String>), Unavailable> {
    match account::find(app.dispatch.reads.db(), &[user_id.to_string()]).await?.pop() {
        Some(row) => names_in(app, user_id, &row.profile).await,
        None => Ok((String::new(), None)),
    }
}

/// As `names`, of a sealed profile; empty where the user has been erased.
pub(super) async fn names_in(app: &App, user_id: UserId, sealed: &str) -> Result<(String, Option<String>), Unavailable> {
    let Some(profile) = app.dispatch.profile(user_id, sealed).await? else { return Ok((String::new(), None)) };
    let name = profile.claims.get("name").and_then(Value::as_str).map(|name| shown(name, MAX_NAME));
    Ok((shown(&profile.username, MAX_NAME), name.filter(|name| !name.is_empty())))
}
