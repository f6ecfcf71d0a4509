//! `grantlog audit token`: where a code or token came from, and what came of it.

use domain::audit::Question;
use secrecy::ExposeSecret;

use crate::{
    audit::{self, TokenAt, TokenState, Words},
    cli::{
        failure::Failure,
        input,
        output::{self, Format},
        progress::Progress,
        store::Context,
    },
    clock::rfc3339,
};

use super::{
    lines::{heading, why},
    remember,
    story::{ENGLISH, print_story},
};

/// Tell where a code or token came from, and what came of it
///
/// Back to the consent, the sign-in, the version of the client's metadata and the signing key; forward to every token that came of it,
/// live or dead. A token on the command line is seen by others on the machine: `-` reads it from standard input.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog audit token - < token.txt
  grantlog audit token 019ab3c0-5f2e-7d10-8c5a-0123456789ab
  grantlog audit token n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg --json")]
pub(in crate::cli) struct Token {
    /// Its text, its jti, or its SHA-256 digest in base64url; `-` for standard input
    #[arg(allow_hyphen_values = true)]
    token: String,
    #[command(flatten)]
    format: Format,
}

/// A code or token in a line.
fn in_words(at: &TokenAt<'_>) -> String {
    let audit::Token { kind, jti, generation, issued, expires_at, ended, .. } = at.token;
    let name = match (jti, generation) {
        (Some(jti), _) => format!(" {jti}"),
        (None, Some(generation)) => format!(" number {generation}"),
        (None, None) => String::new(),
    };
    let state = match (at.state, ended) {
        (TokenState::Ended, Some(end)) => format!("ended {} {}", rfc3339(end.place.at), why(end)),
        (state, _) => format!("{}, until {}", state.as_str(), rfc3339(*expires_at)),
    };
    format!("{:>8}  {}  {}{name}: {state}", issued.position, rfc3339(issued.at), kind.as_str())
}

impl Token {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let text = match self.token.as_str() {
            "-" => input::secret("token")?,
            given => given.into(),
        };
        let mut progress = Progress::of("events");
        let head = dispatch.log.known_head();
        let found = audit::token(&dispatch, text.expose_secret(), &mut |position| progress.at_position(position, head)).await?;
        drop(progress);
        let Some(found) = found else {
            return Err(Failure::Refused("no such code or token was ever issued here".to_owned()));
        };
        remember(&dispatch, found.file.read(Question::Token)).await?;
        let names = found.names(&dispatch).await?;
        let told = found.lineage(&names, Words::of(ENGLISH), dispatch.clock.now());
        if self.format.json {
            return output::json(&told);
        }
        if told.scanned {
            output::line("It ended so long ago that the whole log had to be read.")?;
        }
        output::line(in_words(&told.token))?;
        print_tokens("It came of", &told.came_of)?;
        output::line("\nHow that came about")?;
        print_story(&told.story)?;
        print_tokens("What came of it", &told.led_to)?;
        output::line(format_args!("\n{}", heading(&told.grant).trim_end()))
    }
}

fn print_tokens(what: &str, tokens: &[TokenAt<'_>]) -> Result<(), Failure> {
    output::line(format_args!("\n{what}{}", if tokens.is_empty() { ": nothing" } else { "" }))?;
    tokens.iter().try_for_each(|token| output::line(in_words(token)))
}
