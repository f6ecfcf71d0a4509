//! `grantlog audit grant`, `client`, `user` and `catalogue`: what happened to one of them, told in sentences.

use cqrs_es::Aggregate;
use domain::{
    GrantId,
    audit::{Question, Read},
    catalogue::Catalogue,
    client::Client,
    id::THE_ONLY,
    user::User,
};
use serde_json::{Value, json};

use crate::{
    audit::{self, Chapter, GrantAt, Named, Names, Told, Words, plain, tell},
    cli::{
        failure::Failure,
        output::{self, Format},
        store::{Context, find_client},
    },
    clock::rfc3339,
    dispatch::Dispatch,
};

use super::{lines::heading, remember, user_of};

/// The language of the command line.
pub(super) const ENGLISH: &str = "en";

/// Tell the whole story of a grant
///
/// Who approved it, signed in how, to which version of the client's metadata, what was issued, what ended it: each with its time, its
/// actor and its position in the log.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog audit grant 019ab3c0-5f2e-7d10-8c5a-0123456789ab
  grantlog audit grant 019ab3c0-5f2e-7d10-8c5a-0123456789ab --json | jq -r '.story[].said'")]
pub(in crate::cli) struct Grant {
    /// Its id, as `grantlog audit replay` shows it
    id: String,
    #[command(flatten)]
    format: Format,
}

/// Tell the history of a client, with what changed of its metadata
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  grantlog audit client Shop\n  grantlog audit client Shop --json | jq '.story[].changes'")]
pub(in crate::cli) struct OfClient {
    /// Its client_id or name
    #[arg(allow_hyphen_values = true)]
    client: String,
    #[command(flatten)]
    format: Format,
}

/// Tell the history of a user, with what changed of their profile
///
/// Of an erased user nothing personal can be told any more: what happened and when still is.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  grantlog audit user mika\n  grantlog audit user 019ab3c0-5f2e-7d10-8c5a-0123456789ab --json"
)]
pub(in crate::cli) struct OfUser {
    /// Their sign-in name or id
    #[arg(allow_hyphen_values = true)]
    user: String,
    #[command(flatten)]
    format: Format,
}

/// Tell how the scopes and resources of the settings changed
///
/// The server takes them from its settings as it starts, as the next version of its catalogue. Consents name the version whose words were shown.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  grantlog audit catalogue\n  grantlog audit catalogue --json | jq '.story[-1].changes'")]
pub(in crate::cli) struct OfCatalogue {
    #[command(flatten)]
    format: Format,
}

impl Grant {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let id: GrantId = self
            .id
            .strip_prefix("grant-")
            .unwrap_or(&self.id)
            .parse()
            .map_err(|_| Failure::Usage(format!("{} is no id of a grant: `grantlog audit replay` shows some", self.id)))?;
        let dispatch = context.dispatch().await?;
        let Some(file) = audit::grant(&dispatch.log, id).await? else {
            return Err(Failure::Refused(format!("there is no grant {id}: `grantlog audit replay` shows all")));
        };
        remember(&dispatch, file.read(Question::Grant)).await?;
        let (names, story) = told(&dispatch, &file.events).await?;
        let line = GrantAt::new(&file.record, dispatch.clock.now(), &names.users);
        if self.format.json {
            return output::json(&json!({"grant": line, "story": story}));
        }
        output::line(heading(&line))?;
        print_story(&story)
    }
}

impl OfClient {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let (id, row) = find_client(&dispatch.log, &self.client).await?;
        remember(&dispatch, Read { client_id: Some(id), ..Read::of(Question::Client) }).await?;
        let events = audit::history(&dispatch.log, &[Client::TYPE], id.uuid()).await?;
        let (_, story) = told(&dispatch, &events).await?;
        if self.format.json {
            return output::json(&json!({"client": {"id": id, "client_id": row.client_id}, "story": story}));
        }
        print_story(&story)
    }
}

impl OfUser {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let id = user_of(&dispatch, &self.user).await?;
        remember(&dispatch, Read { user_id: Some(id), ..Read::of(Question::User) }).await?;
        let events = audit::history(&dispatch.log, &[User::TYPE], id.uuid()).await?;
        let (_, mut story) = told(&dispatch, &events).await?;
        audit::with_profiles(&dispatch, &events, &mut story).await?;
        if self.format.json {
            return output::json(&json!({"user": {"id": id}, "story": story}));
        }
        print_story(&story)
    }
}

impl OfCatalogue {
    /// Nobody is asked after, so that nothing remembers who asked.
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let events = audit::history(&dispatch.log, &[Catalogue::TYPE], THE_ONLY).await?;
        let (_, story) = told(&dispatch, &events).await?;
        if self.format.json {
            return output::json(&json!({"story": story}));
        }
        print_story(&story)
    }
}

/// The story of events, and the names in it.
pub(super) async fn told(dispatch: &Dispatch, events: &[Told]) -> Result<(Names, Vec<Chapter>), Failure> {
    let names = Names::open(dispatch, Named::in_events(events)).await?;
    let story = tell(events, &names, Words::of(ENGLISH));
    Ok((names, story))
}

/// Prints what happened, one sentence a line, with what changed below it.
pub(super) fn print_story(story: &[Chapter]) -> Result<(), Failure> {
    for chapter in story {
        let Chapter { place, said, by_name, .. } = chapter;
        output::line(format_args!("{:>8}  {}  {said} (by {by_name})", place.position, rfc3339(place.at)))?;
        for change in &chapter.changes {
            output::line(format_args!("{:34}{}: {} → {}", "", change.member, value(&change.before), value(&change.after)))?;
        }
    }
    Ok(())
}

/// Nothing is a hyphen.
fn value(value: &Value) -> String {
    let text = plain(value);
    if text.is_empty() { "-".to_owned() } else { text }
}
