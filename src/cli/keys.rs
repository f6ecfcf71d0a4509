//! `grantlog keys`: the issuer's signing keys, and the vault's seal.

use clap::ValueEnum;
use domain::client::SigningAlgorithm;
use projections::signing_key;
use serde_json::{Value, json};

use crate::log::{Actor, Unavailable};

use super::{
    failure::Failure,
    output::{self, Format, List, day},
    store::Context,
};

/// Rotate and retire signing keys, and seal the vault anew
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  grantlog keys list
  grantlog keys rotate
  grantlog keys retire 0p2Xb0...")]
pub(super) enum KeysCommand {
    List(Listing),
    Rotate(Rotate),
    Retire(Retire),
    Rewrap(Rewrap),
}

/// List the signing keys
///
/// Of each algorithm one key is active: it signs. Those it superseded are still published, so that what they signed verifies until
/// it expires. A retired one is not, and what it signed is dead.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  grantlog keys list")]
pub(super) struct Listing {
    #[command(flatten)]
    format: Format,
}

/// Make new signing keys and let them sign
///
/// The keys before stay published, and what they signed stays valid: retire them once it has expired, or at once if they leaked.
/// A running server signs with the new key from its next token on.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  grantlog keys rotate\n  grantlog keys rotate --alg ES256")]
pub(super) struct Rotate {
    /// For this algorithm alone; else for all
    #[arg(long, value_enum, ignore_case = true)]
    alg: Option<Algorithm>,
    #[command(flatten)]
    format: Format,
}

/// Withdraw a key: everything it signed is dead at once
///
/// The active key of an algorithm cannot be retired: rotate first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  grantlog keys retire 0p2Xb0...")]
pub(super) struct Retire {
    /// The key's id, as `grantlog keys list` shows it
    #[arg(allow_hyphen_values = true)]
    kid: String,
    #[command(flatten)]
    format: Format,
}

/// Seal the vault anew under the current master key
///
/// To change the master key: put the new one where vault.master_key_file says, name the old one's file in
/// vault.previous_master_key_files, restart the servers, run this, and take the old one out of the settings.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  grantlog keys rewrap --config settings.toml")]
pub(super) struct Rewrap {
    #[command(flatten)]
    format: Format,
}

/// As in JOSE headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Algorithm {
    #[value(name = "ES256")]
    Es256,
    #[value(name = "EdDSA")]
    EdDsa,
    #[value(name = "RS256")]
    Rs256,
    #[value(name = "PS256")]
    Ps256,
}

impl From<Algorithm> for SigningAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Es256 => Self::ES256,
            Algorithm::EdDsa => Self::EdDSA,
            Algorithm::Rs256 => Self::RS256,
            Algorithm::Ps256 => Self::PS256,
        }
    }
}

impl KeysCommand {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        match self {
            Self::List(command) => list(context, command.format).await,
            Self::Rotate(command) => command.run(context).await,
            Self::Retire(command) => command.run(context).await,
            Self::Rewrap(command) => command.run(context).await,
        }
    }
}

async fn list(context: Context, format: Format) -> Result<(), Failure> {
    let log = context.log().await?;
    let mut list = List::begin(format, &["kid", "alg", "state", "added"]);
    for key in signing_key::all(log.db()).await.map_err(Unavailable::from)? {
        let jwk: Value = serde_json::from_str(&key.jwk).unwrap_or_default();
        let element = json!({"kid": key.kid, "alg": key.alg, "state": key.state, "added_at": key.added_at, "jwk": jwk, "position": key.position});
        list.add(vec![key.kid, key.alg, key.state, day(key.added_at)], &element)?;
    }
    list.end("There are no keys yet: the first start makes them.")
}

impl Rotate {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let algorithms = self.alg.map_or_else(|| Algorithm::value_variants().to_vec(), |algorithm| vec![algorithm]);
        let mut list = List::begin(self.format, &["alg", "new kid"]);
        for algorithm in algorithms.into_iter().map(SigningAlgorithm::from) {
            let done = dispatch.rotate_keys(Actor::Operator, algorithm).await?;
            let element = json!({"alg": algorithm, "kid": done.answer, "position": done.position});
            list.add(vec![format!("{algorithm:?}"), done.answer], &element)?;
        }
        list.end("Nothing was rotated.")
    }
}

impl Retire {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let done = dispatch.retire_key(Actor::Operator, &self.kid).await?;
        if self.format.json {
            return output::json(&json!({"kid": self.kid, "state": "retired", "position": done.position}));
        }
        output::line(format_args!("{} is retired. Everything it signed is dead.", self.kid))
    }
}

impl Rewrap {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let outcome = dispatch.rewrap().await?;
        if self.format.json {
            return output::json(&json!({"sealed_anew": outcome.sealed_anew, "already_current": outcome.already_current}));
        }
        output::line(format_args!(
            "{} rows sealed anew, {} were sealed under the current master key already.",
            outcome.sealed_anew, outcome.already_current
        ))
    }
}
