//! What one connection asks for, again and again.

use std::{
    io,
    time::{Duration, Instant},
};

use serde::Deserialize;

use crate::{
    Operation, Options,
    connection::{Answer, Connection, basic},
    proof::Prover,
    sign_in::grant,
};

/// The tokens that one connection asks about, or exchanges.
const TOKENS: usize = 16;
/// What is good once is made for so much longer than it is used, that it does not run out.
const MARGIN: f64 = 1.5;
/// What every answer with tokens holds.
const ISSUED: &[u8] = b"\"access_token\":\"";
/// What is the same in all requests to exchange, and in all polls.
const EXCHANGE: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
    &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token";
const DEVICE_CODE: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";

/// An answer of the token endpoint (RFC 6749 section 5.1).
#[derive(Deserialize)]
pub(crate) struct Tokens {
    access_token: String,
    refresh_token: Option<String>,
}

/// An answer to a device (RFC 8628 section 3.2).
#[derive(Deserialize)]
struct Device {
    device_code: String,
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
        expected: Expected,
    },
    /// Each of them once.
    Once {
        requests: Vec<Vec<u8>>,
        expected: Expected,
    },
    Refresh {
        token: String,
    },
}

/// What every answer has, and holds.
#[derive(Clone, Copy)]
struct Expected {
    status: u16,
    holds: &'static [u8],
}

impl Expected {
    const fn ok(holds: &'static [u8]) -> Self {
        Self { status: 200, holds }
    }

    fn check(self, answer: Answer<'_>) -> io::Result<()> {
        let answer = answer.with_status(self.status)?;
        if self.holds.is_empty() || answer.body.windows(self.holds.len()).any(|window| window == self.holds) {
            return Ok(());
        }
        Err(io::Error::other(format!("not what was asked for: {answer:?}")))
    }
}

impl Caller {
    /// Opens the connection, and makes the tokens that it will ask about. `cookies` are those of a person who is signed in.
    pub(crate) async fn prepare(options: &Options, cookies: &str) -> io::Result<Self> {
        let mut connection = Connection::open(options).await?;
        let authorization = match options.certificate {
            None => basic(&options.client_id, &options.client_secret),
            Some(_) => "accept: application/json".to_owned(),
        };
        // A certificate proves who a client is that says its name.
        let by = if options.certificate.is_some() { format!("&client_id={}", options.client_id) } else { String::new() };
        let request = connection.post("/o/token/", &authorization, &format!("grant_type=client_credentials&scope=read{by}"));
        let kind = match options.operation {
            Operation::Tokens => Kind::Round { requests: vec![request], next: 0, expected: Expected::ok(ISSUED) },
            Operation::Introspection => {
                let mut requests = Vec::with_capacity(TOKENS);
                for _ in 0..TOKENS {
                    let token = access_token(&mut connection, &request).await?;
                    requests.push(connection.post("/o/introspect/", &authorization, &format!("token={token}")));
                }
                Kind::Round { requests, next: 0, expected: Expected::ok(b"\"active\":true") }
            }
            Operation::Revocation => {
                let until = Instant::now() + Duration::from_secs_f64(options.seconds * MARGIN);
                let mut requests = Vec::new();
                while Instant::now() < until {
                    let token = access_token(&mut connection, &request).await?;
                    requests.push(connection.post("/o/revoke_token/", &authorization, &format!("token={token}")));
                }
                Kind::Once { requests, expected: Expected::ok(b"") }
            }
            Operation::Proven => {
                let prover = Prover::new(options)?;
                let mut requests = Vec::new();
                // A thread signs for all connections: each gets its turn.
                let until = Instant::now() + Duration::from_secs_f64(options.seconds * MARGIN);
                while Instant::now() < until {
                    let (form, proof) = prover.request()?;
                    requests.push(connection.post("/o/token/", &proof, &form));
                    tokio::task::yield_now().await;
                }
                Kind::Once { requests, expected: Expected::ok(ISSUED) }
            }
            Operation::Exchange => {
                let mut requests = Vec::with_capacity(TOKENS);
                for _ in 0..TOKENS {
                    let token = access_token(&mut connection, &request).await?;
                    requests.push(connection.post("/o/token/", &authorization, &format!("{EXCHANGE}&subject_token={token}")));
                }
                Kind::Round { requests, next: 0, expected: Expected::ok(ISSUED) }
            }
            Operation::Polling => {
                let ask = connection.post("/o/device-authorization/", &authorization, "scope=read");
                let asked: Device = serde_json::from_slice(connection.send(&ask).await?.with_status(200)?.body)?;
                let poll =
                    connection.post("/o/token/", &authorization, &format!("{DEVICE_CODE}&device_code={}", asked.device_code));
                Kind::Round { requests: vec![poll], next: 0, expected: Expected { status: 400, holds: b"\"error\":\"" } }
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
                Kind::Round { requests: about.collect(), next: 0, expected: Expected::ok(b"\"came_of\":") }
            }
        };
        Ok(Self { connection, authorization, kind })
    }

    /// Sends one request and checks its answer. False: there is nothing more to ask about.
    pub(crate) async fn call(&mut self) -> io::Result<bool> {
        let Self { connection, authorization, kind } = self;
        match kind {
            Kind::Round { requests, next, expected } => {
                expected.check(connection.send(&requests[*next]).await?)?;
                *next = (*next + 1) % requests.len();
            }
            Kind::Once { requests, expected } => {
                let Some(request) = requests.pop() else { return Ok(false) };
                expected.check(connection.send(&request).await?)?;
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
