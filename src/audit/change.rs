//! What became of grants between two places in the log. Pure.

use domain::Timestamp;
use serde::Serialize;

use crate::clock;

use super::{GrantAt, GrantRecord, Place};

/// What can become of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    Began,
    /// Something ended it before its time.
    Ended,
    /// All of it ended by itself.
    Expired,
}

/// Something that became of a grant, as it is told: the grant at the later place, and the change.
#[derive(Clone, Debug, Serialize)]
pub struct GrantChange<'a> {
    #[serde(flatten)]
    pub grant: GrantAt<'a>,
    pub change: Became,
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub changed_at: Timestamp,
}

impl Became {
    /// As it stands in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::Ended => "ended",
            Self::Expired => "expired",
        }
    }
}

/// The part of the log that is looked at: after one place, up to and with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
    pub from: Place,
    pub to: Place,
}

impl Between {
    /// What became of a grant in it, and when, in the order of time. `record` is as of its end.
    pub fn changes(self, record: &GrantRecord) -> impl Iterator<Item = (Became, Timestamp)> + use<> {
        let Self { from, to } = self;
        let began = (record.begun.position > from.position).then_some((Became::Began, record.begun.at));
        let ended = record.ended.as_ref().filter(|end| end.place.position > from.position);
        let ended = ended.map(|end| (Became::Ended, end.place.at));
        let by_itself = record.ended.is_none() && record.ends_at > from.at && record.ends_at <= to.at;
        let expired = by_itself.then_some((Became::Expired, record.ends_at));
        [began, ended, expired].into_iter().flatten()
    }
}
