//! Sends what is due: several mails at a time, each again and again with longer and longer rests; where the mail server takes none, all rest.

use std::{convert::Infallible, time::Duration};

use domain::{
    Timestamp, UserId,
    user::{MailNotice, MailOutcome, MailPurpose},
};
use futures_util::{TryStreamExt, stream};
use tokio::sync::Notify;

use super::{
    MailError,
    compose::{Composed, compose},
};
use crate::{
    dispatch::Refusal,
    follow::retry::rest,
    log::{PendingMail, QueuedMail, Unavailable},
    mail::{Failure, Mailer},
    state::App,
};

/// Mails that are sent at a time, and read at a time.
const AT_A_TIME: usize = 4;
const PAGE: u32 = 64;
/// The longest rest after a try, in seconds: whoever waits for a link waits at the screen.
const LONGEST_REST: u32 = 600;
/// How often it is looked whether something is due: any node may have been asked for it.
const LOOK: Duration = Duration::from_millis(500);

/// Why the other mails are not sent now.
enum Ended {
    Unavailable(Unavailable),
    /// The mail server takes none.
    Server {
        problem: String,
        tries: i64,
    },
}

impl From<Unavailable> for Ended {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

/// Sends mails as long as it is awaited.
pub(super) async fn send(app: &App, mailer: &Mailer, found: &Notify) -> Result<Infallible, MailError> {
    let waiting = metrics::gauge!("grantlog_mails_pending");
    loop {
        let now = app.clock.now();
        waiting.set(app.log.count_mails().await? as f64);
        let due = app.log.due_mails(now, PAGE).await?;
        if due.is_empty() {
            tokio::select! {
                () = found.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
            continue;
        }
        let sent = stream::iter(due.into_iter().map(Ok));
        match sent.try_for_each_concurrent(AT_A_TIME, |mail| async move { take(app, mailer, &mail).await }).await {
            Ok(()) => {}
            Err(Ended::Unavailable(unavailable)) => return Err(unavailable.into()),
            Err(Ended::Server { problem, tries }) => {
                let again_in = rest(tries, LONGEST_REST);
                tracing::warn!(problem, again_in, "no mails go out");
                app.log.put_off_mails(now, app.clock.now().plus(again_in), &problem).await?;
            }
        }
    }
}

async fn take(app: &App, mailer: &Mailer, mail: &PendingMail) -> Result<(), Ended> {
    let user = mail.user_id.as_deref().map(str::parse::<UserId>);
    match (mail.purpose(), user, &mail.asked) {
        (Some(purpose), Some(Ok(user)), _) => send_one(app, mailer, ((purpose, user), mail)).await,
        (Some(purpose), None, Some(asked)) => Ok(find_out(app, (mail, purpose), asked).await?),
        (..) => {
            tracing::error!(mail = mail.id, purpose = mail.purpose, "the row of a mail cannot be read: it is not sent");
            Ok(app.log.forget_mail(&mail.id).await?)
        }
    }
}

/// Finds out whom a mail is for that somebody asked for by a name or an address: nobody, somebody, or several.
async fn find_out(app: &App, (mail, purpose): (&PendingMail, MailPurpose), asked: &str) -> Result<(), Unavailable> {
    for user_id in app.dispatch.who_forgot(asked).await? {
        match app.dispatch.count_mail_to(user_id).await {
            Ok(()) => {}
            Err(Refusal::Rule(_)) => continue,
            Err(Refusal::Unavailable(unavailable)) => return Err(unavailable),
        }
        // The same where a node was killed in the middle of this.
        let id = format!("{}.{user_id}", mail.id);
        let (language, made_at) = (mail.language.clone(), Timestamp::from_unix(mail.made_at));
        app.log.queue_mail(&QueuedMail { id, purpose, user_id, position: 0, language, made_at }).await?;
    }
    app.log.forget_mail(&mail.id).await
}

async fn send_one(
    app: &App,
    mailer: &Mailer,
    ((purpose, user), mail): ((MailPurpose, UserId), &PendingMail),
) -> Result<(), Ended> {
    let Some(Composed { to, about, languages }) = compose(app, (purpose, user), mail).await? else {
        return Ok(app.log.forget_mail(&mail.id).await?);
    };
    let over = Timestamp::from_unix(mail.made_at).plus(app.settings.mail.patience) <= app.clock.now();
    let tries = u32::try_from(mail.tries + 1).unwrap_or(u32::MAX);
    let notice = |outcome| MailNotice { purpose, outcome, tries };
    let languages = languages.each_ref().map(String::as_str);
    match mailer.send(&to, &about, (&languages, app.clock.now())).await {
        Ok(()) => Ok(record(app, (user, notice(MailOutcome::Sent)), mail).await?),
        Err(failed) if over || failed.failure == Failure::Never => {
            let (purpose, problem) = (purpose.as_str(), failed.problem);
            tracing::error!(user = %user, purpose, tries, problem, "a mail was given up");
            Ok(record(app, (user, notice(MailOutcome::GivenUp)), mail).await?)
        }
        Err(failed) => {
            metrics::counter!("grantlog_mails_total", "outcome" => "failed").increment(1);
            if failed.failure == Failure::Server {
                return Err(Ended::Server { problem: failed.problem, tries: mail.tries });
            }
            let (again_in, problem) = (rest(mail.tries, LONGEST_REST), failed.problem);
            tracing::warn!(user = %user, problem, again_in, "a mail is not taken now");
            Ok(app.log.put_off_mail(&mail.id, app.clock.now().plus(again_in), &problem).await?)
        }
    }
}

/// Lets the log tell what came of it; then it is no longer pending.
async fn record(app: &App, (user, notice): (UserId, MailNotice), mail: &PendingMail) -> Result<(), Unavailable> {
    app.dispatch.record_mail(user, notice).await?;
    app.log.forget_mail(&mail.id).await?;
    let outcome = match notice.outcome {
        MailOutcome::Sent => "sent",
        MailOutcome::GivenUp => "given_up",
    };
    metrics::counter!("grantlog_mails_total", "outcome" => outcome).increment(1);
    Ok(())
}
