//! Grants as lines: for people, as JSON, as CSV. One after the other, however many they are.

use std::io;

use serde::Serialize;

use crate::{
    audit::{End, GrantAt, GrantRecord},
    cli::{failure::Failure, output},
    clock::rfc3339,
};

/// The columns of CSV.
const COLUMNS: [&str; 32] = [
    "grant_id",
    "kind",
    "state",
    "client_id",
    "client_name",
    "client_metadata_version",
    "user_id",
    "username",
    "session_id",
    "consent_id",
    "scope",
    "resources",
    "begun_at",
    "begun_position",
    "auth_time",
    "amr",
    "acr",
    "policy",
    "client_authentication",
    "code",
    "access_tokens",
    "access_tokens_revoked",
    "refreshes",
    "exchanges",
    "retries",
    "last_issued_at",
    "last_issued_position",
    "ends_at",
    "ended_at",
    "ended_position",
    "ended_cause",
    "ended_by",
];

/// How grants are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Shape {
    /// For people
    Table,
    /// One JSON object a line
    Jsonl,
    /// Comma-separated, with the names of the columns in the first line (RFC 4180)
    Csv,
}

fn for_people(line: &GrantAt<'_>) -> String {
    let GrantRecord { grant_id, begun, scope, access_tokens, last_issued, ends_at, .. } = line.record;
    let end = match &line.record.ended {
        Some(end) => format!("{} {}", rfc3339(end.place.at), why(end)),
        None => rfc3339(*ends_at),
    };
    let (user, client, scope) = (line.user(), line.client(), scope.to_string());
    format!(
        "{grant_id}  {:<7}  {}  {client:<20}  {user:<20}  {scope:<24}  {access_tokens:>6}  {}  {end}",
        line.state.as_str(),
        rfc3339(begun.at),
        rfc3339(last_issued.at),
    )
}

/// What stands over a grant's story.
pub(super) fn heading(line: &GrantAt<'_>) -> String {
    let GrantRecord { grant_id, client, scope, .. } = line.record;
    let (state, name, version) = (line.state.as_str(), line.client(), client.metadata_version);
    format!(
        "Grant {grant_id}, {state}: {} of {} to {name} (client_id {}, metadata version {version})\n",
        scope,
        line.user(),
        client.client_id
    )
}

fn cells(line: &GrantAt<'_>) -> [String; COLUMNS.len()] {
    let record = line.record;
    let id = |id: Option<String>| id.unwrap_or_default();
    let ended = record.ended.as_ref();
    [
        record.grant_id.to_string(),
        word(&record.kind),
        line.state.as_str().to_owned(),
        record.client.client_id.clone(),
        record.client.name.clone().unwrap_or_default(),
        record.client.metadata_version.to_string(),
        id(record.user_id.map(|id| id.to_string())),
        line.username.unwrap_or_default().to_owned(),
        id(record.session_id.map(|id| id.to_string())),
        id(record.consent_id.map(|id| id.to_string())),
        record.scope.to_string(),
        record.resources.join(" "),
        rfc3339(record.begun.at),
        record.begun.position.to_string(),
        record.auth_time.map(rfc3339).unwrap_or_default(),
        record.amr.join(" "),
        record.acr.clone().unwrap_or_default(),
        record.policy.clone().unwrap_or_default(),
        record.client_authentication.as_ref().map(word).unwrap_or_default(),
        record.code.as_ref().map(word).unwrap_or_default(),
        record.access_tokens.to_string(),
        record.access_tokens_revoked.to_string(),
        record.refreshes.to_string(),
        record.exchanges.to_string(),
        record.retries.to_string(),
        rfc3339(record.last_issued.at),
        record.last_issued.position.to_string(),
        rfc3339(record.ends_at),
        ended.map(|end| rfc3339(end.place.at)).unwrap_or_default(),
        ended.map(|end| end.place.position.to_string()).unwrap_or_default(),
        ended.map(|end| word(&end.cause)).unwrap_or_default(),
        ended.map(|end| end.by.clone()).unwrap_or_default(),
    ]
}

impl Shape {
    /// What stands over the lines.
    ///
    /// # Errors
    /// That it cannot be written.
    pub(super) fn head(self) -> Result<(), Failure> {
        match self {
            Self::Table => output::line(format_args!(
                "{:<36}  {:<7}  {:<20}  {:<20}  {:<20}  {:<24}  {:>6}  {:<20}  ends",
                "grant", "state", "begun", "client", "user", "scope", "tokens", "last issued"
            )),
            Self::Jsonl => Ok(()),
            Self::Csv => csv_line(&COLUMNS),
        }
    }

    /// Prints one.
    ///
    /// # Errors
    /// That it cannot be written.
    pub(super) fn print(self, line: &GrantAt<'_>) -> Result<(), Failure> {
        match self {
            Self::Table => output::line(for_people(line)),
            Self::Jsonl => output::line(serde_json::to_string(line).map_err(|error| Failure::Failed(error.to_string()))?),
            Self::Csv => csv_line(&cells(line)),
        }
    }
}

fn csv_line(cells: &[impl AsRef<[u8]>]) -> Result<(), Failure> {
    let failed = |error: csv::Error| Failure::io("a line of CSV", &io::Error::other(error));
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    writer.write_record(cells).map_err(failed)?;
    let bytes = writer.into_inner().map_err(|error| failed(error.into_error().into()))?;
    output::line(String::from_utf8_lossy(&bytes).trim_end_matches('\n'))
}

/// What ended something and by whom.
pub(super) fn why(end: &End) -> String {
    format!("{} by {}", word(&end.cause), end.by)
}

/// The name of a value of a fixed set.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
