//! What a pending mail says, and to which address, as things are when it is tried: an address that was changed since is not written to.

use domain::{UserId, user::MailPurpose};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::{
    dispatch::{Addressee, Profile},
    log::{PendingMail, Unavailable},
    mail::{About, Link},
    state::App,
};

/// A mail that can be sent.
pub(super) struct Composed {
    pub(super) to: String,
    pub(super) about: About,
    /// The languages that its reader understands, the best first.
    pub(super) languages: [String; 2],
}

/// Makes a mail; `None` where it is not to be sent any more. Each try has a link of its own, whose token is nowhere but in the mail.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub(super) async fn compose(
    app: &App,
    (purpose, user): (MailPurpose, UserId),
    mail: &PendingMail,
) -> Result<Option<Composed>, Unavailable> {
    let Some(Addressee { profile, locked }) = app.dispatch.addressee(user).await? else { return Ok(None) };
    let owned = |address: Option<&str>| address.map(str::to_owned);
    let to = match purpose {
        MailPurpose::PasswordLink if locked => None,
        MailPurpose::PasswordLink | MailPurpose::PasswordSet | MailPurpose::SecondFactorRemoved => {
            owned(profile.verified_email())
        }
        MailPurpose::EmailCheck if locked || profile.verified_email().is_some() => None,
        MailPurpose::EmailCheck => owned(profile.email()),
        MailPurpose::EmailChanged => app.dispatch.verified_email_before(user, mail.position).await?,
    };
    let Some(to) = to else { return Ok(None) };
    let link = Some(link(app, (purpose, user), &to).await?);
    let languages = [language_of(&profile), mail.language.clone()];
    Ok(Some(Composed { to, about: About { words: purpose.as_str(), account: profile.username, link }, languages }))
}

async fn link(app: &App, (purpose, user): (MailPurpose, UserId), to: &str) -> Result<Link, Unavailable> {
    let (dispatch, settings, base) = (&app.dispatch, &app.settings.mail, app.settings.public_url());
    let once = |page: &str, token: &SecretString| SecretString::from(format!("{base}/{page}/{}/", token.expose_secret()));
    let always = |page: &str| Link { url: format!("{base}/{page}/").into(), lifetime: 0 };
    Ok(match purpose {
        MailPurpose::PasswordLink => {
            let token = dispatch.password_link(user).await?;
            Link { url: once("new-password", &token), lifetime: settings.password_link_lifetime }
        }
        MailPurpose::EmailCheck => {
            let token = dispatch.email_link(user, to).await?;
            Link { url: once("verify-email", &token), lifetime: settings.email_link_lifetime }
        }
        MailPurpose::PasswordSet => always("forgotten-password"),
        MailPurpose::SecondFactorRemoved | MailPurpose::EmailChanged => always("account"),
    })
}

fn language_of(profile: &Profile) -> String {
    profile.claims.get("locale").and_then(Value::as_str).unwrap_or_default().to_owned()
}
