//! `GET /o/revocations` and `/o/revocations/snapshot`: what is dead, for resource servers: as JSON that waits for the next revocation, or as
//! server-sent events. By client authentication, or by a bearer token with the scope `introspection`.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{self, Sse},
    },
};
use domain::client::Client;
use futures_util::stream::{self, Stream};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    follow::revocations::Entry,
    log::Unavailable,
    protocol::{
        ErrorCode, OAuthError, Parameters,
        introspection::Caller,
        revocations::{check, event_id, known, may_learn, wait},
    },
    state::App,
};

use super::{
    answer,
    bearer_auth::{self, usable},
    client_auth::{Purpose, authenticate},
    error::{Refused, no_store},
    form::Query,
    sender::Sender,
};

/// How often an event source hears up to where it knows all.
const TICK: Duration = Duration::from_secs(1);
/// For how long an event source stays connected: then it comes again, and shows again who it is.
const STREAM: Duration = Duration::from_secs(120);

/// The answer in JSON.
#[derive(Serialize)]
struct Told<'a> {
    /// Of the log: a restored log begins another.
    epoch: Uuid,
    /// With this answer all is known up to here.
    position: i64,
    revocations: Vec<&'a Entry>,
}

pub(super) async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    sender: Sender,
    Query(parameters): Query,
) -> Result<Response, Refused> {
    let asking = Asking::of(&app, (&headers, &sender)).await?;
    let last_event_id = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let known = known(&parameters, last_event_id)?;
    let head = if known.position > app.log.known_head() { app.log.head().await? } else { app.log.known_head() };
    check(known, app.log.epoch(), head).map_err(|error| Refused::with_status(error, StatusCode::CONFLICT))?;
    let wants_events = headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"text/event-stream"));
    if wants_events {
        return Ok(event_stream(app, asking, known.position));
    }
    let (deadline, mut position) = (Instant::now() + wait(&parameters)?, known.position);
    loop {
        let page = app.feed.after(position).await?;
        let seen: Vec<_> = page.entries.iter().map(Arc::as_ref).filter(|entry| asking.may_learn(&app, entry)).collect();
        let left = deadline.saturating_duration_since(Instant::now());
        if !seen.is_empty() || (!page.more && (left.is_zero() || app.feed.is_closed())) {
            return Ok(told(&app, page.position, seen));
        }
        position = page.position;
        if !page.more {
            app.feed.wait(position, left).await;
        }
    }
}

pub(super) async fn snapshot(
    State(app): State<App>,
    headers: HeaderMap,
    sender: Sender,
    Query(_): Query,
) -> Result<Response, Refused> {
    let asking = Asking::of(&app, (&headers, &sender)).await?;
    let snapshot = app.feed.snapshot().await?;
    let seen = snapshot.entries.iter().map(Arc::as_ref).filter(|entry| asking.may_learn(&app, entry));
    Ok(told(&app, snapshot.position, seen.collect()))
}

fn told(app: &App, position: i64, revocations: Vec<&Entry>) -> Response {
    let told = Told { epoch: app.log.epoch(), position, revocations };
    answer::json(serde_json::to_vec(&told).expect("revocations have a JSON form"))
}

/// The resource server that asks.
struct Asking {
    client_id: String,
    client: Arc<Client>,
}

impl Asking {
    async fn of(app: &App, (headers, sender): (&HeaderMap, &Sender)) -> Result<Self, Refused> {
        let asking = match bearer_auth::presented(headers)? {
            Some(presented) => {
                let (client_id, client) = bearer_auth::resource_server(app, presented, sender).await?;
                Self { client_id, client }
            }
            None => {
                // Credentials in a URL end in logs: only the header counts.
                let client = authenticate(app, headers, &Parameters::default(), (sender, Purpose::Read)).await?;
                Self { client_id: client.id.to_string(), client: client.client() }
            }
        };
        let registration = usable(&asking.client)?;
        if !(Caller { client_id: &asking.client_id, registration }).is_resource_server() {
            let description = "the client is not registered for the scope introspection";
            return Err(OAuthError::new(ErrorCode::InsufficientScope, "not_a_resource_server", description).into());
        }
        Ok(asking)
    }

    fn may_learn(&self, app: &App, entry: &Entry) -> bool {
        let caller = self.client.usable().map(|registration| Caller { client_id: &self.client_id, registration });
        caller.is_some_and(|caller| may_learn(&caller, entry, app.settings.default_resource()))
    }
}

/// Who listens, and how far they are.
struct Listening {
    app: App,
    asking: Asking,
    position: i64,
    until: Instant,
    /// When it hears next how far it is.
    tick: Instant,
    ready: VecDeque<sse::Event>,
}

fn event_stream(app: App, asking: Asking, position: i64) -> Response {
    let tick = Instant::now();
    let listening = Listening { app, asking, position, until: tick + STREAM, tick, ready: VecDeque::new() };
    let mut response = Sse::new(events(listening)).into_response();
    no_store(response.headers_mut());
    // nginx would keep the events back until it has a bufferful.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn events(listening: Listening) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    stream::unfold(listening, |mut listening| async move {
        while listening.ready.is_empty() {
            // Whoever listens notices that it ended, and comes again.
            listening.look().await.ok()?;
        }
        let event = listening.ready.pop_front()?;
        Some((Ok(event), listening))
    })
}

impl Listening {
    /// Takes in what there is to tell, or waits for it a while.
    async fn look(&mut self) -> Result<(), Ended> {
        let page = self.app.feed.after(self.position).await.map_err(|Unavailable| Ended)?;
        let epoch = self.app.log.epoch();
        for entry in page.entries.iter().filter(|entry| self.asking.may_learn(&self.app, entry)) {
            let event = sse::Event::default().event("revocation").id(event_id(epoch, entry.position));
            self.ready.push_back(event.json_data(entry.as_ref()).map_err(|_| Ended)?);
        }
        self.position = page.position;
        if !self.ready.is_empty() || page.more {
            return Ok(());
        }
        let now = Instant::now();
        if self.app.feed.is_closed() || now > self.until {
            return Err(Ended);
        }
        if now < self.tick {
            self.app.feed.wait(self.position, self.tick - now).await;
            return Ok(());
        }
        self.tick = now + TICK;
        let event = sse::Event::default().event("position").id(event_id(epoch, self.position));
        let told = json!({"position": self.position, "at": self.app.clock.now()});
        self.ready.push_back(event.json_data(told).map_err(|_| Ended)?);
        Ok(())
    }
}

/// There is nothing more to tell on this connection.
struct Ended;
