//! The settings of mails: whether there are any, and by whom and how they go out.

use std::{net::IpAddr, path::PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use super::SettingError;

/// How mails go out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The mail server; empty where there is none.
    pub host: String,
    pub port: Option<u16>,
    pub tls: MailTls,
    pub user: Option<String>,
    pub password: Option<SecretString>,
    pub password_file: Option<PathBuf>,
    /// PEM files of certificates that are trusted beside the system's.
    pub ca_files: Vec<PathBuf>,
    /// Where mails are written as files instead.
    pub folder: Option<PathBuf>,
    pub from: String,
    /// What the provider calls itself.
    pub name: Option<String>,
    /// The language of mails to people of whom none is known.
    pub language: String,
    pub password_link_lifetime: u32,
    pub email_link_lifetime: u32,
    pub patience: u32,
}

/// How the way to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// From the first byte (RFC 8314 section 3.3).
    Implicit,
    /// From the command STARTTLS on (RFC 3207), without which nothing is sent.
    Starttls,
    /// Not at all: to this machine alone.
    None,
}

impl Mail {
    /// Whether mails go out. Where they do not, nothing is offered that needs one.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.goes_by_smtp() || self.folder.is_some()
    }

    /// Whether there is a mail server.
    #[must_use]
    pub fn goes_by_smtp(&self) -> bool {
        !self.host.is_empty()
    }

    pub(super) fn check(&self) -> Result<(), SettingError> {
        let wrong = |why: &str| Err(SettingError::Mail(why.to_owned()));
        if self.goes_by_smtp() && self.folder.is_some() {
            return wrong("mail.host and mail.folder: mails go to a server or into a folder, not to both");
        }
        if self.goes_by_smtp() && self.tls == MailTls::None && !is_this_machine(&self.host) {
            return wrong("mail.tls is \"none\", but mail.host is not this machine: set \"implicit\" or \"starttls\"");
        }
        if self.user.is_some() && self.password.is_none() && self.password_file.is_none() {
            return wrong("mail.user needs mail.password or mail.password_file");
        }
        Ok(())
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use crate::config::Settings;

    fn checked(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let named = |(name, value): &(&str, &str)| (format!("GRANTLOG_MAIL__{name}"), (*value).to_owned());
        let environment: HashMap<_, _> = variables.iter().map(named).collect();
        Settings::read(None, environment).map_err(|error| error.to_string())
    }

    #[test]
    fn mails_go_out_where_a_server_or_a_folder_is_named() {
        assert!(!checked(&[]).unwrap().mail.is_on());
        assert!(checked(&[("HOST", "mail.example")]).unwrap().mail.is_on());
        assert!(checked(&[("FOLDER", "mail")]).unwrap().mail.is_on());
    }

    #[test]
    fn without_tls_they_go_to_this_machine_alone() {
        assert!(checked(&[("HOST", "127.0.0.1"), ("TLS", "none")]).is_ok());
        assert!(checked(&[("HOST", "localhost"), ("TLS", "none")]).is_ok());
        for host in ["mail.example", "10.0.0.1", "localhost.example"] {
            let error = checked(&[("HOST", host), ("TLS", "none")]).unwrap_err();
            assert!(error.contains("mail.host is not this machine"), "{error}");
        }
        assert!(checked(&[("HOST", "mail.example"), ("TLS", "maybe")]).is_err());
    }

    #[test]
    fn a_user_has_a_password_and_mails_go_one_way() {
        assert!(checked(&[("HOST", "mail.example"), ("USER", "u")]).unwrap_err().contains("mail.password_file"));
        assert!(checked(&[("HOST", "mail.example"), ("FOLDER", "mail")]).unwrap_err().contains("mail.folder"));
    }
}
