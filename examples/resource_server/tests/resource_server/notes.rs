//! The running example, and the provider that it lives beside.

use std::{
    net::SocketAddr,
    process::Command,
    time::{Duration, Instant},
};

use grantlog::follow::relay::Relay;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use support::{Answer, Kind, NatsServer, ServerProcess, TestApp, TestClient};
use tokio::task::JoinHandle;

use crate::wire::Wire;

/// The program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_resource_server");
/// The longest that anything may take here.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the example hears of revocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Http,
    Nats,
}

impl Way {
    pub(crate) const ALL: [Self; 2] = [Self::Http, Self::Nats];
}

/// A provider, a nats-server that it relays to, and the example with its news over a wire.
pub(crate) struct Place {
    pub(crate) app: TestApp,
    /// To the provider's feed, or to the nats-server.
    pub(crate) wire: Wire,
    /// Where the wire leads to.
    pub(crate) source: SocketAddr,
    pub(crate) notes: Notes,
    pub(crate) application: TestClient,
    pub(crate) relay: JoinHandle<()>,
    way: Way,
    _nats: NatsServer,
}

/// The example.
pub(crate) struct Notes {
    process: ServerProcess,
    http: reqwest::Client,
}

impl Place {
    /// Starts everything, and waits until the example knows all that is dead.
    pub(crate) async fn start(kind: Kind, way: Way) -> Self {
        Self::start_with(kind, way, |_| {}).await
    }

    /// As `start`, with settings of the test's own.
    pub(crate) async fn start_with(kind: Kind, way: Way, change: impl FnOnce(&mut grantlog::config::Settings)) -> Self {
        let nats = NatsServer::start();
        let url = nats.url();
        let app = TestApp::start_in_real_time(kind, |settings| {
            settings.relay.url = url.clone().into();
            change(settings);
        })
        .await;
        let relay = tokio::spawn(Relay::new(app.app.clone()).run());
        let source = match way {
            Way::Http => app.address,
            Way::Nats => url.trim_start_matches("nats://").parse().unwrap(),
        };
        let wire = Wire::to(source).await;
        let notes = Notes::start(&app, (way, wire.address), &[]).await;
        notes.until_whole(true).await;
        let application = app.ordinary_client().await;
        Self { app, wire, source, notes, application, relay, way, _nats: nats }
    }

    /// Another process of the example.
    pub(crate) async fn another(&self) -> Notes {
        self.another_with(&[]).await
    }

    /// As `another`, with settings of its own.
    pub(crate) async fn another_with(&self, environment: &[(&str, &str)]) -> Notes {
        Notes::start(&self.app, (self.way, self.wire.address), environment).await
    }

    /// A JWT of the application's own.
    pub(crate) async fn token(&self) -> String {
        self.app.token_of(&self.application, "read").await.access
    }

    /// Revokes a token as the application.
    pub(crate) async fn revoke(&self, token: &str) {
        self.app.revoke(&self.application, token).await.assert_status(200);
    }
}

impl Notes {
    async fn start(app: &TestApp, (way, news): (Way, SocketAddr), environment: &[(&str, &str)]) -> Self {
        let itself = app.client(json!({"grant_types": ["client_credentials"], "scope": "introspection"})).await;
        let mut command = Command::new(PROGRAM);
        command.env("LISTEN", "127.0.0.1:0").env("ISSUER", app.url("/o")).env("AUDIENCE", app.url(""));
        command.env("CLIENT_ID", &itself.identifier).env("CLIENT_SECRET", itself.secret.expose_secret());
        command.env("CUT_OFF_AFTER", "3").env_remove("NATS_URL").envs(environment.iter().copied());
        match way {
            Way::Http => command.env("FEED_URL", format!("http://{news}/o/revocations")),
            Way::Nats => command.env("NATS_URL", format!("nats://{news}")),
        };
        Self { process: ServerProcess::start_another(&mut command, "notes are served at "), http: app.http.clone() }
    }

    /// Comes with a token.
    pub(crate) async fn read(&self, token: &str) -> Answer {
        self.request(|request| request.bearer_auth(token)).await
    }

    /// Comes with a request as it is changed.
    pub(crate) async fn request(&self, change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder) -> Answer {
        Answer::of(change(self.http.get(format!("{}/notes", self.process.url)))).await
    }

    /// Comes with a token in the URL.
    pub(crate) async fn read_by_url(&self, token: &str) -> Answer {
        Answer::of(self.http.get(format!("{}/notes?access_token={token}", self.process.url))).await
    }

    /// Adds a note.
    pub(crate) async fn write(&self, token: &str, text: &str) -> Answer {
        Answer::of(self.http.post(format!("{}/notes", self.process.url)).bearer_auth(token).json(text)).await
    }

    pub(crate) async fn lets_in(&self, token: &str) {
        self.read(token).await.assert_status(200);
    }

    /// How long it takes until it refuses the token.
    pub(crate) async fn until_refused(&self, token: &str) -> Duration {
        let begun = Instant::now();
        loop {
            let answer = self.read(token).await;
            if answer.status.as_u16() == 401 {
                assert!(answer.header("www-authenticate").contains("invalid_token"), "{answer:?}");
                return begun.elapsed();
            }
            answer.assert_status(200);
            assert!(begun.elapsed() < PATIENCE, "it does not hear of the revocation");
        }
    }

    pub(crate) async fn health(&self) -> Value {
        Answer::of(self.http.get(format!("{}/health", self.process.url))).await.assert_status(200).json()
    }

    /// Waits until it knows all that is dead, or says that it does not.
    pub(crate) async fn until_whole(&self, whole: bool) {
        self.until(|health| health["whole"] == whole).await;
    }

    /// Waits until its health is so.
    pub(crate) async fn until(&self, wanted: impl Fn(&Value) -> bool) {
        let begun = Instant::now();
        loop {
            let health = self.health().await;
            if wanted(&health) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{health}: {}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }
}
