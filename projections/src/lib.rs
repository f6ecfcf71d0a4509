//! The answers of grantlog: read models folded from the log. One file a question; all of them here are live, which means that they are
//! written in the transaction of the events and are never behind.

pub mod changes;
pub mod ddl;
pub mod store;
pub mod table;

use domain::{Event, StreamId, grant::Terms};

pub use changes::Changes;
pub use store::{Db, Dialect, key_list};
pub use table::{Column, Kind, Table};

/// An event with what the rules need to know of it.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// Its ordinal in the batch, counted from 1, to which the store adds the head before the batch; in a rebuild, which adds nothing,
    /// its position.
    pub position: i64,
    pub stream: &'a StreamId,
    pub event: &'a Event,
    /// For an event of a grant that a user approved: the terms of that grant.
    pub terms: Option<&'a Terms>,
}

/// Why an event cannot be projected: it issues tokens of a grant, and the grant's terms were not given with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the terms of the grant are not known")]
pub struct TermsMissing;

/// The projections that are written in the transaction of the events.
pub const LIVE: &[&Table] = &[];

/// Collects what an event changes in the live projections.
///
/// # Errors
/// [`TermsMissing`] for an event that issues tokens of an approved grant without the grant's terms.
pub fn project(_recorded: &Recorded<'_>, _changes: &mut Changes) -> Result<(), TermsMissing> {
    Ok(())
}
