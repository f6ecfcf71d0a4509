//! What is personal of users is opened for those who may know it, as long as their own keys are there.

use std::collections::{BTreeMap, HashMap};

use domain::{Timestamp, UserId};
use futures_util::future::try_join_all;
use projections::{account, token::TokenRow};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    log::Unavailable,
    vault::{SubjectKey, kind},
};

use super::{Dispatch, Inner};

/// The member that a profile is sealed as.
pub(super) const PROFILE: &str = "profile";
/// Names that are opened at a time.
const NAMES: usize = 500;

/// What is known of a person: their sign-in name and OpenID Connect's standard claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub username: String,
    #[serde(flatten)]
    pub claims: BTreeMap<String, Value>,
}

impl Profile {
    /// The same, with when it was last changed (`updated_at`), where whoever knows the person does not say.
    #[must_use]
    pub(super) fn dated(&self, at: Timestamp) -> Self {
        let mut dated = self.clone();
        dated.claims.entry("updated_at".to_owned()).or_insert_with(|| at.unix().into());
        dated
    }
}

impl Dispatch {
    /// The user with this sign-in name.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn user_named(&self, username: &str) -> Result<Option<UserId>, Unavailable> {
        let name = self.keys.blind_index(username).as_str().to_owned();
        let row = account::by_sign_in_name(self.reads.db(), &[name]).await?.pop();
        row.map(|row| row.id.parse().map_err(|_| Unavailable)).transpose()
    }

    /// The sign-in names of these users: of those who are there and have not been erased.
    ///
    /// # Errors
    /// `Unavailable` when the store or the vault does not answer.
    pub async fn usernames(&self, ids: &[UserId]) -> Result<HashMap<UserId, String>, Unavailable> {
        let mut names = HashMap::with_capacity(ids.len());
        for some in ids.chunks(NAMES) {
            let keys: Vec<_> = some.iter().map(ToString::to_string).collect();
            let rows = account::find(self.reads.db(), &keys).await?;
            let opened = rows.into_iter().map(|row| async move {
                let id = row.id.parse().map_err(|_| Unavailable)?;
                Ok::<_, Unavailable>((id, self.profile(id, &row.profile).await?))
            });
            let opened = try_join_all(opened).await?;
            names.extend(opened.into_iter().filter_map(|(id, profile)| Some((id, profile?.username))));
        }
        Ok(names)
    }

    /// The sign-in name of a token's user; `None` for a client's own token, and when the user has been erased.
    ///
    /// # Errors
    /// `Unavailable` when the vault does not answer.
    pub async fn username(&self, token: &TokenRow) -> Result<Option<String>, Unavailable> {
        Ok(self.profile_of(token).await?.map(|profile| profile.username))
    }

    /// What is known of a token's user; `None` for a client's own token, and when the user has been erased.
    ///
    /// # Errors
    /// `Unavailable` when the vault does not answer.
    pub async fn profile_of(&self, token: &TokenRow) -> Result<Option<Profile>, Unavailable> {
        let (Some(user), Some(sealed)) = (&token.user_id, &token.profile) else {
            return Ok(None);
        };
        let id = user.parse().map_err(|_| Unavailable)?;
        self.profile(id, sealed).await
    }
}

impl Inner {
    /// Opens a user's sealed profile; `None` when they have been erased.
    ///
    /// # Errors
    /// `Unavailable` when the vault does not answer.
    pub async fn profile(&self, id: UserId, sealed: &str) -> Result<Option<Profile>, Unavailable> {
        let Some(key) = self.subject_key(id).await? else {
            return Ok(None);
        };
        Ok(key.open(PROFILE, sealed).ok())
    }

    /// What is known of a user now; `None` when they have been erased.
    pub(super) async fn profile_of_user(&self, id: UserId) -> Result<Option<Profile>, Unavailable> {
        match account::find(self.reads.db(), &[id.to_string()]).await?.pop() {
            Some(row) => self.profile(id, &row.profile).await,
            None => Ok(None),
        }
    }

    /// A user's own key; `None` when it was destroyed.
    pub(super) async fn subject_key(&self, id: UserId) -> Result<Option<SubjectKey>, Unavailable> {
        let name = id.to_string();
        let Some(sealed) = self.subject_keys.get(name.clone()).await? else {
            return Ok(None);
        };
        let bytes = self.master.open(kind::SUBJECT_KEY, &name, &sealed).map_err(|_| Unavailable)?;
        SubjectKey::new(id, &bytes).map(Some).map_err(|_| Unavailable)
    }
}
