//! What people see. Plain HTML from templates (`templates/`), one style sheet, no script but the one that passkeys need; every text in every
//! language (`words/`).
//!
//! How a page is added: a template `templates/NAME.html` that extends `desk.html` (with the navigation of signed-in people) or
//! `card.html` (one narrow card), with the blocks `title` and `content`; a file `NAME.rs` with a struct that derives `Template` and has
//! a field `frame: Frame`, and its handlers; its words in `words/en.toml` and `words/ja.toml` (a template says them by
//! `frame.language.say("section.key")`); its route in `http/mod.rs` among the pages.
//!
//! - `GET`: the handler takes [`signed_in::SignedIn`] (whoever is not signed in goes to the sign-in page and comes back), and answers
//!   `signed_in.visitor.page(StatusCode::OK, &template, None)`. `signed_in.frame()` is the frame, `signed_in.form_token()` the value of
//!   the hidden field `csrf_token` that every form carries.
//! - `POST`: it takes [`signed_in::SignedInForm`], which has checked that token and the form's origin, and answers
//!   `visitor.redirect_with_notice(path, "notice.key")`: the next page tells what was done.
//! - Errors: `Result<Response, Refused>`; `problem` turns them into a page. A 403 of the code
//!   `insufficient_scope` says that the account may not see this; any other, that the form is stale.
//! - A long list goes page by page ([`paging`]); every page's URL takes `min_position` ([`visitor`]), and the answer to every form
//!   carries the position of what it did.
//! - What strangers wrote goes through [`shown::shown`] before a template escapes it.

pub(super) use pending::Pending;

use crate::shown;

pub(super) mod account;
pub(super) mod account_email;
pub(super) mod account_sessions;
mod accounts;
pub(super) mod admin;
mod answer;
mod application;
pub(super) mod applications;
pub(super) mod authorize;
pub(super) mod authorized_tokens;
mod browser_name;
mod claim;
mod client_view;
pub(super) mod consent;
mod cookies;
pub(super) mod device;
mod differences;
pub(super) mod forgotten;
mod frame;
pub(super) mod language;
pub(super) mod logo;
mod moment;
mod paging;
pub(super) mod passkeys;
mod pending;
mod person;
pub(super) mod problem;
mod qr;
mod resource;
mod return_path;
pub(super) mod second_factor;
pub(super) mod setup;
pub(super) mod sign_in;
pub(super) mod sign_out;
mod signed_in;
pub(super) mod signed_out;
pub(super) mod style;
mod visitor;
