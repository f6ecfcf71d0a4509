//! `grantlog mail`: whether mails go out, and which still wait.

use serde_json::json;

use crate::{
    clock::Clock,
    log::PendingMail,
    mail::{About, Mailer},
};

use super::{
    failure::Failure,
    output::{self, Format, List, moment},
    store::Context,
};

/// Try out whether mails go out, and see which still wait
///
/// Mails go out to people who forgot their password, whose address is to be checked, or whose account changed. What came of each is in the log
/// (`grantlog audit user NAME`); a mail that the mail server does not take is tried again for as long as mail.patience says.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  grantlog mail test --to me@example.org
  grantlog mail pending")]
pub(super) enum MailCommand {
    Test(Test),
    Pending(Pending),
}

/// Send a mail to an address, as the settings say, and tell what failed
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog mail test --to me@example.org
  GRANTLOG_MAIL__HOST=mail.example.com grantlog mail test --to me@example.org")]
pub(super) struct Test {
    /// The address
    #[arg(long, value_name = "MAIL")]
    to: String,
    #[command(flatten)]
    format: Format,
}

/// List the mails that still wait, the oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog mail pending
  grantlog mail pending --json | jq length")]
pub(super) struct Pending {
    /// How many at most
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100)]
    lines: u32,
    #[command(flatten)]
    format: Format,
}

impl MailCommand {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        match self {
            Self::Test(command) => command.run(context).await,
            Self::Pending(command) => command.run(context).await,
        }
    }
}

impl Test {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let settings = &context.settings;
        let mailer = Mailer::of_settings(settings)?
            .ok_or_else(|| Failure::Usage("no mails go out: mail.host names no mail server (GRANTLOG_MAIL__HOST)".to_owned()))?;
        let about = About { words: "test", account: String::new(), link: None };
        let now = Clock::default().now();
        mailer.send(&self.to, &about, (&[], now)).await.map_err(|failed| {
            let way = match &settings.mail.folder {
                Some(folder) => format!("mail.folder is {}", folder.display()),
                None => format!("mail.host is {}, mail.tls {:?}", settings.mail.host, settings.mail.tls).to_lowercase(),
            };
            Failure::Unavailable(format!("no mail went out to {}: {failed}.\n{way}.", self.to))
        })?;
        if self.format.json {
            return output::json(&json!({"to": self.to, "sent": true}));
        }
        output::line(match &settings.mail.folder {
            Some(folder) => format!("A mail to {} was written to {}.", self.to, folder.display()),
            None => format!("The mail server took a mail to {}. Did it arrive?", self.to),
        })
    }
}

impl Pending {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let log = context.log().await?;
        let mut list = List::begin(self.format, &["mail", "for", "user", "made", "tries", "again", "problem"]);
        for mail in log.pending_mails(self.lines).await? {
            let element = json!(mail);
            let PendingMail { id, purpose, user_id, made_at, tries, due_at, problem, .. } = mail;
            let user = user_id.unwrap_or_else(|| "not looked up yet".to_owned());
            let cells = vec![id, purpose, user, moment(made_at), tries.to_string(), moment(due_at), problem.unwrap_or_default()];
            list.add(cells, &element)?;
        }
        list.end("No mail waits.")
    }
}
