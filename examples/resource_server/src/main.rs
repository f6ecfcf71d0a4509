//! An example of a resource server: notes that whoever has a token with the scope `read` may read, and with `write` may add to.

use std::{
    net::SocketAddr,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Extension, Json, Router,
    extract::State,
    http::{HeaderName, StatusCode},
    routing::{get, post},
};
use clap::Parser;
use grantlog_resource_server::{Claims, Feed, Nats, ResourceServer, Settings};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// Serves notes to who comes with an access token.
#[derive(Parser)]
struct Arguments {
    /// Where to listen.
    #[arg(long, env, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The issuer's identifier: https://id.example.com/o.
    #[arg(long, env)]
    issuer: String,
    /// Who this server is in the `aud` of a token.
    #[arg(long, env)]
    audience: String,
    /// A client registered for the scope `introspection`.
    #[arg(long, env)]
    client_id: String,
    #[arg(long, env, hide_env_values = true)]
    client_secret: String,
    /// Under which clients reach it, where that is not the origin of the audience: proofs of a key name it.
    #[arg(long, env)]
    address: Option<String>,
    /// The header by which the proxy in front tells of a client's certificate.
    #[arg(long, env)]
    client_certificate_header: Option<HeaderName>,
    /// Where NATS is, to take the revocations from there.
    #[arg(long, env, hide_env_values = true)]
    nats_url: Option<String>,
    /// Where the feed over HTTP is, if not at the issuer.
    #[arg(long, env)]
    feed_url: Option<String>,
    /// Without news for so many seconds, the issuer is asked about each token.
    #[arg(long, env, default_value_t = 5)]
    cut_off_after: u64,
}

type Notes = Arc<Mutex<Vec<Value>>>;

#[tokio::main]
#[expect(clippy::print_stderr, reason = "whoever starts it reads why it ends")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("resource_server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let listener = TcpListener::bind(arguments.listen).await?;
    let server = ResourceServer::start(settings(arguments).await?)?;
    #[expect(clippy::print_stdout, reason = "whoever starts it reads the address")]
    {
        println!("notes are served at http://{}", listener.local_addr()?);
    }
    Ok(axum::serve(listener, application(&server)).await?)
}

async fn settings(arguments: Arguments) -> Result<Settings, async_nats::ConnectError> {
    let Arguments { issuer, audience, client_id, client_secret, address, client_certificate_header, .. } = arguments;
    let Arguments { nats_url, feed_url, cut_off_after, .. } = arguments;
    let feed = match nats_url {
        // It may come later: until then the issuer is asked.
        Some(url) => Feed::Nats(Nats::new(async_nats::ConnectOptions::new().retry_on_initial_connect().connect(url).await?)),
        None => Feed::Http,
    };
    let cut_off_after = Duration::from_secs(cut_off_after);
    let defaults = Settings::new(&issuer, &audience, &client_id, client_secret);
    Ok(Settings { address, client_certificate_header, feed, feed_url, cut_off_after, ..defaults })
}

fn application(server: &ResourceServer) -> Router {
    let reading = Router::new().route("/notes", get(read)).layer(server.layer().requiring("read"));
    let writing = Router::new().route("/notes", post(write)).layer(server.layer().requiring("write"));
    let health = Router::new().route("/health", get(health)).with_state(server.clone());
    reading.merge(writing).with_state(Notes::default()).merge(health)
}

async fn read(State(notes): State<Notes>, Extension(claims): Extension<Claims>) -> Json<Value> {
    let notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
    Json(json!({"reader": claims.sub, "application": claims.client_id, "notes": *notes}))
}

async fn write(State(notes): State<Notes>, Extension(claims): Extension<Claims>, Json(text): Json<String>) -> StatusCode {
    notes.lock().unwrap_or_else(PoisonError::into_inner).push(json!({"by": claims.sub, "text": text}));
    StatusCode::CREATED
}

/// How far it knows what is dead.
async fn health(State(server): State<ResourceServer>) -> Json<Value> {
    let standing = server.standing();
    Json(json!({
        "whole": standing.is_whole, "position": standing.position, "epoch": standing.epoch, "revocations": standing.revocations,
    }))
}
