//! What a sign-in is for, from its first page to its last.

use super::super::{pending::Pending, return_path::ReturnPath};
use crate::{http::error::Refused, protocol::Parameters, state::App};

/// Where people go who came to sign in for nothing in particular.
const HOME: &str = "/account/";

/// What a sign-in is for.
pub(super) enum Purpose {
    /// A client's request.
    Request(Box<Pending>),
    /// A page of ours.
    Page(ReturnPath),
}

/// The hidden fields in which a page's form carries it on.
pub(super) struct Carried<'a> {
    pub(super) request: Option<String>,
    pub(super) next: Option<&'a ReturnPath>,
}

impl Purpose {
    /// Reads it out of a form.
    ///
    /// # Errors
    /// That the request is none of ours, or has expired.
    pub(super) fn read(app: &App, parameters: &Parameters) -> Result<Self, Refused> {
        Ok(match parameters.get("request") {
            Some(sealed) => Self::Request(Box::new(Pending::open(app, sealed)?)),
            None => Self::Page(next_page(parameters)),
        })
    }

    pub(super) fn carried(&self, app: &App) -> Carried<'_> {
        match self {
            Self::Request(pending) => Carried { request: Some(pending.seal(app)), next: None },
            Self::Page(next) => Carried { request: None, next: Some(next) },
        }
    }

    /// Another site's origin to which the last form may redirect.
    pub(super) fn elsewhere(&self) -> Option<String> {
        match self {
            Self::Request(pending) => Some(pending.request.reply.form_action()),
            Self::Page(_) => None,
        }
    }
}

/// The page that was asked for.
pub(super) fn next_page(parameters: &Parameters) -> ReturnPath {
    let asked = parameters.get("next").and_then(ReturnPath::parse);
    asked.or_else(|| ReturnPath::parse(HOME)).expect("our own path is one")
}
