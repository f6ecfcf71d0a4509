//! The answers of grantlog: read models folded from the log. One file a question; all of them here are live, which means that they are
//! written in the transaction of the events and are never behind.

pub mod account;
pub mod changes;
pub mod client;
pub mod compare;
pub mod consent;
pub mod cutoff;
mod ddl;
pub mod grant;
pub mod invitation;
pub mod query;
pub mod session;
pub mod signing_key;
pub mod sqlite;
pub mod standing;
mod statements;
pub mod store;
pub mod table;
#[cfg(test)]
mod testing;
pub mod token;
mod write;

use domain::{Event, StreamId, grant::Terms};

pub use changes::Changes;
pub use ddl::create_apply_live;
pub use query::Page;
pub use sqlite::SqliteStore;
pub use store::{Db, Dialect, key_list};
pub use table::{Column, Kind, Table};
pub use write::SqliteValue;

/// An event with what the rules need to know of it.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// Its ordinal in the batch, counted from 1, to which the store adds the head before the batch; in a rebuild, which adds nothing,
    /// its position.
    pub position: i64,
    pub stream: &'a StreamId,
    pub event: &'a Event,
    /// For an event that issues something on the terms that its grant began with: these.
    pub terms: Option<&'a Terms>,
}

/// Why an event cannot be projected: it issues tokens of a grant, and the grant's terms were not given with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the terms of the grant are not known")]
pub struct TermsMissing;

/// The projections that are written in the transaction of the events.
pub const LIVE: &[&Table] = &[
    &client::TABLE,
    &account::TABLE,
    &session::TABLE,
    &consent::TABLE,
    &grant::TABLE,
    &token::TABLE,
    &cutoff::TABLE,
    &signing_key::TABLE,
    &invitation::TABLE,
];

/// Collects what an event changes in the live projections.
///
/// # Errors
/// [`TermsMissing`] for an event that issues a code or tokens of an approved grant without the grant's terms.
pub fn project(recorded: &Recorded<'_>, changes: &mut Changes) -> Result<(), TermsMissing> {
    client::project(recorded, changes);
    account::project(recorded, changes);
    session::project(recorded, changes);
    consent::project(recorded, changes);
    grant::project(recorded, changes);
    cutoff::project(recorded, changes);
    signing_key::project(recorded, changes);
    invitation::project(recorded, changes);
    token::project(recorded, changes)
}
