//! What one connection asks for, again and again.

use std::{
    io,
    time::{Duration, Instant},
};

use serde::Deserialize;

use crate::{
    Operation, Options,
    connection::{Answer, Connection, basic},
    sign_in::grant,
};

/// The tokens that one connection asks about.
const TOKENS: usize = 16;
/// Tokens to revoke are made for so much longer than they are revoked, that they do not run out.
const MARGIN: f64 = 1.5;

/// An answer of the token endpoint (RFC 6749 section 5.1).
#[derive(Deserialize)]
pub(crate) struct Tokens {
    access_token: String,
    refresh_token: Option<String>,
}

impl Tokens {
    pub(crate) fn of(answer: &Answer<'_>) -> io::Result<Self> {
        Ok(serde_json::from_slice(answer.body)?)
    }
}

/// One connection with what it needs.
pub(crate) struct Caller {
    connection: Connection,
    authorization: String,
    kind: Kind,
}

enum Kind {
    /// One request after the other, and again from the first.
    Round {
        requests: Vec<Vec<u8>>,
        next: usize,
        holds: &'static [u8],
    },
    Revocation {
        tokens: Vec<String>,
    },
    Refresh {
        token: String,
    },
}

impl Caller {
    /// Opens the connection, and makes the tokens that it will ask about. `cookies` are those of a person who is signed in.
    pub(crate) async fn prepare(options: &Options, cookies: &str) -> io::Result<Self> {
        let mut connection = Connection::open(&options.address).await?;
        let authorization = basic(&options.client_id, &options.client_secret);
        let request = connection.post("/o/token/", &authorization, "grant_type=client_credentials&scope=read");
        let kind = match options.operation {
            Operation::Tokens => Kind::Round { requests: vec![request], next: 0, holds: b"\"access_token\":\"" },
            Operation::Introspection => {
                let mut requests = Vec::with_capacity(TOKENS);
                for _ in 0..TOKENS {
                    let token = access_token(&mut connection, &request).await?;
                    requests.push(connection.post("/o/introspect/", &authorization, &format!("token={token}")));
                }
                Kind::Round { requests, next: 0, holds: b"\"active\":true" }
            }
            Operation::Revocation => {
                let until = Instant::now() + Duration::from_secs_f64(options.seconds * MARGIN);
                let mut tokens = Vec::new();
                while Instant::now() < until {
                    tokens.push(access_token(&mut connection, &request).await?);
                }
                Kind::Revocation { tokens }
            }
            Operation::Refresh => {
                let tokens = grant(options, &mut connection, cookies).await?;
                Kind::Refresh { token: refresh_token(tokens)? }
            }
            Operation::Lineage => {
                let ask = connection.post("/o/token/", &authorization, "grant_type=client_credentials&scope=audit");
                let bearer = format!("authorization: Bearer {}", access_token(&mut connection, &ask).await?);
                let about = std::fs::read_to_string(options.tokens.as_ref().ok_or(io::ErrorKind::NotFound)?)?;
                let about = about.lines().map(|token| connection.post("/audit/tokens/", &bearer, &format!("token={token}")));
                Kind::Round { requests: about.collect(), next: 0, holds: b"\"came_of\":" }
            }
        };
        Ok(Self { connection, authorization, kind })
    }

    /// Sends one request and checks its answer. False: there is nothing more to ask about.
    pub(crate) async fn call(&mut self) -> io::Result<bool> {
        let Self { connection, authorization, kind } = self;
        match kind {
            Kind::Round { requests, next, holds: what } => {
                let answer = connection.send(&requests[*next]).await?.with_status(200)?;
                holds(&answer, what)?;
                *next = (*next + 1) % requests.len();
            }
            Kind::Revocation { tokens } => {
                let Some(token) = tokens.pop() else { return Ok(false) };
                let request = connection.post("/o/revoke_token/", authorization, &format!("token={token}"));
                connection.send(&request).await?.with_status(200)?;
            }
            Kind::Refresh { token } => {
                let form = format!("grant_type=refresh_token&refresh_token={token}");
                let request = connection.post("/o/token/", authorization, &form);
                let tokens = Tokens::of(&connection.send(&request).await?.with_status(200)?)?;
                *token = refresh_token(tokens)?;
            }
        }
        Ok(true)
    }
}

async fn access_token(connection: &mut Connection, request: &[u8]) -> io::Result<String> {
    Ok(Tokens::of(&connection.send(request).await?.with_status(200)?)?.access_token)
}

fn refresh_token(tokens: Tokens) -> io::Result<String> {
    tokens.refresh_token.ok_or_else(|| io::Error::other("the answer has no refresh token"))
}

fn holds(answer: &Answer<'_>, what: &[u8]) -> io::Result<()> {
    if answer.body.windows(what.len()).any(|window| window == what) {
        return Ok(());
    }
    Err(io::Error::other(format!("not what was asked for: {answer:?}")))
}
