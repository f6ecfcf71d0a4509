//! The browser that somebody signed in with: personal, and sealed under their own key before it reaches the log.

use std::net::IpAddr;

use domain::{Sealed, UserId};
use serde::{Deserialize, Serialize};

use crate::log::Unavailable;

use super::{Dispatch, Inner};

/// The member that it is sealed as.
const BROWSER: &str = "browser";
/// The longest name that is kept, in characters.
const MAX_AGENT: usize = 512;

/// Where somebody signed in, and with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Browser {
    pub address: IpAddr,
    /// As it calls itself (RFC 9110 section 10.1.5).
    pub agent: Option<String>,
}

impl Browser {
    /// Takes what a request says; a long name is cut.
    #[must_use]
    pub fn new(address: IpAddr, agent: Option<&str>) -> Self {
        Self { address, agent: agent.map(|agent| agent.chars().take(MAX_AGENT).collect()) }
    }
}

impl Dispatch {
    /// Opens a user's sealed browser; `None` when they have been erased.
    ///
    /// # Errors
    /// `Unavailable` when the vault does not answer.
    pub async fn browser(&self, user: UserId, sealed: &str) -> Result<Option<Browser>, Unavailable> {
        Ok(self.subject_key(user).await?.and_then(|key| key.open(BROWSER, sealed).ok()))
    }
}

impl Inner {
    /// Seals a browser; `None` where there is none, or the user has no key any more.
    pub(super) async fn sealed_browser(&self, user: UserId, browser: Option<&Browser>) -> Result<Option<Sealed>, Unavailable> {
        let Some(browser) = browser else { return Ok(None) };
        Ok(self.subject_key(user).await?.and_then(|key| key.seal(BROWSER, browser).ok()))
    }
}
