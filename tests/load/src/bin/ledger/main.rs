//! Fills a store with a long log, and measures what reads all of it: a fold of every stream in memory, the ceiling, and the audit's
//! replay. Prints events, seconds, events/s, and the largest resident memory in MiB.

use std::{
    collections::HashMap,
    error::Error,
    io::{self, Write},
    time::Instant,
};

use clap::{Parser, Subcommand};
use cqrs_es::{Aggregate, DomainEvent};
use domain::{
    ClientId, CommandId, ConsentId, Decide, Digest, Event, SessionId, StreamId, Timestamp, TokenId, UserId,
    client::{Client, ClientEvent, ClientMetadata},
    fold,
    grant::{AccessToken, Approved, ClientAuthentication, Grant, GrantEvent, RefreshToken},
    session::{Session, SessionEnd, SessionEvent, SignIn},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use grantlog::{
    audit::{Bounds, RecordsDigest, Replay},
    log::{Actor, Append, Log, LogSettings, Metadata, NewEvent, StreamAppend},
};
use uuid::Uuid;

/// Commands that wait at a time.
const AT_A_TIME: usize = 1_024;
/// Events read at a time.
const PAGE: u32 = 4_096;
const CLIENTS: usize = 100;
const USERS: usize = 20_000;

#[derive(Parser)]
struct Options {
    /// postgres://... or sqlite://...
    #[arg(long, env = "DATABASE_URL")]
    store: String,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Append so many grants: about three events each
    Fill { grants: usize },
    /// Fold every stream in memory
    Fold,
    /// Replay all grants as `grantlog audit replay --digest` does
    Replay,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let settings = LogSettings { url: options.store, connections: 4, queue: 4_096, archive: None };
    Log::migrate(&settings).await?;
    let log = Log::open(&settings).await?;
    let begun = Instant::now();
    let said = match options.what {
        What::Fill { grants } => fill(&log, grants).await?,
        What::Fold => fold_all(&log).await?,
        What::Replay => replay(&log).await?,
    };
    let (events, seconds) = (log.known_head(), begun.elapsed().as_secs_f64());
    let rate = events as f64 / seconds;
    writeln!(io::stdout(), "{events} events, {seconds:.1} s, {rate:.0} events/s, {} MiB; {said}", memory()?)?;
    Ok(())
}

/// The largest resident memory so far, in MiB.
fn memory() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")).and_then(|kib| kib.trim().parse::<u64>().ok());
    Ok(kib.unwrap_or_default() / 1024)
}

async fn fill(log: &Log, grants: usize) -> Result<String, Box<dyn Error>> {
    let clients: Vec<ClientId> = (0..CLIENTS).map(|_| ClientId::new(Uuid::now_v7())).collect();
    let users: Vec<UserId> = (0..USERS).map(|_| UserId::new(Uuid::now_v7())).collect();
    for client in &clients {
        let metadata = Box::new(ClientMetadata { client_name: Some("Shop".to_owned()), ..ClientMetadata::default() });
        let registered = ClientEvent::Registered { identifier: client.to_string(), owner: None, metadata, at: AT };
        log.append(append(vec![of::<Client>(client.uuid(), &[registered])])).await?;
    }
    let commands = (0..grants).map(|n| command(n, clients[n % CLIENTS], users[n % USERS]));
    stream::iter(commands)
        .map(|command| log.append(command))
        .buffer_unordered(AT_A_TIME)
        .try_for_each(|_| async { Ok(()) })
        .await?;
    Ok(format!("{grants} grants"))
}

const AT: Timestamp = Timestamp::from_unix(1_800_000_000);
const BY: ClientAuthentication = ClientAuthentication::ClientSecretBasic;

/// Of ten grants three are a client's own; the others are approved, most in sign-ins of their own, of which some ended.
fn command(n: usize, client_id: ClientId, user_id: UserId) -> Append {
    let grant = Uuid::now_v7();
    if n % 10 < 3 {
        let issued = GrantEvent::ClientCredentialsIssued { client_id, access: access(), authentication: BY, at: AT };
        return append(vec![of::<Grant>(grant, &[issued])]);
    }
    let session_id = SessionId::new(Uuid::now_v7());
    let code = random_digest();
    let mut events = vec![
        GrantEvent::Approved(Box::new(Approved {
            client_id,
            user_id,
            session_id,
            consent_id: ConsentId::new(Uuid::now_v7()),
            scope: "openid read write".parse().expect("it is a scope"),
            resources: Vec::new(),
            redirect_uri: Some("https://app.example/callback".to_owned()),
            code_challenge: None,
            nonce: None,
            auth_time: AT,
            acr: None,
            amr: vec!["pwd".to_owned()],
            code: code.clone(),
            code_expires_at: AT.plus(60),
            ends_at: AT.plus(31_536_000),
            policy: "default".to_owned(),
            pos: 0,
            at: AT,
        })),
        GrantEvent::CodeRedeemed { code, authentication: BY, at: AT },
    ];
    let refresh = refresh(1);
    events.push(GrantEvent::TokensIssued { access: access(), refresh: Some(refresh.clone()), at: AT });
    if n.is_multiple_of(4) {
        let predecessor = refresh.digest;
        events.push(GrantEvent::Refreshed {
            predecessor,
            access: access(),
            refresh: self::refresh(2),
            authentication: BY,
            at: AT,
        });
    }
    let mut streams = vec![of::<Grant>(grant, &events)];
    if n.is_multiple_of(2) {
        let sign_in = SignIn {
            user_id,
            cookie: random_digest(),
            auth_time: AT,
            amr: vec!["pwd".to_owned()],
            acr: None,
            expires_at: AT.plus(1_209_600),
        };
        let mut events = vec![SessionEvent::Started { sign_in, browser: None, at: AT }];
        if n.is_multiple_of(6) {
            events.push(SessionEvent::Ended { reason: SessionEnd::SignedOut, at: AT });
        }
        streams.push(of::<Session>(session_id.uuid(), &events));
    }
    append(streams)
}

fn random_digest() -> Digest {
    Digest::of(Uuid::now_v7().as_bytes())
}

fn access() -> AccessToken {
    AccessToken {
        id: TokenId::new(Uuid::now_v7()),
        digest: random_digest(),
        scope: "read".parse().expect("it is a scope"),
        audience: vec!["https://api.example".to_owned()],
        expires_at: AT.plus(3_600),
        kid: Some("1yUoyT3b2wqv1GSfQXoIeyYPzZwxsDqYVnLWVMSNzHM".to_owned()),
        pos: 0,
    }
}

fn refresh(generation: u32) -> RefreshToken {
    RefreshToken { digest: random_digest(), generation, expires_at: AT.plus(2_592_000), pos: 0 }
}

fn append(streams: Vec<StreamAppend>) -> Append {
    Append {
        command_id: CommandId::new(Uuid::now_v7()),
        metadata: Metadata { actor: Actor::Operator, traceparent: None },
        streams,
        guards: Vec::new(),
        claims: Vec::new(),
        vault: Vec::new(),
        ephemeral: Vec::new(),
    }
}

fn of<A: Decide>(id: Uuid, events: &[A::Event]) -> StreamAppend
where
    Event: From<A::Event>,
{
    let state: A = fold(events.iter().cloned());
    let stored = events.iter().map(|event| NewEvent {
        event_type: event.event_type(),
        event_version: event.event_version(),
        payload: serde_json::to_string(event).expect("an event has a JSON form"),
        event: event.clone().into(),
    });
    StreamAppend {
        stream: A::stream(id),
        expected: 0,
        events: stored.collect(),
        state: serde_json::to_string(&state).expect("a state has a JSON form"),
        state_version: A::STATE_VERSION,
        terms: (&state as &dyn std::any::Any).downcast_ref::<Grant>().and_then(|grant| grant.terms().cloned()),
    }
}

async fn fold_all(log: &Log) -> Result<String, Box<dyn Error>> {
    let (mut grants, mut others): (HashMap<StreamId, Grant>, HashMap<StreamId, Vec<Event>>) = (HashMap::new(), HashMap::new());
    let mut after = 0;
    loop {
        let page = log.read(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.position;
        for stored in &page {
            let event = stored.event()?;
            let stream = stored.stream(&event)?;
            match event {
                Event::Grant(event) => grants.entry(stream).or_default().apply(event),
                other => others.entry(stream).or_default().push(other),
            }
        }
    }
    Ok(format!("{} grants", grants.len()))
}

async fn replay(log: &Log) -> Result<String, Box<dyn Error>> {
    let mut replayed = Replay::read(log, log.known_head(), Bounds::default(), &mut |_| {}).await?;
    let mut digest = RecordsDigest::default();
    while let Some(records) = replayed.next_grants()? {
        records.iter().for_each(|record| digest.add(record));
    }
    let grants = digest.records();
    Ok(format!("{grants} grants, digest {}", digest.finish()))
}
