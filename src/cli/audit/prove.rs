//! `grantlog audit prove`: a proof that an event is in the log, in a file that anybody can check.

use std::{io::Write, path::PathBuf};

use domain::{
    TokenId,
    audit::{Question, Read},
};

use crate::{
    audit,
    cli::{failure::Failure, output, progress::Progress, store::Context},
    dispatch::Dispatch,
    follow::transparency::{ProveError, Transparency},
};

use super::remember;

/// Prove that an event is in the log
///
/// The proof (C2SP tlog-proof) holds the event as it is stored, the path to the root of the tree over the log, and a signed checkpoint:
/// where witnesses cosigned one that holds the event, that one.
/// Whoever has the public key can check it without this server: `grantlog audit verify`. What is personal in the event stays sealed in
/// it, also after the person was erased.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog audit prove 1200 > event.tlog-proof
  grantlog audit prove 019ab3c0-5f2e-7d10-8c5a-0123456789ab --output token.tlog-proof")]
pub(in crate::cli) struct Prove {
    /// The position of an event, or the jti of an access token: the event that issued it
    #[arg(value_name = "JTI|POSITION")]
    event: String,
    /// Where to write it, in place of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Prove {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let prefix = context.settings.transparency_prefix();
        let dispatch = context.dispatch().await?;
        let (position, read) = find(&dispatch, &self.event).await?;
        remember(&dispatch, read).await?;
        let transparency = Transparency::open(&dispatch, &prefix).await?;
        let proof = transparency.prove(position).await?;
        let Some(path) = self.output else { return output::text(&proof) };
        let mut file = std::fs::File::create_new(&path).map_err(|error| Failure::io(path.display(), &error))?;
        file.write_all(proof.to_string().as_bytes()).map_err(|error| Failure::io(path.display(), &error))
    }
}

/// The position of the event, and what is told with it.
async fn find(dispatch: &Dispatch, text: &str) -> Result<(i64, Read), Failure> {
    if let Ok(position) = text.parse() {
        let read = audit::proof_read(&dispatch.log, position).await?;
        return Ok((position, read.ok_or(ProveError::NoEvent(position))?));
    }
    let jti: TokenId = text.parse().map_err(|_| Failure::Usage(format!("`{text}` is no position and no jti")))?;
    let mut progress = Progress::of("events");
    let head = dispatch.log.known_head();
    let found = audit::token(dispatch, text, &mut |position| progress.at_position(position, head)).await?;
    let found = found.ok_or_else(|| Failure::Refused(format!("no access token {jti} was issued")))?;
    Ok((found.token().issued.position, found.file.read(Question::Proof)))
}

impl From<ProveError> for Failure {
    fn from(error: ProveError) -> Self {
        match error {
            ProveError::Unavailable(unavailable) => unavailable.into(),
            ProveError::NoEvent(_) => Self::Refused(error.to_string()),
            ProveError::Seal(error) => error.into(),
            ProveError::Differs { .. } => Self::Partial(error.to_string()),
        }
    }
}
