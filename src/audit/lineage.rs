//! The lineage of a code or token: back to the consent, the sign-in, the client's version and the key; forward to all that came of it.

use domain::Timestamp;
use serde::Serialize;

use crate::{dispatch::Dispatch, log::Unavailable};

use super::{
    Chapter, FoundToken, GrantAt, GrantFile, Named, Names, TokenAt, Words,
    family::{came_of, led_to},
    tell,
};

/// What is told of a code or token.
#[derive(Debug, Serialize)]
pub struct Lineage<'a> {
    pub token: TokenAt<'a>,
    /// Whether the whole log had to be read to find it.
    pub scanned: bool,
    pub grant: GrantAt<'a>,
    /// What it came of, the nearest first.
    pub came_of: Vec<TokenAt<'a>>,
    /// How it came about.
    pub story: Vec<Chapter>,
    /// All that came of it.
    pub led_to: Vec<TokenAt<'a>>,
}

impl FoundToken {
    /// The names of all that its lineage tells of.
    ///
    /// # Errors
    /// `Unavailable` when the store or the vault does not answer.
    pub async fn names(&self, dispatch: &Dispatch) -> Result<Names, Unavailable> {
        Names::open(dispatch, Named::in_events(&self.file.events)).await
    }

    /// Its lineage, as of a moment.
    #[must_use]
    pub fn lineage<'a>(&'a self, names: &'a Names, words: &Words, now: Timestamp) -> Lineage<'a> {
        let GrantFile { record, events, tokens } = &self.file;
        let token = self.token();
        let at = |token| TokenAt::new(token, now);
        Lineage {
            token: at(token),
            scanned: self.scanned,
            grant: GrantAt::new(record, now, &names.users),
            came_of: came_of(tokens, self.place).into_iter().map(at).collect(),
            story: tell(events.iter().filter(|told| told.place <= token.issued), names, words),
            led_to: led_to(tokens, self.place).into_iter().map(at).collect(),
        }
    }
}
