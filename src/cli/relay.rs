//! `grantlog relay`: the stream in NATS that the log is relayed to.

use domain::audit::Reason;
use serde_json::json;

use crate::{
    follow::relay::{Broker, RelayStatus},
    log::Actor,
};

use super::{
    failure::Failure,
    output::{self, Format},
    store::Context,
};

/// Make the stream in NATS that the log is relayed to, and see how far it is
///
/// A server whose settings name NATS (relay.url, or NATS_URL) relays the log to a JetStream stream: each event is a message at its
/// position. Of several servers one relays. These commands ask NATS and the store, not the server.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  NATS_URL=nats://localhost:4222 grantlog relay setup
  NATS_URL=nats://localhost:4222 grantlog relay status
  nats sub 'grantlog.revocation.>'")]
pub(super) enum RelayCommand {
    Setup(Setup),
    Status(Status),
    Skip(Skip),
}

/// Make the stream, or see that it is as the settings say
///
/// The server does it too when it starts. A stream that is there with other settings is left as it is, and the differences are
/// printed. Of a relayed log nothing can be deleted or purged: the stream is made so.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  NATS_URL=nats://localhost:4222 grantlog relay setup
  The log from a position on (nats-server 2.10 or later):
    GRANTLOG_RELAY__FIRST_POSITION=50001 grantlog relay setup")]
pub(super) struct Setup {}

/// Say how far the stream is behind the log
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog relay status
  grantlog relay status --json | jq .lag_positions")]
pub(super) struct Status {
    #[command(flatten)]
    format: Format,
}

/// Let the relay pass over an event that it cannot read
///
/// An event that this version cannot read stops the relay, which says so: the remedy is the version that wrote it. Where there is
/// none, an operator lets the relay go on: a stub stands at the event's position in the stream. Subscribers rely on it that they hear
/// of every revocation, so whoever skips an event answers for it that it ended nothing. The decision is an event of the log itself.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog log tail --after 1233 --json | head -n 1
  grantlog relay skip --position 1234 --ends-nothing --reason \"a test release wrote it\"")]
pub(super) struct Skip {
    /// The event's position, as the relay's error names it
    #[arg(long, value_name = "N")]
    position: i64,
    /// It is known that the event ended no token, grant, session, consent, client, user or key
    #[arg(long, required = true)]
    ends_nothing: bool,
    /// Why it is skipped: kept in the log
    #[arg(long, value_name = "TEXT")]
    reason: Reason,
}

impl RelayCommand {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        if !context.settings.relay.is_on() {
            return Err(Failure::Usage(
                "relay.url is empty: nothing is relayed.\nSay where NATS is: NATS_URL=nats://localhost:4222".to_owned(),
            ));
        }
        match self {
            Self::Setup(command) => command.run(context).await,
            Self::Status(command) => command.run(context).await,
            Self::Skip(command) => command.run(context).await,
        }
    }
}

impl Setup {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let Self {} = self;
        let settings = &context.settings.relay;
        let broker = Broker::connect(settings).await?;
        broker.set_up().await?;
        output::line(format_args!(
            "The stream {} is ready (nats-server {}). Subjects: {}.<effect>.<aggregate>.<event>.<id>",
            settings.stream,
            broker.version(),
            settings.prefix
        ))
    }
}

impl Skip {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let Self { position, ends_nothing: _, reason } = self;
        let dispatch = context.dispatch().await?;
        let done = dispatch.pass_over(Actor::Operator, position, reason).await?;
        output::line(format_args!(
            "The relay passes over the event at position {position}: decided at position {}.",
            done.position
        ))
    }
}

impl Status {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let log = context.log().await?;
        let status = RelayStatus::ask(&context.settings.relay, &log).await?;
        let RelayStatus { server_version, stream, first, last, messages, bytes, head, lag } = status;
        if self.format.json {
            return output::json(&json!({
                "stream": stream, "server_version": server_version, "first": first, "last": last, "messages": messages, "bytes": bytes,
                "head": head, "lag_positions": lag.positions, "lag_seconds": lag.seconds(),
            }));
        }
        let held = if messages == 0 { "nothing yet".to_owned() } else { format!("positions {first} to {last}, {bytes} bytes") };
        output::pairs([
            ("stream", format!("{stream}, nats-server {server_version}")),
            ("holds", held),
            ("log", format!("ends at {head}, epoch {}", log.epoch())),
            ("lag", format!("{} positions, {:.3} s", lag.positions, lag.seconds())),
        ])
    }
}
