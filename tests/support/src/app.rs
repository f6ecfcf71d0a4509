//! The real server over a store of the test's own.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use domain::{ClientId, Timestamp, UserId, client::ClientMetadata};
use grantlog::{
    clock::Clock,
    config::{KeyPair, Server, Settings, Source},
    dispatch::{NewUser, Profile, RegisterClient, RegisteredClient, SecretChoice},
    http::{self, Listeners},
    log::Actor,
    state::App,
    tls::{ClientCertificates, Tls},
    vault::{MasterKey, MasterKeys},
};
use projections::{
    consent::{self, ConsentRow},
    on_db,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{net::TcpListener, sync::oneshot};

use crate::{Answer, Kind, Store, TestClient};

/// A user whom every `TestApp` knows, and an administrator; both sign in with `PASSWORD`.
pub const USER: &str = "mika";
pub const ADMINISTRATOR: &str = "root";
pub const PASSWORD: &str = "correct horse battery";

/// A running server, its store and its clock, which stands but for what a test advances it where nothing else is said.
pub struct TestApp {
    pub app: App,
    pub address: SocketAddr,
    /// The id of the user `USER`.
    pub user: UserId,
    pub administrator: UserId,
    pub store: Store,
    /// Speaks to the server without cookies, and follows no redirect.
    pub http: reqwest::Client,
    master_key: SecretString,
    clocks: Clocks,
    stop: Option<oneshot::Sender<()>>,
}

/// The clocks of its nodes. Nodes that begin one after the other agree all the same.
#[derive(Clone, Copy)]
enum Clocks {
    GoOn,
    StandAt(Timestamp),
}

impl Clocks {
    fn another(self) -> Clock {
        match self {
            Self::GoOn => Clock::default(),
            Self::StandAt(moment) => Clock::standing_at(moment),
        }
    }
}

impl TestApp {
    /// A server with the default settings over a new store.
    pub async fn start(kind: Kind) -> Self {
        Self::start_with(kind, |_| {}).await
    }

    /// As `start`, with settings of the test's own.
    pub async fn start_with(kind: Kind, change: impl FnOnce(&mut Settings)) -> Self {
        let now = Clock::default().now();
        Self::open(Store::new(kind).await, MasterKey::generate(), Clocks::StandAt(now), change).await
    }

    /// As `start_with`, by a clock that goes on by itself: for what is tried again after a while, for certificates, and for whoever tells old news
    /// from new by a clock of its own.
    pub async fn start_in_real_time(kind: Kind, change: impl FnOnce(&mut Settings)) -> Self {
        Self::open(Store::new(kind).await, MasterKey::generate(), Clocks::GoOn, change).await
    }

    /// As `start`, at a name in the place of an address: passkeys need one.
    pub async fn start_at_name(kind: Kind) -> Self {
        let at_name = |settings: &mut Settings| {
            let url = format!("http://localhost:{}", settings.server.listen.port());
            settings.server.public_url = url.parse().expect("a name makes a URL");
        };
        Self::start_with(kind, at_name).await
    }

    /// A server over a store, which may have been used before under the same master key, by a clock that goes on by itself.
    pub async fn over(store: Store, master_key: SecretString, change: impl FnOnce(&mut Settings)) -> Self {
        Self::open(store, master_key, Clocks::GoOn, change).await
    }

    async fn open(store: Store, master_key: SecretString, clocks: Clocks, change: impl FnOnce(&mut Settings)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("the listener has an address");
        let mut settings = Settings::load(&Source::default()).expect("the defaults are settings");
        settings.server.public_url = format!("http://{address}").parse().expect("an address makes a URL");
        settings.server.listen = address;
        settings.store.url = store.settings.url.clone().into();
        change(&mut settings);
        let listeners = listeners(&mut settings, listener).await;
        let app = open(&store, Arc::new(settings), &master_key, clocks.another()).await;
        let user = user_of(&app, USER, false).await;
        let administrator = user_of(&app, ADMINISTRATOR, true).await;
        let (stop, stopped) = oneshot::channel();
        let stopped = async move { drop(stopped.await) };
        tokio::spawn(http::serve(app.clone(), listeners, stopped));
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client can be made");
        Self { app, address, user, administrator, store, http, master_key, clocks, stop: Some(stop) }
    }

    /// Another node over the same store and keys: its own log, caches and clock.
    pub async fn another_node(&self) -> App {
        open(&self.store, self.app.settings.clone(), &self.master_key, self.clocks.another()).await
    }

    /// As `another_node`, with a listener of its own: its address.
    pub async fn another_node_serving(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("the listener has an address");
        tokio::spawn(http::serve(self.another_node().await, Listeners::plain(listener), std::future::pending()));
        address
    }

    /// Takes the store away from under the running server.
    pub async fn close_store(&self) {
        projections::on_db!(self.app.log.db(), pool => pool.close().await);
    }

    /// The master key, for a server that is started anew over the same store.
    #[must_use]
    pub fn master_key(&self) -> SecretString {
        self.master_key.clone()
    }

    /// The address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Registers a client from its RFC 7591 metadata.
    pub async fn client(&self, metadata: serde_json::Value) -> TestClient {
        TestClient::new(self.register(metadata).await)
    }

    /// A confidential client for all three grants, with the scopes `read write` and one redirect URI.
    pub async fn ordinary_client(&self) -> TestClient {
        self.client(serde_json::json!({
            "client_name": "Ordinary",
            "redirect_uris": ["https://app.example/callback"],
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
            "scope": "read write",
        }))
        .await
    }

    async fn register(&self, metadata: serde_json::Value) -> RegisteredClient {
        let metadata: ClientMetadata = serde_json::from_value(metadata).expect("the test's metadata can be read");
        let request = RegisterClient { identifier: None, owner: None, metadata, secret: SecretChoice::Generated };
        self.app.dispatch.register_client(Actor::Operator, request).await.expect("the client can be registered").answer
    }

    /// Disables a client.
    pub async fn disable(&self, id: ClientId) {
        self.app.dispatch.disable_client(Actor::Operator, id).await.expect("the client can be disabled");
    }

    /// Changes something in the store behind the program's back.
    pub async fn execute(&self, sql: &str) {
        on_db!(self.app.log.db(), pool => { sqlx::raw_sql(sql).execute(pool).await.expect("the SQL is right"); });
    }

    /// Posts a form.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        Answer::of(self.http.post(self.url(path)).form(form)).await
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.http.get(self.url(path))).await
    }

    /// Gets a path with a bearer token.
    pub async fn get_with(&self, path: &str, token: &str) -> Answer {
        Answer::of(self.http.get(self.url(path)).bearer_auth(token)).await
    }

    /// Posts a form as a client that authenticates by Basic.
    pub async fn post_as(&self, client: &TestClient, path: &str, form: &[(&str, &str)]) -> Answer {
        self.post_to(self.address, client, (path, form)).await
    }

    /// As `post_as`, to another node.
    pub async fn post_to(&self, node: SocketAddr, client: &TestClient, form: (&str, &[(&str, &str)])) -> Answer {
        self.try_post_to(node, client, form).await.expect("the server answers")
    }

    /// As `post_to`; `None` where the node is gone before it has answered.
    pub async fn try_post_to(
        &self,
        node: SocketAddr,
        client: &TestClient,
        (path, form): (&str, &[(&str, &str)]),
    ) -> Option<Answer> {
        let request = self.http.post(format!("http://{node}{path}")).form(form);
        Answer::try_of(request.basic_auth(&client.identifier, Some(client.secret.expose_secret()))).await
    }

    /// Asks what a token is worth.
    pub async fn introspect(&self, client: &TestClient, token: &str) -> Answer {
        self.post_as(client, "/o/introspect/", &[("token", token)]).await
    }

    /// Whether a client is told that the token is active.
    pub async fn is_active(&self, client: &TestClient, token: &str) -> bool {
        self.introspect(client, token).await.assert_status(200).json()["active"] == true
    }

    /// What the user `USER` lets a client do.
    pub async fn consent(&self, client: &TestClient) -> Option<ConsentRow> {
        let (user, client) = (self.user.to_string(), client.id.to_string());
        consent::of_user_and_client(self.app.log.db(), &user, &client).await.expect("the store answers")
    }

    /// The user `USER` takes that back.
    pub async fn withdraw_consent(&self, client: &TestClient) {
        let consent = self.consent(client).await.expect("there is a consent").id.parse().expect("it has an id");
        self.app.dispatch.withdraw_consent(self.user, consent).await.expect("it can be withdrawn");
    }

    /// Stops the server and lets go of the store.
    pub async fn stop(mut self) -> Store {
        if let Some(stop) = self.stop.take() {
            stop.send(()).expect("the server runs");
        }
        self.store
    }
}

/// The listener for everybody, and that for client certificates where the settings want one, at a port that is free.
async fn listeners(settings: &mut Settings, ordinary: TcpListener) -> Listeners {
    let tls = |server: &Server, files: Option<KeyPair>, clients| {
        files.map(|files| Tls::open(&files, server.tls.tls12, clients).expect("the certificate can be used"))
    };
    let ordinary = (ordinary, tls(&settings.server, settings.server.key_pair(), ClientCertificates::NotAsked));
    let Some(address) = settings.server.mtls.listen else { return Listeners { ordinary, certificates: None } };
    let listener = TcpListener::bind(address).await.expect("a port is free");
    let address = listener.local_addr().expect("the listener has an address");
    settings.server.mtls.listen = Some(address);
    settings.server.mtls.public_url = Some(format!("https://{address}").parse().expect("an address makes a URL"));
    let tls = tls(&settings.server, settings.server.mtls_key_pair(), ClientCertificates::Asked).expect("there is a certificate");
    Listeners { ordinary, certificates: Some((listener, tls)) }
}

async fn open(store: &Store, settings: Arc<Settings>, master_key: &SecretString, clock: Clock) -> App {
    let master = MasterKeys::new(MasterKey::parse(master_key).expect("the master key can be read"), Vec::new());
    App::open(store.open().await, settings, master, clock).await.expect("the store can be opened")
}

async fn user_of(app: &App, name: &str, administrator: bool) -> UserId {
    if let Some(id) = app.dispatch.user_named(name).await.expect("the store answers") {
        return id;
    }
    let profile = Profile { username: name.to_owned(), claims: BTreeMap::new() };
    let new = NewUser { profile, password: Some(PASSWORD.into()), password_digest: None, administrator };
    app.dispatch.create_user(Actor::Operator, new).await.expect("the user can be made").answer
}
