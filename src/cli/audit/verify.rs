//! `grantlog audit verify`: checks a proof with the public key alone.

use std::{fmt::Display, path::PathBuf, str::FromStr};

use crate::{
    cli::{
        failure::Failure,
        input::text_file,
        log::to_json,
        output::{self, Format},
    },
    clock::rfc3339,
    follow::transparency::{Cosignature, Proof, ProofError, Proven, VerifierKey, WitnessKey},
};

/// Check a proof, with public keys alone
///
/// Asks no server and no store. The key is what the server tells at /transparency/key: take it from there once, or better
/// from whoever runs it, and keep it. With --witness the proof holds only where that witness cosigned its checkpoint: it saw that
/// nothing before was changed, so that not even whoever has the log's key can have made up another history. The key of a witness is told
/// by whoever runs it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog audit verify event.tlog-proof --key log.vkey
  grantlog audit verify event.tlog-proof --key id.example.com/transparency+0d8ee4a1+AU7...
  grantlog audit verify event.tlog-proof --key log.vkey --witness near.vkey --witness far.vkey")]
pub(in crate::cli) struct Verify {
    /// The proof; - for standard input
    file: PathBuf,
    /// The verifier key, or a file that holds it
    #[arg(long)]
    key: String,
    /// The key of a witness who must have cosigned the checkpoint, or a file that holds it; may be repeated
    #[arg(long, value_name = "KEY")]
    witness: Vec<String>,
    #[command(flatten)]
    format: Format,
}

impl Verify {
    pub(in crate::cli) fn run(&self) -> Result<(), Failure> {
        let log: VerifierKey = key("--key", &self.key)?;
        let witnesses = self.witness.iter().map(|witness| key("--witness", witness)).collect::<Result<Vec<WitnessKey>, _>>()?;
        let proof: Proof = text_file(&self.file)?.parse().map_err(|error: ProofError| refused(&error))?;
        let proven = proof.verify(&log).map_err(|error| refused(&error))?;
        let seen = witnesses.iter().map(|witness| proof.witnessed(witness)).collect::<Result<Vec<_>, _>>();
        let seen = seen.map_err(|error| refused(&error))?;
        let Proven { event, origin, size } = proven;
        if !self.format.json {
            let position = event.position;
            output::line(format_args!("It holds: this is event {position} of {origin}, which held {size} when it was signed."))?;
            for (witness, Cosignature { at, .. }) in witnesses.iter().zip(seen) {
                output::line(format_args!("{} saw it so at {}.", witness.name(), rfc3339(at)))?;
            }
        }
        output::line(to_json(&event)?)
    }
}

fn refused(error: &ProofError) -> Failure {
    Failure::Partial(format!("the proof does not hold: {error}"))
}

/// A key, or that in a file.
fn key<K: FromStr<Err: Display>>(flag: &str, text: &str) -> Result<K, Failure> {
    if let Ok(key) = text.parse() {
        return Ok(key);
    }
    let missing = |error| Failure::Usage(format!("{flag} {text} is no key, and no file: {error}"));
    let file = std::fs::read_to_string(text).map_err(missing)?;
    file.parse().map_err(|error| Failure::Usage(format!("{text}: {error}")))
}
