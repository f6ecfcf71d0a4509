//! `grantlog client`: applications are registered, looked at, disabled.

mod import;
mod invite;
mod metadata_flags;
mod register;
mod uri_list;

use domain::{
    ClientId, Decide, Timestamp,
    client::{Client, Registration},
};
use projections::{
    Page,
    client::{self, ClientRow},
};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use crate::{
    dispatch::{Dispatch, RegisteredClient},
    log::{Actor, Log, Unavailable},
    registration::ClientInformation,
};

use super::{
    failure::Failure,
    output::{self, Format, List, day, moment},
    store::{Context, find_client},
};
use import::Import;
use invite::{Invitations, Invite, WithdrawInvitation};
use register::Register;

/// What people look for first in a client.
const FIRST: [&str; 6] = ["client_id", "client_name", "id", "state", "owner", "by_itself"];
/// Clients read at a time.
const PAGE: u32 = 500;

/// Register applications, look at them, disable them
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  grantlog client register --client-name Reports \\
    --grant-types client_credentials --scope read
  grantlog client list
  grantlog client disable Shop")]
pub(super) enum ClientCommand {
    Register(Box<Register>),
    Import(Import),
    List(Listing),
    Show(Show),
    RotateSecret(RotateSecret),
    Disable(Disable),
    Enable(Enable),
    Invite(Invite),
    Invitations(Invitations),
    WithdrawInvitation(WithdrawInvitation),
}

/// List all clients
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  grantlog client list\n  grantlog client list --json | jq -r '.[].client_id'")]
pub(super) struct Listing {
    #[command(flatten)]
    format: Format,
}

/// Show everything about a client, but its secrets
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  grantlog client show Shop\n  grantlog client show demo --json")]
pub(super) struct Show {
    /// Its client_id or name
    #[arg(allow_hyphen_values = true)]
    client: String,
    #[command(flatten)]
    format: Format,
}

/// Give a client a new secret
///
/// The new one is shown this once. Those it has stop working at once, or after the overlap, so that the application can be changed
/// over without a pause.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  grantlog client rotate-secret Shop\n  grantlog client rotate-secret Shop --overlap 86400")]
pub(super) struct RotateSecret {
    /// Its client_id or name
    #[arg(allow_hyphen_values = true)]
    client: String,
    /// For how long the secrets it has go on working
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    overlap: u32,
    #[command(flatten)]
    format: Format,
}

/// Disable a client: everything it holds is dead at once
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  grantlog client disable Shop")]
pub(super) struct Disable {
    /// Its client_id or name
    #[arg(allow_hyphen_values = true)]
    client: String,
    #[command(flatten)]
    format: Format,
}

/// Let a disabled client act again; what was dead stays dead
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  grantlog client enable Shop")]
pub(super) struct Enable {
    /// Its client_id or name
    #[arg(allow_hyphen_values = true)]
    client: String,
    #[command(flatten)]
    format: Format,
}

impl ClientCommand {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        match self {
            Self::Register(command) => command.run(context).await,
            Self::Import(command) => command.run(context).await,
            Self::List(command) => list(context, command.format).await,
            Self::Show(command) => command.run(context).await,
            Self::RotateSecret(command) => command.run(context).await,
            Self::Disable(command) => command.run(context).await,
            Self::Enable(command) => command.run(context).await,
            Self::Invite(command) => command.run(context).await,
            Self::Invitations(command) => command.run(context).await,
            Self::WithdrawInvitation(command) => command.run(context).await,
        }
    }
}

/// Shows a client that was registered or got a new secret.
async fn show_secret(dispatch: &Dispatch, client: &RegisteredClient, format: Format, what: &str) -> Result<(), Failure> {
    let row = client::find(dispatch.log.db(), &[client.id.to_string()]).await.map_err(Unavailable::from)?.pop();
    let issued_at = row.map_or_else(|| dispatch.clock.now(), |row| Timestamp::from_unix(row.created_at));
    let metadata = &client.registration.metadata;
    let information = ClientInformation { identifier: &client.identifier, issued_at, metadata, secret: client.secret.as_ref() };
    if format.json {
        return output::json(&information.members());
    }
    output::line(format_args!("{what} {}.", metadata.client_name.as_deref().unwrap_or(&client.identifier)))?;
    let secret = client.secret.as_ref().map(|secret| secret.expose_secret().to_owned());
    output::pairs([("client_id", client.identifier.clone()), ("client_secret", secret.clone().unwrap_or_default())])?;
    match secret {
        Some(_) => output::line("The secret is shown this once: grantlog keeps only its digest."),
        None if metadata.is_public() => output::line("It is a public client, and has no secret."),
        None => output::line("It has no secret: it proves who it is by its keys."),
    }
}

async fn list(context: Context, format: Format) -> Result<(), Failure> {
    let log = context.log().await?;
    let mut list = List::begin(format, &["client_id", "name", "state", "grants", "scope", "registered"]);
    let mut after = String::new();
    loop {
        let rows = client::list(log.db(), Page { after: Some(&after), limit: PAGE }).await.map_err(Unavailable::from)?;
        let Some(last) = rows.last() else { break };
        after = last.id.clone();
        for row in rows {
            let members = members(&row)?;
            let text = |member: &str| members.get(member).map(words).unwrap_or_default();
            let (grants, scope) = (text("grant_types"), text("scope"));
            let cells = vec![row.client_id, row.name, row.state, grants, scope, day(row.created_at)];
            list.add(cells, &Value::Object(members))?;
        }
    }
    list.end("There are no clients yet: `grantlog client register --help` shows how to register one.")
}

impl Show {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let log = context.log().await?;
        let (id, row) = find_client(&log, &self.client).await?;
        let mut members = members(&row)?;
        members.insert("secrets".to_owned(), secrets(&log, id).await?);
        if self.format.json {
            return output::json(&members);
        }
        let shown = |member: &str| members.get(member).map(words).unwrap_or_default();
        let first = FIRST.iter().map(|member| (*member, shown(member))).chain([("registered", moment(row.created_at))]);
        let others = members.iter().filter(|(member, _)| !FIRST.contains(&member.as_str()) && *member != "client_id_issued_at");
        output::pairs(first.chain(others.map(|(member, value)| (member.as_str(), words(value)))))
    }
}

/// A client's row as programs see it: the client information response, and what only an operator sees.
fn members(row: &ClientRow) -> Result<Map<String, Value>, Failure> {
    let metadata = serde_json::from_str(&row.metadata)
        .map_err(|error| Failure::Failed(format!("the metadata of {} cannot be read: {error}", row.client_id)))?;
    let issued_at = Timestamp::from_unix(row.created_at);
    let mut members = ClientInformation { identifier: &row.client_id, issued_at, metadata: &metadata, secret: None }.members();
    members.insert("id".to_owned(), row.id.clone().into());
    members.insert("state".to_owned(), row.state.clone().into());
    members.insert("owner".to_owned(), row.owner.clone().into());
    members.insert("by_itself".to_owned(), row.by_itself.clone().into());
    members.insert("metadata_version".to_owned(), row.metadata_version.into());
    Ok(members)
}

/// Which secrets a client has, and until when.
async fn secrets(log: &Log, id: ClientId) -> Result<Value, Failure> {
    let stream = Client::stream(id.uuid());
    let Some(head) = log.load(&[stream]).await?.pop().flatten() else { return Ok(json!([])) };
    let state: Client = serde_json::from_str(&head.state)
        .map_err(|error| Failure::Failed(format!("the state of the client {id} cannot be read: {error}")))?;
    let secrets = state.registration().map(|registration: &Registration| registration.secrets.as_slice()).unwrap_or_default();
    Ok(secrets.iter().map(|secret| json!({"id": secret.id, "expires_at": secret.expires_at})).collect())
}

/// A value in words: a list by its entries, an object by its members, nothing for null.
fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(entries) => entries.iter().map(words).collect::<Vec<_>>().join(" "),
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            members.map(|(member, value)| format!("{member}={}", words(value))).collect::<Vec<_>>().join(",")
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

impl RotateSecret {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let (id, _) = find_client(&dispatch.log, &self.client).await?;
        let client = dispatch.rotate_client_secret(Actor::Operator, id, self.overlap).await?.answer;
        show_secret(&dispatch, &client, self.format, "A new secret for").await
    }
}

impl Disable {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let (id, row) = find_client(&dispatch.log, &self.client).await?;
        let done = dispatch.disable_client(Actor::Operator, id).await?;
        tell(&row, "disabled", done.position, self.format, "is disabled. All its tokens are dead.")
    }
}

impl Enable {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let (id, row) = find_client(&dispatch.log, &self.client).await?;
        let done = dispatch.enable_client(Actor::Operator, id).await?;
        tell(&row, "enabled", done.position, self.format, "may act again. It needs new tokens.")
    }
}

fn tell(row: &ClientRow, state: &str, position: i64, format: Format, said: &str) -> Result<(), Failure> {
    if format.json {
        return output::json(&json!({"client_id": row.client_id, "state": state, "position": position}));
    }
    output::line(format_args!("{} {said}", if row.name.is_empty() { &row.client_id } else { &row.name }))
}
