//! `grantlog log`: the events themselves.

mod archive;
mod transfer;

use std::str::FromStr;

use domain::event::AGGREGATE_TYPES;
use serde_json::{Value, value::RawValue};
use uuid::Uuid;

use crate::log::{Log, StoredEvent};

use super::{
    failure::Failure,
    output::{self, Format, moment},
    store::Context,
};

/// Events read at a time.
const PAGE: u32 = 1_000;

/// Read the events of the log, move it as a whole
///
/// An event is a fact: what happened, in which stream (a client, a user, a grant, ...), by whose command. Events hold no secrets,
/// only digests, and what is personal in them is sealed.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  grantlog log tail --follow
  grantlog log tail --all --json > log.jsonl
  grantlog log show grant-019ab3c0-5f2e-7d10-8c5a-0123456789ab")]
pub(super) enum LogCommand {
    Tail(Tail),
    Show(Show),
    Export(transfer::Export),
    Import(transfer::Import),
    Archive(archive::Archive),
    Segments(archive::Segments),
}

/// Print the last events, one a line
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog log tail
  grantlog log tail --follow
  grantlog log tail --after 1200 --json
  grantlog log tail --all --json | jq -r .type | sort | uniq -c")]
pub(super) struct Tail {
    /// How many
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    lines: u32,
    /// The whole log
    #[arg(long, conflicts_with_all = ["lines", "after"])]
    all: bool,
    /// Those after this position
    #[arg(long, value_name = "POSITION", conflicts_with = "lines")]
    after: Option<u32>,
    /// Go on printing new ones as they come, until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    format: Format,
}

/// Print everything that ever happened in a stream
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog log show grant-019ab3c0-5f2e-7d10-8c5a-0123456789ab
  grantlog log show 019ab3c0-5f2e-7d10-8c5a-0123456789ab --json")]
pub(super) struct Show {
    /// The stream, as `log tail` shows it, or its id alone
    stream: String,
    #[command(flatten)]
    format: Format,
}

impl LogCommand {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        match self {
            Self::Tail(command) => command.run(context).await,
            Self::Show(command) => command.run(context).await,
            Self::Export(command) => command.run(context).await,
            Self::Import(command) => command.run(context).await,
            Self::Archive(command) => command.run(context).await,
            Self::Segments(command) => command.run(context).await,
        }
    }
}

impl Tail {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let log = context.log().await?;
        let after = match (self.all, self.after) {
            (true, _) => 0,
            (false, Some(after)) => i64::from(after),
            (false, None) => (log.known_head() - i64::from(self.lines)).max(0),
        };
        let printing = self.print(&log, after);
        if !self.follow {
            return printing.await;
        }
        tokio::select! {
            outcome = printing => outcome,
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    }

    async fn print(&self, log: &Log, mut after: i64) -> Result<(), Failure> {
        let mut head = log.watch();
        loop {
            let events = log.read(after, PAGE).await?;
            for event in &events {
                let detail = if self.format.json { to_json(event)? } else { one_line(event) };
                output::line(detail)?;
                after = event.position;
            }
            if events.is_empty() {
                if !self.follow {
                    return Ok(());
                }
                if head.wait_for(|head| *head > after).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
}

impl Show {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let (types, id) = stream_named(&self.stream)?;
        let log = context.log().await?;
        let mut after = 0;
        loop {
            let events = log.history(&types, id, after, PAGE).await?;
            let Some(last) = events.last() else { break };
            after = last.position;
            for event in &events {
                let detail = if self.format.json { to_json(event)? } else { in_full(event) };
                output::line(detail)?;
            }
        }
        match after {
            0 => Err(Failure::Refused(format!("there is no stream {}: `grantlog log tail` shows some", self.stream))),
            _ => Ok(()),
        }
    }
}

/// `<type>-<uuid>`, or the id alone, which may be of any type.
fn stream_named(text: &str) -> Result<(Vec<&'static str>, Uuid), Failure> {
    let typed = AGGREGATE_TYPES.into_iter().find_map(|name| Some((name, text.strip_prefix(name)?.strip_prefix('-')?)));
    let (types, id) = typed.map_or_else(|| (AGGREGATE_TYPES.to_vec(), text), |(name, id)| (vec![name], id));
    let id = Uuid::from_str(id).map_err(|_| {
        Failure::Usage(format!("{text} is no stream: write <type>-<id> or <id>; the types are {}", AGGREGATE_TYPES.join(", ")))
    })?;
    Ok((types, id))
}

/// In RFC 3339, to the second.
fn recorded(event: &StoredEvent) -> String {
    moment(event.recorded().unix())
}

fn stream_of(event: &StoredEvent) -> String {
    format!("{}-{}", event.aggregate_type, event.aggregate_id)
}

fn one_line(event: &StoredEvent) -> String {
    let (at, kind, stream, by) = (recorded(event), &event.event_type, stream_of(event), event.actor());
    format!("{:>8}  {at}  {kind:<31}  {stream}  by {by}", event.position)
}

fn in_full(event: &StoredEvent) -> String {
    let payload: Value = serde_json::from_str(&event.payload).unwrap_or_default();
    let members = payload.as_object().into_iter().flatten().filter(|(member, _)| !["type", "at"].contains(&member.as_str()));
    let members = members.map(|(member, value)| format!("\n          {member}: {value}")).collect::<String>();
    format!("{}{members}", one_line(event))
}

/// An event on one line for programs: its payload is what was stored, byte for byte.
///
/// # Errors
/// That it is no JSON.
pub(super) fn to_json(event: &StoredEvent) -> Result<String, Failure> {
    let raw = |text: &str| {
        RawValue::from_string(text.to_owned())
            .map_err(|error| Failure::Failed(format!("the event at {} cannot be read: {error}", event.position)))
    };
    let envelope = Envelope {
        position: event.position,
        recorded_at: recorded(event),
        r#type: &event.event_type,
        version: &event.event_version,
        stream: stream_of(event),
        sequence: event.sequence,
        command_id: &event.command_id,
        metadata: raw(&event.metadata)?,
        payload: raw(&event.payload)?,
    };
    serde_json::to_string(&envelope).map_err(|error| Failure::Failed(error.to_string()))
}

/// An event as `--json` prints it.
#[derive(serde::Serialize)]
struct Envelope<'a> {
    position: i64,
    recorded_at: String,
    r#type: &'a str,
    version: &'a str,
    stream: String,
    sequence: i64,
    command_id: &'a str,
    metadata: Box<RawValue>,
    payload: Box<RawValue>,
}
