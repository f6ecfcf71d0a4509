//! Mails: what they say (`letter`), and their way out, by SMTP or into a folder. One place knows how a mail is made and sent. Who gets which, and
//! when it is tried again, is `follow/mail`'s business.

mod failure;
mod letter;
mod words;

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use domain::Timestamp;
pub use failure::{Failure, NotSent};
use letter::Letter;
pub use letter::{About, Link};
use lettre::{
    Address, AsyncFileTransport, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use secrecy::ExposeSecret;
use uuid::Uuid;
pub use words::Words;

use crate::config::{Mail, MailTls, Settings};

/// How long the mail server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// In bytes.
const LONGEST_ADDRESS: usize = 254;
/// Ports where none is set (RFC 8314, RFC 6409, RFC 5321).
const IMPLICIT: u16 = 465;
const SUBMISSION: u16 = 587;
const PLAIN: u16 = 25;

/// A setting by which no mail could go out.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    #[error("{0}")]
    Setting(String),
    #[error("mail.{setting} names {}: {why}", path.display())]
    File { setting: &'static str, path: PathBuf, why: String },
}

/// Sends mails. Cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    way: Way,
    from: Mailbox,
    domain: String,
    provider: String,
    language: String,
}

#[derive(Clone)]
enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

impl Mailer {
    /// What the settings say; `None` where no mails go out. Makes the folder, where they go into one.
    ///
    /// # Errors
    /// The setting by which none could.
    pub fn of_settings(settings: &Settings) -> Result<Option<Self>, MailerError> {
        let mail = &settings.mail;
        let way = match (&mail.folder, mail.goes_by_smtp()) {
            (Some(folder), _) => Way::Folder(made(folder)?),
            (None, true) => Way::Smtp(smtp(mail)?),
            (None, false) => return Ok(None),
        };
        if !Words::are_spoken(&mail.language) {
            return Err(MailerError::Setting(format!("mail.language is {}, which mails do not speak", mail.language)));
        }
        let domain = match settings.server.public_url.host() {
            Some(url::Host::Domain(name)) => name.to_owned(),
            Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) | None => "localhost".to_owned(),
        };
        let (from, provider) = (from(settings, &domain)?, settings.provider().to_owned());
        Ok(Some(Self { way, from, domain, provider, language: mail.language.clone() }))
    }

    /// Sends a mail to an address, in the first of the languages that we speak.
    ///
    /// # Errors
    /// Why it did not go out.
    pub async fn send(&self, to: &str, about: &About, (wishes, now): (&[&str], Timestamp)) -> Result<(), NotSent> {
        let words = Words::choose(wishes, &self.language);
        let message = self.message(to, &Letter::new(about, &self.provider, words), now)?;
        match &self.way {
            Way::Smtp(smtp) => drop(smtp.send(message).await?),
            Way::Folder(folder) => {
                let sent = AsyncFileTransport::<Tokio1Executor>::new(folder).send(message).await;
                let id = sent.map_err(|error| NotSent::here(&error))?;
                tracing::info!(file = %folder.join(format!("{id}.eml")).display(), "a mail was written");
            }
        }
        Ok(())
    }

    fn message(&self, to: &str, letter: &Letter, now: Timestamp) -> Result<Message, NotSent> {
        let to: Address = to.parse().map_err(|_| NotSent::no_address())?;
        let date = UNIX_EPOCH + Duration::from_secs(now.unix().unsigned_abs());
        // RFC 3834 section 5: nobody is on holiday for a program.
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        let html = letter.html().map_err(|error| NotSent::here(&error))?;
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject.clone())
            .date(date)
            .message_id(Some(format!("<{}@{}>", Uuid::now_v7(), self.domain)))
            .raw_header(automatic)
            .multipart(MultiPart::alternative_plain_html(letter.text(), html))
            .map_err(|error| NotSent::here(&error))
    }
}

/// Whether mails can be sent to an address (RFC 5321 section 4.5.3.1 bounds it).
#[must_use]
pub fn is_address(text: &str) -> bool {
    text.len() <= LONGEST_ADDRESS && text.parse::<Address>().is_ok()
}

fn from(settings: &Settings, domain: &str) -> Result<Mailbox, MailerError> {
    let text = &settings.mail.from;
    if text.is_empty() {
        let address =
            Address::new("no-reply", domain).map_err(|error| MailerError::Setting(format!("server.public_url: {error}")))?;
        return Ok(Mailbox::new(Some(settings.provider().to_owned()), address));
    }
    text.parse().map_err(|error| MailerError::Setting(format!("mail.from is {text}, which is no mail address: {error}")))
}

fn made(folder: &Path) -> Result<PathBuf, MailerError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    let file = |error: std::io::Error| MailerError::File { setting: "folder", path: folder.to_owned(), why: error.to_string() };
    made.map_err(file)?;
    Ok(folder.to_owned())
}

fn smtp(mail: &Mail) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailerError> {
    let (tls, port) = match mail.tls {
        MailTls::Implicit => (Tls::Wrapper(trust(mail)?), IMPLICIT),
        MailTls::Starttls => (Tls::Required(trust(mail)?), SUBMISSION),
        MailTls::None => (Tls::None, PLAIN),
    };
    let port = mail.port.unwrap_or(port);
    let mut builder =
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mail.host).port(port).tls(tls).timeout(Some(PATIENCE));
    if let Some(user) = &mail.user {
        builder = builder.credentials(Credentials::new(user.clone(), password(mail)?));
    }
    Ok(builder.build())
}

/// Whom to know the mail server by.
fn trust(mail: &Mail) -> Result<TlsParameters, MailerError> {
    let mut trusted = TlsParameters::builder(mail.host.clone());
    for path in &mail.ca_files {
        let no_certificates = |why: String| MailerError::File { setting: "ca_files", path: path.clone(), why };
        let pem = fs::read(path).map_err(|error| no_certificates(format!("it cannot be read: {error}")))?;
        let certificate =
            Certificate::from_pem(&pem).map_err(|_| no_certificates("it holds no certificates in PEM".to_owned()))?;
        trusted = trusted.add_root_certificate(certificate);
    }
    trusted.build_rustls().map_err(|error| MailerError::Setting(format!("mail.host cannot be known by its certificate: {error}")))
}

fn password(mail: &Mail) -> Result<String, MailerError> {
    match (&mail.password, &mail.password_file) {
        (Some(password), _) => Ok(password.expose_secret().to_owned()),
        (None, Some(path)) => {
            let text = fs::read_to_string(path);
            let text =
                text.map_err(|error| MailerError::File { setting: "password_file", path: path.clone(), why: error.to_string() })?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        (None, None) => Ok(String::new()),
    }
}

#[cfg(test)]
mod tests;
