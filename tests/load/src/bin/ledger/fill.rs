//! Making a long log.

use std::error::Error;

use cqrs_es::DomainEvent;
use domain::{
    ClientId, CommandId, ConsentId, Decide, Digest, Event, Sealed, SessionId, Timestamp, TokenId, UserId,
    claim::AskedClaims,
    client::{Client, ClientEvent, ClientMetadata},
    fold,
    grant::{AccessToken, Approved, ClientAuthentication, Grant, GrantEvent, RefreshToken},
    sealed::BlindIndex,
    session::{Session, SessionEnd, SessionEvent, SignIn},
    user::{User, UserEvent},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use grantlog::{
    clock::Clock,
    log::{Actor, Append, AppendError, Log, Metadata, NewEvent, StreamAppend},
};
use uuid::Uuid;

/// Commands that wait at a time.
const AT_A_TIME: usize = 1_024;
const CLIENTS: usize = 100;
const GRANTS_OF_A_USER: usize = 50;
/// How long codes and tokens live: longer than any run, so that none of it measures a sweep.
const LIFETIME: u32 = 86_400;
const BY: ClientAuthentication = ClientAuthentication::ClientSecretBasic;

/// Who is there, and when all of it happens.
struct World {
    clients: Vec<ClientId>,
    users: Vec<UserId>,
    at: Timestamp,
}

/// Appends so many grants, of clients and users that it makes first.
pub(crate) async fn fill(log: &Log, grants: usize) -> Result<String, Box<dyn Error>> {
    let world = World {
        clients: (0..CLIENTS).map(|_| ClientId::new(Uuid::now_v7())).collect(),
        users: (0..grants.div_ceil(GRANTS_OF_A_USER)).map(|_| UserId::new(Uuid::now_v7())).collect(),
        at: Clock::default().now(),
    };
    append_all(log, world.clients.iter().map(|client| world.registered(*client))).await?;
    append_all(log, world.users.iter().map(|user| world.created(*user))).await?;
    append_all(log, (0..grants).map(|n| world.granted(n))).await?;
    Ok(format!("{grants} grants"))
}

async fn append_all(log: &Log, commands: impl Iterator<Item = Append>) -> Result<(), AppendError> {
    let appends = stream::iter(commands).map(|command| log.append(command)).buffer_unordered(AT_A_TIME);
    appends.try_for_each(|_| async { Ok(()) }).await
}

impl World {
    fn registered(&self, client: ClientId) -> Append {
        let metadata = Box::new(ClientMetadata { client_name: Some("Shop".to_owned()), ..ClientMetadata::default() });
        let registered =
            ClientEvent::Registered { identifier: client.to_string(), owner: None, metadata, by_itself: None, at: self.at };
        append(vec![of::<Client>(client.uuid(), &[registered])])
    }

    /// A user whose key is in no vault, as that of one who was erased.
    fn created(&self, user: UserId) -> Append {
        let created = UserEvent::Created {
            sign_in_name: BlindIndex::new(random_digest().as_str().to_owned()),
            profile: Sealed::new(random_digest().as_str().to_owned()),
            verified_email: None,
            administrator: false,
            has_password: true,
            at: self.at,
        };
        append(vec![of::<User>(user.uuid(), &[created])])
    }

    /// Of ten grants three are a client's own; the others are approved, most in sign-ins of their own, of which some ended.
    fn granted(&self, n: usize) -> Append {
        let (client_id, user_id, at) = (self.clients[n % CLIENTS], self.users[n % self.users.len()], self.at);
        let grant = Uuid::now_v7();
        if n % 10 < 3 {
            let issued = GrantEvent::ClientCredentialsIssued { client_id, access: access(at), authentication: BY, at };
            return append(vec![of::<Grant>(grant, &[issued])]);
        }
        let session_id = SessionId::new(Uuid::now_v7());
        let code = random_digest();
        let mut events = vec![
            GrantEvent::Approved(Box::new(Approved {
                client_id,
                user_id,
                session_id,
                session_ends_at: None,
                consent_id: ConsentId::new(Uuid::now_v7()),
                scope: "openid read write".parse().expect("it is a scope"),
                resources: Vec::new(),
                redirect_uri: Some("https://app.example/callback".to_owned()),
                code_challenge: None,
                nonce: None,
                confirmation: None,
                auth_time: at,
                acr: None,
                amr: vec!["pwd".to_owned()],
                claims: AskedClaims::default(),
                device_authorization_id: None,
                code: code.clone(),
                code_expires_at: at.plus(LIFETIME),
                ends_at: at.plus(31_536_000),
                policy: "default".to_owned(),
                pos: 0,
                at,
            })),
            GrantEvent::CodeRedeemed { code, authentication: BY, at },
        ];
        let refresh = refresh(1, at);
        events.push(GrantEvent::TokensIssued { access: access(at), refresh: Some(refresh.clone()), at });
        if n.is_multiple_of(4) {
            let predecessor = refresh.digest;
            events.push(GrantEvent::Refreshed {
                predecessor,
                access: access(at),
                refresh: self::refresh(2, at),
                authentication: BY,
                at,
            });
        }
        let mut streams = vec![of::<Grant>(grant, &events)];
        if n.is_multiple_of(2) {
            let sign_in = SignIn {
                user_id,
                cookie: random_digest(),
                auth_time: at,
                amr: vec!["pwd".to_owned()],
                acr: None,
                expires_at: at.plus(1_209_600),
            };
            let mut events = vec![SessionEvent::Started { sign_in, browser: None, at }];
            if n.is_multiple_of(6) {
                events.push(SessionEvent::Ended { reason: SessionEnd::SignedOut, at });
            }
            streams.push(of::<Session>(session_id.uuid(), &events));
        }
        append(streams)
    }
}

fn random_digest() -> Digest {
    Digest::of(Uuid::now_v7().as_bytes())
}

fn access(at: Timestamp) -> AccessToken {
    AccessToken {
        id: TokenId::new(Uuid::now_v7()),
        digest: random_digest(),
        scope: "read".parse().expect("it is a scope"),
        audience: vec!["https://api.example".to_owned()],
        expires_at: at.plus(LIFETIME),
        kid: Some("1yUoyT3b2wqv1GSfQXoIeyYPzZwxsDqYVnLWVMSNzHM".to_owned()),
        pos: 0,
        confirmation: None,
        id_token: None,
    }
}

fn refresh(generation: u32, at: Timestamp) -> RefreshToken {
    RefreshToken { digest: random_digest(), generation, expires_at: at.plus(2_592_000), pos: 0, confirmation: None }
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
