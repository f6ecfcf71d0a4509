//! What a mail says: a subject, and the same words as plain text and as HTML. No picture, nothing that tells anybody that it was read.

use askama::Template;
use secrecy::{ExposeSecret, SecretString};

use super::words::Words;
use crate::shown::shown;

/// The longest name that is shown, in characters.
const MAX_NAME: usize = 80;

/// What a mail is about.
pub struct About {
    /// The section of its words: what a mail to a user is for ([`domain::user::MailPurpose::as_str`]), or `test`.
    pub words: &'static str,
    /// The sign-in name of the account.
    pub account: String,
    pub link: Option<Link>,
}

/// Where a mail's link leads.
pub struct Link {
    /// It may hold a secret.
    pub url: SecretString,
    /// How long it works, in seconds; 0 where it always does.
    pub lifetime: u32,
}

/// A mail in words.
#[derive(Template)]
#[template(path = "letter.html")]
pub(super) struct Letter {
    pub(super) subject: String,
    language: &'static str,
    said: String,
    /// What the link is called, and where it leads.
    link: Option<(String, String)>,
    after: String,
}

impl Letter {
    pub(super) fn new(about: &About, provider: &str, words: &'static Words) -> Self {
        let lifetime = about.link.as_ref().map_or(0, |link| link.lifetime);
        let values = [
            ("provider", provider.to_owned()),
            ("account", shown(&about.account, MAX_NAME)),
            ("minutes", lifetime.div_ceil(60).to_string()),
            ("hours", lifetime.div_ceil(3600).to_string()),
        ];
        let say = |part: &str| words.say(&format!("{}.{part}", about.words), &values);
        let link = about.link.as_ref().map(|link| (say("link"), link.url.expose_secret().to_owned()));
        Self { subject: say("subject"), language: words.tag(), said: say("said"), link, after: say("after") }
    }

    /// As plain text.
    pub(super) fn text(&self) -> String {
        let Self { said, link, after, .. } = self;
        match link {
            Some((_, url)) => format!("{said}\n\n{url}\n\n{after}\n"),
            None => format!("{said}\n\n{after}\n"),
        }
    }

    /// As HTML.
    pub(super) fn html(&self) -> Result<String, askama::Error> {
        self.render()
    }
}
