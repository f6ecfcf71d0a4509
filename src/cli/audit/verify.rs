//! `grantlog audit verify`: checks a proof with the public key alone.

use std::path::PathBuf;

use crate::{
    cli::{
        failure::Failure,
        input::text_file,
        log::to_json,
        output::{self, Format},
    },
    follow::transparency::{Proof, ProofError, Proven, VerifierKey},
};

/// Check a proof, with the public key alone
///
/// Asks no server and no store. The key is what the server tells at /transparency/key: take it from there once, or better
/// from whoever runs it, and keep it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog audit verify event.tlog-proof --key log.vkey
  grantlog audit verify event.tlog-proof --key id.example.com/transparency+0d8ee4a1+AU7...")]
pub(in crate::cli) struct Verify {
    /// The proof; - for standard input
    file: PathBuf,
    /// The verifier key, or a file that holds it
    #[arg(long)]
    key: String,
    #[command(flatten)]
    format: Format,
}

impl Verify {
    pub(in crate::cli) fn run(&self) -> Result<(), Failure> {
        let key = key(&self.key)?;
        let proof: Proof = text_file(&self.file)?.parse().map_err(|error: ProofError| refused(&error))?;
        let proven = proof.verify(&key).map_err(|error| refused(&error))?;
        let Proven { event, origin, size } = proven;
        if !self.format.json {
            let position = event.position;
            output::line(format_args!("It holds: this is event {position} of {origin}, which held {size} when it was signed."))?;
        }
        output::line(to_json(&event)?)
    }
}

fn refused(error: &ProofError) -> Failure {
    Failure::Partial(format!("the proof does not hold: {error}"))
}

fn key(text: &str) -> Result<VerifierKey, Failure> {
    if let Ok(key) = text.parse() {
        return Ok(key);
    }
    let missing = |error| Failure::Usage(format!("--key {text} is no verifier key, and no file: {error}"));
    let file = std::fs::read_to_string(text).map_err(missing)?;
    file.parse().map_err(|error| Failure::Usage(format!("{text}: {error}")))
}
