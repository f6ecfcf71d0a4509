//! After a whole life of tokens no secret stands in a log line (at trace level), a metric, an error or a row of the store, and nothing
//! personal stands there in clear.

use std::{collections::BTreeMap, net::SocketAddr};

use base64::{Engine, engine::general_purpose::STANDARD};
use grantlog::{
    dispatch::{NewUser, Profile},
    log::Actor,
};
use projections::Db;
use secrecy::ExposeSecret;
use serde_json::json;
use support::{Answer, Cluster, Kind, Node, TestApp, TestClient, VERIFIER, both_stores};

use crate::GRANTLOG;

both_stores!(no_secret_is_let_out_as_text, no_secret_is_let_out_as_json);

const NAME: &str = "hanako-yamamoto";
const EMAIL: &str = "hanako@mail.example";
const PASSWORD: &str = "a password of hanako's";

/// What must stand nowhere.
#[derive(Default)]
pub(crate) struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    pub(crate) fn add(&mut self, what: &'static str, secret: impl Into<String>) {
        let secret = secret.into();
        assert!(secret.len() > 7, "{what}: too short to search for");
        self.0.push((what, secret));
    }

    pub(crate) fn assert_not_in(&self, place: &str, text: &str) {
        assert!(!text.is_empty(), "{place}: there is something to search");
        for (what, secret) in &self.0 {
            let found = text.find(secret.as_str());
            let around = found.map(|at| &text[text.floor_char_boundary(at.saturating_sub(200))..at]);
            assert_eq!(around, None, "{place} holds a {what}, after this");
        }
    }
}

async fn no_secret_is_let_out_as_text(kind: Kind) {
    search(kind, "text").await;
}

async fn no_secret_is_let_out_as_json(kind: Kind) {
    search(kind, "json").await;
}

async fn search(kind: Kind, format: &str) {
    let cluster = Cluster::new(kind, GRANTLOG).await;
    let node = cluster.start_with(&[("GRANTLOG_TELEMETRY__FILTER", "trace"), ("GRANTLOG_TELEMETRY__FORMAT", format)]);
    let mut secrets = Secrets::default();
    secrets.add("master key", cluster.app.master_key().expose_secret());
    let errors = live(&cluster.app, &node, &mut secrets).await;
    let metrics = Answer::of(cluster.app.http.get(format!("http://{}/metrics", node.address))).await.assert_status(200).body;
    secrets.assert_not_in("an error", &errors);
    secrets.assert_not_in("a metric", &metrics);
    secrets.assert_not_in("the log's lines", &node.process.log());
    secrets.assert_not_in("the store", &dump(&cluster.app).await);
}

/// A user signs in at the node, and a client gets, uses, refreshes, replays and revokes; gives the bodies of all errors.
async fn live(app: &TestApp, node: &Node, secrets: &mut Secrets) -> String {
    let claims = BTreeMap::from([("email".to_owned(), json!(EMAIL))]);
    let profile = Profile { username: NAME.to_owned(), claims };
    let user = NewUser { profile, password: Some(PASSWORD.into()), password_digest: None, administrator: false };
    app.app.dispatch.create_user(Actor::Operator, user).await.unwrap();
    for (what, secret) in [("user's name", NAME), ("mail address", EMAIL), ("password", PASSWORD), ("verifier", VERIFIER)] {
        secrets.add(what, secret);
    }
    let client = app.ordinary_client().await;
    secrets.add("client secret", client.secret.expose_secret());
    let basic = format!("{}:{}", client.identifier, client.secret.expose_secret());
    secrets.add("client secret in Basic", STANDARD.encode(basic));
    let mut errors = sign_in(app, node.address, secrets).await;
    errors += &tokens(app, node.address, &client, secrets).await;
    errors
}

async fn sign_in(app: &TestApp, node: SocketAddr, secrets: &mut Secrets) -> String {
    let browser = reqwest::Client::builder().cookie_store(true).redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let at = |path: &str| format!("http://{node}{path}");
    let form = Answer::of(browser.get(at("/sign-in/"))).await.assert_status(200).form("login").with("username", NAME);
    let (_, token) = form.fields.iter().find(|(name, _)| name == "csrf_token").unwrap();
    secrets.add("form's token", token.clone());
    let send = |password: &str| {
        let form = form.clone().with("password", password);
        browser.post(at(&form.action)).form(&form.fields)
    };
    let wrong = Answer::of(send("a wrong password")).await.assert_status(400).body;
    let stranger = Answer::of(app.http.post(at(&form.action)).form(&form.clone().with("password", PASSWORD).fields)).await;
    let welcome = Answer::of(send(PASSWORD)).await.assert_status(303);
    let cookie = welcome.header("set-cookie").split(['=', ';']).nth(1).unwrap().to_owned();
    let (_, secret) = cookie.split_once('.').unwrap();
    secrets.add("cookie", secret);
    // The pages show the form again, with its token and the name that was typed.
    (wrong + &stranger.body).replace(NAME, "").replace(token, "")
}

async fn tokens(app: &TestApp, node: SocketAddr, client: &TestClient, secrets: &mut Secrets) -> String {
    let code = app.code(client, "read").await;
    secrets.add("code", &code);
    let first = app.redeem_at(node, client, &code).await.assert_status(200).tokens();
    let second = app.refresh_at(node, client, first.refresh_token()).await.assert_status(200).tokens();
    let third = app.refresh_at(node, client, second.refresh_token()).await.assert_status(200).tokens();
    for tokens in [&first, &second, &third] {
        secrets.add("access token", &tokens.access);
        secrets.add("refresh token", tokens.refresh_token());
    }
    app.introspect_at(node, client, &third.access).await.assert_status(200);
    app.post_to(node, client, ("/o/revoke_token/", &[("token", &second.access)])).await.assert_status(200);
    let mut errors = String::new();
    for answer in [
        app.refresh_at(node, client, first.refresh_token()).await,
        app.refresh_at(node, client, third.refresh_token()).await,
        app.redeem_at(node, client, &code).await,
        app.post_to(node, client, ("/o/token/", &[("grant_type", "password"), ("password", PASSWORD)])).await,
        Answer::of(app.http.get(format!("http://{node}/api/resource")).bearer_auth(&third.access)).await,
        Answer::of(app.http.get(format!("http://{node}/o/authorize/?code={code}"))).await,
    ] {
        assert!(answer.status.is_client_error(), "{answer:?}");
        errors += &answer.body;
    }
    errors
}

/// All rows of the store as text.
pub(crate) async fn dump(app: &TestApp) -> String {
    match app.app.log.db() {
        Db::Sqlite(_) => {
            let bytes = ["grantlog.db", "grantlog.db-wal"].map(|name| std::fs::read(app.store.folder().join(name)).unwrap());
            String::from_utf8_lossy(&bytes.concat()).into_owned()
        }
        Db::Postgres(pool) => {
            let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
            let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(pool).await.unwrap();
            let mut rows = Vec::new();
            for table in tables {
                rows.extend(
                    sqlx::query_scalar::<_, String>(&format!("SELECT t::text FROM {table} AS t")).fetch_all(pool).await.unwrap(),
                );
            }
            rows.join("\n")
        }
    }
}
