//! Why a mail did not go out, and what that says of the next one.

use std::error::Error;

/// A mail that did not go out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct NotSent {
    /// Without the address, and without anything that stands in the mail.
    pub problem: String,
    pub failure: Failure,
}

/// What a failure says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The mail server takes none: it does not answer, or does not let us in.
    Server,
    /// It does not take this one now.
    Later,
    /// It will never take this one.
    Never,
}

/// Replies by which a server refuses a mail or whom it is for (RFC 5321 section 4.2.2), and not whoever brings it.
const REFUSED: [u16; 7] = [501, 513, 550, 551, 552, 553, 554];

impl NotSent {
    pub(super) fn no_address() -> Self {
        Self { problem: "it is no address that mails can be sent to".to_owned(), failure: Failure::Never }
    }

    /// It failed on this machine.
    pub(super) fn here(error: &impl Error) -> Self {
        Self { problem: format!("it could not be written: {error}"), failure: Failure::Server }
    }
}

impl From<lettre::transport::smtp::Error> for NotSent {
    fn from(error: lettre::transport::smtp::Error) -> Self {
        let Some(code) = error.status() else {
            let what = match (error.is_timeout(), error.is_tls()) {
                (true, _) => "the mail server does not answer in time",
                (false, true) => "the way to the mail server is not protected as mail.tls wants it",
                (false, false) => "the mail server cannot be reached",
            };
            return Self { problem: format!("{what}{}", causes(&error)), failure: Failure::Server };
        };
        let code = code.into();
        let failure = match code {
            code if REFUSED.contains(&code) => Failure::Never,
            // RFC 5321 section 4.2.1: this transaction alone. 421 ends the connection, and 454 a sign-in (RFC 4954).
            400..=499 if !matches!(code, 421 | 454) => Failure::Later,
            _ => Failure::Server,
        };
        Self { problem: refused(code), failure }
    }
}

/// What the server said may name the address: only its code is told.
fn refused(code: u16) -> String {
    let what = match code {
        421 => "the mail server is closing",
        450 | 550 => "the mail server knows no such mailbox, or does not reach it",
        452 | 552 => "the mailbox or the mail server is full",
        454 => "the mail server cannot check who brings it now",
        530 | 534 | 535 | 538 => "the mail server does not let grantlog in: is mail.user with its password right?",
        551 | 553 => "the mail server does not take mails to or from this address",
        554 => "the mail server does not take it",
        _ => "the mail server answered",
    };
    format!("{what} (status {code})")
}

fn causes(error: &dyn Error) -> String {
    let (mut text, mut cause) = (String::new(), error.source());
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
