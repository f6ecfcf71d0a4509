//! How a command fails: what is said to whoever typed it, and the exit code that tells a program why.

use std::{
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
};

use domain::{client::ClientError, invitation::InvitationError, key_set::KeySetError};

use crate::{
    audit::NotEnded,
    config::SettingError,
    dispatch::{OpenError, PassOverRefusal, Refusal, SecondFactorRefusal, UserRefusal},
    follow::relay::RelayError,
    log::{MigrateError, Unavailable},
    mail::MailerError,
    telemetry::TelemetryError,
};

/// What every `--help` says of exit codes.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed: a file cannot be read or written, or something that should not happen
  2  the command or a setting is wrong
  3  there is nothing of that name, or a rule refuses it
  4  there is no store yet, or it does not answer
  5  done in part: entries of an import were refused, or a check found differences";

const NO_ANSWER: &str = "the store does not answer, or a file of its archive cannot be read: then a line above names it. With \
                         --verbose the command says more.";

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// A file, or something that should not happen.
    Failed(String),
    /// The command line or a setting is wrong.
    Usage(String),
    /// Nothing of that name, or a rule refuses it.
    Refused(String),
    /// No store, or none that answers.
    Unavailable(String),
    /// Some of it was done.
    Partial(String),
    /// Whoever read our output has seen enough (`| head`).
    NobodyReads,
}

impl Failure {
    /// Takes the file or the like that an input or output error is about.
    pub(super) fn io(what: impl Display, error: &io::Error) -> Self {
        Self::Failed(format!("{what}: {error}"))
    }

    /// Says what is wrong on standard error, and gives the exit code.
    pub(super) fn tell(&self) -> ExitCode {
        let (code, message) = match self {
            Self::Failed(message) => (1, message),
            Self::Usage(message) => (2, message),
            Self::Refused(message) => (3, message),
            Self::Unavailable(message) => (4, message),
            Self::Partial(message) => (5, message),
            Self::NobodyReads => return ExitCode::SUCCESS,
        };
        // Where not even standard error can be written, the code has to do.
        drop(writeln!(io::stderr(), "error: {message}"));
        ExitCode::from(code)
    }
}

impl From<Unavailable> for Failure {
    fn from(_: Unavailable) -> Self {
        Self::Unavailable(NO_ANSWER.to_owned())
    }
}

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<MailerError> for Failure {
    fn from(error: MailerError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<TelemetryError> for Failure {
    fn from(error: TelemetryError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Store(_) => {
                Self::Unavailable(format!("{error}.\nIs store.url (DATABASE_URL) right, and does its server run?"))
            }
            MigrateError::NotMigrated => Self::Unavailable(error.to_string()),
            MigrateError::Migration(_) => Self::Failed(error.to_string()),
            MigrateError::Later(_) | MigrateError::LaterForm(_) => Self::Refused(error.to_string()),
            MigrateError::Rebuild(error) => (*error).into(),
            MigrateError::Address => Self::Usage(format!("store.url (DATABASE_URL): {error}")),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Unavailable(unavailable) => unavailable.into(),
            OpenError::WrongMasterKey => Self::Usage(format!(
                "{error}.\nPut the right one where vault.master_key_file says, or name it among vault.previous_master_key_files."
            )),
            OpenError::Catalogue(_) | OpenError::Fetch(_) | OpenError::Authorities(_) => Self::Usage(error.to_string()),
            OpenError::Transparency(_) => Self::Failed(error.to_string()),
        }
    }
}

impl From<RelayError> for Failure {
    fn from(error: RelayError) -> Self {
        match error {
            RelayError::Store(unavailable) => unavailable.into(),
            RelayError::Broker(_) => {
                Self::Unavailable(format!("{error}.\nIs relay.url (NATS_URL) right, and does its server run with JetStream?"))
            }
            RelayError::NotLetIn(_) | RelayError::NoStream(_) => Self::Unavailable(error.to_string()),
            RelayError::File { .. } | RelayError::Address(_) | RelayError::Prefix(_) | RelayError::TooOld { .. } => {
                Self::Usage(error.to_string())
            }
            RelayError::Refused { .. }
            | RelayError::Differs { .. }
            | RelayError::Ahead { .. }
            | RelayError::OtherHistory { .. }
            | RelayError::Event { .. }
            | RelayError::TooLarge { .. }
            | RelayError::NotTaken { .. }
            | RelayError::Moved { .. } => Self::Refused(error.to_string()),
        }
    }
}

impl From<NotEnded> for Failure {
    fn from(not_ended: NotEnded) -> Self {
        match not_ended {
            NotEnded::Unavailable(unavailable) => unavailable.into(),
            NotEnded::Refused(rule) => Self::Refused(rule),
        }
    }
}

macro_rules! refusals {
    ($($error:ty),+) => {$(
        impl From<Refusal<$error>> for Failure {
            fn from(refusal: Refusal<$error>) -> Self {
                match refusal {
                    Refusal::Rule(rule) => Self::Refused(rule.to_string()),
                    Refusal::Unavailable(unavailable) => unavailable.into(),
                }
            }
        }
    )+};
}

refusals!(ClientError, InvitationError, UserRefusal, SecondFactorRefusal, KeySetError, PassOverRefusal);
