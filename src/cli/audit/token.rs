//! `grantlog audit token`: where a code or token came from, and what came of it.

use domain::{
    Timestamp,
    audit::{Question, Read},
};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::json;

use crate::{
    audit::{self, FoundToken, GrantRecord, TokenState, came_of, led_to},
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
    lines::{Line, why},
    remember,
    story::{print_story, told},
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

/// A code or token at a moment.
#[derive(Serialize)]
struct TokenNow<'a> {
    #[serde(flatten)]
    token: &'a audit::Token,
    state: TokenState,
}

impl<'a> TokenNow<'a> {
    fn new(token: &'a audit::Token, now: Timestamp) -> Self {
        Self { token, state: token.state(now) }
    }

    fn for_people(&self) -> String {
        let audit::Token { kind, jti, generation, issued, expires_at, ended, .. } = self.token;
        let name = match (jti, generation) {
            (Some(jti), _) => format!(" {jti}"),
            (None, Some(generation)) => format!(" number {generation}"),
            (None, None) => String::new(),
        };
        let state = match (self.state, ended) {
            (TokenState::Ended, Some(end)) => format!("ended {} {}", rfc3339(end.place.at), why(end)),
            (state, _) => format!("{}, until {}", state.as_str(), rfc3339(*expires_at)),
        };
        format!("{:>8}  {}  {}{name}: {state}", issued.position, rfc3339(issued.at), kind.as_str())
    }
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
        let Some(FoundToken { file, place, scanned }) = found else {
            return Err(Failure::Refused("no such code or token was ever issued here".to_owned()));
        };
        let GrantRecord { grant_id, user_id, client, .. } = &file.record;
        let read = Read { grant_id: Some(*grant_id), user_id: *user_id, client_id: client.id, ..Read::of(Question::Token) };
        remember(&dispatch, read).await?;
        let (now, tokens) = (dispatch.clock.now(), &file.tokens);
        let token = &tokens[place];
        let before: Vec<_> = file.events.iter().filter(|told| told.place <= token.issued).cloned().collect();
        let (names, story) = told(&dispatch, &before).await?;
        let grant = Line::new(&file.record, now, &names.users);
        let at = |token| TokenNow::new(token, now);
        let back: Vec<_> = came_of(tokens, place).into_iter().map(at).collect();
        let forward: Vec<_> = led_to(tokens, place).into_iter().map(at).collect();
        if self.format.json {
            return output::json(&json!({
                "token": at(token), "scanned": scanned, "grant": grant, "came_of": back, "story": story, "led_to": forward,
            }));
        }
        if scanned {
            output::line("It ended so long ago that the whole log had to be read.")?;
        }
        output::line(at(token).for_people())?;
        print_tokens("It came of", &back)?;
        output::line("\nHow that came about")?;
        print_story(&story)?;
        print_tokens("What came of it", &forward)?;
        output::line(format_args!("\n{}", grant.heading().trim_end()))
    }
}

fn print_tokens(what: &str, tokens: &[TokenNow<'_>]) -> Result<(), Failure> {
    output::line(format_args!("\n{what}{}", if tokens.is_empty() { ": nothing" } else { "" }))?;
    tokens.iter().try_for_each(|token| output::line(token.for_people()))
}
